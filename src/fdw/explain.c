/*-------------------------------------------------------------------------
 *
 * explain.c
 *		What EXPLAIN says of a foreign scan.
 *
 * Everything before execution comes from the plan alone: EXPLAIN asks neither
 * the service nor the user mapping.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/scan.h"

/* What the acquisition took: ANALYZE only. */
static void
explain_acquisition(const PinScan *scan, ExplainState *es)
{
	const PinAcquireStats *stats = pin_acquire_stats(scan->acquisition);

	ExplainPropertyText("Report", stats->report_id, es);
	if (stats->resumed)
		ExplainPropertyText("Resumed", "report of an earlier scan", es);
	ExplainPropertyInteger("Requests", NULL, stats->requests, es);
	ExplainPropertyInteger("Polls", NULL, stats->polls, es);
	ExplainPropertyInteger("Retries", NULL, stats->retries, es);
	if (es->timing)
		ExplainPropertyFloat("Waited", "ms",
							 (stats->ready_us - stats->started_us) / 1000.0, 3, es);
	ExplainPropertyInteger("Downloaded", "bytes", stats->downloaded, es);
	ExplainPropertyInteger("Report File", "bytes",
						   pin_report_file_size(pin_acquire_file(scan->acquisition)), es);
}

/* What defines the table's rows, beside its columns. */
static void
explain_definition(const List *plan, ExplainState *es)
{
	const char *window = strVal(list_nth(plan, PIN_PLAN_WINDOW));
	const List *metrics = list_nth(plan, PIN_PLAN_METRICS);
	List	   *names = NIL;
	ListCell   *lc;

	ExplainPropertyText("Program", strVal(list_nth(plan, PIN_PLAN_PROGRAM)), es);
	ExplainPropertyText("Report Query", strVal(list_nth(plan, PIN_PLAN_QUERY)), es);
	if (window[0] != '\0')
		ExplainPropertyText("Time Window", window, es);
	foreach(lc, metrics)
		names = lappend(names, strVal(lfirst(lc)));
	if (names != NIL)
		ExplainPropertyList("Metrics", names, es);
}

void
pinsightExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	List	   *plan = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	PinScan    *scan = node->fdw_state;

	ExplainPropertyText("Dataset", strVal(list_nth(plan, PIN_PLAN_DATASET)), es);
	if (es->verbose)
		explain_definition(plan, es);
	if (!es->analyze)
		ExplainPropertyText("Rows From", "new report", es);
	else if (scan != NULL && scan->rows != NULL)
		explain_acquisition(scan, es);
	else
		ExplainPropertyText("Rows From", "nothing: no row was asked for", es);
}
