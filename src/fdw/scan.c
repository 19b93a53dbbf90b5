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
#include "settings.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

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

/* Says what a scan is waiting for, whoever works on it. */
static void
notice_progress(const PinResolution *resolution, int64 waited_us, const char *table_name)
{
	PinJobState job;
	bool		known = pin_resolve_progress(resolution, &job);

	ereport(NOTICE,
			(errmsg("waiting for the report of foreign table \"%s\" since %d s",
					table_name, (int) (waited_us / 1000000)),
			 known && job.report_id[0] != '\0' ?
			 errdetail("The service says of report %s: %s (asked %d times).",
					   job.report_id, job.said[0] != '\0' ? job.said : "not started",
					   job.polls) :
			 known ? errdetail("Step: %s.", job.phase) : 0));
}

/* Waits until rows are here.  Throws if none will come. */
static void
await_rows(PinResolution *resolution, const PinNeed *need, const char *table_name)
{
	int64		started = pin_now_us();
	int64		next_notice = FIRST_NOTICE_US;
	PinResolveStatus status;

	while ((status = pin_resolve_advance(resolution)) == PIN_RESOLVE_WAIT)
	{
		int64		waited = pin_now_us() - started;

		if (pin_progress && waited >= next_notice)
		{
			notice_progress(resolution, waited, table_name);
			next_notice *= 2;
		}
		pin_wait(pin_resolve_fd(resolution));
	}

	if (status == PIN_RESOLVE_FAILED)
		pin_throw(pin_resolve_error(resolution), need->options->server_name,
				  psprintf("report of foreign table \"%s\": %s", table_name, need->query));
	if (pin_resolve_leftover(resolution) != NULL)
		pin_warn(pin_resolve_leftover(resolution), need->options->server_name, NULL);
}

/* The rows are older than max_age allows, but not older than stale_ok. */
static void
warn_stale(const PinResolution *resolution, const char *table_name)
{
	TimestampTz as_of = pin_resolve_snapshot(resolution)->head.as_of;
	int64		minutes = (GetCurrentTimestamp() - as_of) / USECS_PER_MINUTE;

	ereport(WARNING,
			(errmsg("rows of foreign table \"%s\" are " INT64_FORMAT " min old",
					table_name, minutes),
			 errdetail("Nothing fresher could be had: %s.",
					   pin_text_to_server(pin_resolve_error(resolution)->message))));
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
	const PinSnapshot *snapshot = pin_resolve_snapshot(scan->resolution);
	PinRowsSource source;

	source.fd = snapshot->fd;
	source.offset = snapshot->head.head_size;
	source.size = snapshot->head.data_size;
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

/* Finds or fetches the rows and opens them, for the first row. */
static void
fetch_rows(ForeignScanState *node, PinScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	Relation	relation = node->ss.ss_currentRelation;
	Oid			userid = pin_scan_user(node);
	PinOptions *options = pin_options_scan(RelationGetRelid(relation), userid);
	PinNeed    *need = pin_need_create(options, strVal(list_nth(scan->plan, PIN_PLAN_QUERY)),
									   RelationGetRelid(relation), userid);

	scan->resolution = pin_resolve_start(need);
	await_rows(scan->resolution, need, RelationGetRelationName(relation));
	if (pin_resolve_from(scan->resolution) == PIN_ROWS_STALE)
		warn_stale(scan->resolution, RelationGetRelationName(relation));
	open_rows(node, scan, options);
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
pinsightIterateForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->rows == NULL)
		fetch_rows(node, scan);

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
	MemoryContextDelete(scan->context);
}
