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
 * is narrowed to the columns the plan needs, and to the rows, as far as the
 * service's conditions surely keep all of them.  The plan holds the pieces; what
 * is made of them is decided when the values are known (query.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "compat.h"
#include "fdw/condition.h"
#include "fdw/fdw.h"
#include "fdw/parallel.h"
#include "fdw/report.h"
#include "fdw/table.h"
#include "fdw/upper.h"
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

/* What the owner says, or what the last report had; -1: neither is known. */
static double
known_rows(Relation relation, const PinOptions *options, const PinTable *table)
{
	return options->estimated_rows >= 0 ? options->estimated_rows :
		pin_row_count_read(RelationGetRelid(relation), options->serverid, table->query);
}

static double
guess_rows(Relation relation)
{
	return relation->rd_rel->reltuples >= 0 ? relation->rd_rel->reltuples : DEFAULT_ROWS;
}

double
pin_plan_rows(Relation relation, const PinOptions *options, const PinTable *table)
{
	double		rows = known_rows(relation, options, table);

	return rows >= 0 ? rows : guess_rows(relation);
}

/*
 * Does an outer query hand anything into this one, or into one in between?  It
 * says so only until the paths are found: when plans are made of them that is
 * forgotten.
 */
static bool
is_correlated(const PlannerInfo *root)
{
	for (root = root->parent_root; root != NULL; root = root->parent_root)
		if (root->plan_params != NIL)
			return true;
	return false;
}

void
pinsightGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	PinPlanning *planning = palloc0(sizeof(PinPlanning));
	Relation	relation = table_open(foreigntableid, NoLock);
	const PinSnapshotHead *head = NULL;

	planning->options = pin_options_plan(foreigntableid);
	planning->table = pin_table_resolve(relation, planning->options);
	planning->correlated = is_correlated(root);
	baserel->fdw_private = planning;
	baserel->tuples = known_rows(relation, planning->options, planning->table);
	if (baserel->tuples < 0 && !planning->options->fetch_query)
		head = pin_plan_at_hand(root, baserel);
	if (baserel->tuples < 0)
		baserel->tuples = head != NULL ? (double) head->rows : guess_rows(relation);
	table_close(relation, NoLock);
	set_baserel_size_estimates(root, baserel);
}

Cost
pin_plan_row_cost(const RelOptInfo *baserel)
{
	const PinPlanning *planning = baserel->fdw_private;

	return planning->options->tuple_cost + cpu_tuple_cost + baserel->baserestrictcost.per_tuple;
}

ForeignPath *
pin_plan_path(PlannerInfo *root, RelOptInfo *baserel, double rows, Cost startup,
			  PinShape *shape)
{
	const QualCost *output = &baserel->reltarget->cost;
	double		read = shape != NULL ? rows : baserel->tuples;
	ForeignPath *path;

	startup += baserel->baserestrictcost.startup + output->startup;
	path = pin_create_foreignscan_path(root, baserel, rows, startup,
									   startup + pin_plan_row_cost(baserel) * read +
									   output->per_tuple * rows,
									   baserel->lateral_relids,
									   shape == NULL ? NIL : list_make1(shape));
	path->path.parallel_safe = false;	/* see parallel.c */
	return path;
}

ForeignPath *
pin_plan_partial_path(PlannerInfo *root, RelOptInfo *baserel, double processes)
{
	const PinPlanning *planning = baserel->fdw_private;
	Cost		startup = planning->options->startup_cost + baserel->baserestrictcost.startup;

	return pin_create_foreignscan_path(root, baserel, clamp_row_est(baserel->rows / processes),
									   startup,
									   startup + pin_plan_row_cost(baserel) * baserel->tuples / processes,
									   NULL, NIL);
}

/*
 * One path, or two: fetch the report, read it once.  The start-up cost stands for the
 * minutes a report takes; since the planner charges a path's whole cost for
 * every rescan, it makes any plan that scans the table once (a hash join, a
 * materialized inner side) look as cheap as it is.
 */
void
pinsightGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	PinOptions *options = ((PinPlanning *) baserel->fdw_private)->options;

	add_path(baserel, (Path *) pin_plan_path(root, baserel, baserel->rows,
											 options->startup_cost, NULL));
	pin_parallel_add_path(root, baserel);
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

List *
pin_plan_needed(RelOptInfo *baserel, List *clauses, const PinTable *table)
{
	Bitmapset  *used = NULL;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	pull_varattnos((Node *) clauses, baserel->relid, &used);
	return add_needed(add_needed(NIL, table->attnums, used),
					  table->metadata_attnums, used);
}

static String *
string_item(const char *text)
{
	return makeString(pstrdup(text != NULL ? text : ""));
}

/* All but what the statement adds, in the order of PinPlanItem. */
static List *
table_items(const PinTable *table)
{
	List	   *plan = list_make5(list_make1_oid(table->relid),
								  makeString(table->query),
								  string_item(table->dataset),
								  makeString(table->program),
								  string_item(table->timespan));

	plan = lappend(plan, table->attnums);
	plan = lappend(plan, table->names);
	plan = lappend(plan, table->metadata_attnums);
	plan = lappend(plan, table->metadata);
	plan = lappend(plan, table->metrics);
	return lappend(plan, string_item(table->time_column));
}

