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
#include "fdw/report.h"
#include "nodes/value.h"
#include "settings.h"
#include "snapshot/row_count.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/*
 * A wait that is longer than this is explained by a notice, and again each
 * time it has doubled: 10 s, 20 s, 40 s, ... are few and soon enough.
 */
#define FIRST_NOTICE_US (10 * INT64CONST(1000000))

/* Says what a scan is waiting for, whoever works on it. */
static void
notice_progress(const PinResolution *resolution, int64 waited_us, const char *table_name)
{
	PinJobState job;
	bool		known = pin_resolve_progress(resolution, &job);
	const char *said = known && job.said[0] != '\0' ? pin_text_to_server(job.said) :
	"not started";

	ereport(NOTICE,
			(errmsg("waiting for the report of foreign table \"%s\" since %d s",
					table_name, (int) (waited_us / 1000000)),
			 known && job.report_id[0] != '\0' ?
			 errdetail("The service says of report %s: %s (asked %d times).",
					   job.report_id, said, job.polls) :
			 known && job.said[0] != '\0' ?
			 errdetail("Step: %s; the service says: %s.", job.phase, said) :
			 known ? errdetail("Step: %s.", job.phase) : 0));
}

/* No rows will come: says why. */
static _Noreturn void
fail_report(PinResolution *resolution, Relation relation, const PinOptions *options,
			const List *plan, const PinScanQuery *query)
{
	PinError	err = *pin_resolve_error(resolution);

	if (pin_drift_suspected(&err))
		pin_drift_explain(&err, relation, options, plan);
	pin_throw(&err, options->server_name,
			  psprintf("report of foreign table \"%s\": %s",
					   RelationGetRelationName(relation), query->asked.text));
}

/*
 * The rows are older than max_age allows, but not older than stale_ok, or the
 * last of a report that does not run any more.
 */
static void
warn_stale(const PinResolution *resolution, const char *table_name)
{
	TimestampTz as_of = pin_resolve_snapshot(resolution)->head.as_of;
	int64		minutes = (GetCurrentTimestamp() - as_of) / USECS_PER_MINUTE;
	const PinError *why = pin_resolve_error(resolution);

	ereport(WARNING,
			(errmsg("rows of foreign table \"%s\" are " INT64_FORMAT " min old",
					table_name, minutes),
			 errdetail("Nothing fresher could be had: %s.", pin_text_to_server(why->message)),
			 why->hint[0] != '\0' ? errhint("%s", pin_text_to_server(why->hint)) : 0));
}

/* Waits until rows are here.  Throws if none will come. */
static void
await_rows(PinResolution *resolution, Relation relation, const PinOptions *options,
		   const List *plan, const PinScanQuery *query)
{
	int64		started = pin_now_us();
	int64		next_notice = FIRST_NOTICE_US;
	PinResolveStatus status;

	while ((status = pin_resolve_advance(resolution)) == PIN_RESOLVE_WAIT)
	{
		int64		waited = pin_now_us() - started;

		if (pin_progress && waited >= next_notice)
		{
			notice_progress(resolution, waited, RelationGetRelationName(relation));
			next_notice *= 2;
		}
		pin_wait(pin_resolve_fd(resolution));
	}

	if (status == PIN_RESOLVE_FAILED)
		fail_report(resolution, relation, options, plan, query);
	if (pin_resolve_leftover(resolution) != NULL)
		pin_warn(pin_resolve_leftover(resolution), options->server_name, NULL);
	if (pin_resolve_from(resolution) == PIN_ROWS_STALE)
		warn_stale(resolution, RelationGetRelationName(relation));
}

bool
pin_report_at_hand(Relation relation, Oid userid, const PinOptions *options,
				   const PinScanQuery *query)
{
	PinNeed    *need = pin_need_create(options, &query->asked, RelationGetRelid(relation), userid);
	PinSnapshot *snapshot = pin_snapshot_find(need, pin_resolve_oldest(options));

	pin_snapshot_close(snapshot);
	return snapshot != NULL;
}

PinResolution *
pin_report_fetch(Relation relation, Oid userid, const PinOptions *options, const List *plan,
				 const PinScanQuery *query)
{
	PinNeed    *need = pin_need_create(options, &query->asked, RelationGetRelid(relation), userid);
	PinResolution *resolution = pin_resolve_start(need);

	await_rows(resolution, relation, options, plan, query);
	return resolution;
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
				Bitmapset *needed, const PinResolution *resolution)
{
	const PinSnapshot *snapshot = pin_resolve_snapshot(resolution);
	PinRowsSource source = {0};
	const List *metadata = list_nth(plan, PIN_PLAN_METADATA);
	ListCell   *lc;

	source.fd = snapshot->fd;
	source.offset = snapshot->head.head_size;
	source.size = snapshot->head.data_size;
	source.delimiter = snapshot->head.tsv ? '\t' : ',';
	source.server_name = options->server_name;
	source.table_name = RelationGetRelationName(relation);
	source.tupdesc = tupdesc;
	source.attnums = list_nth(plan, PIN_PLAN_ATTNUMS);
	source.names = list_nth(plan, PIN_PLAN_NAMES);
	source.constant_attnums = list_nth(plan, PIN_PLAN_METADATA_ATTNUMS);
	foreach(lc, metadata)
		source.constants = lappend(source.constants,
								   makeString(pstrdup(metadata_text(&snapshot->head, lfirst_int(lc)))));
	source.needed = needed;
	source.set_null = options->set_null;
	return pin_rows_open(&source);
}

void
pin_report_counted(Relation relation, const PinOptions *options, const List *plan, double rows)
{
	pin_row_count_write(RelationGetRelid(relation), options->serverid,
						strVal(list_nth(plan, PIN_PLAN_QUERY)), rows);
}
