/*-------------------------------------------------------------------------
 *
 * csv.h
 *		From bytes to records: CSV and TSV as the service writes them.
 *
 * RFC 4180 with tolerance where the service's habits are unknown: LF or CRLF
 * (or a mixture), a UTF-8 byte order mark, quotes where they are needed or
 * everywhere, line ends inside quotes, last line with or without an end.  A
 * quote within an unquoted field is a character like any other, and so is a
 * carriage return that no line feed follows: inch marks in a TSV survive.
 * What is not tolerated is an error, never a guess: text after a closing
 * quote, a quote that never closes, a NUL byte, a record longer than the bound.
 *
 * Once it is told how wide records are, it finds them many bytes at a time (see
 * field_map.h), and in them only the fields that are asked for.  It goes back to
 * single bytes only for a record that is not of that width or has a quote where
 * none belongs.  What comes out is the same.
 *
 * Plain C.  Never raises.  Pulls its bytes through a callback, so it reads a
 * file, a socket or a test's string alike.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CSV_H
#define PIN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "reader/field_map.h"

typedef struct PinCsv PinCsv;

/*
 * Source of bytes: fills up to size bytes, returns how many; 0 at the end,
 * negative on failure (the callback has filled *err itself).
 */
typedef ptrdiff_t (*PinCsvRead) (void *arg, char *buf, size_t size, PinError *err);

/* So many bytes behind a field can be read, whatever they are. */
#define PIN_FIELD_SLACK PIN_MAP_SLACK

typedef struct PinField
{
	char	   *data;			/* unescaped, in the reader's buffer; valid
								 * until the next record.  The byte before it
								 * is the caller's to write over, but not with
								 * a quote */
	uint32_t	len;			/* bytes */
	bool		quoted;			/* "" is an empty string, nothing is NULL */
	bool		ascii;			/* true: has no other bytes; false: not known */
} PinField;

typedef struct PinRecord
{
	int			nfields;
	PinField   *fields;			/* all of them, or NULL: see pin_csv_find */

	/* of a record that was found by the map */
	const PinFieldMap *map;
	char	   *origin;			/* what its offsets count from */
	const uint32_t *ends;		/* where fields end; before the first, where
								 * the record begins, less one */
	int			stride;			/* from these to the next record's */
} PinRecord;

typedef enum PinCsvStatus
{
	PIN_CSV_RECORD,				/* *record is filled */
	PIN_CSV_END,				/* no more */
	PIN_CSV_ERROR				/* *err is filled: kind, message with line */
} PinCsvStatus;

/* Longest record with its line end, bytes. */
#define PIN_CSV_RECORD_MAX (64 * 1024 * 1024)
/* Most fields in a record. */
#define PIN_CSV_FIELDS_MAX 16384
/* Most records whose fields are found at once. */
#define PIN_CSV_AHEAD 16

/*
 * delimiter is ',' or '\t'.  NULL when memory ran out.  The caller frees.
 */
extern PinCsv *pin_csv_open(char delimiter, PinCsvRead read, void *arg);
extern void pin_csv_free(PinCsv *csv);	/* NULL is fine */

/* Reads with another kernel than the best, for tests. */
extern void pin_csv_use(PinCsv *csv, const PinMapKernel *kernel);

/* Forgets bytes, line count and the width: the source starts again. */
extern void pin_csv_rewind(PinCsv *csv);

/*
 * The same, but the source starts within a file, where a record begins, on that
 * line: there is no byte order mark.
 */
extern void pin_csv_rewind_to(PinCsv *csv, uint64_t line);

/*
 * From here on records are of nfields fields, and these are set only when they
 * are asked for.  Every other record is still read whole.  False when memory ran
 * out.
 */
extern bool pin_csv_expect(PinCsv *csv, int nfields);

/*
 * Next record.  A line with nothing on it is a record of one empty unquoted
 * field: what it means is the caller's business.  Each field that is set is
 * followed by a zero; after pin_csv_expect none is of a record of the expected
 * width.
 *
 * An error is final: every later call returns it again, until pin_csv_rewind.
 * If the source left by longjmp, only pin_csv_rewind and pin_csv_free may
 * follow.
 */
extern PinCsvStatus pin_csv_next(PinCsv *csv, PinRecord *record, PinError *err);

/*
 * Finds fields of the record that was returned last, for pin_csv_field: those
 * from first on and before end, at least one.
 */
extern void pin_csv_find(PinCsv *csv, PinRecord *record, int first, int end);

/*
 * The same of the record that was returned last, which must be in a map, and of
 * those that pin_csv_next will return after it, at most PIN_CSV_AHEAD together:
 * how many that are is returned.  pin_csv_step goes from one to the next.  What
 * was found is kept until this is called again, or the record after the last of
 * them is returned.
 */
extern int	pin_csv_find_ahead(PinCsv *csv, PinRecord *record, int first, int end, int most);

/* Takes the doubling from the quotes of a field. */
extern void pin_csv_unescape(PinField *field);

/*
 * A field of a record that was found by the map, as it stands there: without the
 * quotes around it, but with all in it that is doubled.  Quotes are taken off
 * without a branch, since no processor could foresee it.  Where there is nothing,
 * the byte that is looked at is what ends the field, or was written over that: no
 * quote.
 */
static inline void
pin_csv_raw_field(const PinRecord *record, int number, PinField *field)
{
	uint32_t	start = record->ends[number - 1] + 1;
	uint32_t	end = record->ends[number];
	char	   *data = record->origin + start;
	bool		quoted = *data == '"';

	field->data = data + quoted;
	field->len = end - start - 2 * quoted;
	field->quoted = quoted;
	field->ascii = false;
}

/* From a record to the next one: see pin_csv_find_ahead. */
static inline void
pin_csv_step(PinRecord *record, int records)
{
	record->ends += records * record->stride;
}

/* The marks of the fields from first on and before end, in such a record. */
static inline int
pin_csv_marks(const PinRecord *record, int first, int end)
{
	PinSpan		span = {.start = record->ends[first - 1] + 1,.end = record->ends[end - 1]};

	return pin_map_marks(record->map, &span);
}

/*
 * A field of the record that was returned last.  Where no field is set it must
 * have been found, and may be taken once; what is done to it, and to the byte
 * before it, does not change what other fields are.
 *
 * The result is written member by member, and best read so: a processor has to
 * wait where it reads at once what it has just written in parts.
 */
static inline void
pin_csv_field(const PinRecord *record, int number, PinField *field)
{
	int			marks;

	if (record->fields != NULL)
	{
		*field = record->fields[number];
		return;
	}
	pin_csv_raw_field(record, number, field);
	marks = pin_csv_marks(record, number, number + 1);
	field->ascii = (marks & PIN_MAP_WIDE) == 0;
	if ((marks & PIN_MAP_DOUBLED) != 0 && field->quoted)
		pin_csv_unescape(field);
}

/*
 * Line of the file, from 1, where the record that was returned last begins.
 * Only counted when it is asked for.
 */
extern uint64_t pin_csv_line(PinCsv *csv);

#endif							/* PIN_CSV_H */
