/*-------------------------------------------------------------------------
 *
 * condition.c
 *		Which conditions of a scan the service can help with.
 *
 * What is known of the service, and what follows:
 *
 *	- values are "completely case insensitive": what equals there may differ
 *	  here, but not the other way round.  =, IN and LIKE find more rows, while
 *	  <> and NOT would find fewer; an order of texts is not documented at all.
 *	- there is no IS NULL, and nobody knows what <> does with null.
 *	- a literal is converted to the column's type, which the catalogue knows.
 *	- the blanks at the end of a text are the service's, too, but a varchar(n)
 *	  here lacks those for which it has no room.
 *	- what a file shows of a number may be rounded: a bound on one with a
 *	  fraction is moved outwards.
 *	- dates in WHERE are documented for program cmp alone; a window of times can
 *	  be ordered for any report, but how it treats its ends is not documented.
 *	- whether a condition on a metric applies before or after adding up is
 *	  nowhere said.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fdw/condition.h"
#include "fdw/fdw.h"
#include "fdw/window.h"
#include "insights/ascii.h"
#include "insights/catalog.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

/* A clause taken apart, before the column is looked at. */
typedef struct Parts
{
	Var		   *column;
	Expr	   *value;			/* NULL: none */
	PinConditionOp op;
	Oid			collation;		/* of the operator */
} Parts;

/* ---- values ---- */

/*
 * Is a parameter of PARAM_EXEC set once, by a subquery that depends on nothing?
 * root: NULL if an outer query hands something in, since any may depend on that.
 */
static bool
is_fixed_param(PlannerInfo *root, int paramid)
{
	for (; root != NULL; root = root->parent_root)
	{
		ListCell   *lc;

		foreach(lc, root->init_plans)
		{
			if (list_member_int(((SubPlan *) lfirst(lc))->setParam, paramid))
				return true;
		}
	}
	return false;
}

static bool
varies(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		Param	   *param = (Param *) node;

		return param->paramkind != PARAM_EXTERN &&
			!(param->paramkind == PARAM_EXEC && is_fixed_param(context, param->paramid));
	}
	if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, SubPlan) ||
		IsA(node, AlternativeSubPlan) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		IsA(node, GroupingFunc) || IsA(node, CurrentOfExpr))
		return true;
	return expression_tree_walker(node, varies, context);
}

bool
pin_condition_is_fixed(PlannerInfo *root, RelOptInfo *baserel, Expr *expr)
{
	bool		correlated = ((PinPlanning *) baserel->fdw_private)->correlated;

	return !varies((Node *) expr, correlated ? NULL : root) && !contain_volatile_functions((Node *) expr);
}

/* ---- taking a clause apart ---- */

/*
 * Takes off what makes a text of a varchar, or a base type of its domain.  Other
 * types that look the same compare otherwise: char minds no blanks, an oid has
 * no sign.
 */
static Expr *
strip(Expr *expr)
{
	while (expr != NULL && IsA(expr, RelabelType))
	{
		RelabelType *relabel = (RelabelType *) expr;

		if (relabel->resulttype != TEXTOID && relabel->resulttype != VARCHAROID &&
			relabel->resulttype != getBaseType(exprType((Node *) relabel->arg)))
			break;
		expr = relabel->arg;
	}
	return expr;
}

static Var *
column_of(Expr *expr, RelOptInfo *baserel)
{
	Var		   *var = (Var *) strip(expr);

	if (var == NULL || !IsA(var, Var) || var->varno != baserel->relid ||
		var->varlevelsup != 0 || var->varattno <= 0)
		return NULL;
	return var;
}

/*
 * Which of PostgreSQL's own operators is it?  An extension's may have the same
 * name and another meaning.
 */
