/*-------------------------------------------------------------------------
 *
 * inventory.h
 *		What a user has at the service: all reports, all queries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_INVENTORY_H
#define PIN_INVENTORY_H

#include "datatype/timestamp.h"
#include "insights/ask.h"
#include "nodes/pg_list.h"

typedef struct PinRemoteObject
{
	PinId		id;				/* never empty */
	PinId		query_id;		/* of a report: the query it runs; may be
								 * empty */
	char	   *name;			/* UTF-8; "" if it has none */
	bool		recurring;		/* a report that is made again and again */
	TimestampTz created;		/* if that is not told: now */
} PinRemoteObject;

/*
 * All of them as lists of PinRemoteObject, in the current context.  False with
 * *err filled.  Throws on interrupts.
 */
extern bool pin_inventory_reports(PinAsker *asker, List **objects, PinError *err);
extern bool pin_inventory_queries(PinAsker *asker, List **objects, PinError *err);

#endif							/* PIN_INVENTORY_H */
