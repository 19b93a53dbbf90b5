/*-------------------------------------------------------------------------
 *
 * rows.c
 *		A report file as rows of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "attempt.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "reader/report_bytes.h"
#include "reader/rows.h"
#include "reader/stage.h"
#include "text.h"
#include "throw.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* One needed column that has the same value in every row. */
typedef struct Constant
{
	AttrNumber	attnum;			/* of the table's column */
	Datum		value;			/* in the context of PinRows */
	bool		isnull;			/* no value */
} Constant;

/*
 * A run of rows, whose simple early cells are converted before their turn.  Who
 * wants only a few rows shall not convert many: one at first, then more.
 */
typedef struct Run
{
	int			most;			/* rows that the next one may have */
	int			n;				/* rows of this one */
	int			next;			/* of these, the next one to be returned */
	PinRecord	record;			/* the first one's */
	PinRowValues to;			/* values for so many rows as there can be */
	int			first;			/* the first attribute that may have some,
								 * from 0 */
	int			end;			/* the last one, plus one */
} Run;

struct PinRows
{
	PinRowsSource source;		/* what to read */
	MemoryContext context;		/* owns this and all below it */
	MemoryContext row_context;	/* values of the current row that have no
								 * other place */
	bool		row_used;		/* something may be in it */
	MemoryContextCallback callback; /* frees the CSV reader */
	PinCsv	   *csv;			/* record reader */
	PinReportBytes bytes;		/* what it reads */
	int			nfields;		/* fields of the header, and of each record */
	PinStage	early;			/* the needed columns but for the late ones */
	PinStage	late;			/* these */
	Run			run;			/* rows on their way */
	PinRecord	record;			/* the row that was returned last */
	Constant   *constants;		/* needed columns that are not in the file */
	int			nconstants;		/* their number */
	const PinCell *current;		/* cell being converted, for error context */
	bool		shown;			/* its text is to be shown */
	uint64		rows;			/* rows returned */
	uint64		bad_cells;		/* cells set to NULL */
	bool		bad_row;		/* there are some in this row */
	char	   *first_bad;		/* message of the first of them */
};

static void
free_csv(void *arg)
{
	PinRows    *rows = arg;

	pin_csv_free(rows->csv);
	rows->csv = NULL;
}

/*
 * A file that was kept would be read again and again, until it is forgotten.  In
 * UTF-8, as errors are.
 */
