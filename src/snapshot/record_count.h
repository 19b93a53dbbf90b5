/*-------------------------------------------------------------------------
 *
 * record_count.h
 *		How many rows a report file has, counted while its bytes pass by.
 *
 * By the reader's rules (see csv.h), without taking fields apart: a line end
 * in quotes ends no record, and a quote opens a field only where a field
 * begins.  The header line is no row, nor are empty lines in a file of several
 * columns.  Of a file that the reader refuses the number means nothing.
 *
 * Plain C.  Never raises, keeps no bytes, needs no end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RECORD_COUNT_H
#define PIN_RECORD_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Private to record_count.c. */
typedef struct PinRecordCount
{
	char		delimiter;		/* between fields */
	bool		in_quotes;		/* the last byte is within a quoted field */
	bool		after_quote;	/* the last byte closed one, or began a pair */
	bool		wide;			/* the header has several fields */
	char		last;			/* the last byte */
	int			mark;			/* bytes of a byte order mark */
	uint64_t	offset;			/* bytes seen */
	uint64_t	record;			/* offset at which the current record began */
	uint64_t	records;		/* that have ended, the header included */
} PinRecordCount;

/* Begins anew; delimiter is ',' or '\t'. */
extern void pin_record_count_begin(PinRecordCount *count, char delimiter);

/* The file's next bytes. */
extern void pin_record_count_add(PinRecordCount *count, const char *data, size_t len);

/* Rows so far; after the file's last byte: of the file. */
extern int64_t pin_record_count_rows(const PinRecordCount *count);

#endif							/* PIN_RECORD_COUNT_H */
