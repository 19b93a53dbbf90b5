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

#include "access/table.h"
#include "access/xact.h"
#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/preview.h"
#include "fdw/report.h"
#include "fdw/scan.h"
#include "utils/memutils.h"
#include "utils/rel.h"

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

	/* a scan of groups has no relation that the executor opens */
	scan->relation = node->ss.ss_currentRelation != NULL ? node->ss.ss_currentRelation :
		table_open(linitial_oid(list_nth(scan->plan, PIN_PLAN_RELATION)), NoLock);

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

/*
 * May a preview answer instead of a report?  Not where a transaction shall see
 * the same rows all the time, nor where a snapshot is at hand.
 */
static bool
preview_is_worth_it(Relation relation, const PinScan *scan)
{
	return intVal(list_nth(scan->plan, PIN_PLAN_PREVIEW)) != 0 &&
		scan->query->rows > 0 && scan->query->rows <= PIN_PREVIEW_ROWS &&
		!IsolationUsesXactSnapshot() &&
		!pin_report_at_hand(relation, scan->userid, scan->options, scan->query);
}

/* Finds or fetches the rows and opens them, for the first row. */
static void
fetch_rows(ForeignScanState *node, PinScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	Relation	relation = scan->relation;

	scan->query = pin_query_of_scan(node, false);
	scan->options = pin_options_scan(RelationGetRelid(relation), scan->userid);
	scan->counted = !scan->query->everything;
	if (scan->query->never)
	{
		MemoryContextSwitchTo(old);
		return;
	}
	if (preview_is_worth_it(relation, scan))
	{
		scan->rows = pin_preview_open(node, relation, scan->options, scan->plan, scan->query);
		scan->counted = true;
	}
	if (scan->rows != NULL)
	{
		MemoryContextSwitchTo(old);
		return;
	}
	scan->resolution = pin_report_fetch(relation, scan->userid, scan->options, scan->plan,
										scan->query);
	scan->rows = pin_report_open(relation, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
								 scan->options, scan->plan,
								 needed_set(list_nth(scan->plan, PIN_PLAN_NEEDED)),
								 scan->resolution);
	MemoryContextSwitchTo(old);
}

/* The end of the report: the planner shall know how far it was. */
static void
count_rows(ForeignScanState *node, PinScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	pin_report_counted(scan->relation, scan->options, scan->plan,
					   (double) pin_rows_count(scan->rows));
	scan->counted = true;
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
pinsightIterateForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->query == NULL)
		fetch_rows(node, scan);

	ExecClearTuple(slot);
	if (scan->query->never)
		return slot;
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
	if (scan->relation != node->ss.ss_currentRelation)
		table_close(scan->relation, NoLock);
	MemoryContextDelete(scan->context);
}
