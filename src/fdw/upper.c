/*-------------------------------------------------------------------------
 *
 * upper.c
 *		What a statement does with a table's rows, as far as the service can help.
 *
 * LIMIT, DISTINCT and sums are computed here, whatever was sent: each path below
 * is PostgreSQL's own node over a scan that is told how little it needs.  So a
 * scan may bring more, from a wider snapshot, and the answer is the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "fdw/condition.h"
#include "fdw/upper.h"
#include "insights/api.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* What a preview costs to wait for, as a part of fdw_startup_cost. */
#define PREVIEW_STARTUP 0.01

/*
 * The one table that a statement reads, where it is one of ours and is read at
 * all; else NULL.
 */
static RelOptInfo *
single_table(PlannerInfo *root)
{
	RelOptInfo *rel;
	int			rti;

	if (!bms_get_singleton_member(root->all_baserels, &rti))
		return NULL;
	rel = root->simple_rel_array[rti];
	if (rel == NULL || rel->reloptkind != RELOPT_BASEREL || root->simple_rte_array[rti]->inh ||
		IS_DUMMY_REL(rel) || rel->fdwroutine == NULL ||
		rel->fdwroutine->GetForeignUpperPaths != pinsightGetForeignUpperPaths)
		return NULL;
	return rel;
}

const PinOptions *
pin_upper_options(const RelOptInfo *rel)
{
	return ((PinPlanning *) rel->fdw_private)->options;
}

const PinTable *
pin_upper_table(const RelOptInfo *rel)
{
	return ((PinPlanning *) rel->fdw_private)->table;
}

Relation
pin_upper_open(PlannerInfo *root, const RelOptInfo *rel)
{
	return table_open(root->simple_rte_array[rel->relid]->relid, NoLock);
}

List *
pin_upper_clauses(const RelOptInfo *rel)
{
	return extract_actual_clauses(rel->baserestrictinfo, false);
}

bool
pin_upper_is_volatile(const RelOptInfo *rel, const List *exprs)
{
	return contain_volatile_functions((Node *) exprs) ||
		contain_volatile_functions((Node *) pin_upper_clauses(rel));
}

/* A scan's rows in the form that the next step takes. */
static Path *
project(PlannerInfo *root, RelOptInfo *rel, Path *path, PathTarget *target)
{
	if (equal(path->pathtarget->exprs, target->exprs))
		return path;
	return (Path *) create_projection_path(root, rel, path, target);
}

/* ---- LIMIT ---- */

/* Can the service apply all conditions, each exactly? */
static bool
all_exact(PlannerInfo *root, RelOptInfo *rel, Relation relation)
{
	ListCell   *lc;

	foreach(lc, pin_upper_clauses(rel))
	{
		PinCondition *c = pin_condition_classify(root, rel, pin_upper_table(rel), pin_upper_options(rel),
												 relation, lfirst(lc));

		if (c->class != PIN_CONDITION_EXACT)
			return false;
	}
	return true;
}

/*
 * A column to order by, whose order is the service's, too: never null, since
 * where null sorts is not documented.  A fraction or a time may be shown rounded;
 * that keeps an order, but not what comes after it.
 */
static bool
add_order(PlannerInfo *root, RelOptInfo *rel, Relation relation, SortGroupClause *sort,
		  PinShape *shape, bool *rounded)
{
	Expr	   *expr = (Expr *) get_sortgroupclause_expr(sort, root->parse->targetList);
	char	   *name = sort->sortop < FirstGenbkiObjectId ? get_opname(sort->sortop) : NULL;
	PinCondition column;

	if (*rounded || name == NULL || (strcmp(name, "<") != 0 && strcmp(name, ">") != 0) ||
		!pin_condition_column(rel, pin_upper_table(rel), pin_upper_options(rel), relation, expr, &column) ||
		!column.filter || !column.not_null)
		return false;
	switch (column.comparison)
	{
		case PIN_COMPARE_TEXT:
		case PIN_COMPARE_UUID:
		case PIN_COMPARE_BOOLEAN:
			return false;
		case PIN_COMPARE_INTEGER:
			break;
		case PIN_COMPARE_DECIMAL:
		case PIN_COMPARE_DATE:
		case PIN_COMPARE_TIME:
			*rounded = true;
			break;
	}
	shape->order = lappend(shape->order, makeString(pstrdup(column.column)));
	shape->descending = lappend_int(shape->descending, strcmp(name, ">") == 0);
	return true;
}

