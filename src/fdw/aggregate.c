/*-------------------------------------------------------------------------
 *
 * aggregate.c
 *		Sums of metrics, from a report of the groups that a statement needs.
 *
 * The service computes a metric for every combination of the other columns that
 * a report has.  A metric that adds up (its column's option sum_of says so) can
 * as well be reported for fewer columns, and PostgreSQL adds up what comes: the
 * sum of larger groups is the sum of the smaller ones in them.  The other columns
 * must not matter, then: they may be dropped only if all that the statement
 * computes is the same however often a row of the others occurs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fdw/upper.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* Looking at what a statement computes. */
typedef struct Look
{
	RelOptInfo *rel;
	Relation	relation;
} Look;

/* ---- columns ---- */

static bool
is_metric(const Look *look, const Node *node)
{
	return IsA(node, Var) && ((const Var *) node)->varno == look->rel->relid &&
		pin_table_is_metric(pin_upper_table(look->rel), ((const Var *) node)->varattno);
}

/*
 * Does a metric add up, to the last digit?  Not as a floating point number, nor
 * where each group's value is rounded to the column's type, or a larger group's
 * would not fit into it.
 */
static bool
adds_up(const Look *look, const Var *var)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(look->relation), var->varattno - 1);
	bool		exact = att->atttypid == INT8OID ||
	(att->atttypid == NUMERICOID && att->atttypmod < 0);

	return exact && pin_options_column(RelationGetRelid(look->relation), var->varattno).sum_of != NULL;
}

static bool
has_metric(Node *node, void *look)
{
	return node != NULL &&
		(is_metric(look, node) || expression_tree_walker(node, has_metric, look));
}

/* ---- aggregates ---- */

const char *
pin_aggregate_name(const Aggref *aggref)
{
	char	   *name = aggref->aggfnoid < FirstGenbkiObjectId ? get_func_name(aggref->aggfnoid) : NULL;

	return name != NULL ? name : "";
}

/* sum(metric) of all rows of a group */
static bool
is_sum(const Look *look, const Aggref *aggref)
{
	Node	   *argument;

	if (strcmp(pin_aggregate_name(aggref), "sum") != 0 || aggref->aggdistinct != NIL ||
		aggref->aggfilter != NULL || aggref->aggorder != NIL || list_length(aggref->args) != 1)
		return false;
	argument = (Node *) ((TargetEntry *) linitial(aggref->args))->expr;
	return is_metric(look, argument) && adds_up(look, (Var *) argument);
}

char *
pin_aggregate_sum_name(RelOptInfo *rel, Relation relation, const Aggref *aggref)
{
	Look		look = {.rel = rel,.relation = relation};
	Var		   *var;

	if (!is_sum(&look, aggref))
		return NULL;
	var = (Var *) ((TargetEntry *) linitial(aggref->args))->expr;
	return pstrdup(pin_table_name(pin_upper_table(rel), var->varattno));
}

/* An aggregate of plain columns to which it is all one how often a row occurs. */
static bool
ignores_duplicates(Look *look, const Aggref *aggref)
{
	static const char *const names[] = {
		"min", "max", "bool_and", "bool_or", "every", "bit_and", "bit_or"
	};
	const char *name = pin_aggregate_name(aggref);

	if (has_metric((Node *) aggref->args, look) || has_metric((Node *) aggref->aggfilter, look))
		return false;
	if (aggref->aggdistinct != NIL && strcmp(name, "count") == 0)
		return true;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Is something computed that needs the table's own groups? */
static bool
needs_all_columns(Node *node, void *context)
{
	Look	   *look = context;

	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
		return !is_sum(look, (Aggref *) node) && !ignores_duplicates(look, (Aggref *) node);
	return is_metric(look, node) || IsA(node, GroupingFunc) ||
		expression_tree_walker(node, needs_all_columns, look);
}

static bool
can_be_coarse(PlannerInfo *root, Look *look, Node *having)
{
	List	   *exprs = root->upper_targets[UPPERREL_GROUP_AGG]->exprs;

	return !pin_upper_is_volatile(look->rel, exprs) &&
		!needs_all_columns((Node *) exprs, look) && !needs_all_columns(having, look) &&
		!has_metric((Node *) pin_upper_clauses(look->rel), look);
}

/* ---- the path ---- */

/* How many groups the service reports: combinations of the plain columns. */
static double
count_groups(PlannerInfo *root, Look *look)
{
	List	   *vars = pull_var_clause((Node *) list_make2(look->rel->reltarget->exprs,
														   pin_upper_clauses(look->rel)),
									   PVC_RECURSE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS);
	List	   *plain = NIL;
	ListCell   *lc;

	foreach(lc, vars)
	{
		if (!is_metric(look, lfirst(lc)))
			plain = list_append_unique(plain, lfirst(lc));
	}
	return plain == NIL ? 1 : estimate_num_groups(root, plain, look->rel->rows, NULL, NULL);
}

static Path *
group(PlannerInfo *root, RelOptInfo *output_rel, Path *path, List *having)
{
	List	   *clause = pin_group_clause(root);
	AggStrategy strategy = AGG_PLAIN;	/* one group, also of no rows */
	AggClauseCosts costs = {0};
	double		groups = 1;

	get_agg_clause_costs(root, AGGSPLIT_SIMPLE, &costs);
	if (root->parse->groupClause != NIL)
	{
		strategy = clause != NIL && root->numOrderedAggs == 0 && grouping_is_hashable(clause) ?
			AGG_HASHED : AGG_SORTED;
		groups = estimate_num_groups(root, get_sortgrouplist_exprs(clause, root->processed_tlist),
									 path->rows, NULL, NULL);
	}
	if (strategy != AGG_HASHED && root->group_pathkeys != NIL)
		path = (Path *) create_sort_path(root, output_rel, path, root->group_pathkeys, -1);
	return (Path *) create_agg_path(root, output_rel, path,
									root->upper_targets[UPPERREL_GROUP_AGG], strategy,
									AGGSPLIT_SIMPLE, clause, having, &costs, groups);
}

void
pin_aggregate_add_path(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel, Node *having)
{
	Query	   *parse = root->parse;
	const PinOptions *options = pin_upper_options(rel);
	Look		look = {.rel = rel};
	PinShape   *shape;

	if (!options->fetch_query || options->report_id != NULL || options->set_null ||
		pin_upper_table(rel)->metrics == NIL || parse->groupingSets != NIL ||
		parse->hasTargetSRFs || !(parse->hasAggs || parse->groupClause != NIL) ||
		(parse->groupClause != NIL && !grouping_is_sortable(parse->groupClause)))
		return;
	look.relation = pin_upper_open(root, rel);
	if (can_be_coarse(root, &look, having))
	{
		shape = palloc0(sizeof(PinShape));
		shape->coarse = true;
		add_path(output_rel,
				 group(root, output_rel,
					   (Path *) pin_plan_path(root, rel, count_groups(root, &look),
											  options->startup_cost * PIN_SMALL_REPORT_STARTUP,
											  shape),
					   (List *) having));
	}
	table_close(look.relation, NoLock);
}
