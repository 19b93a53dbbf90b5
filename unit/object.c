/*-------------------------------------------------------------------------
 *
 * object.c
 *		Unit test of the table of the service's objects and their columns.
 *
 *-------------------------------------------------------------------------
 */
#include "objects/object.h"
#include "tap.h"

/* Nothing in the table may hide anything else, and each kind is in its place. */
static void
test_kind(const PinObject *object, int kind)
{
	ok(object->kind == (PinObjectKind) kind && pin_object_find(object->name) == object,
	   "%s: found", object->name);
	ok(object->columns[0].type == PIN_OBJECT_ID, "%s: the first column is an id", object->name);
	for (int i = 0; i < object->ncolumns; i++)
	{
		const PinObjectColumn *column = &object->columns[i];

		ok(pin_object_column(object, column->name) == column, "%s.%s: found by its name",
		   object->name, column->name);
		ok(column->key == NULL || pin_object_column(object, column->key) == column,
		   "%s.%s: found by its key", object->name, column->name);
		ok((column->type == PIN_OBJECT_WORD) == (column->words != NULL),
		   "%s.%s: words", object->name, column->name);
		ok((column->key == NULL) == (column->type == PIN_OBJECT_RAW || column->type == PIN_OBJECT_LATEST),
		   "%s.%s: key", object->name, column->name);
	}
}

int
main(void)
{
	const PinObject *reports = pin_object_find("Reports");
	const PinObjectColumn *status;
	const char *unknown = "Dormant";

	for (int i = 0; i < PIN_OBJECT_KINDS; i++)
		test_kind(&pin_objects[i], i);
	ok(pin_object_find("report") == NULL, "no such kind");
	status = pin_object_column(reports, "REPORTSTATUS");
	is_str(status->name, "report_status", "without case and underscores");
	ok(pin_object_column(reports, "status") == NULL, "no such column");
	is_str(pin_object_word(status, " PAUSED "), "Paused", "a word as it is documented");
	ok(pin_object_word(status, unknown) == unknown, "an unknown one is itself");
	is_str(pin_object_sql_type(pin_object_column(reports, "start_time")), "timestamptz", "a type");
	return done_testing();
}
