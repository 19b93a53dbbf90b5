/*-------------------------------------------------------------------------
 *
 * preview.c
 *		A look at a few rows, without a report.
 *
 * SELECT ... LIMIT 10 may be answered with any ten rows that fulfill its
 * conditions; the preview has up to a hundred, in seconds.  It is JSON, whose
 * form is not documented, so what could differ from a report's file is left to a
 * report.  The rest is written as the file would have it, and read like one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "attempt.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/executor.h"
#include "fdw/fdw.h"
#include "fdw/preview.h"
#include "insights/ask.h"
#include "insights/catalog.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "storage/fd.h"
#include "text.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* A whole number of so many digits is no rounded double. */
#define SURE_DIGITS 14

/* What is asked for. */
typedef struct Look
{
	Relation	relation;
	const PinCatalogDataset *known; /* NULL: not in the catalogue */
	List	   *attnums;		/* of int: the columns */
	List	   *names;			/* of String: their remote names, in step */
	const char **columns;		/* the same as an array */
	StringInfoData file;		/* out: as a report's file */
} Look;

/* ---- from JSON to a file ---- */

/* Columns whose texts are shown here as they are in a file. */
static bool
shows_text(const Look *look, int column)
{
	AttrNumber	attnum = list_nth_int(look->attnums, column);
	Oid			type = TupleDescAttr(RelationGetDescr(look->relation), attnum - 1)->atttypid;

	return !pin_condition_same_equality(getBaseType(type));
}

/* The type that a column has at the service; NULL: it is not known. */
static const char *
remote_type(const Look *look, int column)
{
	const PinCatalogColumn *known = look->known == NULL ? NULL :
	pin_catalog_column(look->known, look->columns[column]);

	return known == NULL ? NULL : known->type;
}

/* Does the service keep a column as text, so that JSON has it as the file does? */
static bool
is_remote_text(const char *type)
{
	return type != NULL && (strcmp(type, "text") == 0 || strcmp(type, "uuid") == 0);
}

/*
 * Is a value that is no string the same in a file?  A number with a fraction may
 * have been a double on its way: even 0.1 may be what is left of more digits.
 */
static bool
is_sure(const char *type, const char *value)
{
	size_t		sign = *value == '-';
	size_t		digits = strspn(value + sign, "0123456789");

	if (type == NULL)
		return false;
	if (strcmp(type, "boolean") == 0)
		return true;
	return strcmp(type, "bigint") == 0 && value[sign + digits] == '\0' && digits <= SURE_DIGITS;
}

/*
 * Would a file's field be read as the same value?  Whole numbers, dates and
 * booleans are, however they are spelled.  A text that is empty may be null in a
 * file.
 */
static bool
can_be_told(const Look *look, const PinPreview *preview, int column)
{
	const char *type = remote_type(look, column);
	bool		text = shows_text(look, column);
	bool		strings = preview->strings[column];

	if (text && !(strings && is_remote_text(type)))
		return false;
	for (size_t row = 0; row < preview->nrows; row++)
	{
		const char *value = preview->values[row * preview->ncolumns + column];

		if (value != NULL && text && value[0] == '\0')
			return false;
		if (value != NULL && !strings && !is_sure(type, value))
			return false;
	}
	return true;
}

static void
add_field(StringInfo file, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfoChar(file, '"');
	for (; *value != '\0'; value++)
	{
		if (*value == '"')
			appendStringInfoChar(file, '"');
		appendStringInfoChar(file, *value);
	}
	appendStringInfoChar(file, '"');
}

static void
write_file(Look *look, const PinPreview *preview)
{
	for (size_t i = 0; i < preview->ncolumns; i++)
		appendStringInfo(&look->file, "%s%s", i == 0 ? "" : ",", look->columns[i]);
	appendStringInfoChar(&look->file, '\n');
	for (size_t row = 0; row < preview->nrows; row++)
	{
		for (size_t i = 0; i < preview->ncolumns; i++)
		{
			if (i > 0)
				appendStringInfoChar(&look->file, ',');
			add_field(&look->file, preview->values[row * preview->ncolumns + i]);
		}
		appendStringInfoChar(&look->file, '\n');
	}
}

/* A PinReadReply.  An empty file says that a report has to be ordered. */
static bool
read_preview(const PinReply *reply, void *arg, PinError *err)
{
	Look	   *look = arg;
	PinPreview	preview;
	volatile bool told = true;

	if (!pin_api_preview_reply(reply, look->columns, list_length(look->names), &preview, err))
		return false;
	for (int i = 0; told && i < list_length(look->names); i++)
		told = can_be_told(look, &preview, i);
	PG_TRY();
	{
		if (told)
			write_file(look, &preview);
	}
	PG_FINALLY();
	{
		pin_api_preview_free(&preview);
	}
	PG_END_TRY();
	return true;
}

/* ---- asking ---- */

/*
 * Once only: what takes the service longer than a request may is better ordered
 * as a report.
 */
static bool
fetch(Look *look, const PinOptions *options, const PinReportQuery *asked)
{
	PinAsker   *asker = pin_ask_open(options);
	PinApiRequest request;
	PinError	err;
	bool		answered =
	pin_api_preview(pin_ask_api(asker), asked->text, asked->start, asked->end, &request, &err) &&
	pin_ask_once(asker, &request, read_preview, look, &err);

	pin_ask_close(asker);
	return answered && look->file.len > 0;
}

