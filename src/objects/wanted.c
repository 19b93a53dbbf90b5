/*-------------------------------------------------------------------------
 *
 * wanted.c
 *		What a row says that a query or a report shall be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "nodes/nodes.h"
#include "objects/wanted.h"
#include "service_time.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Members of objects that can be set; all others the service fills. */
typedef struct Settable
{
	PinObjectKind kind;			/* of which object */
	const char *key;			/* which member */
	bool		new;			/* in INSERT */
	bool		change;			/* in UPDATE */
} Settable;

static const Settable settables[] = {
	{PIN_QUERIES, "name", true, false},
	{PIN_QUERIES, "description", true, false},
	{PIN_QUERIES, "query", true, false},
	{PIN_REPORTS, "reportName", true, true},
	{PIN_REPORTS, "description", true, true},
	{PIN_REPORTS, "queryId", true, false},
	{PIN_REPORTS, "executeNow", true, false},
	{PIN_REPORTS, "queryStartTime", true, false},
	{PIN_REPORTS, "queryEndTime", true, false},
	{PIN_REPORTS, "startTime", true, true},
	{PIN_REPORTS, "recurrenceInterval", true, true},
	{PIN_REPORTS, "recurrenceCount", true, true},
	{PIN_REPORTS, "format", true, true},
	{PIN_REPORTS, "callbackUrl", true, true},
	{PIN_REPORTS, "callbackMethod", true, true},
	{PIN_REPORTS, "reportStatus", false, true},
};

/* NULL: nobody can set it. */
static const Settable *
find_settable(const PinObject *object, const PinObjectColumn *column)
{
	for (size_t i = 0; i < lengthof(settables); i++)
		if (settables[i].kind == object->kind && column->key != NULL &&
			strcmp(settables[i].key, column->key) == 0)
			return &settables[i];
	return NULL;
}

bool
pin_wanted_can(const PinObject *object, int operation)
{
	if (operation == CMD_UPDATE)
		return object->kind == PIN_REPORTS;
	return object->kind == PIN_QUERIES || object->kind == PIN_REPORTS;
}

/* ---- values ---- */

/* Where the member's value is; -1: the table has no column for it. */
static int
place_of(const PinObjectTable *table, const char *key)
{
	for (int i = 0; i < table->natts; i++)
		if (table->columns[i] != NULL && table->columns[i]->key != NULL &&
			strcmp(table->columns[i]->key, key) == 0)
			return i;
	return -1;
}

/* Its place if there is a value there, too; else -1. */
static int
place_of_value(const PinObjectRow *row, const char *key)
{
	int			i = place_of(row->table, key);

	return i >= 0 && !row->isnull[i] ? i : -1;
}

static char *
utf8_of(const PinObjectRow *row, int i, const char *text)
{
	char	   *utf8 = pin_text_to_utf8(text);

	if (utf8 == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("value of column \"%s\" cannot be expressed in UTF-8",
						NameStr(TupleDescAttr(row->tupdesc, i)->attname))));
	return utf8;
}

static char *
server_text_of(const PinObjectRow *row, int i)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(TupleDescAttr(row->tupdesc, i)->atttypid, &output, &varlena);
	return OidOutputFunctionCall(output, row->values[i]);
}

char *
pin_wanted_text(const PinObjectRow *row, const char *key)
{
	int			i = place_of_value(row, key);

	return i < 0 ? NULL : utf8_of(row, i, server_text_of(row, i));
}

static int
integer_of(const PinObjectRow *row, const char *key)
{
	int			i = place_of_value(row, key);

	if (i < 0)
		return PIN_UNSAID;
	if (TupleDescAttr(row->tupdesc, i)->atttypid == INT4OID)
		return DatumGetInt32(row->values[i]);
	return DatumGetInt32(DirectFunctionCall1(int4in, CStringGetDatum(server_text_of(row, i))));
}

static bool
boolean_of(const PinObjectRow *row, const char *key)
{
	int			i = place_of_value(row, key);

	if (i < 0)
		return false;
	if (TupleDescAttr(row->tupdesc, i)->atttypid == BOOLOID)
		return DatumGetBool(row->values[i]);
	return DatumGetBool(DirectFunctionCall1(boolin, CStringGetDatum(server_text_of(row, i))));
}

/* ---- times ---- */

/*
 * Whole seconds are all that is sent: the next one, or the last.  What the
 * service cannot be told is written as no time is, for the rules to find.
 */
