/*-------------------------------------------------------------------------
 *
 * row.h
 *		Rows of a set-returning function, put together column by column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROW_H
#define PIN_ROW_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/execnodes.h"

/* Most columns that a function of ours has. */
#define PIN_ROW_MAX 16

typedef struct PinRow
{
	ReturnSetInfo *result;		/* where rows go */
	int			ncolumns;		/* put so far */
	Datum		values[PIN_ROW_MAX];
	bool		nulls[PIN_ROW_MAX];
} PinRow;

/* To be called once, first: the function returns a set of rows. */
extern void pin_row_begin(PinRow *row, FunctionCallInfo fcinfo);

/* The next column.  NULL, an empty text, 0 as an oid or time: a null. */
extern void pin_row_null(PinRow *row);
extern void pin_row_text(PinRow *row, const char *text);
extern void pin_row_name(PinRow *row, const char *name);
extern void pin_row_oid(PinRow *row, Oid oid);
extern void pin_row_time(PinRow *row, TimestampTz time);
extern void pin_row_age(PinRow *row, TimestampTz since);
extern void pin_row_int32(PinRow *row, int32 number);
extern void pin_row_int64(PinRow *row, int64 number);

/* The row is whole. */
extern void pin_row_end(PinRow *row);

#endif							/* PIN_ROW_H */
