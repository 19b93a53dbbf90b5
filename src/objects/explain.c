/*-------------------------------------------------------------------------
 *
 * explain.c
 *		What EXPLAIN says of a scan of the service's objects: its calls.
 *
 * It never asks the service.  A value that is not known before execution is
 * shown as the name of its column, in braces.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "objects/condition.h"
#include "objects/objects.h"
#include "objects/scan.h"
#include "utils/rel.h"

/* The values of a condition, or what stands for them. */
static List *
shown_values(const PinObjectColumn *column, Expr *value, bool several)
{
	if (IsA(value, Const) && !((Const *) value)->constisnull)
		return several ? pin_object_values(((Const *) value)->constvalue) :
			pin_object_value(((Const *) value)->constvalue);
	return list_make1(psprintf(several && column->use == PIN_USE_PATH ? "{each %s}" : "{%s}",
							   column->name));
}

/* What the plan wants, as far as it is known.  False: no row can be. */
static bool
shown_wish(const ForeignScan *scan, const PinObjectTable *table, PinObjectWish *wish)
{
	List	   *columns = list_nth(scan->fdw_private, PIN_OBJECT_PLAN_COLUMNS);
	List	   *several = list_nth(scan->fdw_private, PIN_OBJECT_PLAN_SEVERAL);

	pin_object_wish(wish, table, scan->fdw_private);
	wish->shown = true;
	for (int i = 0; i < list_length(columns); i++)
	{
		int			n = list_nth_int(columns, i);

		wish->values[n] = shown_values(&table->object->columns[n], list_nth(scan->fdw_exprs, i),
									   list_nth_int(several, i) != 0);
		if (wish->values[n] == NIL)
			return false;
	}
	return true;
}

/* GET /insights/v1/mpn/ScheduledReport?reportId=... */
static char *
call_text(const PinOptions *options, const PinObject *object, const char *id,
		  const PinParameter *parameters, int nparameters)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "GET /insights/%s/%s%s", options->api_version, options->program,
					 object->path);
	if (id != NULL)
		appendStringInfo(&text, "/%s", id);
	for (int i = 0; i < nparameters; i++)
		appendStringInfo(&text, "%c%s=%s", i == 0 ? '?' : '&', parameters[i].name,
						 parameters[i].value);
	return text.data;
}

static List *
add_call(List *calls, const PinOptions *options, const PinObjectWish *wish, bool latest,
		 const char *id)
{
	PinParameter parameters[PIN_WISH_PARAMETERS_MAX];
	int			n = pin_wish_parameters(wish, latest, parameters);

	return lappend(calls, call_text(options, wish->object, id, parameters, n));
}

static List *
calls_for_executions(const PinOptions *options, const PinObjectWish *wish)
{
	List	   *reports = pin_wish_reports(wish);
	const char *id = list_length(reports) == 1 ? linitial(reports) : "{each report_id}";
	List	   *calls = NIL;

	if (reports == NIL)
		calls = lappend(calls, call_text(options, &pin_objects[PIN_REPORTS], NULL, NULL, 0));
	if (wish->only_latest || wish->tell_latest)
		calls = add_call(calls, options, wish, true, id);
	if (!wish->only_latest)
		calls = add_call(calls, options, wish, false, id);
	return calls;
}

/* What is called, in this order. */
static List *
calls_of(const ForeignScan *scan, Relation relation)
{
	PinOptions *options = pin_options_plan(RelationGetRelid(relation));
	PinObjectTable *table = pin_object_table(relation, options);
	PinObjectWish wish = {0};

	if (!shown_wish(scan, table, &wish))
		return list_make1("none: no row can be wanted");
	return table->object->kind == PIN_EXECUTIONS ? calls_for_executions(options, &wish) :
		add_call(NIL, options, &wish, false, NULL);
}

void
pinsightObjectExplain(ForeignScanState *node, ExplainState *es)
{
	PinObjectScan *scan = node->fdw_state;

	ExplainPropertyList("Calls", calls_of((ForeignScan *) node->ss.ps.plan, node->ss.ss_currentRelation), es);
	if (!es->analyze || scan == NULL)
		return;
	ExplainPropertyInteger("Requests", NULL,
						   scan->asker != NULL ? pin_ask_requests(scan->asker) : 0, es);
	if (scan->asker != NULL && pin_ask_retries(scan->asker) > 0)
		ExplainPropertyInteger("Retries", NULL, pin_ask_retries(scan->asker), es);
}
