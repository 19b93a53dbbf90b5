/*-------------------------------------------------------------------------
 *
 * rows.c
 *		A report file as rows of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "attempt.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "reader/convert.h"
#include "reader/csv.h"
#include "reader/rows.h"
#include "text.h"
#include "throw.h"
#include "utils/memutils.h"

/* One needed column: where it stands in the file and how it is converted. */
typedef struct Cell
{
	AttrNumber	attnum;			/* of the table's column */
	int			field;			/* number of the file's field, from 0 */
	const char *remote_name;	/* as the header says it */
	PinColumn  *column;			/* conversion */
	bool		not_null;		/* declared so */
} Cell;

/* One needed column that has the same value in every row. */
typedef struct Constant
{
	AttrNumber	attnum;			/* of the table's column */
	Datum		value;			/* in the context of PinRows */
	bool		isnull;			/* no value */
} Constant;

struct PinRows
{
	PinRowsSource source;		/* what to read */
	MemoryContext context;		/* owns this and all below it */
	MemoryContext row_context;	/* values of the current row */
	MemoryContextCallback callback; /* frees the CSV reader */
	PinCsv	   *csv;			/* record reader */
	int64		offset;			/* of the next byte to read, in the report */
	int64		end;			/* behind the last one to read */
	int			nfields;		/* fields of the header, and of each record */
	int		   *wanted;			/* numbers of the fields that are read */
	int			nwanted;		/* how many */
	Cell	   *cells;			/* the needed columns */
	int			ncells;			/* their number */
	int			nclean;			/* the first of them, whose conversion fails
								 * cleanly */
	Constant   *constants;		/* needed columns that are not in the file */
	int			nconstants;		/* their number */
	const Cell *current;		/* cell being converted, for error context */
	const PinField *field;		/* its text, likewise; NULL: not to be shown */
	int			nstrict;		/* of the cells, how many are not_null */
	uint64		seen;			/* last line of an earlier pass */
	uint64		rows;			/* rows returned */
	uint64		bad_cells;		/* cells set to NULL */
	char	   *first_bad;		/* message of the first of them */
};

static void
free_csv(void *arg)
{
	PinRows    *rows = arg;

	pin_csv_free(rows->csv);
	rows->csv = NULL;
}

/* Who wants only a few rows shall not read many: so much at first, then more. */
#define FIRST_READ (16 * 1024)

/* Source of the CSV reader. */
static ptrdiff_t
read_file(void *arg, char *buf, size_t size, PinError *err)
{
	PinRows    *rows = arg;
	size_t		wanted = Min(Min(size, Max(FIRST_READ, rows->offset)), rows->end - rows->offset);
	ssize_t		n;

	if (wanted == 0)
		return 0;
	do
		n = pread(rows->source.fd, buf, wanted, rows->source.offset + rows->offset);
	while (n < 0 && errno == EINTR);
	if (n > 0)
	{
		rows->offset += n;
		return n;
	}
	pin_error_set(err, PIN_ERROR_FILE_TRUNCATED, "could not read the report file: %s",
				  n < 0 ? strerror(errno) : "it has become shorter");
	return -1;
}

/* Next record; false at the end.  Throws on a broken file. */
static bool
next_record(PinRows *rows, PinRecord *record)
{
	PinError	err;

	switch (pin_csv_next(rows->csv, record, &err))
	{
		case PIN_CSV_RECORD:
			return true;
		case PIN_CSV_END:
			return false;
		case PIN_CSV_ERROR:
			break;
	}
	pin_throw(&err, rows->source.server_name,
			  psprintf("report file of %s", rows->source.what));
}

/*
 * The header's field with a name: spelled the same if there is one, else the
 * only one that differs in case alone.  -1: none; -2: several.
 */
static int
find_field(const PinRecord *header, const char *name)
{
	int			found = -1;

	for (int i = 0; i < header->nfields; i++)
	{
		if (strcmp(header->fields[i].data, name) == 0)
			return i;
		if (pg_strcasecmp(header->fields[i].data, name) == 0)
			found = found == -1 ? i : -2;
	}
	return found;
}

static void
throw_missing(PinRows *rows, const char *missing)
{
	PinError	err;

	pin_error_set(&err, PIN_ERROR_FILE_HEADER, "report file lacks column %s", missing);
	pin_throw(&err, rows->source.server_name,
			  psprintf("report file of %s", rows->source.what));
}

/* Columns that need a subtransaction come last. */
static void
add_cell(PinRows *rows, Cell cell)
{
	Form_pg_attribute att = TupleDescAttr(rows->source.tupdesc, cell.attnum - 1);

	cell.column = pin_column_create(att);
	cell.not_null = att->attnotnull;
	rows->nstrict += cell.not_null;
	if (pin_column_fails_cleanly(cell.column))
	{
		rows->cells[rows->ncells++] = rows->cells[rows->nclean];
		rows->cells[rows->nclean++] = cell;
	}
	else
		rows->cells[rows->ncells++] = cell;
}