static const char *
damage_hint(const PinRows *rows)
{
	Oid			relid = rows->source.kept_for;
	char	   *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;
	char	   *schema = name != NULL ? get_namespace_name(get_rel_namespace(relid)) : NULL;
	char	   *utf8 = schema == NULL ? NULL :
	pin_text_to_utf8(quote_literal_cstr(quote_qualified_identifier(schema, name)));

	if (utf8 == NULL)
		return "The file may be damaged.";
	return psprintf("The file may be damaged.  Have another one fetched by SELECT "
					"pinsight_forget(%s), then run the query again.", utf8);
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
	if (err.kind == PIN_ERROR_FILE_CORRUPT)
		pin_error_hint(&err, "%s", damage_hint(rows));
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

/* Prepares a column that is needed. */
static void
add_column(PinRows *rows, PinCell cell)
{
	Form_pg_attribute att = TupleDescAttr(rows->source.tupdesc, cell.attnum - 1);
	PinStage   *stage = bms_is_member(cell.attnum, rows->source.late) ? &rows->late : &rows->early;

	cell.column = pin_column_create(att);
	cell.quick = pin_column_run_reader(cell.column);
	cell.way = pin_column_is_in_place(cell.column) ? PIN_IN_PLACE :
		cell.quick != NULL ? PIN_QUICK :
		pin_column_fails_cleanly(cell.column) ? PIN_CLEAN : PIN_GUARDED;
	cell.not_null = pin_is_not_null(rows->source.tupdesc, cell.attnum);
	stage->nstrict += cell.not_null;
	stage->cells[stage->ncells++] = cell;
}

/* Finds each declared column in the header and prepares those needed. */
static void
match_header(PinRows *rows, const PinRecord *header)
{
	int			most = list_length(rows->source.attnums) + 1;
	StringInfoData missing;
	ListCell   *lcnum;
	ListCell   *lcname;

	initStringInfo(&missing);
	rows->nfields = header->nfields;
	rows->early.cells = palloc0(sizeof(PinCell) * most);
	rows->late.cells = palloc0(sizeof(PinCell) * most);
	forboth(lcnum, rows->source.attnums, lcname, rows->source.names)
	{
		PinCell		cell = {.attnum = lfirst_int(lcnum)};

		cell.remote_name = strVal(lfirst(lcname));
		cell.field = find_field(header, cell.remote_name);
		if (cell.field < 0)
			appendStringInfo(&missing, "%s\"%s\"%s", missing.len > 0 ? ", " : "",
							 cell.remote_name, cell.field == -2 ? " (ambiguous)" : "");
		else if (bms_is_member(cell.attnum, rows->source.needed))
			add_column(rows, cell);
	}
	if (missing.len > 0)
		throw_missing(rows, missing.data);
}

static void
count_users(const PinStage *stage, int *users)
{
	for (int i = 0; i < stage->ncells; i++)
		users[stage->cells[i].field]++;
}

/*
 * What several cells need has to be kept, with all its quotes taken off.
 * users: for each field, how many need it.
 */
static void
keep_shared(PinStage *stage, const int *users)
{
	for (int i = 0; i < stage->ncells; i++)
	{
		PinCell    *cell = &stage->cells[i];

		if (users[cell->field] > 1)
			cell->way = Max(cell->way, PIN_CLEAN);
	}
}

/*
 * Sees to it that each field is taken once, by the first cell that needs it.
 * taken: for each field, what was taken of it by an earlier stage.
 */
static void
share_fields(PinStage *stage, const PinField **taken)
{
	for (int i = 0; i < stage->ncells; i++)
	{
		PinCell    *cell = &stage->cells[i];

		stage->first = i == 0 ? cell->field : Min(stage->first, cell->field);
		stage->end = Max(stage->end, cell->field + 1);
		cell->same = taken[cell->field];
		if (cell->same == NULL)
			taken[cell->field] = &cell->text;
	}
}

/* Tells the CSV reader how wide the rows are that follow the header. */
static void
expect_rows(PinRows *rows)
{
	if (!pin_csv_expect(rows->csv, rows->nfields))
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
		const char *text = strVal(lfirst(lcvalue));
		PinField	field = {.len = strlen(text)};

		field.data = memcpy((char *) palloc0(1 + field.len + PIN_FIELD_SLACK) + 1, text, field.len);
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
	int		   *users;
	const PinField **taken;

	if (!next_record(rows, &header))
		return;
	match_header(rows, &header);
	users = palloc0(sizeof(int) * rows->nfields);
	taken = palloc0(sizeof(PinField *) * rows->nfields);
	count_users(&rows->early, users);
	count_users(&rows->late, users);
	keep_shared(&rows->early, users);
	keep_shared(&rows->late, users);
	pin_stage_arrange(&rows->early);
	pin_stage_arrange(&rows->late);
	share_fields(&rows->early, taken);
	share_fields(&rows->late, taken);
	expect_rows(rows);
}

/* The attributes of a run that may have values. */
static void
add_attribute(Run *run, AttrNumber attnum)
{
	run->first = run->end == 0 ? attnum - 1 : Min(run->first, attnum - 1);
	run->end = Max(run->end, attnum);
}

/* Makes room for a run, in which what is not read has its value already. */
static void
prepare_run(PinRows *rows)
{
	PinRowValues *to = &rows->run.to;

	for (int i = 0; i < rows->early.ncells; i++)
		add_attribute(&rows->run, rows->early.cells[i].attnum);
	for (int i = 0; i < rows->nconstants; i++)
		add_attribute(&rows->run, rows->constants[i].attnum);
	to->natts = rows->source.tupdesc->natts;
	to->values = palloc0(PIN_CSV_AHEAD * to->natts * sizeof(Datum));
	to->isnull = palloc(PIN_CSV_AHEAD * to->natts * sizeof(bool));
	for (int row = 0; row < PIN_CSV_AHEAD; row++)
		pin_rows_alike(rows, to->values + row * to->natts, to->isnull + row * to->natts);
	rows->run.most = 1;
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
	rows->shown = true;
	rows->bytes.fd = source->fd;
	rows->bytes.begin = source->offset;
	rows->bytes.end = source->size;
	rows->context = context;
	rows->row_context = AllocSetContextCreate(context, "pinsight row",
											  ALLOCSET_DEFAULT_SIZES);
	rows->callback.func = free_csv;
	rows->callback.arg = rows;
	MemoryContextRegisterResetCallback(context, &rows->callback);
	rows->csv = pin_csv_open(source->delimiter, pin_report_bytes_read, &rows->bytes);
	if (rows->csv == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	read_header(rows);
	convert_constants(rows);
	prepare_run(rows);
	MemoryContextSwitchTo(old);
	return rows;
}

/* Longest piece of a cell that the error context repeats, bytes. */
#define CELL_SHOWN_MAX 100

/* Is an error about a value, or the constraint of a domain? */
static bool
is_bad_value(int sqlerrcode)
{
	/* class 22 is "data exception", class 23 a domain's constraint */
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
}

/*
 * Error context: where in the file a bad cell stands, and what it holds, since
 * the errors of many input functions do not tell.  And the ways out.
 */
static void
cell_context(void *arg)
{
	PinRows    *rows = arg;
	char		text[CELL_SHOWN_MAX + 1] = "";

	if (rows->shown)
	{
		pin_error_clean(text, sizeof(text), rows->current->text.data, rows->current->text.len);
		if (OidIsValid(rows->source.relid) && is_bad_value(geterrcode()))
			errhint("Change the column's type, or set the table's option \"on_error\" to \"set_null\".");
	}
	errcontext("report file line " UINT64_FORMAT ", field \"%s\", column \"%s\" of %s: \"%s\"",
			   pin_csv_line(rows->csv), rows->current->remote_name,
			   NameStr(TupleDescAttr(rows->source.tupdesc,
									 rows->current->attnum - 1)->attname),
			   rows->source.what, pin_text_to_server(text));
}

/* Reads the value of the current cell, whatever its text is. */
static void
convert_text(PinRows *rows, PinCell *cell, Datum *value, bool *isnull)
{
	ErrorContextCallback errcallback = {
		.callback = cell_context,.arg = rows,.previous = error_context_stack
	};
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);

	rows->row_used = true;
	rows->current = cell;
	error_context_stack = &errcallback;
	*value = pin_column_convert(cell->column, &cell->text, isnull);
	error_context_stack = errcallback.previous;
	MemoryContextSwitchTo(old);
}

/* A cell that is not simple, or whose text has to be kept for others. */
static pg_noinline void
convert_any(PinRows *rows, PinCell *cell, Datum *values, bool *isnull)
{
	int			i = cell->attnum - 1;
	PinField   *text = &cell->text;

	if (cell->same != NULL)
		*text = *cell->same;
	else
		pin_csv_field(&rows->record, cell->field, text);
	if (cell->way == PIN_IN_PLACE && text->len <= PIN_TEXT_SHORT_MAX &&
		(text->ascii || pin_column_is_valid(cell->column, text)))
	{
		values[i] = pin_text_in_place(text->data, text->len);
		isnull[i] = text->len == 0 && !text->quoted;
	}
	else
		convert_text(rows, cell, &values[i], &isnull[i]);
}

/*
 * Converts those of the cells from *next to before end that are left.  *next is
 * the one at hand, also when it throws.
 */
static void
convert_left(PinRows *rows, const PinStage *stage, const uint64 *left, Datum *values, bool *isnull,
			 volatile int *next, int end)
{
	for (; *next < end; (*next)++)
	{
		if (pin_stage_is_left(left, *next))
			convert_any(rows, &stage->cells[*next], values, isnull);
	}
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
 * cell that is read again, in a later pass, is the same cell.
 */
static void
count_bad_cell(PinRows *rows, const PinStage *stage, const ErrorData *edata)
{
	uint64		line = pin_csv_line(rows->csv);
	MemoryContext old;

	if (bms_is_member((int) line, stage->bad_lines))
		return;
	old = MemoryContextSwitchTo(rows->context);
	if (rows->bad_cells++ == 0)
		rows->first_bad = psprintf("%s (line " UINT64_FORMAT ", field \"%s\")",
								   edata->message, line,
								   rows->current->remote_name);
	MemoryContextSwitchTo(old);
	rows->bad_row = true;
}

/* Keeps in mind that a row's bad cells were counted. */
static void
mark_bad_row(PinRows *rows, PinStage *stage)
{
	MemoryContext old = MemoryContextSwitchTo(rows->context);

	stage->bad_lines = bms_add_member(stage->bad_lines, (int) pin_csv_line(rows->csv));
	rows->bad_row = false;
	MemoryContextSwitchTo(old);
}

/* The current cell's error becomes a NULL.  Anything but bad data is rethrown. */
static void
set_null(PinRows *rows, const PinStage *stage, ErrorData *edata, Datum *values, bool *isnull)
{
	int			i = rows->current->attnum - 1;

	if (!is_bad_value(edata->sqlerrcode))
		ReThrowError(edata);
	count_bad_cell(rows, stage, edata);
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
convert_catching(PinRows *rows, const PinStage *stage, const uint64 *left, Datum *values, bool *isnull,
				 volatile int *next, int end)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		convert_left(rows, stage, left, values, isnull, next, end);
	}
	PG_CATCH();
	{
		set_null(rows, stage, catch_error(context), values, isnull);
		(*next)++;
	}
	PG_END_TRY();
}

/* Arguments of a conversion that is attempted. */
typedef struct Conversion
{
	PinRows    *rows;
	const PinStage *stage;
	const uint64 *left;
	Datum	   *values;
	bool	   *isnull;
	volatile int *next;
	int			end;
} Conversion;

static void
attempt_conversion(void *arg)
{
	Conversion *c = arg;

	convert_left(c->rows, c->stage, c->left, c->values, c->isnull, c->next, c->end);
}

/*
 * The same inside a subtransaction, which takes back whatever else an input
 * function or a domain's constraint has done.
 */
static void
convert_guarded(PinRows *rows, const PinStage *stage, const uint64 *left, Datum *values, bool *isnull,
				volatile int *next, int end)
{
	Conversion	conversion = {
		.rows = rows,.stage = stage,.left = left,.values = values,.isnull = isnull,
		.next = next,.end = end
	};
	ErrorData  *error = pin_attempt(attempt_conversion, &conversion);

	if (error != NULL)
	{
		set_null(rows, stage, error, values, isnull);
		(*next)++;
	}
}

/*
 * Before 17 no subtransaction can begin while other processes work on the same
 * statement.  Say so in the words of the table.
 */
static void
check_subtransactions(const PinRows *rows, const PinStage *stage)
{
	const PinCell *cell = &stage->cells[stage->ends[PIN_CLEAN]];

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
convert_leniently(PinRows *rows, PinStage *stage, const uint64 *left, Datum *values, bool *isnull)
{
	volatile int next = 0;
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);

	rows->row_used = true;
	while (next < stage->ends[PIN_CLEAN])
		convert_catching(rows, stage, left, values, isnull, &next, stage->ends[PIN_CLEAN]);
	if (next < stage->ncells)
		check_subtransactions(rows, stage);
	while (next < stage->ncells)
		convert_guarded(rows, stage, left, values, isnull, &next, stage->ncells);
	if (rows->bad_row)
		mark_bad_row(rows, stage);
	MemoryContextSwitchTo(old);
}

/*
 * The planner relies on NOT NULL, so a row that breaks it would make wrong
 * results, not only an unexpected one.
 */
static void
check_not_null(PinRows *rows, const PinStage *stage, const bool *isnull)
{
	ErrorContextCallback errcallback = {
		.callback = cell_context,.arg = rows,.previous = error_context_stack
	};

	rows->shown = false;
	error_context_stack = &errcallback;
	for (int i = 0; i < stage->ncells; i++)
	{
		rows->current = &stage->cells[i];
		if (rows->current->not_null && isnull[rows->current->attnum - 1])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of %s, which is declared NOT NULL",
							NameStr(TupleDescAttr(rows->source.tupdesc,
												  rows->current->attnum - 1)->attname),
							rows->source.what),
					 errhint("Use ALTER FOREIGN TABLE ... ALTER COLUMN ... DROP NOT NULL.")));
	}
	error_context_stack = errcallback.previous;
	rows->shown = true;
}

