/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The executor's side of a foreign scan.
 *
 * A scan sets out when the executor runs (prefetch.c), or else when its first
 * row is asked for, and only then is it waited for.  All rows come from one
 * file, so a rescan reads the same rows again and never orders a second report.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/report.h"
#include "fdw/scan.h"
#include "snapshot/flight.h"
#include "transport/wait.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* The others that are under way are tended to after so many rows: a power of 2. */
#define TEND_ROWS 256

int			pin_scans = 0;

/* In a memory context callback: throws nothing, waits for nothing. */
static void
let_go(void *arg)
{
	PinScan    *scan = arg;

	pin_wait_close(scan->bell);
	scan->bell = -1;
	pin_scans--;
}

void
pinsightBeginForeignScan(ForeignScanState *node, int eflags)
{
	PinScan    *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(PinScan));
	scan->context = AllocSetContextCreate(node->ss.ps.state->es_query_cxt,
										  "pinsight scan", ALLOCSET_SMALL_SIZES);
	scan->bell = -1;
	scan->callback.func = let_go;
	scan->callback.arg = scan;
	MemoryContextRegisterResetCallback(scan->context, &scan->callback);
	pin_scans++;
	scan->plan = ((ForeignScan *) node->ss.ps.plan)->fdw_private;

	/* now, as for the privileges: a cursor may be read under another role */
	scan->userid = pin_scan_user(node);
	node->fdw_state = scan;
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

/* States what the scan needs; nothing is asked for it yet. */
static void
begin(ForeignScanState *node, PinScan *scan, PinOptions *options)
{
	scan->options = options;
	scan->resolution = pin_report_begin(node->ss.ss_currentRelation, scan->userid,
										options, scan->plan);
}

void
pin_scan_prefetch(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	MemoryContext old;

	if (scan == NULL || scan->rows != NULL)
		return;
	old = MemoryContextSwitchTo(scan->context);
	if (scan->resolution == NULL && pin_flight_has_room())
	{
		PinOptions *options =
		pin_options_prospect(RelationGetRelid(node->ss.ss_currentRelation), scan->userid);

		if (options != NULL && options->prefetch)
			begin(node, scan, options);
	}
	if (scan->resolution != NULL)
		pin_flight_join(scan->resolution);
	MemoryContextSwitchTo(old);
}

bool
pin_scan_is_ready(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	Relation	relation = node->ss.ss_currentRelation;
	MemoryContext old;

	if (scan->rows != NULL)
		return true;
	old = MemoryContextSwitchTo(scan->context);
	if (scan->resolution == NULL)
		begin(node, scan, pin_options_scan(RelationGetRelid(relation), scan->userid));
	if (pin_report_is_here(scan->resolution, relation, scan->options, scan->plan))
		scan->rows = pin_report_open(relation, scan->options, scan->plan,
									 needed_set(list_nth(scan->plan, PIN_PLAN_NEEDED)),
									 scan->resolution);
	MemoryContextSwitchTo(old);
	return scan->rows != NULL;
}

/* The end of the report: the planner shall know how far it was. */
static void
count_rows(ForeignScanState *node, PinScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	pin_report_counted(node->ss.ss_currentRelation, scan->options, scan->plan,
					   (double) pin_rows_count(scan->rows));
	scan->counted = true;
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
pinsightIterateForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	while (!pin_scan_is_ready(node))
		pin_wait(pin_flight_fd(), pin_resolve_waits_for(scan->resolution));
	if ((++scan->asked & (TEND_ROWS - 1)) == 0)
		pin_flight_tend();

	ExecClearTuple(slot);
	if (pin_rows_next(scan->rows, slot->tts_values, slot->tts_isnull))
		ExecStoreVirtualTuple(slot);
	else if (!scan->counted)
		count_rows(node, scan);
	return slot;
}

void
pinsightReScanForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	if (scan->rows == NULL)
		return;
	pin_rows_rewind(scan->rows);
	scan->counted = true;		/* from here on rows come twice */
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
