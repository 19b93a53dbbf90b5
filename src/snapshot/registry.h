/*-------------------------------------------------------------------------
 *
 * registry.h
 *		What this session has asked the service for and not yet finished.
 *
 * A report that was ordered is dear.  Its remote identity therefore does not
 * live in the scan that ordered it, which a cancel may end at any instant, but
 * in a ticket of the session: the next scan with the same need claims the
 * ticket and goes on where the other one stopped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_REGISTRY_H
#define PIN_REGISTRY_H

#include "datatype/timestamp.h"
#include "insights/api.h"
#include "snapshot/need.h"

/*
 * Name of a remote query or report: "pinsight", 16 hex digits of the need, 8
 * of chance.  Letters, digits and blanks only: nothing else is proven safe.
 */
#define PIN_TICKET_NAME_SIZE 40

typedef struct PinTicket
{
	PinHash		key;			/* the need it serves */
	char		name[PIN_TICKET_NAME_SIZE]; /* of both the remote query and
											 * the report */
	PinId		query_id;		/* empty: none known */
	PinId		report_id;		/* empty: none known */
	bool		query_tried;	/* a create was sent, its outcome unknown */
	bool		report_tried;	/* likewise */
	bool		claimed;		/* a scan is working on it */
	bool		resumed;		/* an earlier scan began it */
	TimestampTz begun;			/* when the first scan claimed it */
} PinTicket;

/*
 * The ticket of an acquisition that was given up, if there is one for this
 * need and it is younger than PIN_TICKET_MAX_AGE, else a new one.  It stays
 * the registry's; the caller ends its claim with release or forget.  Throws
 * only when memory runs out.
 */
extern PinTicket *pin_registry_claim(const char *key);

/*
 * Ends a claim and keeps the ticket for the next scan, unless nothing remote
 * came of it.  Safe in a memory context callback.  Never throws.
 */
extern void pin_registry_release(PinTicket *ticket);

/* Ends a claim for good: nothing remote is left of it.  Never throws. */
extern void pin_registry_forget(PinTicket *ticket);

/* Forgets the remote objects, to start anew under another name. */
extern void pin_registry_renew(PinTicket *ticket);

/*
 * The service refreshes its data once a day at most, so a report begun within
 * that time is as good as a new one; an older one is not picked up.
 */
#define PIN_TICKET_MAX_AGE_HOURS 24

#endif							/* PIN_REGISTRY_H */
