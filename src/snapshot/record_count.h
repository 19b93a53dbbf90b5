/*-------------------------------------------------------------------------
 *
 * record_count.h
 *		How many rows a report file has, and where some of them begin, found
 *		while its bytes pass by.
 *
 * By the reader's rules (see csv.h), without taking fields apart: a line end
 * in quotes ends no record, and a quote opens a field only where a field
 * begins.  The header line is no row, nor are empty lines in a file of several
 * columns.  Of a file that the reader refuses the numbers mean nothing; but
 * whether it would is known in the end.
 *
 * The rows are divided into ranges, each of which can be read by itself.  There
 * are so many at most: in a longer file they are longer.
 *
 * Plain C.  Never raises, keeps no bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RECORD_COUNT_H
#define PIN_RECORD_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIN_RECORD_RANGES_MAX 1024
/* A range has about as many bytes, as long as there is room for all. */
#define PIN_RECORD_RANGE_BYTES (256 * 1024)

/* Rows that follow one another, up to the next range or the file's end. */
typedef struct PinRecordRange
{
	uint64_t	offset;			/* where the first of them begins in the file */
	uint64_t	rows;			/* how many they are */
	uint64_t	line;			/* the first one's line in the file, from 1 */
} PinRecordRange;

/* What the next byte may be, behind a quote that has closed a field. */
typedef enum PinAfterQuote
{
	PIN_AFTER_OTHER,			/* any: there was none */
	PIN_AFTER_QUOTE,			/* the field's end, or the second of a pair */
	PIN_AFTER_RETURN			/* a line feed */
} PinAfterQuote;

typedef struct PinRecordCount PinRecordCount;

/* Takes as many of the next bytes as it can; returns how many. */
typedef size_t (*PinCountKernel) (PinRecordCount *count, const char *data, size_t len);

/* Private to record_count.c, but what is said otherwise. */
struct PinRecordCount
{
	char		delimiter;		/* between fields */
	bool		in_quotes;		/* the last byte is within a quoted field */
	PinAfterQuote after;		/* a quoted field has just ended */
	bool		padded;			/* an empty line that is no row has passed */
	bool		irregular;		/* the reader would refuse the file */
	char		last;			/* the last byte */
	int			mark;			/* bytes of a byte order mark */
	uint64_t	offset;			/* bytes seen */
	uint64_t	record;			/* offset at which the current record began */
	uint64_t	record_line;	/* its line */
	uint64_t	line;			/* line of the next byte */
	uint64_t	delimiters;		/* in the current record, outside quotes */
	uint64_t	width;			/* fields of the header */
	uint64_t	records;		/* that have ended, the header included */
	uint64_t	spacing;		/* bytes of a range; tests make it small */
	int			nranges;		/* ranges so far; to be read by anybody */
	PinRecordRange ranges[PIN_RECORD_RANGES_MAX];	/* likewise */
	PinCountKernel kernel;		/* the machine's best; tests take others */
};

/* The kernels this machine can run, the best first; NULL: there is none. */
extern PinCountKernel pin_count_kernel_at(int i);

/* Begins anew; delimiter is ',' or '\t'. */
extern void pin_record_count_begin(PinRecordCount *count, char delimiter);

/* The file's next bytes. */
extern void pin_record_count_add(PinRecordCount *count, const char *data, size_t len);

/* Rows so far. */
extern int64_t pin_record_count_rows(const PinRecordCount *count);

/*
 * Rows that have ended, which no byte to come can change; the last of them ends
 * behind *size bytes.  -1 if the reader would refuse what was seen.
 */
extern int64_t pin_record_count_ended(const PinRecordCount *count, uint64_t *size);

/*
 * That was the last byte.  Is every record as the reader wants it, so that it
 * would find as many rows and nothing to complain of, in the ranges as in the
 * whole?
 */
extern bool pin_record_count_end(PinRecordCount *count);

#endif							/* PIN_RECORD_COUNT_H */