static bool
set_order(PlannerInfo *root, RelOptInfo *rel, Relation relation, PinShape *shape)
{
	bool		rounded = false;
	ListCell   *lc;

	/* a value that cannot be read is null here, with a place of its own */
	if (root->parse->sortClause != NIL && pin_upper_options(rel)->set_null)
		return false;
	foreach(lc, root->parse->sortClause)
	{
		if (!add_order(root, rel, relation, lfirst(lc), shape, &rounded))
			return false;
	}
	return true;
}

/* Is the result the table's rows, one by one, and a LIMIT of them? */
static bool
is_limited_scan(PlannerInfo *root, RelOptInfo *rel, const FinalPathExtraData *extra)
{
	Query	   *parse = root->parse;

	return extra->limit_needed && parse->commandType == CMD_SELECT &&
		parse->limitCount != NULL && parse->limitOption == LIMIT_OPTION_COUNT &&
		parse->rowMarks == NIL && parse->groupClause == NIL && parse->groupingSets == NIL &&
		!parse->hasAggs && !parse->hasWindowFuncs && !parse->hasTargetSRFs &&
		parse->distinctClause == NIL && !root->hasHavingQual &&
		parse->setOperations == NULL &&
		pin_condition_is_fixed(root, rel, (Expr *) parse->limitCount) &&
		pin_condition_is_fixed(root, rel, (Expr *) parse->limitOffset);
}

/*
 * Are few rows the answer, of which nothing is kept?  They have no order; and
 * nothing else in the statement may read the table, since it might see others.
 */
static bool
few_fit(PlannerInfo *root)
{
	return root->parse->sortClause == NIL && root->glob->subplans == NIL &&
		root->parent_root == NULL;
}

/*
 * Could they be a preview's?  These are of no execution, and are looked at twice.
 */
static bool
preview_fits(RelOptInfo *rel, const FinalPathExtraData *extra)
{
	const PinTable *table = pin_upper_table(rel);
	List	   *clauses = pin_upper_clauses(rel);
	List	   *needed = pin_plan_needed(rel, clauses, table);
	ListCell   *lc;

	if (pin_options_existing(pin_upper_options(rel)) ||
		extra->limit_tuples > PIN_PREVIEW_ROWS ||
		contain_volatile_functions((Node *) clauses))
		return false;
	foreach(lc, table->metadata_attnums)
	{
		if (list_member_int(needed, lfirst_int(lc)))
			return false;
	}
	return true;
}

static Path *
limit_path(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel,
		   const FinalPathExtraData *extra, PinShape *shape)
{
	Query	   *parse = root->parse;
	double		rows = extra->limit_tuples > 0 ? Min(extra->limit_tuples, rel->rows) : rel->rows;
	double		part = shape->preview ? PREVIEW_STARTUP : PIN_SMALL_REPORT_STARTUP;
	Path	   *path = (Path *) pin_plan_path(root, rel, rows,
											  pin_upper_options(rel)->startup_cost * part, shape);

	if (root->sort_pathkeys != NIL) /* else there is but one value to sort by */
		path = (Path *) create_sort_path(root, rel, path, root->sort_pathkeys, -1);
	path = project(root, output_rel, path, root->upper_targets[UPPERREL_FINAL]);
	return (Path *) create_limit_path(root, output_rel, path, parse->limitOffset,
									  parse->limitCount, parse->limitOption,
									  extra->offset_est, extra->count_est);
}

