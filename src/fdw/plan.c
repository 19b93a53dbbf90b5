/*-------------------------------------------------------------------------
 *
 * plan.c
 *		What a scan will ask for, and what that costs.
 *
 * Planning never speaks to the service: everything here comes from the
 * catalogs of PostgreSQL and from the catalogue of datasets.
 *
 * The report query is the table's whole definition, whatever a SELECT touches:
 * one report then answers every SELECT.  Where the table says fetch 'query' it
 * is narrowed to the columns the plan needs; never so with metric columns, since
 * the service groups by all the others, and leaving one out would change the
 * rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "snapshot/row_count.h"
#include "utils/rel.h"

/*
 * Rows of a table that was never analyzed.  Reports range from a few hundred
 * rows to millions; this is enough to keep the planner from loops that scan
 * the table again and again.
 */
#define DEFAULT_ROWS 100000

/* What is known of a table while it is planned. */
typedef struct PinPlanning
{
	PinOptions *options;		/* of table and server */
	PinTable   *table;			/* what it stands for */
} PinPlanning;

double
pin_plan_rows(Relation relation, const PinOptions *options, const PinTable *table)
{
	double		rows = options->estimated_rows;

	if (rows < 0)
		rows = pin_row_count_read(RelationGetRelid(relation), options->serverid, table->query);
	if (rows < 0)
		rows = relation->rd_rel->reltuples;
	return rows >= 0 ? rows : DEFAULT_ROWS;
}

void
pinsightGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	PinPlanning *planning = palloc(sizeof(PinPlanning));
	Relation	relation = table_open(foreigntableid, NoLock);

	planning->options = pin_options_plan(foreigntableid);
	planning->table = pin_table_resolve(relation, planning->options);
	baserel->fdw_private = planning;
	baserel->tuples = pin_plan_rows(relation, planning->options, planning->table);
	table_close(relation, NoLock);
	set_baserel_size_estimates(root, baserel);
}

/*
 * One path: fetch the report, read it once.  The start-up cost stands for the
 * minutes a report takes; since the planner charges a path's whole cost for
 * every rescan, it makes any plan that scans the table once (a hash join, a
 * materialized inner side) look as cheap as it is.
 */
void
pinsightGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	PinOptions *options = ((PinPlanning *) baserel->fdw_private)->options;
	Cost		startup = options->startup_cost + baserel->baserestrictcost.startup;
	Cost		per_row = options->tuple_cost + cpu_tuple_cost +
	baserel->baserestrictcost.per_tuple;

	add_path(baserel, (Path *)
			 pin_create_foreignscan_path(root, baserel, baserel->rows,
										 startup,
										 startup + per_row * baserel->tuples,
										 baserel->lateral_relids, NIL));
}

bool
pin_plan_prefetches(const RelOptInfo *baserel)
{
	const PinPlanning *planning = baserel->fdw_private;

	return planning != NULL && planning->options->prefetch;
}

/* Adds to needed the columns that are in used. */
static List *
add_needed(List *needed, const List *attnums, const Bitmapset *used)
{
	ListCell   *lc;

	foreach(lc, attnums)
	{
		int			attnum = lfirst_int(lc);

		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used) ||
			bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used))
			needed = lappend_int(needed, attnum);
	}
	return needed;
}

/* The columns whose values the executor will look at, as an IntList. */
static List *
needed_columns(RelOptInfo *baserel, List *scan_clauses, const PinTable *table)
{
	Bitmapset  *used = NULL;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	pull_varattnos((Node *) scan_clauses, baserel->relid, &used);
	return add_needed(add_needed(NIL, table->attnums, used),
					  table->metadata_attnums, used);
}

List *
pin_plan_table(const PinTable *table)
{
	List	   *plan = list_make5(makeString(table->query),
								  makeString(table->dataset),
								  makeString(table->program),
								  table->attnums,
								  table->names);

	/* in the order of PinPlanItem */
	plan = lappend(plan, table->metadata_attnums);
	plan = lappend(plan, table->metadata);
	plan = lappend(plan, table->metrics);
	return lappend(plan, makeString(table->window != NULL ? table->window : ""));
}

ForeignScan *
pinsightGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
					   ForeignPath *best_path, List *tlist, List *scan_clauses,
					   Plan *outer_plan)
{
	PinPlanning *planning = baserel->fdw_private;
	PinTable   *table = planning->table;
	List	   *needed;

	scan_clauses = extract_actual_clauses(scan_clauses, false);
	needed = needed_columns(baserel, scan_clauses, table);
	if (planning->options->fetch_query)
	{
		Relation	relation = table_open(foreigntableid, NoLock);

		table = pin_table_narrow(table, needed, relation, planning->options);
		table_close(relation, NoLock);
	}

	return make_foreignscan(tlist, scan_clauses, baserel->relid,
							NIL, lappend(pin_plan_table(table), needed),
							NIL, NIL, outer_plan);
}
