/*-------------------------------------------------------------------------
 *
 * plan.c
 *		What a scan will ask for, and what that costs.
 *
 * Planning never speaks to the service: everything here comes from the
 * catalogs of PostgreSQL and from the catalogue of datasets.
 *
 * The report query is the table's whole definition, whatever a SELECT touches:
 * with metric columns the service groups by all the others, so leaving one out
 * would change the rows.  Only the conversion is narrowed to the columns that
 * the plan needs.
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
#include "utils/rel.h"

/*
 * Rows of a table that was never analyzed.  Reports range from a few hundred
 * rows to millions; this is enough to keep the planner from loops that scan
 * the table again and again.
 */
#define DEFAULT_ROWS 100000

void
pinsightGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	baserel->fdw_private = pin_options_plan(foreigntableid);
	if (baserel->tuples <= 0)
		baserel->tuples = DEFAULT_ROWS;
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
	PinOptions *options = baserel->fdw_private;
	Cost		startup = options->startup_cost + baserel->baserestrictcost.startup;
	Cost		per_row = options->tuple_cost + cpu_tuple_cost +
	baserel->baserestrictcost.per_tuple;

	add_path(baserel, (Path *)
			 pin_create_foreignscan_path(root, baserel, baserel->rows,
										 startup,
										 startup + per_row * baserel->tuples,
										 baserel->lateral_relids, NIL));
}

/* The columns whose values the executor will look at, as an IntList. */
static List *
needed_columns(RelOptInfo *baserel, List *scan_clauses, const PinTable *table)
{
	Bitmapset  *used = NULL;
	List	   *needed = NIL;
	ListCell   *lc;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	pull_varattnos((Node *) scan_clauses, baserel->relid, &used);

	foreach(lc, table->attnums)
	{
		int			attnum = lfirst_int(lc);

		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used) ||
			bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used))
			needed = lappend_int(needed, attnum);
	}
	return needed;
}

ForeignScan *
pinsightGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
					   ForeignPath *best_path, List *tlist, List *scan_clauses,
					   Plan *outer_plan)
{
	Relation	relation = table_open(foreigntableid, NoLock);
	PinTable   *table = pin_table_resolve(relation, baserel->fdw_private);
	List	   *fdw_private;

	table_close(relation, NoLock);
	scan_clauses = extract_actual_clauses(scan_clauses, false);

	/* in the order of PinPlanItem */
	fdw_private = list_make5(makeString(table->query),
							 makeString(table->dataset),
							 makeString(table->program),
							 table->attnums,
							 table->names);
	fdw_private = lappend(fdw_private, needed_columns(baserel, scan_clauses, table));

	return make_foreignscan(tlist, scan_clauses, baserel->relid,
							NIL, fdw_private, NIL, NIL, outer_plan);
}
