/*-------------------------------------------------------------------------
 *
 * plan.c
 *		Which calls a scan of the service's objects will make, and their cost.
 *
 * A call is a round trip, whose cost outweighs that of its rows.  Where another
 * table tells which values a column has, there is a path that makes a call for
 * each of them: a join of reports and executions then asks for the executions
 * of those reports only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "objects/condition.h"
#include "objects/objects.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"

/* A round trip, in the planner's units. */
#define CALL_COST 500.0

/* How many reports there are, for whoever has to look at all of them. */
#define USUAL_REPORTS 50

/* So many values an array is thought to have. */
#define USUAL_VALUES 10

/* What is known of a table while it is planned: RelOptInfo.fdw_private. */
typedef struct Planning
{
	PinOptions *options;		/* of table and server */
	PinObjectTable *table;		/* what it shows */
} Planning;

/* Rows of the whole table: as its owner says, ANALYZE counted, or usual. */
static double
rows_of(Relation relation, const Planning *planning)
{
	if (planning->options->estimated_rows >= 0)
		return planning->options->estimated_rows;
	if (relation->rd_rel->reltuples >= 0)
		return relation->rd_rel->reltuples;
	return planning->table->object->usual_rows;
}

void
pinsightObjectRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	Planning   *planning = palloc(sizeof(Planning));
	Relation	relation = table_open(foreigntableid, NoLock);

	planning->options = pin_options_plan(foreigntableid);
	planning->table = pin_object_table(relation, planning->options);
	baserel->fdw_private = planning;
	baserel->tuples = rows_of(relation, planning);
	table_close(relation, NoLock);
	set_baserel_size_estimates(root, baserel);
}

/* ---- paths ---- */

/* How many calls it takes, given these clauses. */
static double
count_calls(PlannerInfo *root, RelOptInfo *rel, const List *clauses)
{
	const Planning *planning = rel->fdw_private;
	bool		executions = planning->table->object->kind == PIN_EXECUTIONS;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		PinObjectCondition condition;

		if (executions &&
			pin_object_condition(root, rel, planning->table, lfirst_node(RestrictInfo, lc)->clause,
								 NULL, &condition) &&
			condition.column->use == PIN_USE_PATH)
			return condition.several ? USUAL_VALUES : 1;
	}
	return executions ? 1 + USUAL_REPORTS : 1;
}

/*
 * All calls are made before the first row.  A worker would only sign in and call
 * for itself: one process scans.
 */
static void
add_scan(PlannerInfo *root, RelOptInfo *rel, Relids outer)
{
	const Planning *planning = rel->fdw_private;
	ParamPathInfo *info = get_baserel_parampathinfo(root, rel, outer);
	double		rows = info != NULL ? info->ppi_rows : rel->rows;
	List	   *clauses = info != NULL ? list_concat_copy(rel->baserestrictinfo, info->ppi_clauses) :
	rel->baserestrictinfo;
	double		calls = count_calls(root, rel, clauses);
	Cost		startup = calls * CALL_COST + rel->baserestrictcost.startup;
	Cost		per_row = planning->options->tuple_cost + cpu_tuple_cost +
	rel->baserestrictcost.per_tuple;

	ForeignPath *path = pin_create_foreignscan_path(root, rel, rows, startup,
													startup +
													per_row * (info != NULL ? rows : rel->tuples),
													outer, NIL);

	path->path.parallel_safe = false;
	add_path(rel, (Path *) path);
}

/* What generate_implied_equalities_for_column() is told. */
typedef struct Wanted
{
	const PinObjectTable *table;	/* whose column is wanted */
	const PinObjectColumn *column;	/* which one */
} Wanted;

