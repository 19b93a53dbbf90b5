/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The executor's side of a foreign scan.
 *
 * A scan sets out when the executor runs (prefetch.c), or else when its first
 * row is asked for, and only then is it waited for.  All rows come from one
 * file, so a rescan reads the same rows again and never orders a second report.
 *
 * A scan looks at its condition itself, not the executor: so it can read the
 * columns that are in it first, and the others only for rows that fulfill it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "attempt.h"
#include "compat.h"
#include "executor/instrument.h"
#include "fdw/fdw.h"
#include "fdw/glance.h"
#include "fdw/parallel.h"
#include "fdw/preview.h"
#include "fdw/report.h"
#include "fdw/scan.h"
#include "optimizer/optimizer.h"
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
	pin_snapshot_close(scan->joined);
	pin_scans--;
}

/*
 * Takes the condition off the node.  Not where the executor has a row already
 * and looks at it again (EvalPlanQual), since it does not ask us for one then;
 * nor for groups, which are few, and whose rows have no columns of a table.
 */
static void
take_condition(ForeignScanState *node, PinScan *scan)
{
	if (node->ss.ps.state->es_epq_active != NULL || node->ss.ss_currentRelation == NULL)
		return;
	scan->condition = node->ss.ps.qual;
	scan->glance = pin_glance_at(node->ss.ps.plan);
	node->ss.ps.qual = NULL;
	node->ss.ss_ScanTupleSlot->tts_tableOid = RelationGetRelid(scan->relation);
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

	/* a scan of groups has no relation that the executor opens */
	scan->relation = node->ss.ss_currentRelation != NULL ? node->ss.ss_currentRelation :
		table_open(linitial_oid(list_nth(scan->plan, PIN_PLAN_RELATION)), NoLock);

	/* now, as for the privileges: a cursor may be read under another role */
	scan->userid = pin_scan_user(node);
	take_condition(node, scan);
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

/* The needed columns that the condition can do without; NULL: none. */
static Bitmapset *
late_set(const ForeignScanState *node, const PinScan *scan)
{
	const Scan *plan = (Scan *) node->ss.ps.plan;
	Bitmapset  *used = NULL;
	Bitmapset  *late = NULL;
	ListCell   *lc;

	if (scan->condition == NULL)
		return NULL;
	pull_varattnos((Node *) plan->plan.qual, plan->scanrelid, &used);
	if (bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used))
		return NULL;			/* the row as a whole */
	foreach(lc, (const List *) list_nth(scan->plan, PIN_PLAN_NEEDED))
	{
		if (!bms_is_member(lfirst_int(lc) - FirstLowInvalidHeapAttributeNumber, used))
			late = bms_add_member(late, lfirst_int(lc));
	}
	return late;
}

/* States what the scan needs; nothing is asked for it yet. */
static void
state_need(ForeignScanState *node, PinScan *scan, PinOptions *options)
{
	scan->options = options;
	scan->query = pin_query_of_scan(node, false);
}

/* Arguments of state_need, for an attempt. */
typedef struct Statement
{
	ForeignScanState *node;
	PinScan    *scan;
	PinOptions *options;
} Statement;

static void
attempt_statement(void *arg)
{
	Statement  *s = arg;

	state_need(s->node, s->scan, s->options);
}

/*
 * The same before its time: then a value that cannot be computed is no error,
 * since the scan may never be asked for a row.
 */
static void
try_to_state_need(ForeignScanState *node, PinScan *scan, PinOptions *options)
{
	Statement	statement = {.node = node,.scan = scan,.options = options};
	ErrorData  *error;

	if (!pin_subtransaction_allowed())
		return;
	error = pin_attempt_unless_cancelled(attempt_statement, &statement);
	if (error != NULL)
		FreeErrorData(error);
}

static void
begin(PinScan *scan)
{
	scan->resolution = pin_report_begin(scan->relation, scan->userid, scan->options, scan->plan,
										scan->query);
}

