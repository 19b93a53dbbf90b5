/*-------------------------------------------------------------------------
 *
 * row.c
 *		Rows of a set-returning function, put together column by column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "sql/row.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

void
pin_row_begin(PinRow *row, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->ncolumns = 0;
}

static void
put(PinRow *row, Datum value, bool null)
{
	Assert(row->ncolumns < PIN_ROW_MAX);
	row->values[row->ncolumns] = value;
	row->nulls[row->ncolumns++] = null;
}

void
pin_row_null(PinRow *row)
{
	put(row, (Datum) 0, true);
}

void
pin_row_text(PinRow *row, const char *text)
{
	if (text == NULL || text[0] == '\0')
		pin_row_null(row);
	else
		put(row, CStringGetTextDatum(text), false);
}

void
pin_row_name(PinRow *row, const char *name)
{
	if (name == NULL)
		pin_row_null(row);
	else
		put(row, DirectFunctionCall1(namein, CStringGetDatum(name)), false);
}

void
pin_row_oid(PinRow *row, Oid oid)
{
	put(row, ObjectIdGetDatum(oid), !OidIsValid(oid));
}

void
pin_row_time(PinRow *row, TimestampTz time)
{
	put(row, TimestampTzGetDatum(time), time == 0);
}

void
pin_row_age(PinRow *row, TimestampTz since)
{
	TimestampTz now = Max(GetCurrentTimestamp(), since);

	put(row, DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(now),
								 TimestampTzGetDatum(since)), false);
}

void
pin_row_int32(PinRow *row, int32 number)
{
	put(row, Int32GetDatum(number), false);
}

void
pin_row_int64(PinRow *row, int64 number)
{
	put(row, Int64GetDatum(number), false);
}

void
pin_row_end(PinRow *row)
{
	Assert(row->ncolumns == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc,
						 row->values, row->nulls);
	row->ncolumns = 0;
}
