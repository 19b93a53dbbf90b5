/*-------------------------------------------------------------------------
 *
 * literal.h
 *		A condition with its value, in the service's words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_LITERAL_H
#define PIN_LITERAL_H

#include "fdw/condition.h"
#include "utils/date.h"

/* The value a condition compares with, as far as it is known by now. */
typedef struct PinValue
{
	bool		known;			/* false: EXPLAIN of a plan without it */
	bool		isnull;
	Datum		value;
	Oid			type;			/* its base type; of an array, the array's */
} PinValue;

/* Days that a window has to cover, both included. */
typedef struct PinDays
{
	bool		has_first;		/* bounded below */
	bool		has_last;		/* bounded above */
	DateADT		first;
	DateADT		last;
} PinDays;

/* What the service is told of a condition. */
typedef struct PinWritten
{
	PinConditionClass class;	/* now that the value is known */
	const char *reason;			/* why it is not exact; NULL: it is */
	bool		never;			/* no row can fulfill it */
	List	   *filters;		/* of char *, palloc'd: for WHERE */
	PinDays		days;			/* for the window */
} PinWritten;

/*
 * Writes a condition that is not local (a local one gives a copy of its reason).
 * value: NULL if it has none.  Result in the current context.
 */
extern PinWritten *pin_literal_write(const PinCondition *condition, const PinValue *value);

#endif							/* PIN_LITERAL_H */
