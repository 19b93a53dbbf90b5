/*-------------------------------------------------------------------------
 *
 * csv_rows.c
 *		What the CSV reader makes of files, to be compared with what others do.
 *
 * usage: csv_rows FILE...
 *
 * Reads each file by the map of this machine's best kernel, as a scan does, and
 * writes FILE.rows: the rows as COPY writes them as text; "ERROR" instead, if
 * they cannot be read or are not all as wide as the first.  A file is tab-separated
 * if its name ends in ".tsv".
 *
 *-------------------------------------------------------------------------
 */
#include "reader/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows. */
typedef struct Output
{
	char	   *data;
	size_t		len;
	size_t		size;
} Output;

static void
put(Output *out, const char *bytes, size_t len)
{
	if (out->len + len > out->size)
	{
		out->size = (out->len + len) * 2;
		out->data = realloc(out->data, out->size);
		if (out->data == NULL)
			abort();
	}
	memcpy(out->data + out->len, bytes, len);
	out->len += len;
}

static void
put_field(Output *out, const PinField *field)
{
	static const char plain[] = "\b\f\n\r\t\v\\";
	static const char escaped[] = "bfnrtv\\";

	if (field->len == 0 && !field->quoted)
		put(out, "\\N", 2);
	for (uint32_t i = 0; i < field->len; i++)
	{
		const char *special = field->data[i] != '\0' ? strchr(plain, field->data[i]) : NULL;

		if (special != NULL)
		{
			put(out, "\\", 1);
			put(out, &escaped[special - plain], 1);
		}
		else
			put(out, &field->data[i], 1);
	}
}

static ptrdiff_t
read_file(void *arg, char *buf, size_t size, PinError *err)
{
	return (ptrdiff_t) fread(buf, 1, size, arg);
}

/* Puts a record; false: it is not as wide as the first. */
static bool
put_record(Output *out, PinCsv *csv, PinRecord *record, int *width)
{
	if (*width == 0)
	{
		*width = record->nfields;
		if (!pin_csv_expect(csv, *width))
			abort();
	}
	if (record->nfields != *width)
		return false;
	pin_csv_find(csv, record, 0, *width);
	for (int i = 0; i < *width; i++)
	{
		PinField	field;

		pin_csv_field(record, i, &field);
		put_field(out, &field);
		put(out, i < *width - 1 ? "\t" : "\n", 1);
	}
	return true;
}

static void
put_file(Output *out, FILE *file, char delimiter)
{
	PinCsv	   *csv = pin_csv_open(delimiter, read_file, file);
	PinCsvStatus status;
	PinRecord	record;
	PinError	err;
	int			width = 0;
	bool		good = true;

	if (csv == NULL)
		abort();
	while ((status = pin_csv_next(csv, &record, &err)) == PIN_CSV_RECORD && good)
		good = put_record(out, csv, &record, &width);
	if (!good || status == PIN_CSV_ERROR)
	{
		out->len = 0;
		put(out, "ERROR\n", 6);
	}
	pin_csv_free(csv);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		size_t		len = strlen(argv[i]);
		bool		tsv = len > 4 && strcmp(argv[i] + len - 4, ".tsv") == 0;
		char	   *name = malloc(len + sizeof(".rows"));
		FILE	   *file = fopen(argv[i], "rb");
		Output		out = {0};
		FILE	   *rows;

		if (name == NULL || file == NULL)
			abort();
		put_file(&out, file, tsv ? '\t' : ',');
		fclose(file);
		memcpy(name, argv[i], len);
		memcpy(name + len, ".rows", sizeof(".rows"));
		rows = fopen(name, "wb");
		if (rows == NULL || fwrite(out.data, 1, out.len, rows) != out.len || fclose(rows) != 0)
			abort();
		free(out.data);
		free(name);
	}
	return 0;
}
