/*-------------------------------------------------------------------------
 *
 * csv.c
 *		Fuzzes the CSV reader: what it makes of a text does not depend on the
 *		pieces in which the text arrives, nor on the way it takes: byte by byte,
 *		or by the map of any kernel.
 *
 * Input: delimiter (odd for a tab) and which fields are taken first, size of the
 * pieces, text.
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
	return summary;
}

/* Opens a reader of the text. */
static PinCsv *
open_source(Source *source, const uint8_t *data, size_t size, size_t piece)
{
	PinCsv	   *csv = pin_csv_open(data[0] % 2 ? '\t' : ',', read_source, source);

	FUZZ_EXPECT(csv != NULL);
	source->data = data + 2;
	source->len = size - 2;
	source->piece = piece;
	return csv;
}

/* Of a field, all that counts has to be the same. */
static void
compare_fields(const PinField *a, const PinField *b)
{
	FUZZ_EXPECT(a->len == b->len);
	FUZZ_EXPECT(a->quoted == b->quoted);
	FUZZ_EXPECT(memcmp(a->data, b->data, a->len) == 0);
	for (uint32_t i = 0; b->ascii && i < b->len; i++)
		FUZZ_EXPECT((unsigned char) b->data[i] < 0x80);
}

/* Records that were found at once. */
typedef struct Run
{
	PinRecord	next;
	int			left;
} Run;

/* Finds the record's fields, together with those of some that follow it. */
static void
take_from_run(PinCsv *csv, Run *run, PinRecord *record, int most)
{
	if (record->fields != NULL)
	{
		FUZZ_EXPECT(run->left == 0);
		return;
	}
	if (run->left == 0)
	{
		run->next = *record;
		run->left = pin_csv_find_ahead(csv, &run->next, 0, record->nfields, most);
	}
	*record = run->next;
	pin_csv_step(&run->next, 1);
	run->left--;
}

/*
 * Compares every so-manyth field from the first on of a record, then writes over
 * the byte in front, which is the caller's.
 */
static void
compare_records(const PinRecord *a, const PinRecord *b, int first, int every)
{
	FUZZ_EXPECT(a->nfields == b->nfields);
	for (int i = first; i < a->nfields; i += every)
	{
		PinField	field;

		pin_csv_field(b, i, &field);
		compare_fields(&a->fields[i], &field);
		field.data[-1] = 'x';
	}
}

/*
 * The way byte by byte against that by a map: every so-manyth field, and then
 * those that follow them.
 */
static void
compare_ways(const uint8_t *data, size_t size, const PinMapKernel *kernel)
{
	int			every = 1 + data[0] / 2 % 4;
	int			width = 0;
	Source		plain_source;
	Source		mapped_source;
	PinCsv	   *plain = open_source(&plain_source, data, size, 1 + data[1]);
	PinCsv	   *mapped = open_source(&mapped_source, data, size, 1 + data[1] * 20);
	PinError	plain_err;
	PinError	mapped_err;
	PinRecord	a;
	PinRecord	b;
	PinCsvStatus status;
	Run			run = {0};

	pin_csv_use(mapped, kernel);
	while ((status = pin_csv_next(plain, &a, &plain_err)) == PIN_CSV_RECORD)
	{
		FUZZ_EXPECT(pin_csv_next(mapped, &b, &mapped_err) == status);
		FUZZ_EXPECT(pin_csv_line(plain) == pin_csv_line(mapped));
		take_from_run(mapped, &run, &b, 1 + data[1] % PIN_CSV_AHEAD);
		compare_records(&a, &b, 0, every);
		if (every > 1 && b.nfields > 1)
		{
			pin_csv_find(mapped, &b, 1, b.nfields);
			compare_records(&a, &b, 1, every);
		}
		if (width == 0)
		{
			width = a.nfields;
			FUZZ_EXPECT(pin_csv_expect(mapped, width));
		}
	}
	FUZZ_EXPECT(pin_csv_next(mapped, &b, &mapped_err) == status);
	if (status == PIN_CSV_ERROR)
		FUZZ_EXPECT(strcmp(plain_err.message, mapped_err.message) == 0);
	pin_csv_free(plain);
	pin_csv_free(mapped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int			kernels = 0;
	Source		source;
	PinCsv	   *csv;
	Summary		whole;
	Summary		pieces;

	if (size < 2)
		return 0;
	while (pin_map_kernel_at(kernels) != NULL)
		kernels++;
	compare_ways(data, size, pin_map_kernel_at(size % kernels));

	csv = open_source(&source, data, size, size);
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
	return 0;
}

FUZZ_MAIN(FUZZ_SEED(",\0a,b\n1,2\n"),
		  FUZZ_SEED(",\1\xEF\xBB\xBF\"a\",\"b\"\"c\"\"\"\r\n\"\",\r\n"),
		  FUZZ_SEED(",\2\"a\nb\r\nc\",d\re\r\n\nf"),
		  FUZZ_SEED("\t\0a\t\"b\tc\"\t5\"\r\n"),
		  FUZZ_SEED(",\x10" "a,b,c,d\n1,\"two, or \"\"2\"\"\",3,2026-01-31T00:00:00\n,,,\n"
					"K\xC3\xB6ln,\"x\ny\",-12.50,\"\"\r\n"),
		  FUZZ_SEED(",\x20" "k,v\n1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n2,b\n"
					"3,\"ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"\r\n4,d"));
