/*-------------------------------------------------------------------------
 *
 * report_rows.c
 *		pinsight_report_rows(), pinsight_report_columns(): a report that exists,
 *		whoever made it, without a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/existing.h"
#include "fdw/header.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "option_value.h"
#include "sql/look.h"
#include "sql/row.h"
#include "text.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pinsight_report_rows);
PG_FUNCTION_INFO_V1(pinsight_report_columns);

/* Fetches the report that a function's arguments name: server, report_id. */
static PinExisting *
fetch(FunctionCallInfo fcinfo)
{
	ForeignServer *server = pin_look_find_server(NameStr(*PG_GETARG_NAME(0)));
	char	   *report_id = text_to_cstring(PG_GETARG_TEXT_PP(1));
	PinOptions *options;

	if (!pin_value_id(report_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid id of a report: \"%s\"", report_id),
				 errhint("The value must be the id of a report, as the service writes it.")));
	options = pin_options_server(server->serverid, GetUserId(), NULL);
	options->report_id = report_id;
	return pin_existing_fetch(options, GetUserId());
}

/* pinsight_report_rows(server, report_id): the column list says what is wanted. */
Datum
pinsight_report_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result;
	PinExisting *existing;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	existing = fetch(fcinfo);
	pin_existing_put_rows(existing, result->setDesc, result->setResult);
	pin_existing_close(existing);
	return (Datum) 0;
}

/* A column of a column list: customer_name text. */
static char *
definition_of(const char *local, const char *type)
{
	return psprintf("%s %s", quote_identifier(local), type);
}

/* pinsight_report_columns(server, report_id): what such a list may have. */
Datum
pinsight_report_columns(PG_FUNCTION_ARGS)
{
	PinExisting *existing;
	PinRow		row;
	ListCell   *lc;

	pin_row_begin(&row, fcinfo);
	existing = fetch(fcinfo);
	foreach(lc, pin_existing_columns(existing))
	{
		const PinHeaderColumn *column = lfirst(lc);

		pin_row_int32(&row, foreach_current_index(lc) + 1);
		pin_row_text(&row, pin_text_to_server(column->remote));
		pin_row_name(&row, column->local);
		pin_row_text(&row, column->type);
		pin_row_text(&row, definition_of(column->local, column->type));
		pin_row_end(&row);
	}
	pin_existing_close(existing);
	return (Datum) 0;
}
