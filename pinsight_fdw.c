/*-------------------------------------------------------------------------
 *
 * pinsight_fdw.c
 *		The front door: what PostgreSQL finds when it loads the library.
 *
 * A foreign-data wrapper for Microsoft Partner Center Insights.  The handler
 * below is the table of contents: each callback's name says where it lives,
 * and docs/internals.md tells the rest of the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/dispatch.h"
#include "fdw/fdw.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "objects/modify.h"
#include "settings.h"
#include "utils/builtins.h"

PIN_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pinsight_fdw_handler);
PG_FUNCTION_INFO_V1(pinsight_fdw_version);

PGDLLEXPORT void _PG_init(void);

/*
 * Nothing is opened here: the library may be preloaded into the postmaster,
 * and no connection may exist before the fork.
 */
void
_PG_init(void)
{
	pin_settings_define();
	pin_prefetch_init();
}

Datum
pinsight_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	/* fdw/dispatch.c: tables of objects (objects/routine.c) go another way */
	routine->GetForeignRelSize = pinsightDispatchRelSize;
	routine->BeginForeignScan = pinsightDispatchBeginScan;
	routine->AnalyzeForeignTable = pinsightDispatchAnalyze;
	routine->ImportForeignSchema = pinsightDispatchImport;

	/* fdw/plan.c */
	routine->GetForeignPaths = pinsightGetForeignPaths;
	routine->GetForeignPlan = pinsightGetForeignPlan;
	routine->GetForeignUpperPaths = pinsightGetForeignUpperPaths;

	/* fdw/scan.c */
	routine->IterateForeignScan = pinsightIterateForeignScan;
	routine->ReScanForeignScan = pinsightReScanForeignScan;
	routine->EndForeignScan = pinsightEndForeignScan;

	/* fdw/parallel.c */
	routine->IsForeignScanParallelSafe = pinsightIsForeignScanParallelSafe;
	routine->EstimateDSMForeignScan = pinsightEstimateDSMForeignScan;
	routine->InitializeDSMForeignScan = pinsightInitializeDSMForeignScan;
	routine->ReInitializeDSMForeignScan = pinsightReInitializeDSMForeignScan;
	routine->InitializeWorkerForeignScan = pinsightInitializeWorkerForeignScan;
	routine->ShutdownForeignScan = pinsightShutdownForeignScan;

	/* fdw/async.c */
	routine->IsForeignPathAsyncCapable = pinsightIsForeignPathAsyncCapable;
	routine->ForeignAsyncRequest = pinsightForeignAsyncRequest;
	routine->ForeignAsyncConfigureWait = pinsightForeignAsyncConfigureWait;
	routine->ForeignAsyncNotify = pinsightForeignAsyncNotify;

	/* fdw/explain.c */
	routine->ExplainForeignScan = pinsightExplainForeignScan;

	/* objects/modify.c */
	routine->IsForeignRelUpdatable = pinsightIsForeignRelUpdatable;
	routine->AddForeignUpdateTargets = pinsightAddForeignUpdateTargets;
	routine->PlanForeignModify = pinsightPlanForeignModify;
	routine->BeginForeignModify = pinsightBeginForeignModify;
	routine->BeginForeignInsert = pinsightBeginForeignInsert;
	routine->ExecForeignInsert = pinsightExecForeignInsert;
	routine->ExecForeignUpdate = pinsightExecForeignUpdate;
	routine->ExecForeignDelete = pinsightExecForeignDelete;
	routine->EndForeignModify = pinsightEndForeignModify;
	routine->EndForeignInsert = pinsightEndForeignInsert;
	routine->ExplainForeignModify = pinsightExplainForeignModify;

	PG_RETURN_POINTER(routine);
}

Datum
pinsight_fdw_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(PINSIGHT_VERSION));
}
