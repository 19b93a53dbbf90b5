/*
 * floor.c
 *		A foreign table whose rows cost nothing: what the executor takes by itself.
 *
 * Keeps the first rows of another table in memory, as the values that they are,
 * and hands them out again and again, as many rows as it is told.  No way to
 * keep a report can be read faster than this; so where a query over such a table
 * takes more than some share of the time over an ordinary table, no format can
 * bring it below.
 *
 *	CREATE FUNCTION floor_handler() RETURNS fdw_handler AS '.../floor' LANGUAGE C;
 *	CREATE FOREIGN TABLE floor (...) SERVER floor OPTIONS (source 'heap', rows '1000000');
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"

#include "compat.h"

PG_MODULE_MAGIC;

#define KEPT 1000				/* rows in memory: few, to be in the cache */

typedef struct FloorScan
{
	int			natts;
	int		   *needed;			/* attribute numbers from 0, those asked for */
	int			nneeded;
	int			kept;			/* rows in memory */
	Datum	   *values;			/* natts of each */
	bool	   *nulls;
	int64		rows;			/* to return */
	int64		returned;
	int			next;			/* of the kept */
} FloorScan;

static const char *
option(Oid table, const char *name)
{
	ListCell   *cell;

	foreach(cell, GetForeignTable(table)->options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	elog(ERROR, "option \"%s\" is missing", name);
}

static void
floor_size(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	rel->rows = atoll(option(table, "rows"));
	rel->tuples = rel->rows;
}

static void
floor_paths(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	add_path(rel, (Path *) pin_create_foreignscan_path(root, rel, rel->rows, 0,
													   rel->rows * 0.01, NULL, NIL));
}

static ForeignScan *
floor_plan(PlannerInfo *root, RelOptInfo *rel, Oid table, ForeignPath *path,
		   List *tlist, List *clauses, Plan *outer)
{
	Bitmapset  *attrs = NULL;
	List	   *needed = NIL;
	int			i = -1;

	clauses = extract_actual_clauses(clauses, false);
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attrs);
	pull_varattnos((Node *) clauses, rel->relid, &attrs);
	while ((i = bms_next_member(attrs, i)) >= 0)
		needed = lappend_int(needed, i + FirstLowInvalidHeapAttributeNumber - 1);
	return make_foreignscan(tlist, clauses, rel->relid, NIL, needed, NIL, NIL, outer);
}

/* Takes a row out of its tuple; numbers get the long header that they are read with. */
static void
keep(FloorScan *scan, HeapTuple tuple, TupleDesc desc, int row)
{
	Datum	   *values = scan->values + row * scan->natts;
	bool	   *nulls = scan->nulls + row * scan->natts;

	heap_deform_tuple(heap_copytuple(tuple), desc, values, nulls);
	for (int i = 0; i < scan->natts; i++)
	{
		if (!nulls[i] && TupleDescAttr(desc, i)->atttypid == NUMERICOID)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[i]));
	}
}

static void
floor_begin(ForeignScanState *node, int flags)
{
	FloorScan  *scan = palloc0(sizeof(FloorScan));
	Oid			table = RelationGetRelid(node->ss.ss_currentRelation);
	List	   *needed = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	MemoryContext context = CurrentMemoryContext;
	ListCell   *cell;

	node->fdw_state = scan;
	memset(node->ss.ss_ScanTupleSlot->tts_isnull, true,
		   RelationGetDescr(node->ss.ss_currentRelation)->natts);
	if (flags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	scan->natts = RelationGetDescr(node->ss.ss_currentRelation)->natts;
	scan->rows = atoll(option(table, "rows"));
	scan->needed = palloc(scan->natts * sizeof(int));
	foreach(cell, needed)
		scan->needed[scan->nneeded++] = lfirst_int(cell);

	SPI_connect();
	SPI_execute(psprintf("SELECT * FROM %s LIMIT %d", option(table, "source"), KEPT), true, 0);
	scan->kept = SPI_processed;
	MemoryContextSwitchTo(context);
	scan->values = palloc(scan->kept * scan->natts * sizeof(Datum));
	scan->nulls = palloc(scan->kept * scan->natts * sizeof(bool));
	for (int i = 0; i < scan->kept; i++)
		keep(scan, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, i);
	SPI_finish();
}

static TupleTableSlot *
floor_next(ForeignScanState *node)
{
	FloorScan  *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	const Datum *values = scan->values + scan->next * scan->natts;
	const bool *nulls = scan->nulls + scan->next * scan->natts;

	ExecClearTuple(slot);
	if (scan->returned == scan->rows || scan->kept == 0)
		return slot;
	scan->returned++;
	scan->next = scan->next + 1 == scan->kept ? 0 : scan->next + 1;
	for (int i = 0; i < scan->nneeded; i++)
	{
		slot->tts_values[scan->needed[i]] = values[scan->needed[i]];
		slot->tts_isnull[scan->needed[i]] = nulls[scan->needed[i]];
	}
	return ExecStoreVirtualTuple(slot);
}

static void
floor_rescan(ForeignScanState *node)
{
	FloorScan  *scan = node->fdw_state;

	scan->returned = scan->next = 0;
}

static void
floor_end(ForeignScanState *node)
{
}

PG_FUNCTION_INFO_V1(floor_handler);

Datum
floor_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = floor_size;
	routine->GetForeignPaths = floor_paths;
	routine->GetForeignPlan = floor_plan;
	routine->BeginForeignScan = floor_begin;
	routine->IterateForeignScan = floor_next;
	routine->ReScanForeignScan = floor_rescan;
	routine->EndForeignScan = floor_end;
	PG_RETURN_POINTER(routine);
}
