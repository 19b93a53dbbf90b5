/*-------------------------------------------------------------------------
 *
 * wanted.h
 *		What a row says that a query or a report shall be.
 *
 * Functions that can find fault return false with *err filled (kind RULE).
 * All throw for values that are none of their type, or that UTF-8 cannot hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_WANTED_H
#define PIN_OBJECT_WANTED_H

#include "access/tupdesc.h"
#include "insights/rules.h"
#include "objects/table.h"

/* A row of a table of objects; everything borrowed. */
typedef struct PinObjectRow
{
	const PinObjectTable *table;
	TupleDesc	tupdesc;		/* of the table */
	const Datum *values;		/* by attnum - 1 */
	const bool *isnull;			/* likewise */
} PinObjectRow;

/* May the table's INSERT, UPDATE (CMD_...) change objects of that kind? */
extern bool pin_wanted_can(const PinObject *object, int operation);

/* A value as text in UTF-8; NULL if it is null, or the table has no such column. */
extern char *pin_wanted_text(const PinObjectRow *row, const char *key);

/* Has a row of a new object values only where one may have them? */
extern bool pin_wanted_check_new(const PinObjectRow *row, PinError *err);

/*
 * Do the rows differ only where an object can be changed?  *status: in column
 * report_status; *rest: in any other.
 */
extern bool pin_wanted_check_change(const PinObjectRow *before, const PinObjectRow *after,
									bool *status, bool *rest, PinError *err);

/*
 * Has the table all columns that a change sends?  What is left out of it the
 * service may set back.
 */
extern bool pin_wanted_check_columns(const PinObjectTable *table, PinError *err);

/* The report that a row stands for, in the current memory context. */
extern void pin_wanted_report(const PinObjectRow *row, PinReportWish *wish);

/* Have two rows the same value of a column (or no such column)? */
extern bool pin_wanted_same(const PinObjectRow *a, const PinObjectRow *b, const char *key);

#endif							/* PIN_OBJECT_WANTED_H */
