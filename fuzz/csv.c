/*-------------------------------------------------------------------------
 *
 * csv.c
 *		Fuzzes the CSV reader: what it makes of a text does not depend on the
 *		pieces in which the text arrives.
 *
 * Input: delimiter (odd for a tab), size of the pieces, text.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "reader/csv.h"

/* Text handed out in pieces. */
typedef struct Source
{
	const uint8_t *data;		/* rest of the text */
	size_t		len;			/* its bytes */
	size_t		piece;			/* most bytes at a time */
} Source;

/* What was read, boiled down. */
typedef struct Summary
{
	uint64_t	hash;			/* over all fields */
	uint64_t	line;			/* where the last record starts */
	int			nfields;		/* in all records */
	bool		failed;			/* an error ended it */
	bool		ended_cleanly;	/* a line end ended it */
} Summary;

static ptrdiff_t
read_source(void *arg, char *buf, size_t size, PinError *err)
{
	Source	   *source = arg;
	size_t		n = source->piece < size ? source->piece : size;

	(void) err;
	if (n > source->len)
		n = source->len;
	if (n > 0)
		memcpy(buf, source->data, n);
	source->data += n;
	source->len -= n;
	return n;
}

static void
summarize_field(Summary *summary, const PinField *field)
{
	FUZZ_EXPECT(strlen(field->data) == field->len);
	summary->hash = summary->hash * 31 + field->quoted;
	for (uint32_t i = 0; i < field->len; i++)
		summary->hash = summary->hash * 31 + (unsigned char) field->data[i];
	summary->hash = summary->hash * 31 + field->len;
	summary->nfields++;
}

static Summary
summarize(PinCsv *csv)
{
	Summary		summary = {0};
	PinRecord	record;
	PinError	err;
	PinCsvStatus status;

	while ((status = pin_csv_next(csv, &record, &err)) == PIN_CSV_RECORD)
	{
		FUZZ_EXPECT(pin_csv_line(csv) > summary.line);
		FUZZ_EXPECT(record.nfields > 0);
		summary.line = pin_csv_line(csv);
		for (int i = 0; i < record.nfields; i++)
		{
			summarize_field(&summary, &record.fields[i]);
			/* The text is the caller's to change. */
			memset(record.fields[i].data, 'x', record.fields[i].len);
		}
	}
	summary.failed = status == PIN_CSV_ERROR;
	if (summary.failed)
		FUZZ_EXPECT(err.kind == PIN_ERROR_FILE_CORRUPT);
	else
		summary.ended_cleanly = pin_csv_ended_cleanly(csv);
	return summary;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Source		source;
	PinCsv	   *csv;
	Summary		whole;
	Summary		pieces;

	if (size < 2)
		return 0;
	csv = pin_csv_open(data[0] % 2 ? '\t' : ',', read_source, &source);
	FUZZ_EXPECT(csv != NULL);

	source.data = data + 2;
	source.len = size - 2;
	source.piece = size;
	whole = summarize(csv);
	pin_csv_rewind(csv);
	source.data = data + 2;
	source.len = size - 2;
	source.piece = 1 + data[1];
	pieces = summarize(csv);
	pin_csv_free(csv);

	FUZZ_EXPECT(whole.hash == pieces.hash);
	FUZZ_EXPECT(whole.line == pieces.line);
	FUZZ_EXPECT(whole.nfields == pieces.nfields);
	FUZZ_EXPECT(whole.failed == pieces.failed);
	FUZZ_EXPECT(whole.ended_cleanly == pieces.ended_cleanly);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED(",\0a,b\n1,2\n"),
		  FUZZ_SEED(",\1\xEF\xBB\xBF\"a\",\"b\"\"c\"\"\"\r\n\"\",\r\n"),
		  FUZZ_SEED(",\2\"a\nb\r\nc\",d\re\r\n\nf"),
		  FUZZ_SEED("\t\0a\t\"b\tc\"\t5\"\r\n"));
