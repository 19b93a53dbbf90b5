/*-------------------------------------------------------------------------
 *
 * analyze.c
 *		ANALYZE of a table of the service's objects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "objects/objects.h"

bool
pinsightObjectAnalyze(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	return false;
}
