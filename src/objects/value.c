/*-------------------------------------------------------------------------
 *
 * value.c
 *		From an object as the service sent it to a row.
 *
 * What is null, absent or empty is null; only texts may be empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "insights/ascii.h"
#include "mb/pg_wchar.h"
#include "objects/value.h"
#include "service_time.h"
#include "text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "wire_time.h"

/* How a value was read. */
typedef enum Reading
{
	READ,						/* it is in *result */
	READ_NULL,					/* it is null */
	UNREADABLE					/* it is none of its type */
} Reading;

/* A text that the JSON library has allocated, in the database encoding. */
static char *
take_text(char *utf8)
{
	char	   *text;

	if (utf8 == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	text = pin_text_to_server(utf8);
	free(utf8);
	return text;
}

/* A value as text: a string's own, else its JSON. */
static char *
text_of(const PinJson *value)
{
	return pin_json_string(value) != NULL ? pin_text_to_server(pin_json_string(value)) :
		take_text(pin_json_dump(value));
}

/* The same without the blanks around it. */
static char *
trimmed_text_of(const PinJson *value)
{
	char	   *text = text_of(value);
	size_t		len;

	while (pin_ascii_is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && pin_ascii_is_blank(text[len - 1]))
		text[--len] = '\0';
	return text;
}

static Reading
read_text(const PinJson *value, Datum *result)
{
	*result = CStringGetTextDatum(text_of(value));
	return READ;
}

static Reading
read_word(const PinObjectColumn *column, const PinJson *value, Datum *result)
{
	*result = CStringGetTextDatum(pin_object_word(column, trimmed_text_of(value)));
	return READ;
}

static Reading
read_integer(const PinJson *value, Datum *result)
{
	int64		number;

	if (!pin_json_integer(value, &number) || number < PG_INT32_MIN || number > PG_INT32_MAX)
		return UNREADABLE;
	*result = Int32GetDatum((int32) number);
	return READ;
}

static Reading
read_boolean(const PinJson *value, Datum *result)
{
	bool		flag;

	if (!pin_json_boolean(value, &flag))
		return UNREADABLE;
	*result = BoolGetDatum(flag);
	return READ;
}

static Reading
read_time(const PinJson *value, Datum *result)
{
	const char *text = pin_json_string(value);
	PinWireTime time;

	if (text == NULL || !pin_wire_time_parse(text, strlen(text), &time))
		return UNREADABLE;
	*result = TimestampTzGetDatum(pin_service_time(text));
	return READ;
}

static Reading
read_texts(const PinJson *value, Datum *result)
{
	int			n = (int) pin_json_count(value);
	Datum	   *values = palloc(sizeof(Datum) * (n + 1));
	bool	   *isnull = palloc(sizeof(bool) * (n + 1));
	int			lower = 1;

	if (!pin_json_is_array(value))
		return UNREADABLE;
	for (int i = 0; i < n; i++)
	{
		const PinJson *element = pin_json_element(value, i);

		isnull[i] = pin_json_is_null(element);
		values[i] = isnull[i] ? (Datum) 0 : CStringGetTextDatum(text_of(element));
	}
	*result = PointerGetDatum(construct_md_array(values, isnull, 1, &n, &lower, TEXTOID,
												 -1, false, TYPALIGN_INT));
	return READ;
}

/* An object as jsonb, without the checks of the JSON library once more. */
static Reading
read_raw(const PinJson *record, Datum *result)
{
	*result = DirectFunctionCall1(jsonb_in, CStringGetDatum(take_text(pin_json_dump(record))));
	return READ;
}

static bool
is_empty(const PinJson *value)
{
	const char *text = pin_json_string(value);

	while (text != NULL && pin_ascii_is_blank(*text))
		text++;
	return text != NULL && *text == '\0';
}

/* A value of the column's own type. */
static Reading
read_typed(const PinObjectColumn *column, const PinJson *value, Datum *result)
{
	if (column->type == PIN_OBJECT_TEXT)
		return read_text(value, result);
	if (is_empty(value))
		return READ_NULL;
	switch (column->type)
	{
		case PIN_OBJECT_ID:
		case PIN_OBJECT_WORD:
			return read_word(column, value, result);
		case PIN_OBJECT_INTEGER:
			return read_integer(value, result);
		case PIN_OBJECT_BOOLEAN:
			return read_boolean(value, result);
		case PIN_OBJECT_TIME:
			return read_time(value, result);
		case PIN_OBJECT_TEXTS:
			return read_texts(value, result);
		default:
			return UNREADABLE;
	}
}

/*
 * A column's value.  An execution that does not say whose it is belongs to the
 * report it was asked for; a column that is text shows what came.
 */
static Reading
read_column(const PinObjectColumn *column, Oid type, const PinListed *listed, Datum *result)
{
	const PinJson *value = listed->record;
	bool		as_text = type == TEXTOID;

	if (column->type == PIN_OBJECT_LATEST)
	{
		*result = BoolGetDatum(listed->latest);
		return READ;
	}
	if (column->type == PIN_OBJECT_RAW)
		return as_text ? read_text(value, result) : read_raw(value, result);
	value = pin_json_member(value, column->key);
	if (column->use == PIN_USE_PATH && (pin_json_is_null(value) || is_empty(value)))
	{
		*result = CStringGetTextDatum(pin_text_to_server(listed->report_id));
		return READ;
	}
	if (pin_json_is_null(value))
		return READ_NULL;
	if (as_text && strcmp(pin_object_sql_type(column), "text") != 0)
		return read_text(value, result);
	return read_typed(column, value, result);
}

static _Noreturn void
refuse(const PinObjectTable *table, Relation relation, const PinObjectColumn *column,
	   const PinListed *listed)
{
	const PinJson *id = pin_json_member(listed->record, table->object->columns[0].key);
	char	   *value = text_of(pin_json_member(listed->record, column->key));

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("invalid value for column \"%s\" of foreign table \"%s\": \"%.*s\"",
					column->name, RelationGetRelationName(relation),
					pg_mbcliplen(value, strlen(value), 100), value),
			 pin_json_is_null(id) ? 0 :
			 errdetail("It is of the object with %s \"%s\".", table->object->columns[0].name, text_of(id)),
			 errhint("Make the column's type text to see what the service sends, or set the table's option \"on_error\" to \"set_null\".")));
}