static char *
time_of(const PinObjectRow *row, const char *key, bool up)
{
	int			i = place_of_value(row, key);
	TimestampTz when;
	char	   *text;

	if (i < 0)
		return NULL;
	if (TupleDescAttr(row->tupdesc, i)->atttypid == TIMESTAMPTZOID)
		when = DatumGetTimestampTz(row->values[i]);
	else
		when = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													   CStringGetDatum(server_text_of(row, i)),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	if (up && !TIMESTAMP_NOT_FINITE(when))
		when += USECS_PER_SEC - 1;
	text = pin_service_time_text(when);
	return text != NULL ? text : pstrdup("infinity");
}

/* ---- what may be set ---- */

bool
pin_wanted_check_new(const PinObjectRow *row, PinError *err)
{
	for (int i = 0; i < row->table->natts; i++)
	{
		const PinObjectColumn *column = row->table->columns[i];
		const Settable *settable;

		if (column == NULL || row->isnull[i])
			continue;
		settable = find_settable(row->table->object, column);
		if (settable != NULL && settable->new)
			continue;
		pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" cannot have a value in INSERT",
					  column->name);
		pin_error_detail(err, "The service fills it.");
		pin_error_hint(err, "Leave the column out.");
		return false;
	}
	return true;
}

static bool
same_at(const PinObjectRow *a, const PinObjectRow *b, int i)
{
	Form_pg_attribute att = TupleDescAttr(a->tupdesc, i);

	if (a->isnull[i] || b->isnull[i])
		return a->isnull[i] && b->isnull[i];
	return datum_image_eq(a->values[i], b->values[i], att->attbyval, att->attlen);
}

bool
pin_wanted_same(const PinObjectRow *a, const PinObjectRow *b, const char *key)
{
	int			i = place_of(a->table, key);

	return i < 0 || same_at(a, b, i);
}

static void
refuse_change(const PinObjectColumn *column, bool new, PinError *err)
{
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" cannot be changed", column->name);
	if (new)
		pin_error_hint(err, "Delete the report, and insert another.");
	else
		pin_error_detail(err, "The service fills it.");
}

bool
pin_wanted_check_change(const PinObjectRow *before, const PinObjectRow *after,
						bool *status, bool *rest, PinError *err)
{
	const PinObject *object = after->table->object;

	*status = *rest = false;
	for (int i = 0; i < after->table->natts; i++)
	{
		const PinObjectColumn *column = after->table->columns[i];
		const Settable *settable;

		if (column == NULL || same_at(before, after, i))
			continue;
		settable = find_settable(object, column);
		if (settable == NULL || !settable->change)
		{
			refuse_change(column, settable != NULL && settable->new, err);
			return false;
		}
		if (settable->new)
			*rest = true;
		else
			*status = true;
	}
	return true;
}

bool
pin_wanted_check_columns(const PinObjectTable *table, PinError *err)
{
	for (size_t i = 0; i < lengthof(settables); i++)
	{
		const Settable *settable = &settables[i];

		if (settable->kind != table->object->kind || !settable->new || !settable->change ||
			place_of(table, settable->key) >= 0)
			continue;
		pin_error_set(err, PIN_ERROR_RULE, "a change needs the column \"%s\", which the table does not have",
					  pin_object_column(table->object, settable->key)->name);
		pin_error_hint(err, "The service wants to be told a report as a whole.  Add the column, or use "
					   "a table that IMPORT FOREIGN SCHEMA has made.");
		return false;
	}
	return true;
}

/* ---- reports ---- */

void
pin_wanted_report(const PinObjectRow *row, PinReportWish *wish)
{
	memset(wish, 0, sizeof(*wish));
	wish->name = pin_wanted_text(row, "reportName");
	wish->description = pin_wanted_text(row, "description");
	wish->query_id = pin_wanted_text(row, "queryId");
	wish->execute_now = boolean_of(row, "executeNow");
	wish->query_start = time_of(row, "queryStartTime", false);
	wish->query_end = time_of(row, "queryEndTime", true);
	wish->start_time = time_of(row, "startTime", true);
	wish->recurrence_hours = integer_of(row, "recurrenceInterval");
	wish->recurrence_count = integer_of(row, "recurrenceCount");
	wish->format = pin_wanted_text(row, "format");
	wish->callback_url = pin_wanted_text(row, "callbackUrl");
	wish->callback_method = pin_wanted_text(row, "callbackMethod");
}