/* The columns that the plan needs; of a table with metrics all. */
static void
choose_columns(Look *look, const List *plan)
{
	const List *attnums = list_nth(plan, PIN_PLAN_ATTNUMS);
	const List *names = list_nth(plan, PIN_PLAN_NAMES);
	const List *needed = list_nth(plan, PIN_PLAN_NEEDED);
	bool		all = list_nth(plan, PIN_PLAN_METRICS) != NIL;

	for (int i = 0; i < list_length(attnums); i++)
	{
		if (!all && !list_member_int(needed, list_nth_int(attnums, i)))
			continue;
		look->attnums = lappend_int(look->attnums, list_nth_int(attnums, i));
		look->names = lappend(look->names, list_nth(names, i));
	}
	if (look->names == NIL)
	{
		look->attnums = list_make1_int(linitial_int(attnums));
		look->names = list_make1(linitial(names));
	}
	look->columns = palloc(sizeof(char *) * list_length(look->names));
	for (int i = 0; i < list_length(look->names); i++)
		look->columns[i] = strVal(list_nth(look->names, i));
}

/* ---- a file in memory ---- */

typedef struct Memory
{
	int			fd;
	MemoryContextCallback callback; /* closes it */
} Memory;

static void
close_memory(void *arg)
{
	Memory	   *memory = arg;

	if (memory->fd >= 0)
		close(memory->fd);
	ReleaseExternalFD();
}

/* A descriptor of the file's bytes, which the current context owns; -1: none. */
static int
keep_in_memory(StringInfo file)
{
	Memory	   *memory = palloc0(sizeof(Memory));

	if (!AcquireExternalFD())
		return -1;
	memory->fd = memfd_create("pinsight preview", MFD_CLOEXEC);
	memory->callback.func = close_memory;
	memory->callback.arg = memory;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &memory->callback);
	if (memory->fd < 0 || write(memory->fd, file->data, file->len) != file->len)
		return -1;
	return memory->fd;
}

static PinRows *
open_rows(const Look *look, const PinOptions *options, const List *plan, int fd)
{
	PinRowsSource source = {0};
	ListCell   *lc;

	source.fd = fd;
	source.size = look->file.len;
	source.delimiter = ',';
	source.server_name = options->server_name;
	source.what = psprintf("foreign table \"%s\"", RelationGetRelationName(look->relation));
	source.relid = RelationGetRelid(look->relation);
	source.tupdesc = RelationGetDescr(look->relation);
	source.attnums = look->attnums;
	source.names = look->names;
	foreach(lc, (const List *) list_nth(plan, PIN_PLAN_NEEDED))
		source.needed = bms_add_member(source.needed, lfirst_int(lc));
	return pin_rows_open(&source);
}

/* ---- is it enough? ---- */

/* A question whose answer may take an error. */
typedef struct Question
{
	ForeignScanState *node;
	ExprState  *condition;		/* what rows have to fulfill */
	PinRows    *rows;
	int64		wanted;
	bool		enough;			/* the answer */
} Question;

/* Are there as many rows that fulfill the condition?  Then from the first. */
static void
count_rows(void *arg)
{
	Question   *q = arg;
	TupleTableSlot *slot = q->node->ss.ss_ScanTupleSlot;
	ExprContext *econtext = q->node->ss.ps.ps_ExprContext;
	int64		count = 0;

	while (count < q->wanted)
	{
		ExecClearTuple(slot);
		if (!pin_rows_next(q->rows, slot->tts_values, slot->tts_isnull))
			break;
		ExecStoreVirtualTuple(slot);
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = slot;
		if (ExecQual(q->condition, econtext))
			count++;
	}
	ExecClearTuple(slot);
	pin_rows_rewind(q->rows);
	q->enough = count >= q->wanted;
}

/*
 * A value that cannot be read, or a condition that fails on it, is no error: a
 * report may have it otherwise, or will fail in its turn.
 */
static bool
has_enough(ForeignScanState *node, ExprState *condition, PinRows *rows, int64 wanted)
{
	Question	question = {
		.node = node,.condition = condition,.rows = rows,.wanted = wanted
	};
	ErrorData  *error = pin_attempt_unless_cancelled(count_rows, &question);

	if (error != NULL)
		FreeErrorData(error);
	return error == NULL && question.enough;
}

PinRows *
pin_preview_open(ForeignScanState *node, ExprState *condition, Relation relation,
				 const PinOptions *options, const List *plan, const PinScanQuery *query)
{
	Look		look = {.relation = relation};
	PinRows    *rows;
	int			fd;

	if (!pin_subtransaction_allowed())
		return NULL;
	look.known = pin_catalog_dataset(&pin_shipped_catalog, options->program,
									 strVal(list_nth(plan, PIN_PLAN_DATASET)));
	choose_columns(&look, plan);
	initStringInfo(&look.file);
	if (!fetch(&look, options, pin_query_of_preview(plan, look.names, query)))
		return NULL;
	fd = keep_in_memory(&look.file);
	if (fd < 0)
		return NULL;
	rows = open_rows(&look, options, plan, fd);
	if (has_enough(node, condition, rows, query->rows))
		return rows;
	pin_rows_close(rows);
	return NULL;
}