/* Converts what is left of a stage's cells in the current row. */
static inline void
finish(PinRows *rows, PinStage *stage, const uint64 *left, Datum *values, bool *isnull)
{
	uint64		some = 0;

	for (int i = 0; i < stage->words; i++)
		some |= left[i];
	if (some != 0 && rows->source.set_null)
		convert_leniently(rows, stage, left, values, isnull);
	else if (some != 0)
	{
		volatile int next = 0;

		convert_left(rows, stage, left, values, isnull, &next, stage->ncells);
	}
	if (stage->nstrict > 0)
		check_not_null(rows, stage, isnull);
}

/* Begins a run with the current row. */
static void
begin_run(PinRows *rows)
{
	Run		   *run = &rows->run;
	PinStage   *stage = &rows->early;

	run->record = rows->record;
	run->n = pin_csv_find_ahead(rows->csv, &run->record, stage->first, stage->end, run->most);
	run->next = 0;
	run->most = Min(run->most * 2, PIN_CSV_AHEAD);
	pin_stage_convert(stage, &run->record, run->n, &run->to);
}

/* The current row, from the run. */
static void
take_from_run(PinRows *rows, Datum *values, bool *isnull)
{
	Run		   *run = &rows->run;
	int			natts = run->to.natts;
	int			row;

	if (run->next == run->n)
		begin_run(rows);
	row = run->next++;
	memcpy(values + run->first, run->to.values + row * natts + run->first,
		   (run->end - run->first) * sizeof(Datum));
	memcpy(isnull, run->to.isnull + row * natts, natts * sizeof(bool));
	rows->record.ends = run->record.ends + row * run->record.stride;
	finish(rows, &rows->early, pin_stage_left(&rows->early, row), values, isnull);
}