/* Finds each declared column in the header and prepares those needed. */
static void
match_header(PinRows *rows, const PinRecord *header)
{
	StringInfoData missing;
	ListCell   *lcnum;
	ListCell   *lcname;

	initStringInfo(&missing);
	rows->nfields = header->nfields;
	rows->cells = palloc0(sizeof(Cell) * (list_length(rows->source.attnums) + 1));
	forboth(lcnum, rows->source.attnums, lcname, rows->source.names)
	{
		Cell		cell = {.attnum = lfirst_int(lcnum)};

		cell.remote_name = strVal(lfirst(lcname));
		cell.field = find_field(header, cell.remote_name);
		if (cell.field < 0)
			appendStringInfo(&missing, "%s\"%s\"%s", missing.len > 0 ? ", " : "",
							 cell.remote_name, cell.field == -2 ? " (ambiguous)" : "");
		else if (bms_is_member(cell.attnum, rows->source.needed))
			add_cell(rows, cell);
	}
	if (missing.len > 0)
		throw_missing(rows, missing.data);
}

/* The fields of the needed columns, in the file's order. */
static void
choose_fields(PinRows *rows)
{
	Bitmapset  *fields = NULL;
	int			field = -1;

	for (int i = 0; i < rows->ncells; i++)
		fields = bms_add_member(fields, rows->cells[i].field);
	rows->wanted = palloc(sizeof(int) * (rows->ncells + 1));
	while ((field = bms_next_member(fields, field)) >= 0)
		rows->wanted[rows->nwanted++] = field;
}

