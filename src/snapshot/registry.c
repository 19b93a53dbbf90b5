/*-------------------------------------------------------------------------
 *
 * registry.c
 *		What this session has asked the service for and not yet finished.
 *
 * A list in TopMemoryContext.  It survives every error: a ticket is linked
 * before it is handed out and each change is a single assignment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "nodes/pg_list.h"
#include "snapshot/registry.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static List *tickets = NIL;

static void
name_ticket(PinTicket *ticket)
{
	uint32		chance = (uint32) pg_prng_uint64(&pg_global_prng_state);

	snprintf(ticket->name, sizeof(ticket->name), "pinsight %.16s %08x",
			 ticket->key, chance);
}

static bool
too_old(const PinTicket *ticket)
{
	return TimestampDifferenceExceeds(ticket->begun, GetCurrentTimestamp(),
									  PIN_TICKET_MAX_AGE_HOURS * SECS_PER_HOUR * 1000);
}

/* Drops a ticket from the list and frees it. */
static void
discard(PinTicket *ticket)
{
	tickets = list_delete_ptr(tickets, ticket);
	pfree(ticket);
}

PinTicket *
pin_registry_claim(const char *key)
{
	PinTicket  *ticket;
	MemoryContext old;
	ListCell   *lc;

	foreach(lc, tickets)
	{
		ticket = lfirst(lc);
		if (ticket->claimed || strcmp(ticket->key, key) != 0)
			continue;
		if (too_old(ticket))
		{
			discard(ticket);
			break;
		}
		ticket->claimed = true;
		ticket->resumed = true;
		return ticket;
	}

	old = MemoryContextSwitchTo(TopMemoryContext);
	ticket = palloc0(sizeof(PinTicket));
	tickets = lappend(tickets, ticket);
	MemoryContextSwitchTo(old);
	strlcpy(ticket->key, key, sizeof(ticket->key));
	name_ticket(ticket);
	ticket->begun = GetCurrentTimestamp();
	ticket->claimed = true;
	return ticket;
}

void
pin_registry_release(PinTicket *ticket)
{
	ticket->claimed = false;
	if (ticket->query_id[0] == '\0' && ticket->report_id[0] == '\0' &&
		!ticket->query_tried && !ticket->report_tried)
		discard(ticket);
}

void
pin_registry_forget(PinTicket *ticket)
{
	discard(ticket);
}

void
pin_registry_renew(PinTicket *ticket)
{
	ticket->query_id[0] = ticket->report_id[0] = '\0';
	ticket->query_tried = ticket->report_tried = false;
	ticket->resumed = false;
	ticket->begun = GetCurrentTimestamp();
	name_ticket(ticket);
}
