/*-------------------------------------------------------------------------
 *
 * rows.h
 *		A report file as rows of a foreign table.
 *
 * Matches the file's header with the table's columns by name, then turns one
 * record after the other into a slot's values, only the columns that are
 * needed.  Some of them can be left until it is known that the row is wanted: a
 * value that nobody asks for is not read, so nothing can be wrong with it.
 * Can start again from the first row as often as wanted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROWS_H
#define PIN_ROWS_H

#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

typedef struct PinRows PinRows;

/* What to read, and as what.  Everything is kept by reference. */
typedef struct PinRowsSource
{
	int			fd;				/* open file with the report in it */
	int64		offset;			/* where the report begins */
	int64		size;			/* its bytes */
	char		delimiter;		/* ',' or '\t' */
	const char *server_name;	/* for messages */
	const char *what;			/* for messages: foreign table "x" */
	Oid			relid;			/* that table, for hints; InvalidOid: none */
	Oid			kept_for;		/* the table that the file was fetched for;
								 * InvalidOid: none */
	TupleDesc	tupdesc;		/* the table's row type */
	List	   *attnums;		/* of int: the declared columns, all of which
								 * the file must have */
	List	   *names;			/* of String: their remote names, in step */
	List	   *constant_attnums;	/* of int: columns that are not in the
									 * file, but have the same value in every
									 * row */
	List	   *constants;		/* of String: these values, in step; "" is
								 * null */
	Bitmapset  *needed;			/* attnums whose values are asked for */
	Bitmapset  *late;			/* of these, what pin_rows_next leaves to
								 * pin_rows_complete */
	bool		set_null;		/* a bad cell is NULL and counted, not an
								 * error */
} PinRowsSource;

/*
 * Opens the file in a memory context of its own under the current one, which
 * owns everything.  Throws if the header lacks a column.
 */
extern PinRows *pin_rows_open(const PinRowsSource *source);

/*
 * Fills values and isnull (one per attribute; what is late or not needed is
 * NULL) with the next row, valid until the next call.  False at the end.  Throws
 * on a broken file and, unless set_null, on a bad cell.
 */
extern bool pin_rows_next(PinRows *rows, Datum *values, bool *isnull);

/*
 * Fills in what is late of the row that was returned last.  Call it once a row
 * at most.  Throws likewise.
 */
extern void pin_rows_complete(PinRows *rows, Datum *values, bool *isnull);

/* Back to the first row. */
extern void pin_rows_rewind(PinRows *rows);

/*
 * The rows that follow are those of a part of the file: from offset, where one of
 * them begins, on that line, to end, behind a whole one.
 */
extern void pin_rows_read_part(PinRows *rows, int64 offset, int64 end, uint64 line);

/*
 * Is no field of the file asked for?  Then all rows are alike, and pin_rows_alike
 * fills values and isnull as pin_rows_next would, without reading.
 */
extern bool pin_rows_are_alike(const PinRows *rows);
extern void pin_rows_alike(const PinRows *rows, Datum *values, bool *isnull);

/* Warns of the cells that were set to NULL, if any, and frees everything. */
extern void pin_rows_close(PinRows *rows);

/* Rows returned so far, of all passes. */
extern uint64 pin_rows_count(const PinRows *rows);

#endif							/* PIN_ROWS_H */
