/*-------------------------------------------------------------------------
 *
 * dispatch.c
 *		Where tables of reports and tables of the service's objects part.
 *
 * PostgreSQL has one routine of callbacks for a wrapper, we have two kinds of
 * tables that share nothing.  The callback that meets a table first, when it is
 * planned and when it is executed, gives a table of objects the other routine
 * (src/objects/), and all later calls go there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/dispatch.h"
#include "fdw/fdw.h"
#include "insights/ascii.h"
#include "nodes/parsenodes.h"
#include "objects/objects.h"
#include "utils/rel.h"

void
pinsightDispatchRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	if (pin_object_is_table(foreigntableid))
	{
		baserel->fdwroutine = pin_objects_routine();
		baserel->fdwroutine->GetForeignRelSize(root, baserel, foreigntableid);
	}
	else
		pinsightGetForeignRelSize(root, baserel, foreigntableid);
}

/* A scan of groups has no relation; objects are never grouped by the service. */
void
pinsightDispatchBeginScan(ForeignScanState *node, int eflags)
{
	Relation	relation = node->ss.ss_currentRelation;

	if (relation != NULL && pin_object_is_table(RelationGetRelid(relation)))
	{
		node->fdwroutine = pin_objects_routine();
		node->fdwroutine->BeginForeignScan(node, eflags);
	}
	else
		pinsightBeginForeignScan(node, eflags);
}

/* Of what may be other objects a moment later there is nothing to be known. */
bool
pinsightDispatchAnalyze(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	return !pin_object_is_table(RelationGetRelid(relation)) &&
		pinsightAnalyzeForeignTable(relation, func, totalpages);
}

List *
pinsightDispatchImport(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	if (pin_ascii_equal(stmt->remote_schema, PIN_OBJECTS_SCHEMA))
		return pinsightObjectImport(stmt);
	return pinsightImportForeignSchema(stmt, serverid);
}