static bool
operator_of(Oid opno, PinConditionOp *op)
{
	static const struct
	{
		const char *name;
		PinConditionOp op;
	}			operators[] = {
		{"=", PIN_OP_EQUAL}, {"<>", PIN_OP_UNEQUAL}, {"<", PIN_OP_LESS},
		{"<=", PIN_OP_LESS_EQUAL}, {">", PIN_OP_GREATER}, {">=", PIN_OP_GREATER_EQUAL}
	};
	char	   *name;

	if (opno >= FirstGenbkiObjectId)
		return false;
	*op = PIN_OP_LIKE;
	if (opno == OID_TEXT_LIKE_OP)
		return true;
	*op = PIN_OP_ILIKE;
	if (opno == OID_TEXT_ICLIKE_OP)
		return true;
	name = get_opname(opno);
	for (int i = 0; name != NULL && i < lengthof(operators); i++)
	{
		*op = operators[i].op;
		if (strcmp(name, operators[i].name) == 0)
			return true;
	}
	return false;
}

static bool
take_comparison(OpExpr *expr, RelOptInfo *baserel, Parts *parts)
{
	Expr	   *left;
	Expr	   *right;
	Oid			opno = expr->opno;

	if (list_length(expr->args) != 2)
		return false;
	left = linitial(expr->args);
	right = lsecond(expr->args);
	parts->column = column_of(left, baserel);
	parts->value = right;
	if (parts->column == NULL)
	{
		parts->column = column_of(right, baserel);
		parts->value = left;
		opno = get_commutator(opno);
	}
	parts->collation = expr->inputcollid;
	return parts->column != NULL && OidIsValid(opno) && operator_of(opno, &parts->op);
}

static bool
take_array_comparison(ScalarArrayOpExpr *expr, RelOptInfo *baserel, Parts *parts)
{
	PinConditionOp op;

	parts->column = column_of(linitial(expr->args), baserel);
	parts->value = lsecond(expr->args);
	parts->collation = expr->inputcollid;
	if (parts->column == NULL || !operator_of(expr->opno, &op))
		return false;
	parts->op = expr->useOr ? PIN_OP_IN : PIN_OP_NOT_IN;
	return op == (expr->useOr ? PIN_OP_EQUAL : PIN_OP_UNEQUAL);
}

/* An array of values: a constant, if they are. */
static Expr *
array_of(List *values)
{
	ArrayExpr  *array = makeNode(ArrayExpr);

	array->element_typeid = exprType(linitial(values));
	array->array_typeid = get_array_type(array->element_typeid);
	array->array_collid = exprCollation(linitial(values));
	array->elements = values;
	array->location = -1;
	return (Expr *) eval_const_expressions(NULL, (Node *) array);
}

/*
 * column = value OR column = another: column IN (value, another), as some
 * programs write it.
 */
static bool
take_alternatives(BoolExpr *expr, RelOptInfo *baserel, Parts *parts)
{
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		Parts		one;

		if (!IsA(lfirst(lc), OpExpr) || !take_comparison(lfirst(lc), baserel, &one) ||
			one.op != PIN_OP_EQUAL)
			return false;
		if (values == NIL)
			*parts = one;
		else if (one.column->varattno != parts->column->varattno ||
				 one.collation != parts->collation ||
				 exprType((Node *) one.value) != exprType(linitial(values)))
			return false;
		values = lappend(values, one.value);
	}
	if (!OidIsValid(get_array_type(exprType(linitial(values)))))
		return false;
	parts->op = PIN_OP_IN;
	parts->value = array_of(values);
	return true;
}

/* column, NOT column, column IS TRUE, column IS FALSE */
static bool
take_boolean(Expr *clause, RelOptInfo *baserel, Parts *parts)
{
	parts->op = PIN_OP_TRUE;
	if (IsA(clause, BoolExpr) && ((BoolExpr *) clause)->boolop == NOT_EXPR)
	{
		parts->op = PIN_OP_FALSE;
		clause = linitial(((BoolExpr *) clause)->args);
	}
	else if (IsA(clause, BooleanTest))
	{
		BooleanTest *test = (BooleanTest *) clause;

		if (test->booltesttype != IS_TRUE && test->booltesttype != IS_FALSE)
			return false;
		parts->op = test->booltesttype == IS_TRUE ? PIN_OP_TRUE : PIN_OP_FALSE;
		clause = test->arg;
	}
	parts->column = column_of(clause, baserel);
	return parts->column != NULL;
}

