/*-------------------------------------------------------------------------
 *
 * scan.c
 *		The executor's side of a scan of the service's objects.
 *
 * All rows are read before the first is given, and kept while the scan lasts: pages
 * of a list shift when objects go, and whoever reads it may delete them, be it by
 * the statement, a function that it calls, a trigger, or between two rows of a
 * cursor.  Reading them again asks nobody and shows the same.  Only other values
 * to ask by make it a new scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "objects/condition.h"
#include "objects/objects.h"
#include "objects/scan.h"
#include "objects/value.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static List *
plan_of(const ForeignScanState *node)
{
	return ((ForeignScan *) node->ss.ps.plan)->fdw_private;
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
	MemoryContextReset(scan->row_context);
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

/* ---- rows ---- */

/* Reads what the service lists into the store. */
static void
read_rows(PinObjectScan *scan, PinObjectList *list)
{
	TupleDesc	tupdesc = RelationGetDescr(scan->relation);
	PinListed	listed;

	while (pin_object_next(list, &listed))
	{
		MemoryContext old = MemoryContextSwitchTo(scan->row_context);
		Datum	   *values = palloc(sizeof(Datum) * (tupdesc->natts + 1));
		bool	   *isnull = palloc(sizeof(bool) * (tupdesc->natts + 1));

		pin_object_row(scan->table, scan->relation, scan->needed, &listed,
					   scan->options->set_null, values, isnull);
		pin_object_check_nulls(scan->table, scan->relation, scan->needed, isnull);
		tuplestore_putvalues(scan->store, tupdesc, values, isnull);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scan->row_context);
	}
}

/* Reads all rows for the values that the conditions have now. */
static void
fill_store(ForeignScanState *node, PinObjectScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	PinObjectList *list;
	bool		never;

	if (scan->options == NULL)
		prepare(node, scan);
	scan->store = tuplestore_begin_heap(false, false, work_mem);
	MemoryContextSwitchTo(scan->wish_context);
	pin_object_wish(&scan->wish, scan->table, plan_of(node));
	scan->wish.values = evaluate(node, scan, &never);
	if (!never)
	{
		list = pin_object_list(scan->asker, &scan->wish, scan->options->server_name,
							   RelationGetRelationName(scan->relation));
		read_rows(scan, list);
		pin_object_list_free(list);
	}
	MemoryContextSwitchTo(old);
}

static void
empty_store(PinObjectScan *scan)
{
	tuplestore_end(scan->store);
	scan->store = NULL;
	MemoryContextReset(scan->wish_context);
}

TupleTableSlot *
pinsightObjectIterateScan(ForeignScanState *node)
{
	PinObjectScan *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->doubtful && wish_has_changed(node, scan))
		empty_store(scan);
	scan->doubtful = false;
	if (scan->store == NULL)
		fill_store(node, scan);
	if (!tuplestore_gettupleslot(scan->store, true, false, scan->stored))
		return ExecClearTuple(slot);
	(void) ExecCopySlot(slot, scan->stored);

	/* what was read from disk is in memory that the next row does not find */
	(void) ExecClearTuple(scan->stored);
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