/* Not where a snapshot is at hand. */
static void
open_preview(ForeignScanState *node, PinScan *scan)
{
	if (!scan->query->preview || pin_resolve_at_hand(scan->resolution))
		return;
	scan->rows = pin_preview_open(node, scan->condition != NULL ? scan->condition : node->ss.ps.qual,
								  scan->relation, scan->options, scan->plan, scan->query);
	if (scan->rows != NULL)
		scan->resolution = NULL;	/* of no use, and gone with the scan */
}

/* May it set out now?  States its need if that is known. */
static bool
may_set_out(ForeignScanState *node, PinScan *scan)
{
	if (scan->query == NULL)
	{
		ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
		PinOptions *options = pin_options_prospect(RelationGetRelid(scan->relation),
												   scan->userid);

		if (options == NULL || !options->prefetch || pin_query_is_late(plan))
			return false;
		if (pin_query_may_fail(plan))
			try_to_state_need(node, scan, options);
		else
			state_need(node, scan, options);
	}
	return scan->query != NULL && !scan->query->never && !scan->query->preview && pin_flight_has_room();
}

void
pin_scan_prefetch(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	MemoryContext old;

	if (scan == NULL || scan->rows != NULL || pin_parallel_is_worker(node))
		return;
	old = MemoryContextSwitchTo(scan->context);
	if (scan->resolution == NULL && may_set_out(node, scan))
		begin(scan);
	if (scan->resolution != NULL)
		pin_flight_join(scan->resolution);
	MemoryContextSwitchTo(old);
}

/* The table's own type knows which columns are never null; the slot's does not. */
static TupleDesc
row_type(const ForeignScanState *node)
{
	return node->ss.ss_currentRelation != NULL ? RelationGetDescr(node->ss.ss_currentRelation) :
		node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
}

/* Opens the rows of a snapshot. */
static void
open_rows(ForeignScanState *node, PinScan *scan, const PinSnapshot *snapshot)
{
	scan->snapshot = snapshot;
	scan->rows = pin_report_open(scan->relation, row_type(node), scan->options, scan->plan,
								 needed_set(list_nth(scan->plan, PIN_PLAN_NEEDED)),
								 late_set(node, scan), snapshot);
	scan->alike = snapshot->head.regular && pin_rows_are_alike(scan->rows);
	scan->empty = scan->alike && list_nth(scan->plan, PIN_PLAN_NEEDED) == NIL;
}

/* A worker reads what the leader has. */
static void
join(ForeignScanState *node, PinScan *scan)
{
	scan->options = pin_options_plan(RelationGetRelid(scan->relation));
	scan->joined = pin_parallel_join(scan->parallel);
	if (scan->joined != NULL)
		open_rows(node, scan, scan->joined);
	else
		scan->ended = true;
}

/* The planner shall know how many rows there are. */
static void
count_rows(PinScan *scan)
{
	if (scan->query->everything && scan->snapshot->head.regular)
		pin_report_counted(scan->relation, scan->options, scan->plan,
						   (double) scan->snapshot->head.rows);
}

/* Finds or fetches the rows, as far as that can be done now. */
static void
advance(ForeignScanState *node, PinScan *scan)
{
	if (scan->query == NULL)
		state_need(node, scan, pin_options_scan(RelationGetRelid(scan->relation),
												scan->userid));
	scan->ended = scan->query->never;
	if (scan->ended)
		return;
	if (scan->resolution == NULL)
	{
		begin(scan);
		open_preview(node, scan);
	}
	if (scan->rows == NULL &&
		pin_report_is_here(scan->resolution, scan->relation, scan->options, scan->plan,
						   scan->query))
	{
		open_rows(node, scan, pin_resolve_snapshot(scan->resolution));
		count_rows(scan);
	}
}

