/*-------------------------------------------------------------------------
 *
 * flight.c
 *		The resolutions that advance together: those of the running executors.
 *
 * One call of pin_http_drive() swallows what would wake the others, so after
 * each all of them are looked at; and once more when one has come to its end,
 * since others may share its rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "snapshot/flight.h"
#include "transport/engine.h"
#include "utils/memutils.h"

/*
 * Descriptors that a report needs on its way: job, turn, connection, file, and
 * then its rows.  One that is waited for must not lack them because of others
 * that are not.
 */
#define DESCRIPTORS 6

/* Between rows, the others are advanced this often. */
#define TEND_US 20000

static List *members = NIL;		/* in TopMemoryContext */
static uint64 seen_drives = 0;	/* of the engine, after the last advance */
static int64 tended_us = 0;		/* when that was */

static bool
is_flying(const PinResolution *r)
{
	return pin_resolve_status(r) == PIN_RESOLVE_WAIT;
}

void
pin_flight_join(PinResolution *r)
{
	MemoryContext old;

	if (list_member_ptr(members, r))
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	members = lappend(members, r);
	MemoryContextSwitchTo(old);
}

void
pin_flight_leave(PinResolution *r)
{
	members = list_delete_ptr(members, r);
}

int
pin_flight_size(void)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, members)
		n += is_flying(lfirst(lc)) ? 1 : 0;
	return n;
}

bool
pin_flight_has_room(void)
{
	return pin_engine_has_room(DESCRIPTORS * (pin_flight_size() + 2));
}

/*
 * The wide one fetches for the narrow one; of two that are alike the first.
 */
bool
pin_flight_fetches(const PinResolution *r)
{
	const PinNeed *need = pin_resolve_need(r);
	bool		before = true;
	ListCell   *lc;

	foreach(lc, members)
	{
		const PinResolution *other = lfirst(lc);
		const PinNeed *others = pin_resolve_need(other);

		if (other == r)
			before = false;
		else if (is_flying(other) && pin_need_contains(others, need) &&
				 (before || !pin_need_contains(need, others)))
			return true;
	}
	return false;
}

/* Back to the start: its own scan will try again, and hear of what is wrong. */
static void
ground(PinResolution *r)
{
	pin_flight_leave(r);
	pin_resolve_land(r);
}

/*
 * Advances one that is not waited for here and now.  What it throws is not for the scan
 * that waits; nor is it lost, since its own scan will meet it again.  Nothing
 * here holds what an abort would have to release.  Interrupts are not its
 * affair: they are held, so that none is caught.
 */
static void
advance_other(PinResolution *r)
{
	MemoryContext old = CurrentMemoryContext;
	uint32		held;

	HOLD_INTERRUPTS();
	held = InterruptHoldoffCount;
	PG_TRY();
	{
		/* without a request it did not even begin: for want of descriptors */
		if (pin_resolve_advance(r) == PIN_RESOLVE_FAILED &&
			!pin_resolve_is_awaited(r) && pin_resolve_stats(r)->requests == 0)
			ground(r);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		FlushErrorState();
		InterruptHoldoffCount = held;
		ground(r);
	}
	PG_END_TRY();
	RESUME_INTERRUPTS();
}

/* Advances all that fly; true if one of them came to its end. */
static bool
advance_all(PinResolution *awaited)
{
	List	   *flying = list_copy(members);
	bool		ended = false;
	ListCell   *lc;

	foreach(lc, flying)
	{
		PinResolution *r = lfirst(lc);

		if (!is_flying(r))
			continue;
		if (r == awaited)
			(void) pin_resolve_advance(r);
		else
			advance_other(r);
		ended |= !is_flying(r) || !list_member_ptr(members, r);
	}
	list_free(flying);
	return ended;
}

/* Whoever is alone has all the room there is. */
static bool
can_join(const PinResolution *r)
{
	return list_member_ptr(members, r) || pin_flight_size() == 0 || pin_flight_has_room();
}

/* Those that nobody waits for yet give way; those that are waited for come to an end. */
static bool
join_awaited(PinResolution *awaited)
{
	List	   *flying = can_join(awaited) ? NIL : list_copy(members);
	ListCell   *lc;

	foreach(lc, flying)
	{
		if (!pin_resolve_is_awaited(lfirst(lc)))
			ground(lfirst(lc));
	}
	list_free(flying);
	if (!can_join(awaited))
		return false;
	pin_flight_join(awaited);
	pin_resolve_await(awaited);
	return true;
}

void
pin_flight_advance(PinResolution *awaited)
{
	bool		joined;

	do
	{
		joined = awaited == NULL || join_awaited(awaited);
		if (pin_engine() != NULL)
			pin_http_drive(pin_engine());
		while (advance_all(awaited))
			;
	} while (!joined && pin_flight_size() == 0);
	seen_drives = pin_engine() != NULL ? pin_http_drives(pin_engine()) : 0;
	tended_us = pin_now_us();
}

void
pin_flight_tend(void)
{
	if (pin_engine() == NULL || pin_now_us() - tended_us < TEND_US)
		return;
	pin_flight_advance(NULL);
	CHECK_FOR_INTERRUPTS();
}

bool
pin_flight_is_due(const PinResolution *awaited)
{
	return !is_flying(awaited) || pin_engine() == NULL ||
		pin_http_drives(pin_engine()) != seen_drives ||
		(!list_member_ptr(members, awaited) && can_join(awaited));
}

int
pin_flight_fd(void)
{
	return pin_http_fd(pin_engine());
}

int64
pin_flight_notice_due(PinResolution *r)
{
	int64		waited = pin_resolve_notice_due(r);
	ListCell   *lc;

	if (waited == 0)
		return 0;
	foreach(lc, members)
	{
		if (is_flying(lfirst(lc)))
			(void) pin_resolve_notice_due(lfirst(lc));
	}
	return waited;
}

void
pin_flight_land(void)
{
	ListCell   *lc;

	foreach(lc, members)
		pin_resolve_land(lfirst(lc));
	list_free(members);
	members = NIL;
}
