/*-------------------------------------------------------------------------
 *
 * snapshots.c
 *		pinsight_snapshots(): the reports that are kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "service_time.h"
#include "snapshot/cache.h"
#include "snapshot/snapshot.h"
#include "sql/look.h"
#include "sql/row.h"
#include "storage/lmgr.h"
#include "text.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_snapshots);

/*
 * Until when the table it was written for takes these rows for fresh; 0 if that
 * cannot be told: there was none, it was dropped, or is being altered right now,
 * which somebody who only looks on shall not wait for.
 */
static TimestampTz
fresh_until(const PinSnapshotHead *head)
{
	TimestampTz until = 0;

	if (!OidIsValid(head->relid) || !ConditionalLockRelationOid(head->relid, AccessShareLock))
		return 0;
	if (OidIsValid(pin_look_table(head->relid, head->serverid)))
		until = TimestampTzPlusMilliseconds(head->as_of,
											pin_options_plan(head->relid)->max_age_ms);
	UnlockRelationOid(head->relid, AccessShareLock);
	return until;
}

static void
put_snapshot(PinRow *row, const PinSnapshotHead *head, const char *query, int64 hits)
{
	pin_row_name(row, pin_look_server(head->serverid));
	pin_row_oid(row, pin_look_table(head->relid, head->serverid));
	pin_row_name(row, pin_look_role(head->userid));
	pin_row_text(row, pin_text_to_server(query));
	pin_row_time(row, head->as_of);
	pin_row_age(row, head->as_of);
	pin_row_int64(row, pin_snapshot_size(head));
	pin_row_int64(row, head->rows);
	pin_row_int64(row, hits);
	pin_row_time(row, fresh_until(head));
	pin_row_text(row, pin_text_to_server(head->report_id));
	pin_row_text(row, pin_text_to_server(head->execution_id));
	pin_row_time(row, pin_service_time(head->generated_time));
	pin_row_end(row);
}

static void
visit_snapshot(const char *path, void *arg)
{
	PinSnapshot *s;

	CHECK_FOR_INTERRUPTS();
	s = pin_snapshot_open(path);
	if (s == NULL)
		return;					/* removed meanwhile */
	pin_snapshot_close(s);
	if (s->head.database == MyDatabaseId && pin_look_allowed(s->head.userid))
		put_snapshot(arg, &s->head, s->query, pin_snapshot_hits(path));
}

Datum
pinsight_snapshots(PG_FUNCTION_ARGS)
{
	PinRow		row;

	pin_row_begin(&row, fcinfo);
	pin_cache_visit("", PIN_CACHE_SNAPSHOT, visit_snapshot, &row);
	return (Datum) 0;
}
