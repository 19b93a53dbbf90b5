/*-------------------------------------------------------------------------
 *
 * pin.c
 *		The snapshots a transaction has used, to be used again.
 *
 * A list in the transaction's memory.  Each pin keeps its descriptor open,
 * so a snapshot that is evicted meanwhile can still be read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/pg_list.h"
#include "snapshot/pin.h"
#include "utils/memutils.h"

typedef struct Pin
{
	PinHash		key;			/* of the need */
	TimestampTz statement;		/* start of the statement that put it */
	PinSnapshot *snapshot;		/* keeps the file open */
	MemoryContextCallback callback; /* closes it at the transaction's end */
} Pin;

static List *pins = NIL;

static void
unpin(void *arg)
{
	Pin		   *pin = arg;

	pin_snapshot_close(pin->snapshot);
	pins = NIL;					/* all of them go with the transaction */
}

static Pin *
find(const char *key)
{
	ListCell   *lc;

	foreach(lc, pins)
	{
		Pin		   *pin = lfirst(lc);

		if (strcmp(pin->key, key) == 0)
			return pin;
	}
	return NULL;
}

static bool
still_counts(const Pin *pin)
{
	return IsolationUsesXactSnapshot() ||
		pin->statement == GetCurrentStatementStartTimestamp();
}

PinSnapshot *
pin_pin_get(const PinNeed *need)
{
	Pin		   *pin = find(need->key);
	ListCell   *lc;

	if (pin != NULL && still_counts(pin))
		return pin_snapshot_dup(pin->snapshot);
	foreach(lc, pins)
	{
		pin = lfirst(lc);
		if (still_counts(pin) && pin_snapshot_contains(pin->snapshot, need))
			return pin_snapshot_dup(pin->snapshot);
	}
	return NULL;
}

void
pin_pin_put(const char *key, const PinSnapshot *snapshot)
{
	Pin		   *pin = find(key);
	MemoryContext old;

	if (pin != NULL && still_counts(pin))
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	if (pin != NULL)
	{
		PinSnapshot *copy = pin_snapshot_dup(snapshot);

		pin_snapshot_close(pin->snapshot);
		pin->snapshot = copy;
	}
	else
	{
		pin = palloc0(sizeof(Pin));
		strlcpy(pin->key, key, sizeof(pin->key));
		pin->callback.func = unpin;
		pin->callback.arg = pin;
		MemoryContextRegisterResetCallback(TopTransactionContext, &pin->callback);
		pin->snapshot = pin_snapshot_dup(snapshot);
		pins = lappend(pins, pin);
	}
	pin->statement = GetCurrentStatementStartTimestamp();
	MemoryContextSwitchTo(old);
}
