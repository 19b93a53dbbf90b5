/*-------------------------------------------------------------------------
 *
 * value.h
 *		From an object as the service sent it to a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_VALUE_H
#define PIN_OBJECT_VALUE_H

#include "objects/list.h"
#include "objects/table.h"

/*
 * Fills values and isnull, which have room for all columns of the relation, in
 * the current memory context; columns that are not needed (attnums) become null.
 * Throws for a value that cannot be read, unless set_null says that it becomes
 * null.
 */
extern void pin_object_row(const PinObjectTable *table, Relation relation,
						   const Bitmapset *needed, const PinListed *listed, bool set_null,
						   Datum *values, bool *isnull);

/*
 * Throws for a null in a needed column that is declared NOT NULL: the planner
 * relies on that.
 */
extern void pin_object_check_nulls(const PinObjectTable *table, Relation relation,
								   const Bitmapset *needed, const bool *isnull);

#endif							/* PIN_OBJECT_VALUE_H */
