/*-------------------------------------------------------------------------
 *
 * header.c
 *		The columns that a report file has, by its header.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/header.h"
#include "fdw/table.h"
#include "insights/ascii.h"
#include "insights/catalog.h"
#include "insights/column_type.h"
#include "insights/local_name.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "reader/csv.h"
#include "reader/report_bytes.h"
#include "throw.h"
#include "utils/memutils.h"

/* Types are guessed from so many rows, */
#define SAMPLE_ROWS 1000
/* and of a value so many bytes: what is longer is text. */
#define SAMPLE_BYTES 100

/* A report file that is being read from its start. */
typedef struct Reading
{
	const PinSnapshot *snapshot;	/* its bytes */
	const char *server_name;	/* for messages */
	PinReportBytes bytes;		/* that are left of them */
	PinCsv	   *csv;			/* its records */
	MemoryContextCallback callback; /* frees them */
} Reading;

/* ---- reading ---- */

static void
free_csv(void *arg)
{
	pin_csv_free(((Reading *) arg)->csv);
}

/* Opens it in the current context, whose end closes it. */
static Reading *
open_file(const PinSnapshot *snapshot, const char *server_name)
{
	Reading    *file = palloc0(sizeof(Reading));

	file->snapshot = snapshot;
	file->server_name = server_name;
	file->callback.func = free_csv;
	file->callback.arg = file;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &file->callback);
	file->bytes.fd = snapshot->fd;
	file->bytes.begin = snapshot->head.head_size;
	file->bytes.end = snapshot->head.data_size;
	file->csv = pin_csv_open(snapshot->head.tsv ? '\t' : ',', pin_report_bytes_read, &file->bytes);
	if (file->csv == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return file;
}

/* The next record; false at the end. */
static bool
next_record(Reading *file, PinRecord *record)
{
	PinError	err;

	CHECK_FOR_INTERRUPTS();
	switch (pin_csv_next(file->csv, record, &err))
	{
		case PIN_CSV_RECORD:
			return true;
		case PIN_CSV_END:
			return false;
		case PIN_CSV_ERROR:
			break;
	}
	pin_throw(&err, file->server_name,
			  psprintf("file of report %s", file->snapshot->head.report_id));
}

/* The header's names, in a context that outlives the file's. */
static List *
read_names(Reading *file, MemoryContext context)
{
	MemoryContext old;
	List	   *names = NIL;
	PinRecord	record;

	if (!next_record(file, &record))
		return NIL;
	old = MemoryContextSwitchTo(context);
	for (int i = 0; i < record.nfields; i++)
		names = lappend(names, makeString(pstrdup(record.fields[i].data)));
	MemoryContextSwitchTo(old);
	return names;
}

List *
pin_header_read(const PinSnapshot *snapshot, const char *server_name)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "pinsight report header",
												  ALLOCSET_SMALL_SIZES);
	List	   *names;

	MemoryContextSwitchTo(context);
	names = read_names(open_file(snapshot, server_name), outer);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(context);
	return names;
}

/* ---- which column is meant ---- */

/* Local names of a header, in step. */
static PinLocalName *
local_names(const List *header)
{
	PinLocalName *locals = palloc(sizeof(PinLocalName) * (list_length(header) + 1));

	if (!pin_local_names(locals, "", pin_strings_of(header), list_length(header), PIN_NAME_SNAKE))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return locals;
}

/* The reader looks for it in the same way. */
static bool
has_name(const List *header, const char *name)
{
	ListCell   *lc;

	foreach(lc, header)
	{
		if (pg_strcasecmp(strVal(lfirst(lc)), name) == 0)
			return true;
	}
	return false;
}

const char *
pin_header_meant(const List *header, const char *name)
{
	PinLocalName *locals;
	const char *found = NULL;
	int			count = 0;

	if (has_name(header, name))
		return name;
	locals = local_names(header);
	for (int i = 0; i < list_length(header); i++)
	{
		const char *remote = strVal(list_nth(header, i));

		if (pin_ascii_equal(locals[i], name))
			return remote;
		if (!pin_catalog_same_name(remote, name))
			continue;
		found = remote;
		count++;
	}
	return count == 1 ? found : NULL;
}

List *
pin_header_match(const List *header, const List *names)
{
	List	   *matched = NIL;
	ListCell   *lc;

	foreach(lc, names)
	{
		const char *meant = pin_header_meant(header, strVal(lfirst(lc)));

		matched = lappend(matched, meant == NULL ? lfirst(lc) : makeString(pstrdup(meant)));
	}
	return matched;
}

/* ---- types ---- */

/* The type that every dataset of the program has for a column; NULL: none. */
static const char *
known_type(const char *program, const char *remote)
{
	const PinCatalog *catalog = &pin_shipped_catalog;
	const char *type = NULL;

	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
	{
		const PinCatalogDataset *dataset = pin_catalog_at(catalog, i);
		const PinCatalogColumn *column = pin_ascii_equal(dataset->program, program) ?
		pin_catalog_column(dataset, remote) : NULL;

		if (column == NULL || !pin_ascii_equal(column->name, remote))
			continue;
		if (type != NULL && strcmp(type, column->type) != 0)
			return NULL;
		type = column->type;
	}
	return type;
}

/*
 * The first rows: the values of each column one after the other, NULL where
 * there is none.  *nrows: how many.
 */
static const char **
read_sample(Reading *file, int ncolumns, int *nrows)
{
	const char **values = palloc0(sizeof(char *) * ((Size) ncolumns * SAMPLE_ROWS + 1));
	PinRecord	record;
	int			row = 0;

	while (row < SAMPLE_ROWS && next_record(file, &record))
	{
		if (record.nfields != ncolumns)
			continue;			/* who reads all of it will complain */
		for (int i = 0; i < ncolumns; i++)
			if (record.fields[i].len > 0)
				values[(Size) i * SAMPLE_ROWS + row] =
					pnstrdup(record.fields[i].data, Min(record.fields[i].len, SAMPLE_BYTES));
		row++;
	}
	*nrows = row;
	return values;
}

static List *
describe(const List *header, const char *program, const char **values, int nrows)
{
	PinLocalName *locals = local_names(header);
	List	   *columns = NIL;

	for (int i = 0; i < list_length(header); i++)
	{
		PinHeaderColumn *column = palloc(sizeof(PinHeaderColumn));
		const char *known;

		column->remote = strVal(list_nth(header, i));
		column->local = locals[i];
		known = known_type(program, column->remote);
		column->type = known != NULL ? known :
			pin_type_from_values(column->remote, values + (Size) i * SAMPLE_ROWS, nrows);
		columns = lappend(columns, column);
	}
	return columns;
}

List *
pin_header_columns(const PinSnapshot *snapshot, const char *program, const char *server_name)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "pinsight report header",
												  ALLOCSET_DEFAULT_SIZES);
	Reading    *file;
	List	   *header;
	List	   *columns;
	const char **values;
	int			nrows;

	MemoryContextSwitchTo(context);
	file = open_file(snapshot, server_name);
	header = read_names(file, outer);
	values = read_sample(file, list_length(header), &nrows);
	MemoryContextSwitchTo(outer);
	columns = describe(header, program, values, nrows);
	MemoryContextDelete(context);
	return columns;
}