bool
pin_scan_is_ready(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	MemoryContext old;

	if (scan->rows != NULL || scan->ended)
		return true;
	old = MemoryContextSwitchTo(scan->context);
	if (pin_parallel_is_worker(node))
		join(node, scan);
	else
		advance(node, scan);
	MemoryContextSwitchTo(old);
	return scan->rows != NULL || scan->ended;
}

void
pin_scan_await(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	while (!pin_scan_is_ready(node))
		pin_wait(pin_flight_fd(), pin_resolve_waits_for(scan->resolution));
}

/*
 * The plan was made so that nobody asks for more rows than the report's first, of
 * which there are enough.
 */
static void
check_end(const PinScan *scan)
{
	if (scan->begun && scan->snapshot != NULL && scan->snapshot->first)
		elog(ERROR, "foreign table \"%s\" was asked for more than the first rows of its report",
			 RelationGetRelationName(scan->relation));
}

/* Goes on to rows that were not read yet: all, or what other processes leave us. */
static bool
begin_part(PinScan *scan, TupleTableSlot *slot)
{
	PinPart		part = {.whole = true};

	check_end(scan);
	scan->ended = scan->ended || scan->rows == NULL ||
		(scan->parallel != NULL ? !pin_parallel_next(scan->parallel, &part) : scan->begun);
	if (scan->ended)
		return false;
	scan->begun = true;
	if (scan->alike)
	{
		scan->left = part.whole ? scan->snapshot->head.rows : part.range.rows;
		pin_rows_alike(scan->rows, slot->tts_values, slot->tts_isnull);
	}
	else if (!part.whole)
		pin_rows_read_part(scan->rows, part.range.offset, part.end, part.range.line);
	return true;
}

/* The next row, into a slot that is empty; false if there is none. */
static bool
next_row(PinScan *scan, TupleTableSlot *slot)
{
	do
	{
		if (scan->left > 0)
		{
			scan->left--;
			if (!scan->empty)	/* somebody may have moved the values */
				pin_rows_alike(scan->rows, slot->tts_values, slot->tts_isnull);
			return true;
		}
		if (scan->begun && !scan->alike &&
			pin_rows_next(scan->rows, slot->tts_values, slot->tts_isnull))
			return true;
	} while (begin_part(scan, slot));
	return false;
}

/* Leaves out a row that does not fulfill the condition. */
static inline void
leave_out(ForeignScanState *node)
{
	InstrCountFiltered1(node, 1);
	CHECK_FOR_INTERRUPTS();
}

/* Does the row in the slot fulfill the condition? */
static inline bool
fulfills(ForeignScanState *node, PinScan *scan, TupleTableSlot *slot)
{
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	econtext->ecxt_scantuple = slot;
	if (ExecQual(scan->condition, econtext))
		return true;
	leave_out(node);
	ResetExprContext(econtext);
	return false;
}

/*
 * The next row that fulfills the condition, with all that is needed of it.
 * False at the end.
 */
static bool
read_row(ForeignScanState *node, PinScan *scan, TupleTableSlot *slot)
{
	do
	{
		ExecClearTuple(slot);
		for (;;)
		{
			if ((++scan->read & (TEND_ROWS - 1)) == 0)
				pin_flight_tend();
			if (!next_row(scan, slot))
				return false;
			if (!pin_glance_rejects(&scan->glance, slot))
				break;
			leave_out(node);
		}
		ExecStoreVirtualTuple(slot);
	} while (!fulfills(node, scan, slot));
	if (!scan->alike)
		pin_rows_complete(scan->rows, slot->tts_values, slot->tts_isnull);
	return true;
}

TupleTableSlot *
pinsightIterateForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->left == 0)
		pin_scan_await(node);
	(void) read_row(node, scan, slot);
	return slot;
}

void
pinsightReScanForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	if (scan->rows == NULL)
		return;
	pin_rows_rewind(scan->rows);
	scan->begun = scan->ended = false;
	scan->left = 0;
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
