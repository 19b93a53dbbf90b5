/*-------------------------------------------------------------------------
 *
 * condition.c
 *		Which conditions on a table of objects the service can help with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "objects/condition.h"
#include "optimizer/optimizer.h"
#include "text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The column of the table that an expression is, perhaps under a cast of no effect. */
static const PinObjectColumn *
column_of(const RelOptInfo *rel, const PinObjectTable *table, Node *node)
{
	Var		   *var;

	if (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	var = (Var *) node;
	if (node == NULL || !IsA(node, Var) || var->varno != rel->relid || var->varlevelsup != 0 ||
		var->varattno <= 0 || var->varattno > table->natts)
		return NULL;
	return table->columns[var->varattno - 1];
}

/* Can it be computed before a row of the table is read? */
static bool
is_value(PlannerInfo *root, const RelOptInfo *rel, Node *node)
{
	return !bms_is_member(rel->relid, pull_varnos(root, node)) &&
		!contain_volatile_functions(node);
}

/* Texts that are equal byte by byte. */
static bool
is_equality(Oid operator, Oid collation)
{
	return operator == TextEqualOperator && OidIsValid(collation) &&
		get_collation_isdeterministic(collation);
}

static bool
match_operator(PlannerInfo *root, const RelOptInfo *rel, const PinObjectTable *table,
			   OpExpr *op, PinObjectCondition *condition)
{
	Node	   *left;
	Node	   *right;

	if (!is_equality(op->opno, op->inputcollid))
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	condition->column = column_of(rel, table, left);
	condition->value = (Expr *) right;
	if (condition->column == NULL || !is_value(root, rel, right))
	{
		condition->column = column_of(rel, table, right);
		condition->value = (Expr *) left;
	}
	return condition->column != NULL && is_value(root, rel, (Node *) condition->value);
}

static bool
match_array(PlannerInfo *root, const RelOptInfo *rel, const PinObjectTable *table,
			ScalarArrayOpExpr *op, PinObjectCondition *condition)
{
	if (!op->useOr || !is_equality(op->opno, op->inputcollid))
		return false;
	condition->column = column_of(rel, table, linitial(op->args));
	condition->value = lsecond(op->args);
	condition->several = true;
	return condition->column != NULL && is_value(root, rel, (Node *) condition->value);
}

/* WHERE latest, or WHERE latest IS TRUE. */
static bool
match_boolean(const RelOptInfo *rel, const PinObjectTable *table, Expr *clause,
			  PinObjectCondition *condition)
{
	if (IsA(clause, BooleanTest))
	{
		if (((BooleanTest *) clause)->booltesttype != IS_TRUE)
			return false;
		clause = ((BooleanTest *) clause)->arg;
	}
	condition->column = column_of(rel, table, (Node *) clause);
	return condition->column != NULL && condition->column->type == PIN_OBJECT_LATEST;
}

static bool
match(PlannerInfo *root, const RelOptInfo *rel, const PinObjectTable *table, Expr *clause,
	  PinObjectCondition *condition)
{
	if (IsA(clause, OpExpr))
		return match_operator(root, rel, table, (OpExpr *) clause, condition);
	if (IsA(clause, ScalarArrayOpExpr))
		return match_array(root, rel, table, (ScalarArrayOpExpr *) clause, condition);
	return match_boolean(rel, table, clause, condition);
}

bool
pin_object_condition(PlannerInfo *root, RelOptInfo *rel, const PinObjectTable *table,
					 Expr *clause, const PinObjectColumn *wanted,
					 PinObjectCondition *condition)
{
	memset(condition, 0, sizeof(PinObjectCondition));
	return match(root, rel, table, clause, condition) &&
		condition->column->use != PIN_USE_NONE &&
		(wanted == NULL || condition->column == wanted);
}

static List *
add_value(List *values, Datum datum)
{
	char	   *value = pin_text_to_utf8(TextDatumGetCString(datum));
	ListCell   *lc;

	if (value == NULL)
		return values;
	foreach(lc, values)
	{
		if (strcmp(lfirst(lc), value) == 0)
			return values;
	}
	return lappend(values, value);
}

List *
pin_object_value(Datum text)
{
	return add_value(NIL, text);
}

List *
pin_object_values(Datum array)
{
	List	   *values = NIL;
	Datum	   *elements;
	bool	   *isnull;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &isnull, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!isnull[i])
			values = add_value(values, elements[i]);
	}
	return values;
}
