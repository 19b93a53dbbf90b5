/*-------------------------------------------------------------------------
 *
 * objects.h
 *		Foreign tables of the service's own objects: what PostgreSQL calls.
 *
 * They have a routine of their own: fdw/dispatch.c hands a table over to it
 * when it is first met, in planning and in execution.  What PostgreSQL calls for
 * a relation that it does not scan it looks for in the wrapper's own routine
 * (pinsight_fdw.c): callbacks for changes have to be in both.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECTS_H
#define PIN_OBJECTS_H

#include "compat.h"
#include "foreign/fdwapi.h"
#include "objects/table.h"
#include "objects/wish.h"

/* The remote schema that IMPORT FOREIGN SCHEMA knows them by. */
#define PIN_OBJECTS_SCHEMA "api"

/*
 * The list in ForeignScan.fdw_private.  Values are in fdw_exprs, never here:
 * the first so many belong to the conditions, in step.
 */
typedef enum PinObjectPlanItem
{
	PIN_OBJECT_PLAN_COLUMNS,	/* IntList: columns of the object that the
								 * service is asked by */
	PIN_OBJECT_PLAN_SEVERAL,	/* IntList, in step: not 0, the value is an
								 * array */
	PIN_OBJECT_PLAN_ONLY_LATEST,	/* Integer: latest executions only */
	PIN_OBJECT_PLAN_NEEDED		/* IntList: attnums the executor asks for */
} PinObjectPlanItem;

/* What a table of objects is scanned and changed with; lives for ever. */
extern FdwRoutine *pin_objects_routine(void);

/* in plan.c */
extern void pinsightObjectRelSize(PlannerInfo *root, RelOptInfo *baserel,
								  Oid foreigntableid);
extern void pinsightObjectPaths(PlannerInfo *root, RelOptInfo *baserel,
								Oid foreigntableid);
extern ForeignScan *pinsightObjectPlan(PlannerInfo *root, RelOptInfo *baserel,
									   Oid foreigntableid, ForeignPath *best_path,
									   List *tlist, List *scan_clauses, Plan *outer_plan);

/* in scan.c */
extern void pinsightObjectBeginScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pinsightObjectIterateScan(ForeignScanState *node);
extern void pinsightObjectReScan(ForeignScanState *node);
extern void pinsightObjectEndScan(ForeignScanState *node);

/*
 * A wish that is not for any value yet: what a plan says beside them.  needed
 * are attnums.
 */
extern void pin_object_wish(PinObjectWish *wish, const PinObjectTable *table,
							const List *plan);

/* in explain.c */
extern void pinsightObjectExplain(ForeignScanState *node, ExplainState *es);

/* in import.c */
extern List *pinsightObjectImport(ImportForeignSchemaStmt *stmt);

#endif							/* PIN_OBJECTS_H */
