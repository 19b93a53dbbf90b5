/*-------------------------------------------------------------------------
 *
 * recurring.h
 *		A report of ours that runs again and again: found, made, removed.
 *
 * Its name and its query's are the same, and tell that they are ours.  Every
 * function waits for the service, one question after the other: all return
 * false with *err filled, and throw on interrupts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RECURRING_H
#define PIN_RECURRING_H

#include "insights/ask.h"

/* "pinsight schedule" and 16 digits, and room for blanks around it. */
#define PIN_RECURRING_NAME_SIZE 48

/* What is wanted. */
typedef struct PinRecurringOrder
{
	char		name[PIN_RECURRING_NAME_SIZE];	/* of query and report */
	const char *query;			/* report query text */
	const char *format;			/* "csv" or "tsv" */
	int			hours;			/* from one run to the next */
} PinRecurringOrder;

/* What is there. */
typedef struct PinRecurring
{
	PinId		report_id;		/* empty: there is no such report */
	PinId		query_id;		/* of its query; empty: none */
	char		name[PIN_RECURRING_NAME_SIZE];	/* cut if it is longer */
	PinTimeText start_time;		/* first run; empty if not told */
	bool		fits;			/* runs as the order says */
	bool		query_is_new;	/* made for this order */
	bool		report_is_new;	/* likewise */
} PinRecurring;

/* The name of query and report, from 16 digits of a hash. */
extern void pin_recurring_name(char name[PIN_RECURRING_NAME_SIZE], const char *hash);

/* Is this such a name, as the service gives it back? */
extern bool pin_recurring_is_name(const char *name);

/* Looks for a report by its id; found->report_id is empty if there is none. */
extern bool pin_recurring_find(PinAsker *asker, const char *report_id,
							   PinRecurring *found, PinError *err);

/* Likewise by its name. */
extern bool pin_recurring_find_named(PinAsker *asker, const char *name,
									 PinRecurring *found, PinError *err);

/*
 * Makes query and report, or finds those that were made for such an order; a
 * report of that name which runs otherwise is replaced.  On failure what was
 * made is removed again, if the service lets us.
 */
extern bool pin_recurring_make(PinAsker *asker, const PinRecurringOrder *order,
							   PinRecurring *made, PinError *err);

/* Removes what pin_recurring_make has made. */
extern bool pin_recurring_undo(PinAsker *asker, const PinRecurring *made, PinError *err);

/* Deletes a report (NULL: none) and all queries of that name. */
extern bool pin_recurring_remove(PinAsker *asker, const char *report_id,
								 const char *name, PinError *err);

#endif							/* PIN_RECURRING_H */