static bool
take_apart(Expr *clause, RelOptInfo *baserel, Parts *parts)
{
	memset(parts, 0, sizeof(*parts));
	if (IsA(clause, OpExpr))
		return take_comparison((OpExpr *) clause, baserel, parts);
	if (IsA(clause, ScalarArrayOpExpr))
		return take_array_comparison((ScalarArrayOpExpr *) clause, baserel, parts);
	if (is_orclause(clause))
		return take_alternatives((BoolExpr *) clause, baserel, parts);
	return take_boolean(clause, baserel, parts);
}

/* ---- the column ---- */

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

static bool
is_time(Oid type)
{
	return type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/* Its values are what a file shows, but for a fraction that is rounded. */
static bool
is_plain_number(Oid type, int32 typmod)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		(type == NUMERICOID &&
		 (typmod < (int32) VARHDRSZ || ((typmod - VARHDRSZ) & 0x400) == 0));
}

/*
 * How a column is compared, from its type there and here.  False if the two do
 * not order or equal alike.
 */
static bool
comparison_of(const char *remote, Oid type, int32 typmod, PinComparison *comparison)
{
	bool		texts = strcmp(remote, "text") == 0 || strcmp(remote, "uuid") == 0;
	bool		times = strcmp(remote, "timestamptz") == 0;
	bool		dates = strcmp(remote, "date") == 0;

	*comparison = PIN_COMPARE_TEXT;
	if (texts && is_text(type))
		return true;
	*comparison = PIN_COMPARE_UUID;
	if (strcmp(remote, "uuid") == 0 && type == UUIDOID)
		return true;
	*comparison = PIN_COMPARE_INTEGER;
	if (strcmp(remote, "bigint") == 0 && is_plain_number(type, typmod))
		return true;
	*comparison = PIN_COMPARE_DECIMAL;
	if (strcmp(remote, "numeric") == 0 && is_plain_number(type, typmod))
		return true;
	*comparison = PIN_COMPARE_DATE;
	if (dates && type == DATEOID)
		return true;
	*comparison = PIN_COMPARE_TIME;
	if ((times && (type == DATEOID || is_time(type))) || (dates && is_time(type)))
		return true;
	*comparison = PIN_COMPARE_BOOLEAN;
	return strcmp(remote, "boolean") == 0 && type == BOOLOID;
}

/* Can a value of that type be written, compared in that way? */
static bool
value_fits(PinComparison comparison, Oid type)
{
	switch (comparison)
	{
		case PIN_COMPARE_TEXT:
			return is_text(type);
		case PIN_COMPARE_UUID:
			return type == UUIDOID;
		case PIN_COMPARE_INTEGER:
		case PIN_COMPARE_DECIMAL:
			return is_plain_number(type, -1);
		case PIN_COMPARE_DATE:
		case PIN_COMPARE_TIME:
			return type == DATEOID || is_time(type);
		case PIN_COMPARE_BOOLEAN:
			return type == BOOLOID;
	}
	pg_unreachable();
}

static PinCondition *
local(const char *reason)
{
	PinCondition *condition = palloc0(sizeof(PinCondition));

	condition->class = PIN_CONDITION_LOCAL;
	condition->reason = reason;
	condition->value_index = -1;
	return condition;
}

/* ---- the operator ---- */

/* Why an operator is not exact with a kind of comparison; NULL: it is. */
static const char *
why_superset(const PinCondition *c)
{
	switch (c->comparison)
	{
		case PIN_COMPARE_TEXT:
		case PIN_COMPARE_UUID:
			return "the service compares texts without case";
		case PIN_COMPARE_DECIMAL:
			return "a report may round fractions";
		case PIN_COMPARE_TIME:
			return "asked for in whole days";
		case PIN_COMPARE_DATE:
			return c->op == PIN_OP_IN ? "asked for from the first to the last" :
				!c->filter ? "asked for as a window, which is wider" : NULL;
		case PIN_COMPARE_INTEGER:
		case PIN_COMPARE_BOOLEAN:
			return NULL;
	}
	pg_unreachable();
}

