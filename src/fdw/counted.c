/*-------------------------------------------------------------------------
 *
 * counted.c
 *		Distinct counts that the service makes.
 *
 * A metric may be the number of distinct values that a column has in each group;
 * its column's option count_of says of which.  Such counts cannot be added up, so
 * the service has to count for the very groups that the statement has.  Then the
 * whole aggregation is the service's: a scan that is of no table, but of groups.
 *
 * What the statement leaves out before it groups must be left out by the service
 * exactly as it would be here, since nothing can be checked any more; conditions
 * on the columns grouped by can, and are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "compat.h"
#include "fdw/query.h"
#include "fdw/upper.h"
#include "insights/ascii.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* A scan of groups while it is planned. */
typedef struct Groups
{
	PlannerInfo *root;
	RelOptInfo *rel;			/* the table */
	Relation	relation;
	PinCounted *counted;		/* the result */
} Groups;

/* ---- what the service can give ---- */

/* Is an expression a column that the statement groups by? */
static bool
is_grouped(const Groups *g, Node *expr)
{
	ListCell   *lc;

	foreach(lc, pin_group_clause(g->root))
	{
		if (equal(expr, get_sortgroupclause_expr(lfirst(lc), g->root->processed_tlist)))
			return true;
	}
	return false;
}

/* The metric that counts the distinct values of a column; NULL: there is none. */
static char *
counting_metric(const Groups *g, const Var *var)
{
	const PinTable *table = pin_upper_table(g->rel);
	const char *counted = pin_table_name(table, var->varattno);

	for (int i = 0; counted != NULL && i < list_length(table->attnums); i++)
	{
		char	   *count_of = pin_options_column(RelationGetRelid(g->relation),
												  list_nth_int(table->attnums, i)).count_of;

		if (count_of != NULL && pin_catalog_same_name(count_of, counted))
			return strVal(list_nth(table->names, i));
	}
	return NULL;
}

/*
 * Is there but one way to spell each value of a column?  If not, such as for a
 * uuid in small or capital letters, or 1.5 and 1.50, the service has several
 * groups for one of the statement, and their counts cannot be put together.
 */
static bool
has_one_spelling(const Groups *g, const Var *var)
{
	PinCondition c;

	if (var->vartype == TEXTOID)
		return get_collation_isdeterministic(var->varcollid);
	if (pin_upper_options(g->rel)->set_null ||
		!pin_condition_column(g->rel, pin_upper_table(g->rel), pin_upper_options(g->rel),
							  g->relation, (Expr *) var, &c))
		return false;
	return c.comparison == PIN_COMPARE_INTEGER || c.comparison == PIN_COMPARE_DATE ||
		c.comparison == PIN_COMPARE_BOOLEAN;
}

/*
 * Has a column as many values here as there?  Not where cells that differ are read
 * alike: rounded, cut off, or equal by their collation.
 */
static bool
keeps_values_apart(const Groups *g, const Var *var)
{
	return var->vartype == UUIDOID || has_one_spelling(g, var);
}

/* count(DISTINCT column) */
static char *
count_name(const Groups *g, const Aggref *aggref)
{
	Node	   *argument;

	if (strcmp(pin_aggregate_name(aggref), "count") != 0 || list_length(aggref->aggdistinct) != 1 ||
		aggref->aggfilter != NULL || list_length(aggref->args) != 1)
		return NULL;
	argument = (Node *) ((TargetEntry *) linitial(aggref->args))->expr;
	return IsA(argument, Var) && keeps_values_apart(g, (Var *) argument) ?
		counting_metric(g, (Var *) argument) : NULL;
}

/* The remote name of a column or an aggregate; NULL: the service has none. */
static char *
remote_name(const Groups *g, Node *expr)
{
	const PinTable *table = pin_upper_table(g->rel);
	char	   *name;

	if (!IsA(expr, Aggref))
	{
		/* no system column, nor one about the execution */
		const char *column = IsA(expr, Var) && is_grouped(g, expr) ?
		pin_table_name(table, ((Var *) expr)->varattno) : NULL;

		return column != NULL && !pin_table_is_metric(table, ((Var *) expr)->varattno) ?
			pstrdup(column) : NULL;
	}
	name = pin_aggregate_sum_name(g->rel, g->relation, (Aggref *) expr);
	return name != NULL ? name : count_name(g, (Aggref *) expr);
}

/* ---- the columns of the scan ---- */

/* Adds columns and aggregates, each once; false if the service lacks one. */
static bool
add_columns(Groups *g, List *exprs)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		char	   *name;

		if (tlist_member(lfirst(lc), g->counted->tlist) != NULL)
			continue;
		name = remote_name(g, lfirst(lc));
		if (name == NULL)
			return false;
		g->counted->tlist = add_to_flat_tlist(g->counted->tlist, list_make1(lfirst(lc)));
		g->counted->names = lappend(g->counted->names, makeString(name));
		if (IsA(lfirst(lc), Aggref))
			g->counted->metrics = lappend(g->counted->metrics, makeString(name));
	}
	return true;
}

