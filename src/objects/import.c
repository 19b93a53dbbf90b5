/*-------------------------------------------------------------------------
 *
 * import.c
 *		IMPORT FOREIGN SCHEMA api: a table for each kind of object.
 *
 * The service is not asked: what it keeps does not depend on who asks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "objects/objects.h"
#include "utils/builtins.h"

static void
append_column(StringInfo sql, const PinObjectColumn *column)
{
	appendStringInfo(sql, "\n\t%s %s", quote_identifier(column->name), pin_object_sql_type(column));
	if (column->key != NULL)
		appendStringInfo(sql, " OPTIONS (column_name %s)", quote_literal_cstr(column->key));
}

static char *
create_statement(const ImportForeignSchemaStmt *stmt, const PinObject *object)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s.%s (",
					 quote_identifier(stmt->local_schema), quote_identifier(object->name));
	for (int i = 0; i < object->ncolumns; i++)
	{
		if (i > 0)
			appendStringInfoChar(&sql, ',');
		append_column(&sql, &object->columns[i]);
	}
	appendStringInfo(&sql, "\n) SERVER %s OPTIONS (api_object %s)",
					 quote_identifier(stmt->server_name), quote_literal_cstr(object->name));
	return sql.data;
}

/* Throws if LIMIT TO or EXCEPT names something that is not there. */
static void
check_list(const ImportForeignSchemaStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->table_list)
	{
		const char *name = lfirst_node(RangeVar, lc)->relname;
		const PinObject *object = pin_object_find(name);

		if (stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO &&
			(object == NULL || strcmp(object->name, name) != 0))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
					 errmsg("foreign schema \"%s\" has no table \"%s\"", PIN_OBJECTS_SCHEMA, name),
					 errhint("There are: datasets, queries, reports, executions.")));
	}
}

/* PostgreSQL leaves out what LIMIT TO and EXCEPT say. */
List *
pinsightObjectImport(ImportForeignSchemaStmt *stmt)
{
	List	   *statements = NIL;

	if (stmt->options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("foreign schema \"%s\" is imported without options: \"%s\"",
						PIN_OBJECTS_SCHEMA, linitial_node(DefElem, stmt->options)->defname),
				 errhint("Use ALTER FOREIGN TABLE ... OPTIONS afterwards.")));
	check_list(stmt);
	for (int i = 0; i < PIN_OBJECT_KINDS; i++)
		statements = lappend(statements, create_statement(stmt, &pin_objects[i]));
	return statements;
}
