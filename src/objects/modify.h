/*-------------------------------------------------------------------------
 *
 * modify.h
 *		INSERT, UPDATE, DELETE and COPY FROM: what PostgreSQL calls.
 *
 * They are called for all foreign tables; those of reports are read only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_MODIFY_H
#define PIN_OBJECT_MODIFY_H

#include "compat.h"
#include "foreign/fdwapi.h"

extern int	pinsightIsForeignRelUpdatable(Relation relation);
extern void pinsightAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
											RangeTblEntry *target_rte,
											Relation target_relation);
extern List *pinsightPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
									   Index resultRelation, int subplan_index);
extern void pinsightBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
									   List *fdw_private, int subplan_index, int eflags);
extern void pinsightBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern TupleTableSlot *pinsightExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
												 TupleTableSlot *slot,
												 TupleTableSlot *planSlot);
extern TupleTableSlot *pinsightExecForeignUpdate(EState *estate, ResultRelInfo *rinfo,
												 TupleTableSlot *slot,
												 TupleTableSlot *planSlot);
extern TupleTableSlot *pinsightExecForeignDelete(EState *estate, ResultRelInfo *rinfo,
												 TupleTableSlot *slot,
												 TupleTableSlot *planSlot);
extern void pinsightEndForeignModify(EState *estate, ResultRelInfo *rinfo);
extern void pinsightEndForeignInsert(EState *estate, ResultRelInfo *rinfo);
extern void pinsightExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
										 List *fdw_private, int subplan_index,
										 struct ExplainState *es);

#endif							/* PIN_OBJECT_MODIFY_H */
