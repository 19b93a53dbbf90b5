/*-------------------------------------------------------------------------
 *
 * dispatch.h
 *		Where tables of reports and tables of the service's objects part.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_DISPATCH_H
#define PIN_DISPATCH_H

#include "foreign/fdwapi.h"

extern void pinsightDispatchRelSize(PlannerInfo *root, RelOptInfo *baserel,
									Oid foreigntableid);
extern void pinsightDispatchBeginScan(ForeignScanState *node, int eflags);
extern bool pinsightDispatchAnalyze(Relation relation, AcquireSampleRowsFunc *func,
									BlockNumber *totalpages);
extern List *pinsightDispatchImport(ImportForeignSchemaStmt *stmt, Oid serverid);

#endif							/* PIN_DISPATCH_H */
