/*-------------------------------------------------------------------------
 *
 * report.c
 *		The report of a foreign table: fetched, and opened as rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/drift.h"
#include "fdw/fdw.h"
#include "fdw/header.h"
#include "fdw/report.h"
#include "nodes/value.h"
#include "settings.h"
#include "snapshot/flight.h"
#include "snapshot/pin.h"
#include "snapshot/row_count.h"
#include "snapshot/took.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What messages call it. */
static char *
table_phrase(Relation relation)
{
	return psprintf("foreign table \"%s\"", RelationGetRelationName(relation));
}

static char *
times_text(int times)
{
	return times == 1 ? pstrdup("once") : psprintf("%d times", times);
}

/* What is known of the work on a report, whoever does it. */
static char *
progress_text(const PinJobState *job)
{
	bool		failing = job->failing_since != 0;
	int64		failing_us = GetCurrentTimestamp() - job->failing_since;
	const char *said = job->said[0] != '\0' ? pin_text_to_server(job->said) :
	failing ? "nothing yet" : "not started";
	char	   *text;

	if (pin_job_is_downloading(job))
		text = psprintf("Step: %s; " INT64_FORMAT " bytes so far.", job->phase, job->downloaded);
	else if (job->report_id[0] != '\0')
		text = psprintf("The service %s of report %s: %s (asked %s).",
						failing ? "said" : "says", job->report_id, said,
						times_text(job->polls));
	else if (job->said[0] != '\0')
		text = psprintf("Step: %s; the service %s: %s.", job->phase,
						failing ? "said" : "says", said);
	else
		text = psprintf("Step: %s.", job->phase);
	return !failing ? text :
		psprintf("%s  The service could not be asked for the last %d s.", text,
				 (int) (failing_us / USECS_PER_SEC));
}

/* Says what a scan is waiting for, and what to expect. */
static void
notice_progress(const PinResolution *resolution, int64 waited_us, const PinOptions *options,
				Relation relation)
{
	int64		took = options->report_id == NULL ?
	pin_took_read(options, RelationGetRelid(relation)) : 0;
	PinJobState job;
	bool		known = pin_resolve_progress(resolution, &job);
	int			others = pin_flight_size() - 1;

	ereport(NOTICE,
			(errmsg("still waiting for the report of foreign table \"%s\"%s after %d s",
					RelationGetRelationName(relation),
					others > 0 ? psprintf(" and %d more", others) : "",
					(int) (waited_us / USECS_PER_SEC)),
			 known ? errdetail("%s", progress_text(&job)) : 0,
			 took > 0 ?
			 errhint("The last report of this table took %s.", pin_duration_text(took)) : 0));
}

/* No rows will come: says why. */
static _Noreturn void
fail_report(PinResolution *resolution, Relation relation, const PinOptions *options,
			const List *plan, const PinScanQuery *query)
{
	PinError	err = *pin_resolve_error(resolution);
	PinDriftAsked asked = {
		.relid = RelationGetRelid(relation),
		.program = strVal(list_nth(plan, PIN_PLAN_PROGRAM)),
		.dataset = strVal(list_nth(plan, PIN_PLAN_DATASET)),
		.names = list_nth(plan, PIN_PLAN_NAMES),
		.timespan = query->timespan
	};

	asked.narrowed = asked.timespan != NULL &&
		strcmp(asked.timespan, strVal(list_nth(plan, PIN_PLAN_TIMESPAN))) != 0;
	if (pin_drift_suspected(&err))
		pin_drift_explain(&err, options, &asked);
	pin_throw(&err, options->server_name,
			  psprintf("report of foreign table \"%s\": %s",
					   RelationGetRelationName(relation), query->asked.text));
}

void
pin_report_warn_stale(const PinResolution *resolution, const char *what, const char *hint)
{
	TimestampTz as_of = pin_resolve_snapshot(resolution)->head.as_of;
	int64		age = (GetCurrentTimestamp() - as_of) / USECS_PER_SEC;
	const PinError *why = pin_resolve_error(resolution);

	ereport(WARNING,
			(errmsg("rows of %s are %s old", what,
					age < 2 * SECS_PER_HOUR ? psprintf(INT64_FORMAT " min", age / SECS_PER_MINUTE) :
					pin_duration_text(age)),
			 errdetail("Nothing fresher could be had: %s.", pin_text_to_server(why->message)),
			 hint[0] != '\0' ? errhint("%s", pin_text_to_server(hint)) : 0));
}

bool
pin_report_at_hand(Oid relid, Oid userid, const PinOptions *options, const PinScanQuery *query,
				   PinSnapshotHead *head)
{
	PinNeed    *need = pin_need_create(options, &query->asked, relid, userid);
	PinSnapshot *snapshot = pin_pin_get(need);

	if (snapshot == NULL)
		snapshot = pin_snapshot_find(need, pin_resolve_oldest(options));
	if (snapshot != NULL)
		*head = snapshot->head;
	pin_snapshot_close(snapshot);
	return snapshot != NULL;
}