/* Why an operator cannot be asked for at all; NULL: it can. */
static const char *
why_local(const PinCondition *c)
{
	bool		negative = c->op == PIN_OP_UNEQUAL || c->op == PIN_OP_NOT_IN;
	bool		text = c->comparison == PIN_COMPARE_TEXT || c->comparison == PIN_COMPARE_UUID;

	if (text && negative)
		return "the service compares texts without case, and would leave out too much";
	if (text && c->op >= PIN_OP_LESS && c->op <= PIN_OP_GREATER_EQUAL)
		return "the service's order of texts is not known";
	if (c->comparison == PIN_COMPARE_BOOLEAN &&
		(c->op >= PIN_OP_LESS && c->op <= PIN_OP_ILIKE))
		return "the service has no such comparison of booleans";
	if (negative && !c->not_null)
		return "the column may be null, of which the service's answer is not known";
	if (negative && c->comparison != PIN_COMPARE_INTEGER &&
		c->comparison != PIN_COMPARE_BOOLEAN)
		return "a report may show rounded values, and too much would be left out";
	if (!c->filter && !c->window)
		return "the service documents no dates in conditions of this program";
	return NULL;
}

/* The condition is one the service may have: how good is it? */
static void
judge(PinCondition *c, const PinOptions *options)
{
	const char *reason = why_local(c);

	c->class = PIN_CONDITION_LOCAL;
	if (reason == NULL)
	{
		reason = why_superset(c);
		if (reason == NULL && options->set_null)
			reason = "a value that cannot be read is null here (on_error)";
		c->class = reason == NULL ? PIN_CONDITION_EXACT : PIN_CONDITION_SUPERSET;
	}
	c->reason = reason;
}

/*
 * What the column means: fills in the comparison, and where it can be asked
 * for.  Returns why it cannot, or NULL.
 */
static const char *
look_at_column(PinCondition *c, const PinTable *table, const PinOptions *options,
			   TupleDesc tupdesc, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(tupdesc, attnum - 1);
	const PinCatalogColumn *known;
	const char *remote;

	c->column = pin_table_name(table, attnum);
	if (c->column == NULL)
		return "the column is about the report, not in it";
	if (pin_table_is_metric(table, attnum))
		return "whether the service filters a metric before or after adding up is not known";
	c->window = table->time_column != NULL && table->timespan != NULL &&
		pin_ascii_equal(table->time_column, c->column);
	known = table->known == NULL ? NULL : pin_catalog_column(table->known, c->column);
	if (known == NULL && !c->window)
		return "the catalogue does not know the column's type at the service";

	remote = known != NULL ? known->type : "date";
	if (!comparison_of(remote, att->atttypid, att->atttypmod, &c->comparison))
		return "the column's type here is not the one the service compares";
	c->words = known != NULL ? known->wire : NULL;
	if (c->comparison == PIN_COMPARE_BOOLEAN && c->words == NULL)
		return "how the service spells the column is not known";
	c->window = c->window && pin_window_helps(table->known, table->timespan) &&
		(c->comparison == PIN_COMPARE_DATE || c->comparison == PIN_COMPARE_TIME);
	if (att->atttypid == VARCHAROID && att->atttypmod >= (int32) VARHDRSZ)
		c->max_chars = att->atttypmod - VARHDRSZ;
	c->filter = known != NULL &&
		((c->comparison != PIN_COMPARE_DATE && c->comparison != PIN_COMPARE_TIME) ||
		 strcmp(options->program, "cmp") == 0);
	c->not_null = pin_is_not_null(tupdesc, attnum);
	return NULL;
}