/*
 * The next record that is a row.  In a table of several columns an empty line
 * can only be the padding some writers leave at the end of a file.
 */
static bool
next_row(PinRows *rows)
{
	PinRecord  *record = &rows->record;
	uint64		blank_line = 0;

	while (next_record(rows, record))
	{
		bool		blank = record->nfields == 1 && rows->nfields > 1 &&
		record->fields[0].len == 0 && !record->fields[0].quoted;

		if (blank)
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
				 errmsg_plural("report file has a line of %d field where its header has %d",
							   "report file has a line of %d fields where its header has %d",
							   record->nfields, record->nfields, rows->nfields),
				 errhint("%s", pin_text_to_server(damage_hint(rows))),
				 errcontext("report file line " UINT64_FORMAT " of %s",
							blank_line != 0 ? blank_line : pin_csv_line(rows->csv),
							rows->source.what)));
	}
	return false;
}

bool
pin_rows_are_alike(const PinRows *rows)
{
	return rows->early.ncells == 0 && rows->late.ncells == 0;
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
	if (rows->row_used)
		MemoryContextReset(rows->row_context);
	rows->row_used = false;
	if (!next_row(rows))
		return false;
	if (rows->early.ncells > 0 && rows->record.fields == NULL)
		take_from_run(rows, values, isnull);
	else
	{
		pin_rows_alike(rows, values, isnull);
		pin_stage_leave_all(&rows->early);
		finish(rows, &rows->early, pin_stage_left(&rows->early, 0), values, isnull);
	}
	rows->rows++;
	return true;
}

void
pin_rows_complete(PinRows *rows, Datum *values, bool *isnull)
{
	PinStage   *stage = &rows->late;
	PinRowValues to = {.values = values,.isnull = isnull};

	if (stage->ncells == 0)
		return;
	if (rows->record.fields == NULL)
	{
		pin_csv_find(rows->csv, &rows->record, stage->first, stage->end);
		pin_stage_convert(stage, &rows->record, 1, &to);
	}
	else
		pin_stage_leave_all(stage);
	finish(rows, stage, pin_stage_left(stage, 0), values, isnull);
}

void
pin_rows_rewind(PinRows *rows)
{
	PinRecord	header;

	rows->run.n = rows->run.next = 0;
	pin_csv_rewind(rows->csv);
	rows->bytes.offset = 0;
	rows->bytes.end = rows->source.size;
	if (next_record(rows, &header))
		expect_rows(rows);
}

void
pin_rows_read_part(PinRows *rows, int64 offset, int64 end, uint64 line)
{
	rows->run.n = rows->run.next = 0;
	pin_csv_rewind_to(rows->csv, line);
	rows->bytes.offset = offset;
	rows->bytes.end = end;
	expect_rows(rows);
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
