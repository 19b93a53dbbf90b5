/*-------------------------------------------------------------------------
 *
 * record_count.c
 *		Fuzzes the counting of rows: it says what the reader finds, whatever
 *		the pieces in which the text arrives.
 *
 * Input: delimiter (odd for a tab), size of the pieces, text.
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

/* Rows by the reader; -1 if it refuses the text. */
static int64_t
read_rows(char delimiter, const uint8_t *data, size_t len)
{
	Source		source = {data, len};
	PinCsv	   *csv = pin_csv_open(delimiter, read_source, &source);
	PinRecord	record;
	PinError	err;
	PinCsvStatus status;
	int			width = 0;
	int64_t		rows = 0;

	FUZZ_EXPECT(csv != NULL);
	while ((status = pin_csv_next(csv, &record, &err)) == PIN_CSV_RECORD)
	{
		bool		blank = record.nfields == 1 && record.fields[0].len == 0 &&
		!record.fields[0].quoted;

		if (width == 0)
			width = record.nfields;
		else if (!blank || width == 1)
			rows++;
	}
	pin_csv_free(csv);
	return status == PIN_CSV_END ? rows : -1;
}

static int64_t
count_rows(char delimiter, const uint8_t *data, size_t len, size_t piece)
{
	PinRecordCount count;

	pin_record_count_begin(&count, delimiter);
	while (len > 0)
	{
		size_t		n = piece < len ? piece : len;

		pin_record_count_add(&count, (const char *) data, n);
		data += n;
		len -= n;
	}
	return pin_record_count_rows(&count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		delimiter;
	int64_t		rows;
	int64_t		counted;

	if (size < 2)
		return 0;
	delimiter = data[0] % 2 ? '\t' : ',';
	rows = read_rows(delimiter, data + 2, size - 2);
	counted = count_rows(delimiter, data + 2, size - 2, size);
	FUZZ_EXPECT(rows < 0 || rows == counted);
	FUZZ_EXPECT(counted == count_rows(delimiter, data + 2, size - 2, 1 + data[1]));
	return 0;
}

FUZZ_MAIN(FUZZ_SEED(",\0a,b\n1,2\n"),
		  FUZZ_SEED(",\1\xEF\xBB\xBF\"a\",\"b\"\"c\"\"\"\r\n\"\",\r\n"),
		  FUZZ_SEED(",\2\"a\nb\r\nc\",d\re\r\n\n\"\n\",\"\"\nf"),
		  FUZZ_SEED("\t\0a\t\"b\tc\"\t5\"\r\n\n1\t2\t3\n\r\n"));