/* Tells the CSV reader what the rows are like that follow the header. */
static void
want_fields(PinRows *rows)
{
	if (!pin_csv_want(rows->csv, rows->nfields, rows->wanted, rows->nwanted))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/* Converts the values that are not in the file. */
static void
convert_constants(PinRows *rows)
{
	ListCell   *lcnum;
	ListCell   *lcvalue;

	rows->constants = palloc(sizeof(Constant) * (list_length(rows->source.constants) + 1));
	forboth(lcnum, rows->source.constant_attnums, lcvalue, rows->source.constants)
	{
		Constant   *constant = &rows->constants[rows->nconstants];
		char	   *text = psprintf(" %s", strVal(lfirst(lcvalue)));
		PinField	field = {.data = text + 1,.len = strlen(text + 1)};

		constant->attnum = lfirst_int(lcnum);
		if (!bms_is_member(constant->attnum, rows->source.needed))
			continue;
		constant->value =
			pin_column_convert(pin_column_create(TupleDescAttr(rows->source.tupdesc,
															   constant->attnum - 1)),
							   &field, &constant->isnull);
		rows->nconstants++;
	}
}

/*
 * Reads the header line.  A file that is proven whole and has no bytes at all
 * is an empty result whose writer left out the header.
 */
static void
read_header(PinRows *rows)
{
	PinRecord	header;

	if (!next_record(rows, &header))
		return;
	match_header(rows, &header);
	choose_fields(rows);
	want_fields(rows);
}

PinRows *
pin_rows_open(const PinRowsSource *source)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pinsight report rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PinRows    *rows = palloc0(sizeof(PinRows));

	rows->source = *source;
	rows->end = source->size;
	rows->context = context;
	rows->row_context = AllocSetContextCreate(context, "pinsight row",
											  ALLOCSET_DEFAULT_SIZES);
	rows->callback.func = free_csv;
	rows->callback.arg = rows;
	MemoryContextRegisterResetCallback(context, &rows->callback);
	rows->csv = pin_csv_open(source->delimiter, read_file, rows);
	if (rows->csv == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	read_header(rows);
	convert_constants(rows);
	MemoryContextSwitchTo(old);
	return rows;
}

/* Longest piece of a cell that the error context repeats, bytes. */
#define CELL_SHOWN_MAX 100

/*
 * Error context: where in the file a bad cell stands, and what it holds, since
 * the errors of many input functions do not tell.
 */
static void
cell_context(void *arg)
{
	PinRows    *rows = arg;
	char		text[CELL_SHOWN_MAX + 1] = "";

	if (rows->current == NULL)
		return;
	if (rows->field != NULL)
		pin_error_clean(text, sizeof(text), rows->field->data, rows->field->len);
	errcontext("report file line " UINT64_FORMAT ", field \"%s\", column \"%s\" of %s: \"%s\"",
			   pin_csv_line(rows->csv), rows->current->remote_name,
			   NameStr(TupleDescAttr(rows->source.tupdesc,
									 rows->current->attnum - 1)->attname),
			   rows->source.what, pin_text_to_server(text));
}

static void
convert_cell(PinRows *rows, const Cell *cell, PinRecord *record,
			 Datum *values, bool *isnull)
{
	int			i = cell->attnum - 1;

	rows->current = cell;
	rows->field = &record->fields[cell->field];
	values[i] = pin_column_convert(cell->column, &record->fields[cell->field], &isnull[i]);
}

static void
convert_strictly(PinRows *rows, PinRecord *record, Datum *values, bool *isnull)
{
	for (int i = 0; i < rows->ncells; i++)
		convert_cell(rows, &rows->cells[i], record, values, isnull);
}

/* Takes an error off the error stack. */
static ErrorData *
catch_error(MemoryContext context)
{
	ErrorData  *edata;

	MemoryContextSwitchTo(context);
	edata = CopyErrorData();
	FlushErrorState();
	return edata;
}

/*
 * Takes note of an error that becomes a NULL; the first is kept in words.  A
 * cell that is read again is the same cell.
 */
static void
count_bad_cell(PinRows *rows, const ErrorData *edata)
{
	uint64		line = pin_csv_line(rows->csv);
	MemoryContext old;

	if (line <= rows->seen)
		return;
	old = MemoryContextSwitchTo(rows->context);
	if (rows->bad_cells++ == 0)
		rows->first_bad = psprintf("%s (line " UINT64_FORMAT ", field \"%s\")",
								   edata->message, line,
								   rows->current->remote_name);
	MemoryContextSwitchTo(old);
}

/* The current cell's error becomes a NULL.  Anything but bad data is rethrown. */
static void
set_null(PinRows *rows, ErrorData *edata, Datum *values, bool *isnull)
{
	/* class 22 is "data exception", class 23 a domain's constraint */
	int			category = ERRCODE_TO_CATEGORY(edata->sqlerrcode);
	int			i = rows->current->attnum - 1;

	if (category != ERRCODE_DATA_EXCEPTION &&
		category != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		ReThrowError(edata);
	count_bad_cell(rows, edata);
	FreeErrorData(edata);
	values[i] = (Datum) 0;
	isnull[i] = true;
}

/*
 * Converts the cells from *next to before end, up to the first bad one, which
 * becomes a NULL; *next tells where to go on.  No more than catching the error
 * is needed: see pin_column_fails_cleanly.
 */
static void
convert_catching(PinRows *rows, PinRecord *record, Datum *values, bool *isnull,
				 volatile int *next, int end)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		for (; *next < end; (*next)++)
			convert_cell(rows, &rows->cells[*next], record, values, isnull);
	}
	PG_CATCH();
	{
		set_null(rows, catch_error(context), values, isnull);
		(*next)++;
	}
	PG_END_TRY();
}

/* Arguments of a conversion that is attempted. */
typedef struct Conversion
{
	PinRows    *rows;
	PinRecord  *record;
	Datum	   *values;
	bool	   *isnull;
	volatile int *next;
	int			end;
} Conversion;

static void
attempt_conversion(void *arg)
{
	Conversion *c = arg;

	for (; *c->next < c->end; (*c->next)++)
		convert_cell(c->rows, &c->rows->cells[*c->next], c->record, c->values, c->isnull);
}

/*
 * The same inside a subtransaction, which takes back whatever else an input
 * function or a domain's constraint has done.
 */
static void
convert_guarded(PinRows *rows, PinRecord *record, Datum *values, bool *isnull,
				volatile int *next, int end)
{
	Conversion	conversion = {
		.rows = rows,.record = record,.values = values,.isnull = isnull,
		.next = next,.end = end
	};
	ErrorData  *error = pin_attempt(attempt_conversion, &conversion);

	if (error != NULL)
	{
		set_null(rows, error, values, isnull);
		(*next)++;
	}
}

/*
 * Before 17 no subtransaction can begin while other processes work on the same
 * statement.  Say so in the words of the table.
 */
static void
check_subtransactions(const PinRows *rows)
{
	const Cell *cell = &rows->cells[rows->nclean];

	if (pin_subtransaction_allowed())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
			 errmsg("cannot set bad cells of %s to null in a parallel query",
					rows->source.what),
			 errdetail("Reading column \"%s\" needs a subtransaction for each row.",
					   NameStr(TupleDescAttr(rows->source.tupdesc,
											 cell->attnum - 1)->attname)),
			 errhint("Set max_parallel_workers_per_gather to 0, or the table's option \"on_error\" to \"stop\".")));
}

