/*-------------------------------------------------------------------------
 *
 * table.h
 *		Which of the service's objects a foreign table shows, in which columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_TABLE_H
#define PIN_OBJECT_TABLE_H

#include "objects/object.h"
#include "options.h"
#include "utils/relcache.h"

typedef struct PinObjectTable
{
	Oid			relid;			/* of the foreign table */
	const PinObject *object;	/* what it shows */
	int			natts;			/* of the table */
	const PinObjectColumn **columns;	/* by attnum - 1; NULL: dropped */
} PinObjectTable;

/* Does a foreign table show objects, not the rows of a report? */
extern bool pin_object_is_table(Oid relid);

/*
 * The table and its columns, in the current memory context.  Throws if a column
 * is none of the object's, or of a type that its values do not have.
 */
extern PinObjectTable *pin_object_table(Relation relation, const PinOptions *options);

/* The attnum of an object's column; InvalidAttrNumber: the table has it not. */
extern AttrNumber pin_object_attnum(const PinObjectTable *table,
									const PinObjectColumn *column);

#endif							/* PIN_OBJECT_TABLE_H */
