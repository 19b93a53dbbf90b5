/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The executor's side of a foreign scan.
 *
 * The first row that is asked for begins the acquisition of the report; a scan
 * that is never asked costs nothing.  All rows come from one file, so a rescan
 * reads the same rows again and never orders a second report.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/scan.h"
#include "options.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * A wait that is longer than this is explained by a notice, and again each
 * time it has doubled: 10 s, 20 s, 40 s, ... are few and soon enough.
 */
#define FIRST_NOTICE_US (10 * INT64CONST(1000000))

void
pinsightBeginForeignScan(ForeignScanState *node, int eflags)
{
	PinScan    *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(PinScan));
	scan->context = AllocSetContextCreate(node->ss.ps.state->es_query_cxt,
										  "pinsight scan", ALLOCSET_SMALL_SIZES);
	scan->plan = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	node->fdw_state = scan;
}

static void
notice_progress(const PinAcquireStats *stats, int64 waited_us, const char *table_name)
{
	ereport(NOTICE,
			(errmsg("waiting for the report of foreign table \"%s\" since %d s",
					table_name, (int) (waited_us / 1000000)),
			 stats->report_id[0] != '\0' ?
			 errdetail("The service says of report %s: %s (asked %d times).",
					   stats->report_id,
					   stats->state[0] != '\0' ? stats->state : "not started",
					   stats->polls) : 0));
}

/* Waits until the report file is here.  Throws if it will not come. */
static void
await_report(PinAcquisition *acquisition, const PinNeed *need, const char *table_name)
{
	const PinAcquireStats *stats = pin_acquire_stats(acquisition);
	int64		next_notice = FIRST_NOTICE_US;
	PinAcquireStatus status;

	while ((status = pin_acquire_advance(acquisition)) == PIN_ACQUIRE_WAIT)
	{
		int64		waited = pin_now_us() - stats->started_us;

		if (waited >= next_notice)
		{
			notice_progress(stats, waited, table_name);
			next_notice *= 2;
		}
		pin_wait(pin_acquire_fd(acquisition));
	}

	if (status == PIN_ACQUIRE_FAILED)
		pin_throw(pin_acquire_error(acquisition), need->options->server_name,
				  psprintf("report of foreign table \"%s\": %s", table_name, need->query));
	if (pin_acquire_leftover(acquisition) != NULL)
		pin_warn(pin_acquire_leftover(acquisition), need->options->server_name, NULL);
}

static Bitmapset *
needed_set(List *attnums)
{
	Bitmapset  *set = NULL;
	ListCell   *lc;

	foreach(lc, attnums)
		set = bms_add_member(set, lfirst_int(lc));
	return set;
}

static void
open_rows(ForeignScanState *node, PinScan *scan, const PinOptions *options)
{
	Relation	relation = node->ss.ss_currentRelation;
	PinRowsSource source;

	source.file = pin_report_file_handle(pin_acquire_file(scan->acquisition));
	source.delimiter = options->format == PIN_FORMAT_TSV ? '\t' : ',';
	source.server_name = options->server_name;
	source.table_name = RelationGetRelationName(relation);
	source.tupdesc = RelationGetDescr(relation);
	source.attnums = list_nth(scan->plan, PIN_PLAN_ATTNUMS);
	source.names = list_nth(scan->plan, PIN_PLAN_NAMES);
	source.needed = needed_set(list_nth(scan->plan, PIN_PLAN_NEEDED));
	source.set_null = options->set_null;
	scan->rows = pin_rows_open(&source);
}

/* Fetches the report and opens it, for the first row. */
static void
fetch_report(ForeignScanState *node, PinScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	Relation	relation = node->ss.ss_currentRelation;
	PinOptions *options = pin_options_scan(RelationGetRelid(relation), pin_scan_user(node));
	PinNeed    *need = pin_need_create(options, strVal(list_nth(scan->plan, PIN_PLAN_QUERY)));

	scan->acquisition = pin_acquire_start(need);
	await_report(scan->acquisition, need, RelationGetRelationName(relation));
	pin_acquire_finish(scan->acquisition);
	open_rows(node, scan, options);
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
pinsightIterateForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->rows == NULL)
		fetch_report(node, scan);

	ExecClearTuple(slot);
	if (pin_rows_next(scan->rows, slot->tts_values, slot->tts_isnull))
		ExecStoreVirtualTuple(slot);
	return slot;
}

void
pinsightReScanForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	if (scan->rows != NULL)
		pin_rows_rewind(scan->rows);
}

void
pinsightEndForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	if (scan == NULL)
		return;					/* EXPLAIN */
	if (scan->rows != NULL)
		pin_rows_close(scan->rows);
	if (scan->acquisition != NULL)
		pin_report_file_close(pin_acquire_file(scan->acquisition));
	MemoryContextDelete(scan->context);
}
