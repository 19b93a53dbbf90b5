/*-------------------------------------------------------------------------
 *
 * fdw.h
 *		What PostgreSQL calls, and what the plan tells the executor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_FDW_H
#define PIN_FDW_H

#include "compat.h"
#include "fdw/table.h"
#include "foreign/fdwapi.h"

/*
 * The list in ForeignScan.fdw_private.  No secret and no option of the user
 * mapping is ever in it: plans are logged and shown.
 */
typedef enum PinPlanItem
{
	PIN_PLAN_QUERY,				/* String: report query text */
	PIN_PLAN_DATASET,			/* String: remote name of the dataset */
	PIN_PLAN_PROGRAM,			/* String: "mpn" or "cmp" */
	PIN_PLAN_ATTNUMS,			/* IntList: the table's columns */
	PIN_PLAN_NAMES,				/* List of String: their remote names */
	PIN_PLAN_METADATA_ATTNUMS,	/* IntList: columns about the execution */
	PIN_PLAN_METADATA,			/* IntList: their PinMetadata */
	PIN_PLAN_METRICS,			/* List of String: names that are metrics */
	PIN_PLAN_WINDOW,			/* String: what the timespan is about, or "" */
	PIN_PLAN_NEEDED				/* IntList: attnums the executor asks for */
} PinPlanItem;

/* in plan.c */

/* The plan of a table, as far as it does not depend on the statement. */
extern List *pin_plan_table(const PinTable *table);

/*
 * How many rows a table has: what its owner says, what its last report had,
 * what ANALYZE counted, or a guess.
 */
extern double pin_plan_rows(Relation relation, const PinOptions *options,
							const PinTable *table);

extern void pinsightGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
									  Oid foreigntableid);
extern void pinsightGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
									Oid foreigntableid);
extern ForeignScan *pinsightGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel,
										   Oid foreigntableid, ForeignPath *best_path,
										   List *tlist, List *scan_clauses,
										   Plan *outer_plan);

/* in scan.c */
extern void pinsightBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pinsightIterateForeignScan(ForeignScanState *node);
extern void pinsightReScanForeignScan(ForeignScanState *node);
extern void pinsightEndForeignScan(ForeignScanState *node);

/* in analyze.c */
extern bool pinsightAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
										BlockNumber *totalpages);

/* in import.c */
extern List *pinsightImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

/* in explain.c */
extern void pinsightExplainForeignScan(ForeignScanState *node, ExplainState *es);

/* "3 h", "12 min", "5 s" */
extern char *pin_duration_text(int64 secs);

#endif							/* PIN_FDW_H */