bool
pin_report_is_ordered(Oid relid, Oid userid, const PinOptions *options,
					  const PinScanQuery *query, PinJobState *job)
{
	return pin_job_find(pin_need_create(options, &query->asked, relid, userid), job) &&
		job->report_id[0] != '\0';
}

/*
 * A cursor's plan lives on when its server is altered.  The report query is
 * that of one program: it means nothing to another.
 */
static void
check_program(Relation relation, const PinOptions *options, const List *plan)
{
	if (strcmp(strVal(list_nth(plan, PIN_PLAN_PROGRAM)), options->program) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("program of server \"%s\" was changed since the query on foreign table \"%s\" was planned",
						options->server_name, RelationGetRelationName(relation)),
				 errhint("Run the query again.")));
}

PinResolution *
pin_report_begin(Relation relation, Oid userid, const PinOptions *options, const List *plan,
				 const PinScanQuery *query)
{
	check_program(relation, options, plan);
	return pin_resolve_start(pin_need_create(options, &query->asked,
											 RelationGetRelid(relation), userid));
}

bool
pin_report_is_here(PinResolution *resolution, Relation relation, const PinOptions *options,
				   const List *plan, const PinScanQuery *query)
{
	PinResolveStatus status;
	int64		waited;

	pin_flight_advance(resolution);
	status = pin_resolve_status(resolution);
	if (status == PIN_RESOLVE_WAIT)
	{
		waited = pin_flight_notice_due(resolution);
		if (pin_progress && waited > 0)
			notice_progress(resolution, waited, options, relation);
		return false;
	}
	if (status == PIN_RESOLVE_FAILED)
		fail_report(resolution, relation, options, plan, query);
	if (pin_resolve_leftover(resolution) != NULL)
		pin_warn(pin_resolve_leftover(resolution), options->server_name, NULL);
	if (pin_resolve_from(resolution) == PIN_ROWS_STALE)
		pin_report_warn_stale(resolution, table_phrase(relation),
							  pin_resolve_error(resolution)->hint);
	return true;
}

void
pin_report_await(PinResolution *resolution, Relation relation, const PinOptions *options,
				 const List *plan, const PinScanQuery *query)
{
	while (!pin_report_is_here(resolution, relation, options, plan, query))
		pin_wait(pin_flight_fd(), pin_resolve_waits_for(resolution));
}

static const char *
metadata_text(const PinSnapshotHead *head, PinMetadata metadata)
{
	switch (metadata)
	{
		case PIN_METADATA_REPORT_ID:
			return head->report_id;
		case PIN_METADATA_EXECUTION_ID:
			return head->execution_id;
		case PIN_METADATA_GENERATED_TIME:
			return head->generated_time;
		case PIN_METADATA_NONE:
			break;
	}
	pg_unreachable();
}

PinRows *
pin_report_open(Relation relation, TupleDesc tupdesc, const PinOptions *options, const List *plan,
				Bitmapset *needed, Bitmapset *late, const PinSnapshot *snapshot)
{
	PinRowsSource source = {0};
	const List *metadata = list_nth(plan, PIN_PLAN_METADATA);
	ListCell   *lc;

	source.fd = snapshot->fd;
	source.offset = snapshot->head.head_size;
	source.size = snapshot->head.data_size;
	source.delimiter = snapshot->head.tsv ? '\t' : ',';
	source.server_name = options->server_name;
	source.what = table_phrase(relation);
	source.relid = RelationGetRelid(relation);
	source.kept_for = snapshot->head.relid;
	source.tupdesc = tupdesc;
	source.attnums = list_nth(plan, PIN_PLAN_ATTNUMS);
	source.names = list_nth(plan, PIN_PLAN_NAMES);
	if (pin_options_existing(options))
		source.names = pin_header_match(pin_header_read(snapshot, options->server_name),
										source.names);
	source.constant_attnums = list_nth(plan, PIN_PLAN_METADATA_ATTNUMS);
	foreach(lc, metadata)
		source.constants = lappend(source.constants,
								   makeString(pstrdup(metadata_text(&snapshot->head, lfirst_int(lc)))));
	source.needed = needed;
	source.late = late;
	source.set_null = options->set_null;
	return pin_rows_open(&source);
}

void
pin_report_counted(Relation relation, const PinOptions *options, const List *plan, double rows)
{
	pin_row_count_write(RelationGetRelid(relation), options->serverid,
						strVal(list_nth(plan, PIN_PLAN_QUERY)), rows);
}
