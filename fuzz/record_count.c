/*-------------------------------------------------------------------------
 *
 * record_count.c
 *		Fuzzes the counting of rows: it says what the reader finds, whatever
 *		the pieces in which the text arrives and the kernel, range by range as
 *		in the whole, and in its first rows while the rest is still to come.
 *
 * Input: delimiter (odd for a tab), size of pieces, of ranges and of the
 * rest, text.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "reader/csv.h"
#include "snapshot/record_count.h"

/* Text handed out at once. */
typedef struct Source
{
	const uint8_t *data;		/* rest of the text */
	size_t		len;			/* its bytes */
} Source;

static ptrdiff_t
read_source(void *arg, char *buf, size_t size, PinError *err)
{
	Source	   *source = arg;
	size_t		n = size < source->len ? size : source->len;

	(void) err;
	if (n > 0)
		memcpy(buf, source->data, n);
	source->data += n;
	source->len -= n;
	return n;
}

/* What the reader finds in a text. */
typedef struct Found
{
	bool		accepted;		/* nothing to complain of */
	int64_t		rows;			/* in the part that was read */
	uint64_t	line;			/* of the first one; 0: there is none */
	uint64_t	hash;			/* of all their fields */
} Found;

static void
hash_record(Found *found, PinCsv *csv, PinRecord *record)
{
	if (record->fields == NULL)
		pin_csv_find(csv, record, 0, record->nfields);
	for (int i = 0; i < record->nfields; i++)
	{
		PinField	field;

		pin_csv_field(record, i, &field);
		found->hash = (found->hash ^ field.len) * UINT64_C(0x100000001B3);
		for (uint32_t at = 0; at < field.len; at++)
			found->hash = (found->hash ^ (unsigned char) field.data[at]) *
				UINT64_C(0x100000001B3);
	}
}

/* Reads the rows that are left: an empty line among rows of several fields is wrong. */
static void
read_rows(PinCsv *csv, int width, Found *found)
{
	PinRecord	record;
	PinError	err;
	PinCsvStatus status;
	bool		padded = false;

	found->accepted = true;
	while ((status = pin_csv_next(csv, &record, &err)) == PIN_CSV_RECORD)
	{
		if (width > 1 && record.nfields == 1 && record.fields[0].len == 0 &&
			!record.fields[0].quoted)
		{
			padded = true;
			continue;
		}
		if (padded || record.nfields != width)
			found->accepted = false;
		if (found->rows++ == 0)
			found->line = pin_csv_line(csv);
		hash_record(found, csv, &record);
	}
	if (status != PIN_CSV_END)
		found->accepted = false;
}

/* Reads a whole text; *width: of its header. */
static Found
read_all(char delimiter, const uint8_t *data, size_t len, int *width)
{
	Source		source = {data, len};
	PinCsv	   *csv = pin_csv_open(delimiter, read_source, &source);
	Found		found = {.hash = 1};
	PinRecord	header;
	PinError	err;
	PinCsvStatus status;

	FUZZ_EXPECT(csv != NULL);
	status = pin_csv_next(csv, &header, &err);
	*width = status == PIN_CSV_RECORD ? header.nfields : 0;
	found.accepted = status == PIN_CSV_END;
	if (status == PIN_CSV_RECORD)
		read_rows(csv, *width, &found);
	pin_csv_free(csv);
	return found;
}

static void
count_all(PinRecordCount *count, PinCountKernel kernel, char delimiter, const uint8_t *data,
		  size_t len, size_t piece)
{
	pin_record_count_begin(count, delimiter);
	count->kernel = kernel;
	count->spacing = piece;
	while (len > 0)
	{
		size_t		n = piece < len ? piece : len;

		pin_record_count_add(count, (const char *) data, n);
		data += n;
		len -= n;
	}
}

