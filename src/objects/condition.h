/*-------------------------------------------------------------------------
 *
 * condition.h
 *		Which conditions on a table of objects the service can help with.
 *
 * Only those that say which values a column has: the service then finds at
 * least the objects that have them, since it does not mind case where we do.
 * All conditions are checked here once more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CONDITION_H
#define PIN_OBJECT_CONDITION_H

#include "nodes/pathnodes.h"
#include "objects/table.h"

typedef struct PinObjectCondition
{
	const PinObjectColumn *column;	/* what it is about */
	Expr	   *value;			/* text, or an array of texts; NULL: a boolean
								 * that is true */
	bool		several;		/* value is an array: one of them */
} PinObjectCondition;

/*
 * What a clause says of the column (NULL: any column that the service can be
 * asked by); false: nothing it can help with.
 */
extern bool pin_object_condition(PlannerInfo *root, RelOptInfo *rel,
								 const PinObjectTable *table, Expr *clause,
								 const PinObjectColumn *wanted,
								 PinObjectCondition *condition);

/*
 * A condition's value, once it is known, as a List of char * in UTF-8; texts of
 * an array, each once.  What UTF-8 cannot hold no object can have, nor null.
 */
extern List *pin_object_value(Datum text);
extern List *pin_object_values(Datum array);

#endif							/* PIN_OBJECT_CONDITION_H */
