/*-------------------------------------------------------------------------
 *
 * table.c
 *		Which of the service's objects a foreign table shows, in which columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "objects/table.h"
#include "option_value.h"
#include "utils/builtins.h"
#include "utils/rel.h"

bool
pin_object_is_table(Oid relid)
{
	return pin_option_get(GetForeignTable(relid)->options, "api_object") != NULL;
}

/* The names of an object's columns, with commas. */
static char *
column_names(const PinObject *object)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < object->ncolumns; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", object->columns[i].name);
	return names.data;
}

/* The type that a column's values have. */
static Oid
type_of(const PinObjectColumn *column)
{
	switch (column->type)
	{
		case PIN_OBJECT_INTEGER:
			return INT4OID;
		case PIN_OBJECT_BOOLEAN:
		case PIN_OBJECT_LATEST:
			return BOOLOID;
		case PIN_OBJECT_TIME:
			return TIMESTAMPTZOID;
		case PIN_OBJECT_TEXTS:
			return TEXTARRAYOID;
		case PIN_OBJECT_RAW:
			return JSONBOID;
		default:
			return TEXTOID;
	}
}

/* Any column may be text, too: then it shows what came, readable or not. */
static void
check_type(Relation relation, Form_pg_attribute att, const PinObjectColumn *column)
{
	if (att->atttypid == type_of(column) ||
		(att->atttypid == TEXTOID && column->type != PIN_OBJECT_LATEST))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("column \"%s\" of foreign table \"%s\" cannot be of type %s",
					NameStr(att->attname), RelationGetRelationName(relation),
					format_type_with_typemod(att->atttypid, att->atttypmod)),
			 column->type == PIN_OBJECT_LATEST || type_of(column) == TEXTOID ?
			 errhint("Its type is %s.", pin_object_sql_type(column)) :
			 errhint("Its type is %s, or text for what the service sent.",
					 pin_object_sql_type(column))));
}

/* Options that are about the columns of a report. */
static void
check_options(Relation relation, Form_pg_attribute att, const PinColumnOptions *options)
{
	const char *name = options->metadata != PIN_METADATA_NONE ? "metadata" :
	options->metric ? "metric" :
	options->sum_of != NULL ? "sum_of" :
	options->count_of != NULL ? "count_of" : NULL;

	if (name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("column \"%s\" of foreign table \"%s\" has the option \"%s\", which is for the columns of reports",
						NameStr(att->attname), RelationGetRelationName(relation), name)));
}

static const PinObjectColumn *
find_column(Relation relation, const PinObject *object, Form_pg_attribute att)
{
	PinColumnOptions options = pin_options_column(RelationGetRelid(relation), att->attnum);
	const char *name = options.name != NULL ? options.name : NameStr(att->attname);
	const PinObjectColumn *column = pin_object_column(object, name);

	check_options(relation, att, &options);
	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("column \"%s\" of foreign table \"%s\" is not a column of the service's %s",
						NameStr(att->attname), RelationGetRelationName(relation), object->name),
				 options.name != NULL ? errdetail("Its option \"column_name\" is \"%s\".", options.name) : 0,
				 errhint("There are: %s.", column_names(object))));
	check_type(relation, att, column);
	return column;
}

PinObjectTable *
pin_object_table(Relation relation, const PinOptions *options)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	PinObjectTable *table = palloc0(sizeof(PinObjectTable));

	table->relid = RelationGetRelid(relation);
	table->object = pin_object_find(options->api_object);
	table->natts = tupdesc->natts;
	table->columns = palloc0(sizeof(PinObjectColumn *) * (tupdesc->natts + 1));
	for (AttrNumber attnum = 1; attnum <= tupdesc->natts; attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, attnum - 1);

		if (!att->attisdropped && !pin_is_virtual(att))
			table->columns[attnum - 1] = find_column(relation, table->object, att);
	}
	return table;
}

AttrNumber
pin_object_attnum(const PinObjectTable *table, const PinObjectColumn *column)
{
	for (int i = 0; i < table->natts; i++)
		if (table->columns[i] == column)
			return i + 1;
	return InvalidAttrNumber;
}
