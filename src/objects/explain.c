/*-------------------------------------------------------------------------
 *
 * explain.c
 *		What EXPLAIN says of a scan of the service's objects: its calls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "objects/objects.h"
#include "objects/scan.h"
#include "utils/rel.h"

void
pinsightObjectExplain(ForeignScanState *node, ExplainState *es)
{
	PinOptions *options = pin_options_plan(RelationGetRelid(node->ss.ss_currentRelation));

	ExplainPropertyText("API Object", pin_object_find(options->api_object)->name, es);
}
