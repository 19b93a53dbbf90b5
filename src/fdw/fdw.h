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
#include "snapshot/snapshot.h"

/*
 * The list in ForeignScan.fdw_private.  No secret and no option of the user
 * mapping is ever in it: plans are logged and shown.
 */
typedef enum PinPlanItem
{
	PIN_PLAN_RELATION,			/* OidList: the table */
	PIN_PLAN_QUERY,				/* String: report query of the whole table, or
								 * QUERY or REPORT and the id of an existing
								 * one; "" if its rows would not do */
	PIN_PLAN_DATASET,			/* String: remote name of the dataset, or "" */
	PIN_PLAN_PROGRAM,			/* String: "mpn" or "cmp" */
	PIN_PLAN_TIMESPAN,			/* String: the table's, or "" */
	PIN_PLAN_ATTNUMS,			/* IntList: columns of the report */
	PIN_PLAN_NAMES,				/* List of String: names of PinTable */
	PIN_PLAN_METADATA_ATTNUMS,	/* IntList: columns about the execution */
	PIN_PLAN_METADATA,			/* IntList: their PinMetadata */
	PIN_PLAN_METRICS,			/* List of String: names that are metrics */
	PIN_PLAN_TIME_COLUMN,		/* String: what the timespan is about, or "" */
	PIN_PLAN_NEEDED,			/* IntList: attnums the executor asks for */
	PIN_PLAN_PUSHED,			/* Integer: what follows is for the report
								 * query, too (fetch 'query') */
	PIN_PLAN_CONDITIONS,		/* List of List: see pin_condition_from_list;
								 * in step with the plan's qual */
	PIN_PLAN_DISTINCT,			/* Integer: duplicates are of no use */
	PIN_PLAN_LIMIT,				/* IntList: places in fdw_exprs of LIMIT and
								 * OFFSET, -1 for none; NIL: all rows */
	PIN_PLAN_ORDER,				/* List of String: columns that LIMIT is
								 * ordered by */
	PIN_PLAN_DESCENDING,		/* IntList: in step, not 0: downwards */
	PIN_PLAN_PREVIEW,			/* Integer: a preview may have enough rows */
	PIN_PLAN_FIRST				/* Integer: as many of the report's first rows
								 * as LIMIT says are enough */
} PinPlanItem;

/* How many of a table's rows, and in which form, a path is about. */
typedef struct PinShape
{
	bool		distinct;		/* duplicates are of no use */
	bool		coarse;			/* groups of metrics may be added up */
	bool		preview;		/* a preview may have enough rows */
	bool		first;			/* the report's first ones are enough */
	Node	   *limit;			/* so many are enough; NULL: all */
	Node	   *offset;			/* beside these; NULL: none */
	List	   *order;			/* of String: limited in that order */
	List	   *descending;		/* of int, in step */
} PinShape;

/* What is known of a table while it is planned: RelOptInfo.fdw_private. */
typedef struct PinPlanning
{
	PinOptions *options;		/* of table and server */
	PinTable   *table;			/* what it stands for */
	bool		correlated;		/* an outer query hands something in */
	bool		looked;			/* for a snapshot at hand */
	PinSnapshotHead *at_hand;	/* what was found; NULL: none */
} PinPlanning;

/* in plan.c */

/* The cost of looking at a row. */
extern Cost pin_plan_row_cost(const RelOptInfo *baserel);

/* A scan in a shape, NULL: plain; rows: how many it will have. */
extern ForeignPath *pin_plan_path(PlannerInfo *root, RelOptInfo *baserel, double rows,
								  Cost startup, PinShape *shape);

/* A plain scan that so many processes share, to be called parallel by its caller. */
extern ForeignPath *pin_plan_partial_path(PlannerInfo *root, RelOptInfo *baserel,
										  double processes);

/* The snapshot a plain scan would read if it ran now; NULL: there is none. */
extern const PinSnapshotHead *pin_plan_at_hand(PlannerInfo *root, RelOptInfo *baserel);

/* Columns the executor will look at, attnums as an IntList. */
extern List *pin_plan_needed(RelOptInfo *baserel, List *clauses, const PinTable *table);

/* The plan of a table, as far as it does not depend on the statement. */
extern List *pin_plan_table(const PinTable *table);

/*
 * How many rows a table has: what its owner says, what its last report had,
 * what ANALYZE counted, or a guess.
 */
extern double pin_plan_rows(Relation relation, const PinOptions *options,
							const PinTable *table);

/* Does a scan of this planned relation set out early? */
extern bool pin_plan_prefetches(const RelOptInfo *baserel);

extern void pinsightGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
									  Oid foreigntableid);
extern void pinsightGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
									Oid foreigntableid);
extern ForeignScan *pinsightGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel,
										   Oid foreigntableid, ForeignPath *best_path,
										   List *tlist, List *scan_clauses,
										   Plan *outer_plan);

/* in upper.c */
extern void pinsightGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
										 RelOptInfo *input_rel, RelOptInfo *output_rel,
										 void *extra);

/* in scan.c */
extern void pinsightBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pinsightIterateForeignScan(ForeignScanState *node);
extern void pinsightReScanForeignScan(ForeignScanState *node);
extern void pinsightEndForeignScan(ForeignScanState *node);

/* in parallel.c */
extern bool pinsightIsForeignScanParallelSafe(PlannerInfo *root, RelOptInfo *rel,
											  RangeTblEntry *rte);
extern Size pinsightEstimateDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt);
extern void pinsightInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt,
											 void *coordinate);
extern void pinsightReInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt,
											   void *coordinate);
extern void pinsightInitializeWorkerForeignScan(ForeignScanState *node, shm_toc *toc,
												void *coordinate);
extern void pinsightShutdownForeignScan(ForeignScanState *node);

/* in prefetch.c */

/* From now on scans set out when the executor runs.  Call it once. */
extern void pin_prefetch_init(void);

/* in async.c */
extern bool pinsightIsForeignPathAsyncCapable(ForeignPath *path);
extern void pinsightForeignAsyncRequest(AsyncRequest *areq);
extern void pinsightForeignAsyncConfigureWait(AsyncRequest *areq);
extern void pinsightForeignAsyncNotify(AsyncRequest *areq);

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