/* Is this member of an equivalence class the wanted column? */
static bool
is_wanted_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
				 EquivalenceMember *em, void *arg)
{
	const Wanted *wanted = arg;
	Node	   *node = (Node *) em->em_expr;

	if (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return IsA(node, Var) && ((Var *) node)->varno == rel->relid &&
		((Var *) node)->varattno > 0 &&
		wanted->table->columns[((Var *) node)->varattno - 1] == wanted->column;
}

/* Adds a set of relations to a list of those, unless it is empty or there. */
static List *
add_relids(List *sets, Relids relids)
{
	ListCell   *lc;

	if (bms_is_empty(relids))
		return sets;
	foreach(lc, sets)
	{
		if (bms_equal(lfirst(lc), relids))
			return sets;
	}
	return lappend(sets, relids);
}

/* Adds to outers the relations that a clause needs, if it says of the column. */
static List *
add_outer(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *info,
		  const PinObjectColumn *column, List *outers)
{
	const Planning *planning = rel->fdw_private;
	PinObjectCondition condition;
	Relids		outer;

	if (!join_clause_is_movable_to(info, rel) ||
		!pin_object_condition(root, rel, planning->table, info->clause, column, &condition))
		return outers;
	outer = bms_union(info->clause_relids, rel->lateral_relids);
	return add_relids(outers, bms_del_member(outer, rel->relid));
}

/* The sets of other relations that tell which values a column has. */
static List *
outers_of(PlannerInfo *root, RelOptInfo *rel, const PinObjectColumn *column, List *outers)
{
	const Planning *planning = rel->fdw_private;
	Wanted		wanted = {.table = planning->table,.column = column};
	ListCell   *lc;

	foreach(lc, rel->joininfo)
		outers = add_outer(root, rel, lfirst_node(RestrictInfo, lc), column, outers);
	if (!rel->has_eclass_joins)
		return outers;
	foreach(lc, generate_implied_equalities_for_column(root, rel, is_wanted_column, &wanted,
													   rel->lateral_referencers))
		outers = add_outer(root, rel, lfirst_node(RestrictInfo, lc), column, outers);
	return outers;
}

void
pinsightObjectPaths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	const Planning *planning = baserel->fdw_private;
	const PinObject *object = planning->table->object;
	List	   *outers = NIL;
	ListCell   *lc;

	add_scan(root, baserel, baserel->lateral_relids);
	for (int i = 0; i < object->ncolumns; i++)
	{
		if (object->columns[i].use != PIN_USE_NONE)
			outers = outers_of(root, baserel, &object->columns[i], outers);
	}
	foreach(lc, outers)
		add_scan(root, baserel, lfirst(lc));
}

/* ---- the plan ---- */

/* Columns the executor will look at, attnums as an IntList. */
static List *
needed_columns(RelOptInfo *rel, const PinObjectTable *table, List *clauses)
{
	Bitmapset  *used = NULL;
	List	   *needed = NIL;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) clauses, rel->relid, &used);
	for (int attnum = 1; attnum <= table->natts; attnum++)
	{
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used) ||
			bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used))
			needed = lappend_int(needed, attnum);
	}
	return needed;
}

ForeignScan *
pinsightObjectPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
				   ForeignPath *best_path, List *tlist, List *scan_clauses, Plan *outer_plan)
{
	const Planning *planning = baserel->fdw_private;
	const PinObject *object = planning->table->object;
	List	   *columns = NIL;
	List	   *several = NIL;
	List	   *exprs = NIL;
	bool		only_latest = false;
	ListCell   *lc;

	scan_clauses = extract_actual_clauses(scan_clauses, false);
	foreach(lc, scan_clauses)
	{
		PinObjectCondition condition;

		if (!pin_object_condition(root, baserel, planning->table, lfirst(lc), NULL, &condition))
			continue;
		if (condition.value == NULL)
			only_latest = true;
		else if (!list_member_int(columns, condition.column - object->columns))
		{
			columns = lappend_int(columns, condition.column - object->columns);
			several = lappend_int(several, condition.several);
			exprs = lappend(exprs, condition.value);
		}
	}
	return make_foreignscan(tlist, scan_clauses, baserel->relid, exprs,
							list_make4(columns, several, makeInteger(only_latest),
									   needed_columns(baserel, planning->table, scan_clauses)),
							NIL, NIL, outer_plan);
}

void
pin_object_wish(PinObjectWish *wish, const PinObjectTable *table, const List *plan)
{
	ListCell   *lc;

	wish->object = table->object;
	wish->values = palloc0(sizeof(List *) * table->object->ncolumns);
	wish->only_latest = intVal(list_nth(plan, PIN_OBJECT_PLAN_ONLY_LATEST)) != 0;
	wish->tell_latest = false;
	foreach(lc, (List *) list_nth(plan, PIN_OBJECT_PLAN_NEEDED))
	{
		const PinObjectColumn *column = table->columns[lfirst_int(lc) - 1];

		wish->tell_latest |= column != NULL && column->type == PIN_OBJECT_LATEST;
	}
}
