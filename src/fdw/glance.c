/*-------------------------------------------------------------------------
 *
 * glance.c
 *		A look at one condition of a scan, before the executor's at all of them.
 *
 * Most rows that a report has and a query does not want differ in a text: a
 * market, a state, a name.  To compare it takes a few instructions, to have the
 * executor do it ten times as many.
 *
 * It is the same comparison: texts are equal if their bytes are, unless the
 * collation says otherwise.  And it makes no other difference: the executor looks
 * at no condition behind one that is not true, and what it looks at before this
 * one cannot fail.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fdw/glance.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* A column of the scan's that is a text, perhaps as a varchar; or NULL. */
static const Var *
text_column(const Node *node, Index relid)
{
	const Var  *var;

	if (IsA(node, RelabelType))
		node = (const Node *) ((const RelabelType *) node)->arg;
	var = (const Var *) node;
	if (!IsA(node, Var) || var->varno != relid || var->varattno <= 0 ||
		(var->vartype != TEXTOID && var->vartype != VARCHAROID))
		return NULL;
	return var;
}

/*
 * Is it a condition that cannot fail, so that nobody sees whether it was looked
 * at?  One that asks a column alone: whether it is true, or not, or null.
 */
static bool
is_harmless(const Node *node)
{
	if (IsA(node, BoolExpr) && ((const BoolExpr *) node)->boolop == NOT_EXPR)
		node = linitial(((const BoolExpr *) node)->args);
	else if (IsA(node, NullTest))
		node = (const Node *) ((const NullTest *) node)->arg;
	return IsA(node, Var);
}

/* Takes a condition, if it is equality with a text. */
static bool
take(PinGlance *glance, const Node *node, Index relid)
{
	const OpExpr *op = (const OpExpr *) node;
	const Var  *var;
	const Const *value;

	if (!IsA(node, OpExpr) || op->opfuncid != F_TEXTEQ || !OidIsValid(op->inputcollid) ||
		!get_collation_isdeterministic(op->inputcollid))
		return false;
	var = text_column(linitial(op->args), relid);
	value = lsecond(op->args);
	if (var == NULL || !IsA(value, Const) || value->constisnull)
		return false;
	glance->attnum = var->varattno;
	glance->text = TextDatumGetCString(value->constvalue);
	glance->len = strlen(glance->text);
	return true;
}

PinGlance
pin_glance_at(const Plan *plan)
{
	PinGlance	glance = {0};
	ListCell   *lc;

	foreach(lc, plan->qual)
	{
		if (take(&glance, lfirst(lc), ((const Scan *) plan)->scanrelid) ||
			!is_harmless(lfirst(lc)))
			break;
	}
	return glance;
}
