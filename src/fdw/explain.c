/*-------------------------------------------------------------------------
 *
 * explain.c
 *		What EXPLAIN says of a foreign scan.
 *
 * EXPLAIN never asks the service.  Before execution all comes from the plan but
 * where the rows would come from, which is looked up among the snapshots.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/scan.h"
#include "snapshot/took.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

char *
pin_duration_text(int64 secs)
{
	if (secs >= 2 * SECS_PER_HOUR)
		return psprintf(INT64_FORMAT " h", secs / SECS_PER_HOUR);
	if (secs >= 2 * SECS_PER_MINUTE)
		return psprintf(INT64_FORMAT " min", secs / SECS_PER_MINUTE);
	return psprintf(INT64_FORMAT " s", secs);
}

static char *
age_text(TimestampTz as_of)
{
	return pin_duration_text(Max(GetCurrentTimestamp() - as_of, 0) / USECS_PER_SEC);
}

/* What to expect of a new report. */
static void
explain_took(int64 secs, ExplainState *es)
{
	if (secs > 0)
		ExplainPropertyText("Last Report Took", pin_duration_text(secs), es);
}

/*
 * Where the rows would come from.  That depends on the credential; a user who
 * has none yet, or none that works, can still look at a plan.
 */
static void
explain_prospect(ForeignScanState *node, ExplainState *es)
{
	List	   *plan = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	Oid			relid = RelationGetRelid(node->ss.ss_currentRelation);
	Oid			userid = pin_scan_user(node);
	PinOptions *options = pin_options_prospect(relid, userid);
	PinNeed    *need;
	PinSnapshot *snapshot;

	if (options == NULL)
	{
		ExplainPropertyText("Rows From",
							"nothing: the user mapping is missing, incomplete or unreadable", es);
		return;
	}
	need = pin_need_create(options, strVal(list_nth(plan, PIN_PLAN_QUERY)),
						   list_nth(plan, PIN_PLAN_METRICS) != NIL, relid, userid);
	snapshot = pin_snapshot_find(need, pin_resolve_oldest(options));
	ExplainPropertyText("Rows From",
						snapshot != NULL ? psprintf("snapshot, %s old", age_text(snapshot->head.as_of)) :
						options->report_id != NULL ? psprintf("scheduled report %s", options->report_id) :
						"new report", es);
	if (es->verbose && snapshot == NULL && options->report_id == NULL)
		explain_took(pin_took_read(options, relid), es);
	pin_snapshot_close(snapshot);
}

/* Where the rows came from, and what that took: ANALYZE only. */
static void
explain_resolution(const PinResolution *resolution, ExplainState *es)
{
	static const char *const sources[] =
	{
		[PIN_ROWS_SNAPSHOT] = "snapshot",
		[PIN_ROWS_SHARED] = "report of another session",
		[PIN_ROWS_REPORT] = "new report",
		[PIN_ROWS_SCHEDULED] = "scheduled report",
		[PIN_ROWS_STALE] = "stale snapshot",
	};
	const PinSnapshotHead *head = &pin_resolve_snapshot(resolution)->head;
	const PinAcquireStats *stats = pin_resolve_stats(resolution);

	ExplainPropertyText("Rows From", stats->resumed ? "report of an earlier scan" :
						sources[pin_resolve_from(resolution)], es);
	ExplainPropertyText("Rows As Of", timestamptz_to_str(head->as_of), es);
	ExplainPropertyText("Report", head->report_id, es);
	ExplainPropertyInteger("Report File", "bytes", head->data_size, es);
	if (stats->requests == 0)
		return;
	ExplainPropertyInteger("Requests", NULL, stats->requests, es);
	ExplainPropertyInteger("Polls", NULL, stats->polls, es);
	ExplainPropertyInteger("Retries", NULL, stats->retries, es);
	if (es->timing && stats->ready_us != 0)
		ExplainPropertyFloat("Waited", "ms",
							 (stats->ready_us - stats->started_us) / 1000.0, 3, es);
	ExplainPropertyInteger("Downloaded", "bytes", stats->downloaded, es);
}

/* What defines the table's rows, beside its columns. */
static void
explain_definition(const List *plan, const PinOptions *options, ExplainState *es)
{
	const char *window = strVal(list_nth(plan, PIN_PLAN_WINDOW));
	const List *metrics = list_nth(plan, PIN_PLAN_METRICS);
	List	   *names = NIL;
	ListCell   *lc;

	ExplainPropertyText("Program", strVal(list_nth(plan, PIN_PLAN_PROGRAM)), es);
	if (options->report_id != NULL)
	{
		ExplainPropertyText("Scheduled Report", options->report_id, es);
		return;					/* which has a query of its own */
	}
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
		explain_definition(plan, pin_options_plan(RelationGetRelid(node->ss.ss_currentRelation)), es);
	if (!es->analyze)
		explain_prospect(node, es);
	else if (scan != NULL && scan->rows != NULL)
		explain_resolution(scan->resolution, es);
	else
		ExplainPropertyText("Rows From", "nothing: no row was asked for", es);
}