/* Reads range by range what is the same in the whole. */
static void
check_ranges(const PinRecordCount *count, char delimiter, const uint8_t *data, size_t len,
			 int width, const Found *whole)
{
	Source		source = {data, 0};
	PinCsv	   *csv = pin_csv_open(delimiter, read_source, &source);
	Found		all = {.hash = 1};

	FUZZ_EXPECT(csv != NULL);
	for (int i = 0; i < count->nranges; i++)
	{
		size_t		end = i + 1 < count->nranges ? count->ranges[i + 1].offset : len;
		Found		part = {.hash = all.hash};

		source.data = data + count->ranges[i].offset;
		source.len = end - count->ranges[i].offset;
		pin_csv_rewind_to(csv, count->ranges[i].line);
		FUZZ_EXPECT(i % 2 == 0 || pin_csv_expect(csv, width));
		read_rows(csv, width, &part);
		FUZZ_EXPECT(part.accepted && (uint64_t) part.rows == count->ranges[i].rows);
		FUZZ_EXPECT(part.rows > 0 && part.line == count->ranges[i].line);
		all.rows += part.rows;
		all.hash = part.hash;
	}
	pin_csv_free(csv);
	FUZZ_EXPECT(all.rows == whole->rows && all.hash == whole->hash);
}

/* Does the reader find the rows that have ended so far, and nothing else? */
static void
check_ended(const PinRecordCount *count, char delimiter, const uint8_t *data)
{
	uint64_t	size;
	int64_t		rows = pin_record_count_ended(count, &size);
	Found		found;
	int			width;

	if (rows < 0)
		return;
	found = read_all(delimiter, data, size, &width);
	FUZZ_EXPECT(found.accepted && found.rows == rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static PinRecordCount count;
	PinCountKernel kernel;
	char		delimiter;
	Found		found;
	int			width;
	int64_t		rows;
	bool		regular;

	if (size < 2)
		return 0;
	delimiter = data[0] % 2 ? '\t' : ',';
	found = read_all(delimiter, data + 2, size - 2, &width);
	for (int i = 0; (kernel = pin_count_kernel_at(i)) != NULL; i++)
	{
		count_all(&count, kernel, delimiter, data + 2, size - 2, size);
		rows = pin_record_count_rows(&count);
		regular = pin_record_count_end(&count);
		FUZZ_EXPECT(regular == found.accepted);
		FUZZ_EXPECT(!regular || (rows == found.rows && rows == pin_record_count_rows(&count)));

		count_all(&count, kernel, delimiter, data + 2, size - 2, 1 + data[1]);
		FUZZ_EXPECT(rows == pin_record_count_rows(&count));
		FUZZ_EXPECT(regular == pin_record_count_end(&count));
		if (regular)
			check_ranges(&count, delimiter, data + 2, size - 2, width, &found);

		count_all(&count, kernel, delimiter, data + 2, size - 2 - (size > 2 ? data[1] % (size - 2) : 0), size);
		check_ended(&count, delimiter, data + 2);
	}
	return 0;
}

FUZZ_MAIN(FUZZ_SEED(",\0a,b\n1,2\n"),
		  FUZZ_SEED(",\1\xEF\xBB\xBF\"a\",\"b\"\"c\"\"\"\r\n\"\",\r\n"),
		  FUZZ_SEED(",\2\"a\nb\r\nc\",d\re\r\n\n\"\n\",\"\"\nf"),
		  FUZZ_SEED(",\3a,b\n1,2\r\n\"3\n\",\"\"\"\"\n4,5\n\n"),
		  FUZZ_SEED(",\77a,b\n\"one line of some length, longer than the blocks that are taken at "
					"once\",2\r\n\"3\n\",\"\"\"4\"\"\"\n5,\"and another one, in which a quote, \"\", is "
					"doubled\"\n6,seven\n8,nine\n10,eleven\n\"12\",\"13\"\n"),
		  FUZZ_SEED("\t\0a\t\"b\tc\"\t5\"\r\n\n1\t2\t3\n\r\n"));
