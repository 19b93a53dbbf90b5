/*-------------------------------------------------------------------------
 *
 * pin.c
 *		The snapshots a transaction has used, to be used again.
 *
 * A list in the transaction's memory, in the order in which they were pinned.
 * Each pin keeps its descriptor open, so a snapshot that is evicted meanwhile can
 * still be read.  What counts no more gives that back with the next pin: a
 * transaction may be long.
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
	PinSnapshot *snapshot;		/* keeps the file open; NULL: given back */
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

static bool
still_counts(const Pin *pin)
{
	return pin->snapshot != NULL &&
		(IsolationUsesXactSnapshot() ||
		 pin->statement == GetCurrentStatementStartTimestamp());
}

/* The one that was put for a need, if it counts. */
static Pin *
find(const char *key)
{
	ListCell   *lc;

	foreach(lc, pins)
	{
		Pin		   *pin = lfirst(lc);

		if (still_counts(pin) && strcmp(pin->key, key) == 0)
			return pin;
	}
	return NULL;
}

PinSnapshot *
pin_pin_get(const PinNeed *need)
{
	Pin		   *pin = find(need->key);
	ListCell   *lc;

	if (pin != NULL)
		return pin_snapshot_dup(pin->snapshot);
	foreach(lc, pins)
	{
		pin = lfirst(lc);
		if (still_counts(pin) && pin_snapshot_contains(pin->snapshot, need))
			return pin_snapshot_dup(pin->snapshot);
	}
	return NULL;
}

/*
 * Is that very file pinned?  Then whoever needs it finds it there: the first one
 * that contains a need stays the first.
 */
static bool
is_pinned(const PinSnapshot *snapshot)
{
	ListCell   *lc;

	foreach(lc, pins)
	{
		const Pin  *pin = lfirst(lc);

		if (still_counts(pin) && pin->snapshot->readers == snapshot->readers)
			return true;
	}
	return false;
}

/* Gives back what counts no more; the place of one of them, or NULL. */
static Pin *
give_back(void)
{
	Pin		   *place = NULL;
	ListCell   *lc;

	foreach(lc, pins)
	{
		Pin		   *pin = lfirst(lc);

		if (still_counts(pin))
			continue;
		pin_snapshot_discard(pin->snapshot);
		pin->snapshot = NULL;
		place = pin;
	}
	return place;
}

/* A place at the end, which is emptied with the transaction. */
static Pin *
last_place(void)
{
	Pin		   *pin = give_back();

	if (pin != NULL)
		pins = list_delete_ptr(pins, pin);
	else
	{
		pin = palloc0(sizeof(Pin));
		pin->callback.func = unpin;
		pin->callback.arg = pin;
		MemoryContextRegisterResetCallback(TopTransactionContext, &pin->callback);
	}
	pins = lappend(pins, pin);
	return pin;
}

void
pin_pin_put(const char *key, const PinSnapshot *snapshot)
{
	MemoryContext old;
	Pin		   *pin;

	if (find(key) != NULL || is_pinned(snapshot))
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	pin = last_place();
	pin->snapshot = pin_snapshot_dup(snapshot);
	strlcpy(pin->key, key, sizeof(pin->key));
	pin->statement = GetCurrentStatementStartTimestamp();
	MemoryContextSwitchTo(old);
}
