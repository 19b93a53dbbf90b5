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
#include "snapshot/row_count.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/rel.h"

/*
 * A wait that is longer than this is explained by a notice, and again each
 * time it has doubled: 10 s, 20 s, 40 s, ... are few and soon enough.
 */
#define FIRST_NOTICE_US (10 * INT64CONST(1000000))

static void
notice_progress(const PinAcquireStats *stats, int64 waited_us, const char *table_name)
{
	const char *state = stats->state[0] != '\0' ?
	pin_text_to_server(stats->state) : "not started";

	ereport(NOTICE,
			(errmsg("waiting for the report of foreign table \"%s\" since %d s",
					table_name, (int) (waited_us / 1000000)),
			 stats->report_id[0] != '\0' ?
			 errdetail("The service says of report %s: %s (asked %d times).",
					   stats->report_id, state, stats->polls) : 0));
}

/* The report will not come: says why. */
static _Noreturn void
fail_report(PinAcquisition *acquisition, Relation relation, const PinOptions *options,
			const List *plan)
{
	PinError	err = *pin_acquire_error(acquisition);

	if (pin_drift_suspected(&err))
	{
		pin_acquire_finish(acquisition);
		pin_drift_explain(&err, relation, options, plan);
	}
	pin_throw(&err, options->server_name,
			  psprintf("report of foreign table \"%s\": %s",
					   RelationGetRelationName(relation),
					   strVal(list_nth(plan, PIN_PLAN_QUERY))));
}

/* Waits until the report file is here.  Throws if it will not come. */
static void
await_report(PinAcquisition *acquisition, Relation relation, const PinOptions *options,
			 const List *plan)
{
	const PinAcquireStats *stats = pin_acquire_stats(acquisition);
	int64		next_notice = FIRST_NOTICE_US;
	PinAcquireStatus status;

	while ((status = pin_acquire_advance(acquisition)) == PIN_ACQUIRE_WAIT)
	{
		int64		waited = pin_now_us() - stats->started_us;

		if (waited >= next_notice)
		{
			notice_progress(stats, waited, RelationGetRelationName(relation));
			next_notice *= 2;
		}
		pin_wait(pin_acquire_fd(acquisition));
	}

	if (status == PIN_ACQUIRE_FAILED)
		fail_report(acquisition, relation, options, plan);
	if (pin_acquire_leftover(acquisition) != NULL)
		pin_warn(pin_acquire_leftover(acquisition), options->server_name, NULL);
}

PinAcquisition *
pin_report_fetch(Relation relation, const PinOptions *options, const List *plan)
{
	PinNeed    *need = pin_need_create(options, strVal(list_nth(plan, PIN_PLAN_QUERY)));
	PinAcquisition *acquisition = pin_acquire_start(need);

	await_report(acquisition, relation, options, plan);
	pin_acquire_finish(acquisition);
	return acquisition;
}

static const char *
metadata_text(const PinAcquireStats *stats, PinMetadata metadata)
{
	switch (metadata)
	{
		case PIN_METADATA_REPORT_ID:
			return stats->report_id;
		case PIN_METADATA_EXECUTION_ID:
			return stats->execution_id;
		case PIN_METADATA_GENERATED_TIME:
			return stats->generated_time;
		case PIN_METADATA_NONE:
			break;
	}
	pg_unreachable();
}

PinRows *
pin_report_open(Relation relation, const PinOptions *options, const List *plan,
				Bitmapset *needed, const PinAcquisition *acquisition)
{
	const PinAcquireStats *stats = pin_acquire_stats(acquisition);
	PinRowsSource source = {0};
	const List *metadata = list_nth(plan, PIN_PLAN_METADATA);
	ListCell   *lc;

	source.file = pin_report_file_handle(pin_acquire_file(acquisition));
	source.delimiter = options->format == PIN_FORMAT_TSV ? '\t' : ',';
	source.server_name = options->server_name;
	source.table_name = RelationGetRelationName(relation);
	source.tupdesc = RelationGetDescr(relation);
	source.attnums = list_nth(plan, PIN_PLAN_ATTNUMS);
	source.names = list_nth(plan, PIN_PLAN_NAMES);
	source.constant_attnums = list_nth(plan, PIN_PLAN_METADATA_ATTNUMS);
	foreach(lc, metadata)
		source.constants = lappend(source.constants,
								   makeString(pstrdup(metadata_text(stats, lfirst_int(lc)))));
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