static List *
flat(Node *node)
{
	return pull_var_clause(node, PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS |
						   PVC_RECURSE_PLACEHOLDERS);
}

/* The columns that are grouped by. */
static bool
take_groups(Groups *g)
{
	List	   *columns = get_sortgrouplist_exprs(pin_group_clause(g->root),
												  g->root->processed_tlist);
	ListCell   *lc;

	if (!add_columns(g, columns))
		return false;
	foreach(lc, columns)
	{
		/* add_columns takes columns of the table alone, and aggregates */
		if (!has_one_spelling(g, lfirst_node(Var, lc)))
			return false;
	}
	return true;
}

/*
 * What is computed of them, and HAVING looks at.  If that is no metric, since
 * nobody wants the aggregates of a subquery, the service would not group at all.
 */
static bool
take_aggregates(Groups *g, Node *having)
{
	PathTarget *target = g->root->upper_targets[UPPERREL_GROUP_AGG];

	return add_columns(g, flat((Node *) target->exprs)) && add_columns(g, flat(having)) &&
		g->counted->metrics != NIL;
}

/* ---- conditions ---- */

/*
 * Does a condition look at nothing but columns that are grouped by?  One that is
 * volatile is meant for every row.
 */
static bool
is_checkable(const Groups *g, Node *clause)
{
	ListCell   *lc;

	if (contain_volatile_functions(clause))
		return false;
	foreach(lc, pull_var_clause(clause, PVC_RECURSE_PLACEHOLDERS))
	{
		if (!is_grouped(g, lfirst(lc)))
			return false;
	}
	return true;
}

/* What the service will be told of a condition; NULL if the plan lacks its value. */
static PinWritten *
write_now(const Groups *g, Expr *clause)
{
	PinCondition *c = pin_condition_classify(g->root, g->rel, pin_upper_table(g->rel),
											 pin_upper_options(g->rel), g->relation, clause);
	PinValue	value = {.known = true};

	if (c->value == NULL)
		return pin_literal_write(c, NULL);
	if (!IsA(c->value, Const))
		return NULL;
	value.isnull = ((Const *) c->value)->constisnull;
	value.value = ((Const *) c->value)->constvalue;
	value.type = getBaseType(((Const *) c->value)->consttype);
	return pin_literal_write(c, &value);
}

/*
 * Takes a condition that cannot be checked: the service applies it exactly, and
 * it is not left out because all are too long.
 */
static bool
take_unchecked(Groups *g, Expr *clause, size_t *length)
{
	PinWritten *w = write_now(g, clause);

	if (w == NULL || w->class != PIN_CONDITION_EXACT)
		return false;
	g->counted->sent = lappend(g->counted->sent, clause);
	*length += pin_query_length(w);
	return *length <= PIN_QUERY_CONDITIONS_MAX;
}

/* What cannot be checked is sent first, so that there is surely room for it. */
static bool
take_conditions(Groups *g)
{
	size_t		length = 0;
	ListCell   *lc;

	foreach(lc, pin_upper_clauses(g->rel))
	{
		if (is_checkable(g, lfirst(lc)))
			g->counted->checked = lappend(g->counted->checked, lfirst(lc));
		else if (!take_unchecked(g, lfirst(lc), &length))
			return false;
	}
	g->counted->sent = list_concat(g->counted->sent, g->counted->checked);
	return true;
}

/* ---- the path ---- */

static bool
fits(const Groups *g)
{
	const Query *parse = g->root->parse;
	const PinOptions *options = pin_upper_options(g->rel);

	return options->fetch_query && options->report_id == NULL && !options->set_null &&
		pin_upper_table(g->rel)->metrics != NIL && parse->hasAggs &&
		pin_group_clause(g->root) != NIL && parse->groupingSets == NIL && !parse->hasTargetSRFs &&
		!g->root->hasPseudoConstantQuals;
}

void
pin_counted_add_path(PlannerInfo *root, RelOptInfo *rel, RelOptInfo *output_rel, Node *having)
{
	PathTarget *target = root->upper_targets[UPPERREL_GROUP_AGG];
	Groups		g = {.root = root,.rel = rel};
	Path	   *path;
	double		rows;
	Cost		startup;

	if (!fits(&g))
		return;
	g.relation = pin_upper_open(root, rel);
	g.counted = palloc0(sizeof(PinCounted));
	g.counted->rel = rel;
	if (take_groups(&g) && take_aggregates(&g, having) && take_conditions(&g))
	{
		g.counted->checked = list_concat(g.counted->checked, (List *) having);
		rows = estimate_num_groups(root, get_sortgrouplist_exprs(pin_group_clause(root),
																 root->processed_tlist),
								   rel->rows, NULL, NULL);
		startup = pin_upper_options(rel)->startup_cost * PIN_GROUPS_STARTUP;
		path = (Path *) pin_create_upper_path(root, output_rel, target, rows, startup,
											  startup + rows * pin_upper_options(rel)->tuple_cost,
											  list_make1(g.counted));
		path->parallel_safe = false;	/* see parallel.c */
		add_path(output_rel, path);
	}
	table_close(g.relation, NoLock);
}
