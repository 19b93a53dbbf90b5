/*-------------------------------------------------------------------------
 *
 * condition.h
 *		Which conditions of a scan the service can help with.
 *
 * The service's filter may only ever be weaker than PostgreSQL's, and every
 * condition is checked again on the rows that come, whatever was sent: they may
 * come from a snapshot that was ordered for something wider.  So nothing here
 * decides about rows; it decides how many of them have to be fetched.
 *
 * A condition compares a column with a value that does not change while the
 * plan runs.  What it is worth is known in two steps: its form when a statement
 * is planned (pin_condition_classify), its value when it is executed (literal.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CONDITION_H
#define PIN_CONDITION_H

#include "fdw/table.h"
#include "nodes/pathnodes.h"

typedef enum PinConditionClass
{
	PIN_CONDITION_EXACT,		/* the service keeps the same rows */
	PIN_CONDITION_SUPERSET,		/* it keeps these, and perhaps more */
	PIN_CONDITION_LOCAL			/* it is not told of it */
} PinConditionClass;

typedef enum PinConditionOp
{
	PIN_OP_EQUAL,
	PIN_OP_UNEQUAL,
	PIN_OP_LESS,
	PIN_OP_LESS_EQUAL,
	PIN_OP_GREATER,
	PIN_OP_GREATER_EQUAL,
	PIN_OP_IN,					/* = ANY (array) */
	PIN_OP_NOT_IN,				/* <> ALL (array) */
	PIN_OP_LIKE,
	PIN_OP_ILIKE,
	PIN_OP_TRUE,				/* the column itself; there is no value */
	PIN_OP_FALSE				/* NOT column */
} PinConditionOp;

/* How the service and the column's type here compare values, both at once. */
typedef enum PinComparison
{
	PIN_COMPARE_TEXT,			/* text */
	PIN_COMPARE_UUID,			/* there text, here uuid */
	PIN_COMPARE_INTEGER,		/* whole numbers there */
	PIN_COMPARE_DECIMAL,		/* numbers with a fraction there */
	PIN_COMPARE_DATE,			/* dates there and here */
	PIN_COMPARE_TIME,			/* a time on either side */
	PIN_COMPARE_BOOLEAN			/* two words there, boolean here */
} PinComparison;

/* Strings are static, the catalogue's or the planner's: they can be copied. */
typedef struct PinCondition
{
	PinConditionClass class;	/* at best */
	const char *reason;			/* why it is not exact; NULL: it is */
	PinConditionOp op;			/* what follows: unless it is local */
	PinComparison comparison;	/* of what kind */
	const char *column;			/* remote name */
	const char *words;			/* a boolean's, "1/0"; else NULL */
	int			max_chars;		/* blanks behind so many characters are cut
								 * off when it is read; 0: none are */
	bool		not_null;		/* the column is declared so */
	bool		filter;			/* the service can be asked in WHERE */
	bool		window;			/* it bounds the report's window */
	Expr	   *value;			/* compared with; NULL: none.  Not in the list */
	int			value_index;	/* its place in fdw_exprs; -1: none */
} PinCondition;

/*
 * Classifies a condition on a foreign table.  The result, in the current
 * context, shares the clause's nodes.
 */
extern PinCondition *pin_condition_classify(PlannerInfo *root, RelOptInfo *baserel,
											const PinTable *table, const PinOptions *options,
											Relation relation, Expr *clause);

/*
 * How the service and PostgreSQL compare a column: fills comparison, column,
 * words, max_chars, not_null, filter and window.  False if expr is no column of the table,
 * or one that cannot be compared alike.
 */
extern bool pin_condition_column(RelOptInfo *baserel, const PinTable *table,
								 const PinOptions *options, Relation relation, Expr *expr,
								 PinCondition *condition);

/* To and from a list that a plan can hold. */
extern List *pin_condition_to_list(const PinCondition *condition);
extern PinCondition *pin_condition_from_list(const List *list);

/*
 * Does an expression have the same value all through the plan, known before
 * the first row?  So: no columns, nothing volatile, no parameter that an outer
 * row or an earlier step of the plan sets anew.
 */
extern bool pin_condition_is_fixed(PlannerInfo *root, RelOptInfo *baserel, Expr *expr);

/*
 * Do equal values, as the service sees them, have to be equal values of a
 * type here?  Not so texts, which the service may compare without case.
 */
extern bool pin_condition_same_equality(Oid type);

#endif							/* PIN_CONDITION_H */