static void
add_limit_path(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel,
			   const FinalPathExtraData *extra)
{
	PinShape   *shape = palloc0(sizeof(PinShape));
	Relation	relation;
	bool		pushed;

	if (!is_limited_scan(root, rel, extra))
		return;
	relation = pin_upper_open(root, rel);
	pushed = pin_upper_options(rel)->fetch_query && !pin_options_existing(pin_upper_options(rel)) &&
		all_exact(root, rel, relation) && set_order(root, rel, relation, shape);
	table_close(relation, NoLock);
	shape->preview = few_fit(root) && preview_fits(rel, extra);
	shape->first = few_fit(root) && !pushed && rel->baserestrictinfo == NIL;
	if (!pushed && !shape->preview &&
		(!shape->first || pin_plan_at_hand(root, rel) != NULL))
		return;
	shape->limit = root->parse->limitCount;
	shape->offset = root->parse->limitOffset;
	add_path(output_rel, limit_path(root, rel, output_rel, extra, shape));
}

/* ---- DISTINCT ---- */

/* Would the service take for equal only what is equal here, too? */
static bool
same_duplicates(RelOptInfo *rel, Relation relation)
{
	List	   *needed = pin_plan_needed(rel, pin_upper_clauses(rel), pin_upper_table(rel));
	ListCell   *lc;

	foreach(lc, needed)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation), lfirst_int(lc) - 1);

		if (!pin_condition_same_equality(getBaseType(att->atttypid)))
			return false;
	}
	return needed != NIL &&
		(list_length(needed) > 1 || pin_is_not_null(RelationGetDescr(relation), linitial_int(needed)));
}

static void
add_distinct_path(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel)
{
	Query	   *parse = root->parse;
	PinShape   *shape;
	Relation	relation;
	bool		fits;
	double		groups;
	Path	   *path;

	if (!pin_upper_options(rel)->fetch_query || pin_upper_options(rel)->report_id != NULL ||
		pin_upper_table(rel)->metrics != NIL || parse->hasDistinctOn || parse->hasAggs ||
		parse->groupClause != NIL || parse->groupingSets != NIL || parse->hasWindowFuncs ||
		parse->hasTargetSRFs || root->hasHavingQual || pin_distinct_clause(root) == NIL ||
		!grouping_is_hashable(parse->distinctClause) ||
		pin_upper_is_volatile(rel, root->processed_tlist))
		return;
	relation = pin_upper_open(root, rel);
	fits = same_duplicates(rel, relation);
	table_close(relation, NoLock);
	if (!fits)
		return;

	shape = palloc0(sizeof(PinShape));
	shape->distinct = true;
	groups = estimate_num_groups(root, get_sortgrouplist_exprs(parse->distinctClause,
															   parse->targetList),
								 rel->rows, NULL, NULL);
	path = (Path *) pin_plan_path(root, rel, groups,
								  pin_upper_options(rel)->startup_cost * PIN_SMALL_REPORT_STARTUP, shape);
	path = project(root, output_rel, path, root->upper_targets[UPPERREL_DISTINCT]);
	add_path(output_rel, (Path *)
			 create_agg_path(root, output_rel, path, path->pathtarget, AGG_HASHED,
							 AGGSPLIT_SIMPLE, pin_distinct_clause(root), NIL, NULL, groups));
}

void
pinsightGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
							 RelOptInfo *input_rel, RelOptInfo *output_rel, void *extra)
{
	RelOptInfo *rel = single_table(root);

	if (rel == NULL)
		return;
	if (stage == UPPERREL_FINAL)
		add_limit_path(root, rel, output_rel, extra);
	else if (stage == UPPERREL_DISTINCT)
		add_distinct_path(root, rel, output_rel);
	else if (stage == UPPERREL_GROUP_AGG)
	{
		Node	   *having = ((GroupPathExtraData *) extra)->havingQual;

		pin_aggregate_add_path(root, rel, output_rel, having);
		pin_counted_add_path(root, rel, output_rel, having);
	}
}