/* Reads one column that is looked at; false: it is null. */
static bool
fill(const PinObjectTable *table, Relation relation, int i, const PinListed *listed,
	 bool set_null, Datum *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation), i);
	Reading		reading = read_column(table->columns[i], att->atttypid, listed, value);

	if (reading == UNREADABLE && !set_null)
		refuse(table, relation, table->columns[i], listed);
	return reading == READ;
}

void
pin_object_row(const PinObjectTable *table, Relation relation, const Bitmapset *needed,
			   const PinListed *listed, bool set_null, Datum *values, bool *isnull)
{
	for (int i = 0; i < table->natts; i++)
	{
		values[i] = (Datum) 0;
		isnull[i] = table->columns[i] == NULL || !bms_is_member(i + 1, needed) ||
			!fill(table, relation, i, listed, set_null, &values[i]);
	}
}

void
pin_object_check_nulls(const PinObjectTable *table, Relation relation, const Bitmapset *needed,
					   const bool *isnull)
{
	for (int i = 0; i < table->natts; i++)
	{
		if (isnull[i] && table->columns[i] != NULL && bms_is_member(i + 1, needed) &&
			pin_is_not_null(RelationGetDescr(relation), i + 1))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of foreign table \"%s\", which is declared NOT NULL",
							NameStr(TupleDescAttr(RelationGetDescr(relation), i)->attname),
							RelationGetRelationName(relation)),
					 errhint("Use ALTER FOREIGN TABLE ... ALTER COLUMN ... DROP NOT NULL.")));
	}
}
