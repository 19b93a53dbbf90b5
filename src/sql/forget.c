/*-------------------------------------------------------------------------
 *
 * forget.c
 *		pinsight_forget(): removes the snapshots of a foreign table.
 *
 * A scan that reads one meanwhile keeps its rows until it is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "compat.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "snapshot/cache.h"
#include "snapshot/snapshot.h"
#include "sql/look.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(pinsight_forget);

typedef struct Forgetting
{
	Oid			relid;			/* the table */
	bool		all;			/* whoever fetched them */
	int			removed;		/* so far */
} Forgetting;

static void
visit_snapshot(const char *path, void *arg)
{
	Forgetting *forgetting = arg;
	PinSnapshot *s;

	CHECK_FOR_INTERRUPTS();
	s = pin_snapshot_open(path);
	if (s == NULL)
		return;
	pin_snapshot_close(s);
	if (s->head.database != MyDatabaseId || s->head.relid != forgetting->relid ||
		!(forgetting->all || has_privs_of_role(GetUserId(), s->head.userid)))
		return;
	if (unlink(path) == 0)
	{
		forgetting->removed++;
		pin_snapshot_forget_hits(path);
	}
	else if (errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not remove snapshot \"%s\": %m", path)));
}

Datum
pinsight_forget(PG_FUNCTION_ARGS)
{
	Forgetting	forgetting = {.relid = PG_GETARG_OID(0)};

	(void) pin_look_foreign_table(forgetting.relid);
	pin_look_check_report_table(forgetting.relid);
	forgetting.all = pin_is_table_owner(forgetting.relid);
	pin_cache_visit("", PIN_CACHE_SNAPSHOT, visit_snapshot, &forgetting);
	PG_RETURN_INT32(forgetting.removed);
}