/* What the statement adds. */
static List *
statement_items(List *plan, List *needed, bool pushed, List *conditions,
				const PinShape *shape, List *limit)
{
	plan = lappend(plan, needed);
	plan = lappend(plan, makeInteger(pushed));
	plan = lappend(plan, conditions);
	plan = lappend(plan, makeInteger(shape->distinct));
	plan = lappend(plan, limit);
	plan = lappend(plan, shape->order);
	plan = lappend(plan, shape->descending);
	plan = lappend(plan, makeInteger(shape->preview));
	return lappend(plan, makeInteger(shape->first));
}

List *
pin_plan_table(const PinTable *table)
{
	PinShape	plain = {0};

	return statement_items(table_items(table), NIL, false, NIL, &plain, NIL);
}

/* Adds an expression that is evaluated before the first row; its place. */
static int
add_expr(List **exprs, Node *expr)
{
	if (expr == NULL)
		return -1;
	*exprs = lappend(*exprs, expr);
	return list_length(*exprs) - 1;
}

static List *
classify(PlannerInfo *root, RelOptInfo *baserel, Relation relation, List *clauses, List **exprs)
{
	PinPlanning *planning = baserel->fdw_private;
	List	   *conditions = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		PinCondition *c = pin_condition_classify(root, baserel, planning->table,
												 planning->options, relation, lfirst(lc));

		c->value_index = add_expr(exprs, (Node *) c->value);
		conditions = lappend(conditions, pin_condition_to_list(c));
	}
	return conditions;
}

/* The table as a scan of groups sees it: its columns are the groups' and counts. */
static PinTable *
table_of_groups(const PinTable *table, const PinCounted *counted)
{
	PinTable   *groups = palloc(sizeof(PinTable));

	*groups = *table;
	groups->query = "";
	groups->attnums = NIL;
	for (int i = 1; i <= list_length(counted->tlist); i++)
		groups->attnums = lappend_int(groups->attnums, i);
	groups->names = counted->names;
	groups->metrics = counted->metrics;
	groups->metadata_attnums = groups->metadata = NIL;
	return groups;
}

/* A scan of groups: see counted.c. */
static ForeignScan *
plan_groups(PlannerInfo *root, const PinCounted *counted, List *tlist)
{
	PinPlanning *planning = counted->rel->fdw_private;
	PinTable   *groups = table_of_groups(planning->table, counted);
	PinShape	plain = {0};
	Relation	relation = table_open(planning->table->relid, NoLock);
	List	   *exprs = NIL;
	List	   *conditions = classify(root, counted->rel, relation, counted->sent, &exprs);

	table_close(relation, NoLock);
	return make_foreignscan(tlist, counted->checked, 0, exprs,
							statement_items(table_items(groups), groups->attnums, true,
											conditions, &plain, NIL),
							counted->tlist, NIL, NULL);
}

/*
 * The items of a plan in a shape, and the expressions whose values they need.
 * clauses: all that stand in the plan.
 */
static List *
plan_scan(PlannerInfo *root, RelOptInfo *baserel, List *clauses, const PinShape *shape,
		  List **exprs)
{
	PinPlanning *planning = baserel->fdw_private;
	PinTable   *table = planning->table;
	Relation	relation = table_open(table->relid, NoLock);
	List	   *needed = pin_plan_needed(baserel, clauses, table);
	List	   *conditions = classify(root, baserel, relation, clauses, exprs);
	List	   *limit = NIL;

	if (shape->limit != NULL)
	{
		limit = list_make1_int(add_expr(exprs, shape->limit));
		limit = lappend_int(limit, add_expr(exprs, shape->offset));
	}
	if (planning->options->fetch_query)
		table = pin_table_narrow(table, needed, shape->coarse, relation);
	table_close(relation, NoLock);
	return statement_items(table_items(table), needed, planning->options->fetch_query,
						   conditions, shape, limit);
}

/* Looks for what is wanted by what is known so far. */
static PinSnapshotHead *
look_at_hand(PlannerInfo *root, RelOptInfo *baserel)
{
	PinPlanning *planning = baserel->fdw_private;
	Oid			userid = OidIsValid(baserel->userid) ? baserel->userid : GetUserId();
	PinOptions *options = pin_options_prospect(planning->table->relid, userid);
	PinSnapshotHead *head = palloc(sizeof(PinSnapshotHead));
	PinShape	plain = {0};
	List	   *exprs = NIL;
	List	   *plan;

	if (options == NULL)
		return NULL;
	plan = plan_scan(root, baserel, extract_actual_clauses(baserel->baserestrictinfo, false),
					 &plain, &exprs);
	return pin_report_at_hand(planning->table->relid, userid, options,
							  pin_query_of_plan(plan, exprs), head) ? head : NULL;
}

const PinSnapshotHead *
pin_plan_at_hand(PlannerInfo *root, RelOptInfo *baserel)
{
	PinPlanning *planning = baserel->fdw_private;

	if (!planning->looked)
		planning->at_hand = look_at_hand(root, baserel);
	planning->looked = true;
	return planning->at_hand;
}

ForeignScan *
pinsightGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
					   ForeignPath *best_path, List *tlist, List *scan_clauses,
					   Plan *outer_plan)
{
	PinShape	plain = {0};
	const PinShape *shape = best_path->fdw_private == NIL ? &plain :
	linitial(best_path->fdw_private);
	List	   *exprs = NIL;
	List	   *plan;

	if (IS_UPPER_REL(baserel))
		return plan_groups(root, linitial(best_path->fdw_private), tlist);
	scan_clauses = extract_actual_clauses(scan_clauses, false);
	plan = plan_scan(root, baserel, scan_clauses, shape, &exprs);
	return make_foreignscan(tlist, scan_clauses, baserel->relid, exprs, plan, NIL, NIL,
							outer_plan);
}
