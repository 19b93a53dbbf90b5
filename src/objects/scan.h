/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The state of a scan of the service's objects.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_SCAN_H
#define PIN_OBJECT_SCAN_H

#include "nodes/execnodes.h"
#include "objects/list.h"
#include "objects/table.h"
#include "utils/tuplestore.h"

typedef struct PinObjectScan
{
	MemoryContext context;		/* everything of the scan */
	MemoryContext wish_context; /* what is wanted */
	MemoryContext row_context;	/* one row */
	Relation	relation;		/* the table */
	Oid			userid;			/* whose user mapping */
	PinOptions *options;		/* NULL: no row was asked for */
	PinObjectTable *table;		/* NULL: likewise */
	Bitmapset  *needed;			/* attnums that are looked at */
	PinAsker   *asker;			/* NULL: likewise */
	List	   *values;			/* of ExprState: what conditions compare with */
	PinObjectWish wish;			/* what is wanted */
	bool		doubtful;		/* values may have changed since */
	Tuplestorestate *store;		/* all rows; NULL: not begun */
	TupleTableSlot *stored;		/* a row from there */
} PinObjectScan;

#endif							/* PIN_OBJECT_SCAN_H */
