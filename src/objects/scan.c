/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The executor's side of a scan of the service's objects.
 *
 * Rows are kept while the scan lasts, so that reading them again asks nobody
 * and shows the same.  Only other values to ask by make it a new scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "objects/condition.h"
#include "objects/objects.h"
#include "objects/scan.h"
#include "objects/value.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static List *
plan_of(const ForeignScanState *node)
{
	return ((ForeignScan *) node->ss.ps.plan)->fdw_private;
}

/*
 * May objects go while the scan is read?  Then it must have read them all before,
 * for pages shift.  The statement itself may delete some, or those that stand
 * between one FETCH from a cursor and the next, as in a loop of PL/pgSQL.  A
 * portal without a name is run to its end.
 */
static bool
may_shift(EState *estate)
{
	ListCell   *lc;

	if (ActivePortal != NULL && ActivePortal->name[0] != '\0')
		return true;
	foreach(lc, estate->es_plannedstmt->resultRelations)
	{
		if (exec_rt_fetch(lfirst_int(lc), estate)->relkind == RELKIND_FOREIGN_TABLE)
			return true;
	}
	return false;
}

void
pinsightObjectBeginScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	PinObjectScan *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	scan = palloc0(sizeof(PinObjectScan));
	scan->context = AllocSetContextCreate(estate->es_query_cxt, "pinsight object scan",
										  ALLOCSET_SMALL_SIZES);
	scan->wish_context = AllocSetContextCreate(scan->context, "pinsight object wish",
											   ALLOCSET_SMALL_SIZES);
	scan->row_context = AllocSetContextCreate(scan->context, "pinsight object row",
											  ALLOCSET_SMALL_SIZES);
	scan->relation = node->ss.ss_currentRelation;
	scan->stored = ExecInitExtraTupleSlot(estate, RelationGetDescr(scan->relation),
										  &TTSOpsMinimalTuple);
	scan->values = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	scan->whole = may_shift(estate);

	/* now, as for the privileges: a cursor may be read under another role */
	scan->userid = pin_scan_user(node);
	node->fdw_state = scan;
}

/* ---- what is wanted ---- */

/*
 * The values of the conditions, as they are now, in the current memory context.
 * *never: no row can have them.
 */
static List **
evaluate(ForeignScanState *node, PinObjectScan *scan, bool *never)
{
	List	   *columns = list_nth(plan_of(node), PIN_OBJECT_PLAN_COLUMNS);
	List	   *several = list_nth(plan_of(node), PIN_OBJECT_PLAN_SEVERAL);
	List	  **values = palloc0(sizeof(List *) * scan->table->object->ncolumns);

	*never = false;
	for (int i = 0; i < list_length(columns); i++)
	{
		List	  **known = &values[list_nth_int(columns, i)];
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(list_nth(scan->values, i),
													  node->ss.ps.ps_ExprContext, &isnull);

		if (!isnull)
			*known = list_nth_int(several, i) ? pin_object_values(value) : pin_object_value(value);
		*never |= *known == NIL;
	}
	return values;
}

static bool
same_values(const List *a, const List *b)
{
	if (list_length(a) != list_length(b))
		return false;
	for (int i = 0; i < list_length(a); i++)
	{
		if (strcmp(list_nth(a, i), list_nth(b, i)) != 0)
			return false;
	}
	return true;
}

/* Do the conditions have other values than those that the rows were asked by? */
static bool
wish_has_changed(ForeignScanState *node, PinObjectScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->row_context);
	bool		changed = false;
	bool		never;
	List	  **values = evaluate(node, scan, &never);

	for (int i = 0; i < scan->table->object->ncolumns; i++)
		changed |= !same_values(values[i], scan->wish.values[i]);
	MemoryContextSwitchTo(old);
	return changed;
}

static Bitmapset *
needed_set(const List *attnums)
{
	Bitmapset  *set = NULL;
	ListCell   *lc;

	foreach(lc, attnums)
		set = bms_add_member(set, lfirst_int(lc));
	return set;
}

/* What the scan needs whatever the values are. */
static void
prepare(ForeignScanState *node, PinObjectScan *scan)
{
	PinOptions *options = pin_options_scan(RelationGetRelid(scan->relation), scan->userid);

	scan->table = pin_object_table(scan->relation, options);
	scan->needed = needed_set(list_nth(plan_of(node), PIN_OBJECT_PLAN_NEEDED));
	scan->asker = pin_object_asker(options);
	scan->options = options;
}

static void
begin(ForeignScanState *node, PinObjectScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	bool		never;

	if (scan->options == NULL)
		prepare(node, scan);
	MemoryContextSwitchTo(scan->wish_context);
	pin_object_wish(&scan->wish, scan->table, plan_of(node));
	scan->wish.values = evaluate(node, scan, &never);
	if (!never)
		scan->list = pin_object_list(scan->asker, &scan->wish, scan->options->server_name);
	scan->complete = never;
	MemoryContextSwitchTo(scan->context);
	scan->store = tuplestore_begin_heap(false, false, work_mem);
	MemoryContextSwitchTo(old);
}

/* Forgets the rows. */
static void
start_over(PinObjectScan *scan)
{
	tuplestore_end(scan->store);
	scan->store = NULL;
	scan->list = NULL;
	MemoryContextReset(scan->wish_context);
}

/* ---- rows ---- */

/* The next row as the service has it, also into the store; false: there is none. */
static bool
read_row(PinObjectScan *scan, TupleTableSlot *slot)
{
	MemoryContext old;
	PinListed	listed;

	ExecClearTuple(slot);
	MemoryContextReset(scan->row_context);
	if (scan->complete || !pin_object_next(scan->list, &listed))
	{
		scan->complete = true;
		return false;
	}
	old = MemoryContextSwitchTo(scan->row_context);
	pin_object_row(scan->table, scan->relation, scan->needed, &listed, scan->options->set_null,
				   slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
	tuplestore_puttupleslot(scan->store, slot);
	return true;
}

/* A row that was read before; false: there is no further one. */
static bool
read_again(PinObjectScan *scan, TupleTableSlot *slot)
{
	if (!tuplestore_gettupleslot(scan->store, true, false, scan->stored))
		return false;
	ExecCopySlot(slot, scan->stored);
	return true;
}

TupleTableSlot *
pinsightObjectIterateScan(ForeignScanState *node)
{
	PinObjectScan *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->doubtful && wish_has_changed(node, scan))
		start_over(scan);
	scan->doubtful = false;
	if (scan->store == NULL)
		begin(node, scan);
	while (scan->whole && !scan->complete)
		(void) read_row(scan, slot);
	if (!read_again(scan, slot))
		(void) read_row(scan, slot);
	return slot;
}

void
pinsightObjectReScan(ForeignScanState *node)
{
	PinObjectScan *scan = node->fdw_state;

	if (scan->store == NULL)
		return;
	tuplestore_rescan(scan->store);
	scan->doubtful |= node->ss.ps.chgParam != NULL;
}

void
pinsightObjectEndScan(ForeignScanState *node)
{
	PinObjectScan *scan = node->fdw_state;

	if (scan == NULL)
		return;					/* EXPLAIN */
	if (scan->store != NULL)
		tuplestore_end(scan->store);
	MemoryContextDelete(scan->context);
}