static void
convert_leniently(PinRows *rows, PinRecord *record, Datum *values, bool *isnull)
{
	volatile int next = 0;

	while (next < rows->nclean)
		convert_catching(rows, record, values, isnull, &next, rows->nclean);
	if (next < rows->ncells)
		check_subtransactions(rows);
	while (next < rows->ncells)
		convert_guarded(rows, record, values, isnull, &next, rows->ncells);
}

/*
 * The planner relies on NOT NULL, so a row that breaks it would make wrong
 * results, not only an unexpected one.
 */
static void
check_not_null(PinRows *rows, const bool *isnull)
{
	if (rows->nstrict == 0)
		return;
	rows->field = NULL;
	for (int i = 0; i < rows->ncells; i++)
	{
		rows->current = &rows->cells[i];
		if (rows->current->not_null && isnull[rows->current->attnum - 1])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of %s, which is declared NOT NULL",
							NameStr(TupleDescAttr(rows->source.tupdesc,
												  rows->current->attnum - 1)->attname),
							rows->source.what),
					 errhint("Use ALTER FOREIGN TABLE ... ALTER COLUMN ... DROP NOT NULL.")));
	}
}

/*
 * The next record that is a row.  In a table of several columns an empty line
 * can only be the padding some writers leave at the end of a file.
 */
static bool
next_row(PinRows *rows, PinRecord *record)
{
	uint64		blank_line = 0;

	while (next_record(rows, record))
	{
		bool		blank = record->nfields == 1 && record->fields[0].len == 0 &&
		!record->fields[0].quoted;

		if (blank && rows->nfields > 1)
		{
			CHECK_FOR_INTERRUPTS();
			if (blank_line == 0)
				blank_line = pin_csv_line(rows->csv);
			continue;
		}
		if (blank_line == 0 && record->nfields == rows->nfields)
			return true;

		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 blank_line != 0 ?
				 errmsg("report file has an empty line among its rows") :
				 errmsg("report file has a line of %d fields where its header has %d",
						record->nfields, rows->nfields),
				 errhint("The file may be damaged. Run the query again to download it again."),
				 errcontext("report file line " UINT64_FORMAT " of %s",
							blank_line != 0 ? blank_line : pin_csv_line(rows->csv),
							rows->source.what)));
	}
	return false;
}

bool
pin_rows_are_alike(const PinRows *rows)
{
	return rows->ncells == 0;
}

void
pin_rows_alike(const PinRows *rows, Datum *values, bool *isnull)
{
	memset(isnull, true, rows->source.tupdesc->natts * sizeof(bool));
	for (int i = 0; i < rows->nconstants; i++)
	{
		values[rows->constants[i].attnum - 1] = rows->constants[i].value;
		isnull[rows->constants[i].attnum - 1] = rows->constants[i].isnull;
	}
}

bool
pin_rows_next(PinRows *rows, Datum *values, bool *isnull)
{
	ErrorContextCallback errcallback;
	MemoryContext old;
	PinRecord	record;

	MemoryContextReset(rows->row_context);
	old = MemoryContextSwitchTo(rows->row_context);
	if (!next_row(rows, &record))
	{
		MemoryContextSwitchTo(old);
		return false;
	}

	pin_rows_alike(rows, values, isnull);
	rows->current = NULL;
	errcallback.callback = cell_context;
	errcallback.arg = rows;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	if (rows->source.set_null)
		convert_leniently(rows, &record, values, isnull);
	else
		convert_strictly(rows, &record, values, isnull);
	check_not_null(rows, isnull);
	error_context_stack = errcallback.previous;
	MemoryContextSwitchTo(old);
	rows->rows++;
	return true;
}

void
pin_rows_rewind(PinRows *rows)
{
	PinRecord	header;

	rows->seen = Max(rows->seen, pin_csv_line(rows->csv));
	pin_csv_rewind(rows->csv);
	rows->offset = 0;
	rows->end = rows->source.size;
	if (next_record(rows, &header))
		want_fields(rows);
}

void
pin_rows_read_part(PinRows *rows, int64 offset, int64 end, uint64 line)
{
	pin_csv_rewind_to(rows->csv, line);
	rows->offset = offset;
	rows->end = end;
	want_fields(rows);
}

void
pin_rows_close(PinRows *rows)
{
	if (rows->bad_cells > 0)
		ereport(WARNING,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg_plural(UINT64_FORMAT " cell of %s could not be read and was set to null",
							   UINT64_FORMAT " cells of %s could not be read and were set to null",
							   rows->bad_cells, rows->bad_cells,
							   rows->source.what),
				 errdetail("The first: %s.", rows->first_bad)));
	MemoryContextDelete(rows->context);
}

uint64
pin_rows_count(const PinRows *rows)
{
	return rows->rows;
}
