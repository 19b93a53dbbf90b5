/*-------------------------------------------------------------------------
 *
 * routine.c
 *		The callbacks of foreign tables of the service's own objects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "objects/modify.h"
#include "objects/objects.h"

static FdwRoutine routine = {
	.type = T_FdwRoutine,

	/* plan.c */
	.GetForeignRelSize = pinsightObjectRelSize,
	.GetForeignPaths = pinsightObjectPaths,
	.GetForeignPlan = pinsightObjectPlan,

	/* scan.c */
	.BeginForeignScan = pinsightObjectBeginScan,
	.IterateForeignScan = pinsightObjectIterateScan,
	.ReScanForeignScan = pinsightObjectReScan,
	.EndForeignScan = pinsightObjectEndScan,

	/* explain.c */
	.ExplainForeignScan = pinsightObjectExplain,

	/* modify.c: the rest is asked of the wrapper's own routine */
	.PlanForeignModify = pinsightPlanForeignModify,
};

FdwRoutine *
pin_objects_routine(void)
{
	return &routine;
}
