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
#include "fdw/report.h"
#include "fdw/scan.h"
#include "snapshot/took.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

/* The foreign table, also of a scan of groups. */
static Oid
table_of(const ForeignScanState *node)
{
	return linitial_oid(list_nth(((ForeignScan *) node->ss.ps.plan)->fdw_private, PIN_PLAN_RELATION));
}

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

/* Of all rows, or of the first ones only. */
static const char *
part_text(const char *source, bool first)
{
	return first ? psprintf("first rows of a %s", source) : source;
}

static const char *
new_report_text(const PinOptions *options)
{
	return options->query_id == NULL ? "new report" :
		psprintf("new report of query %s", options->query_id);
}

/* One that was ordered before; if it may turn out to be too old, it will be made anew. */
static const char *
ordered_text(const PinOptions *options, const PinJobState *job)
{
	const char *text = pin_job_is_taken(job) ? "report of another session" :
	"report of an earlier scan";

	return job->not_before >= pin_resolve_oldest(options) ? text :
		psprintf("%s, or %s", text, new_report_text(options));
}

/* What would be read, where no snapshot is at hand. */
static const char *
prospect_text(Oid relid, Oid userid, const PinOptions *options, const PinScanQuery *query)
{
	PinJobState job;
	const char *source =
	options->report_id != NULL ? psprintf("scheduled report %s", options->report_id) :
	pin_report_is_ordered(relid, userid, options, query, &job) ? ordered_text(options, &job) :
	new_report_text(options);
	const char *text = part_text(source, query->asked.enough > 0);

	return !query->preview ? text :
		psprintf("preview, or %s%s", text == source ? "a " : "", text);
}

/*
 * Where the rows would come from.  That depends on the credential; a user who
 * has none yet, or none that works, can still look at a plan.
 */
static void
explain_prospect(ForeignScanState *node, const PinScanQuery *query, ExplainState *es)
{
	Oid			relid = table_of(node);
	Oid			userid = pin_scan_user(node);
	PinOptions *options = pin_options_prospect(relid, userid);
	PinSnapshotHead head;
	bool		at_hand;

	if (query->never)
	{
		ExplainPropertyText("Rows From", "nothing: no row can be wanted", es);
		return;
	}
	if (options == NULL)
	{
		ExplainPropertyText("Rows From",
							"nothing: the user mapping is missing, incomplete or unreadable", es);
		return;
	}
	at_hand = pin_report_at_hand(relid, userid, options, query, &head);
	ExplainPropertyText("Rows From",
						at_hand ? psprintf("snapshot, %s old", age_text(head.as_of)) :
						prospect_text(relid, userid, options, query), es);
	if (es->verbose && !at_hand && options->report_id == NULL)
		explain_took(pin_took_read(options, relid), es);
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
	bool		first = pin_resolve_snapshot(resolution)->first;
	const PinAcquireStats *stats = pin_resolve_stats(resolution);
	const char *source = stats->resumed ? "report of an earlier scan" :
	sources[pin_resolve_from(resolution)];

	ExplainPropertyText("Rows From", part_text(source, first), es);
	ExplainPropertyText("Rows As Of", timestamptz_to_str(head->as_of), es);
	ExplainPropertyText("Report", head->report_id, es);
	if (!first)
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
explain_definition(const List *plan, const PinScanQuery *query, const PinOptions *options,
				   ExplainState *es)
{
	const char *column = strVal(list_nth(plan, PIN_PLAN_TIME_COLUMN));
	const List *metrics = list_nth(plan, PIN_PLAN_METRICS);
	List	   *names = NIL;
	ListCell   *lc;

	ExplainPropertyText("Program", strVal(list_nth(plan, PIN_PLAN_PROGRAM)), es);
	if (options->report_id != NULL)
	{
		ExplainPropertyText("Scheduled Report", options->report_id, es);
		return;					/* which has a query of its own */
	}
	if (options->query_id != NULL)
	{
		ExplainPropertyText("Existing Query", options->query_id, es);
		return;
	}
	ExplainPropertyText("Report Query", query->asked.text, es);
	if (query->asked.start != NULL)
		ExplainPropertyText("Time Window",
							psprintf("%s to %s", query->asked.start, query->asked.end), es);
	else if (query->timespan != NULL)
		ExplainPropertyText("Time Window",
							psprintf("%s%s%s", query->timespan, column[0] != '\0' ? " of " : "", column), es);
	foreach(lc, metrics)
		names = lappend(names, strVal(lfirst(lc)));
	if (names != NIL)
		ExplainPropertyList("Metrics", names, es);
}

/* A condition as it stands in the query, and why it is not exact. */
static char *
condition_text(ForeignScanState *node, Node *clause, const PinWritten *written, ExplainState *es)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, NIL);
	char	   *text = deparse_expression(clause, context, pin_explain_tables(es) > 1, false);

	return written->reason == NULL ? text : psprintf("%s: %s", text, written->reason);
}

/*
 * Which conditions the service is told of.  All of them are checked here once
 * more: the rows may come from a snapshot that has others, too.
 */
static void
explain_conditions(ForeignScanState *node, const PinScanQuery *query, ExplainState *es)
{
	static const char *const labels[] = {
		[PIN_CONDITION_EXACT] = "Exact Conditions",
		[PIN_CONDITION_SUPERSET] = "Superset Conditions",
		[PIN_CONDITION_LOCAL] = "Local Conditions",
	};
	const List *clauses = node->ss.ps.plan->qual;

	for (int class = PIN_CONDITION_EXACT; class <= PIN_CONDITION_LOCAL; class++)
	{
		List	   *texts = NIL;

		for (int i = 0; i < list_length(query->conditions); i++)
		{
			const PinWritten *written = list_nth(query->conditions, i);

			if (written->class == class)
				texts = lappend(texts, condition_text(node, list_nth(clauses, i), written, es));
		}
		if (texts != NIL)
			ExplainPropertyList(labels[class], texts, es);
	}
}

void
pinsightExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	List	   *plan = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	PinScan    *scan = node->fdw_state;
	const char *dataset = strVal(list_nth(plan, PIN_PLAN_DATASET));
	bool		of_groups = node->ss.ss_currentRelation == NULL;
	const PinScanQuery *query = scan != NULL && scan->query != NULL ? scan->query :
	pin_query_of_scan(node, true);

	if (of_groups)
		ExplainPropertyText("Groups Of",
							quote_identifier(get_rel_name(table_of(node))), es);
	if (dataset[0] != '\0')
		ExplainPropertyText("Dataset", dataset, es);
	if (es->verbose)
	{
		explain_definition(plan, query,
						   pin_options_plan(table_of(node)), es);
		if (intVal(list_nth(plan, PIN_PLAN_PUSHED)) != 0 && !of_groups)
			explain_conditions(node, query, es);
	}
	if (!es->analyze)
		explain_prospect(node, query, es);
	else if (scan != NULL && scan->rows != NULL && scan->resolution == NULL)
		ExplainPropertyText("Rows From", "preview", es);
	else if (scan != NULL && scan->rows != NULL)
		explain_resolution(scan->resolution, es);
	else if (query->never)
		ExplainPropertyText("Rows From", "nothing: no row can be wanted", es);
	else
		ExplainPropertyText("Rows From", "nothing: no row was asked for", es);
}