static const char *
look_at_value(const PinCondition *c, PlannerInfo *root, RelOptInfo *baserel, const Parts *parts)
{
	Oid			type;

	if (parts->value == NULL)
		return c->comparison == PIN_COMPARE_BOOLEAN ? NULL : "it is no comparison";
	if (!pin_condition_is_fixed(root, baserel, parts->value))
		return "its value is not the same for the whole scan";
	type = getBaseType(exprType((Node *) strip(parts->value)));
	if (parts->op == PIN_OP_IN || parts->op == PIN_OP_NOT_IN)
		type = get_element_type(type);
	if (!OidIsValid(type) || !value_fits(c->comparison, type))
		return "its value has another type than the column has at the service";
	if (c->comparison == PIN_COMPARE_TEXT &&
		(!OidIsValid(parts->collation) || !get_collation_isdeterministic(parts->collation)))
		return "its collation takes different texts for equal";
	return NULL;
}

PinCondition *
pin_condition_classify(PlannerInfo *root, RelOptInfo *baserel, const PinTable *table,
					   const PinOptions *options, Relation relation, Expr *clause)
{
	PinCondition *c = palloc0(sizeof(PinCondition));
	Parts		parts;
	const char *reason;

	if (options->report_id != NULL)
		return local("the table's report exists already");
	if (options->query_id != NULL)
		return local("the table's report query exists already");
	if (!take_apart(clause, baserel, &parts))
		return local("the service has no such condition");
	reason = look_at_column(c, table, options, RelationGetDescr(relation), parts.column->varattno);
	if (reason == NULL)
		reason = look_at_value(c, root, baserel, &parts);
	if (reason != NULL)
		return local(reason);

	c->op = parts.op;
	c->value = parts.value;
	c->value_index = -1;
	judge(c, options);
	return c;
}

bool
pin_condition_column(RelOptInfo *baserel, const PinTable *table, const PinOptions *options,
					 Relation relation, Expr *expr, PinCondition *c)
{
	Var		   *var = column_of(expr, baserel);

	memset(c, 0, sizeof(*c));
	return var != NULL &&
		look_at_column(c, table, options, RelationGetDescr(relation), var->varattno) == NULL;
}

bool
pin_condition_same_equality(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case UUIDOID:
			return true;
		default:
			return false;
	}
}

/* ---- in a plan ---- */

static List *
add_integer(List *list, int value)
{
	return lappend(list, makeInteger(value));
}

static List *
add_string(List *list, const char *text)
{
	return lappend(list, makeString(pstrdup(text != NULL ? text : "")));
}

List *
pin_condition_to_list(const PinCondition *c)
{
	List	   *list = add_integer(NIL, c->class);

	list = add_string(list, c->reason);
	list = add_integer(list, c->op);
	list = add_integer(list, c->comparison);
	list = add_string(list, c->column);
	list = add_string(list, c->words);
	list = add_integer(list, c->max_chars);
	list = add_integer(list, c->not_null);
	list = add_integer(list, c->filter);
	list = add_integer(list, c->window);
	return add_integer(list, c->value_index);
}

static const char *
string_at(const List *list, int n)
{
	const char *text = strVal(list_nth(list, n));

	return text[0] != '\0' ? text : NULL;
}

PinCondition *
pin_condition_from_list(const List *list)
{
	PinCondition *c = palloc0(sizeof(PinCondition));
	int			n = 0;

	c->class = intVal(list_nth(list, n++));
	c->reason = string_at(list, n++);
	c->op = intVal(list_nth(list, n++));
	c->comparison = intVal(list_nth(list, n++));
	c->column = string_at(list, n++);
	c->words = string_at(list, n++);
	c->max_chars = intVal(list_nth(list, n++));
	c->not_null = intVal(list_nth(list, n++));
	c->filter = intVal(list_nth(list, n++));
	c->window = intVal(list_nth(list, n++));
	c->value_index = intVal(list_nth(list, n++));
	return c;
}
