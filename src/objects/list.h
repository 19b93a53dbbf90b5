/*-------------------------------------------------------------------------
 *
 * list.h
 *		The objects of a kind, one after the other, as the service lists them.
 *
 * One call brings a page; the next one is asked for when its first object is
 * wanted.  Executions are listed report by report: of the reports that are
 * wanted, or else of all there are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_LIST_H
#define PIN_OBJECT_LIST_H

#include "insights/json.h"
#include "objects/call.h"
#include "objects/wish.h"

/* An object, until the next one is asked for. */
typedef struct PinListed
{
	const PinJson *record;		/* as it came */
	const char *report_id;		/* of an execution: whose it was asked for */
	bool		latest;			/* of an execution, if told or wanted */
} PinListed;

typedef struct PinObjectList PinObjectList;

/*
 * A list in a memory context of its own under the current one, which frees it
 * whatever happens.  asker and wish are kept by reference; the wish learns
 * what the service refuses.  The names of server and foreign table are for
 * messages.  Nothing is sent.
 */
extern PinObjectList *pin_object_list(PinAsker *asker, PinObjectWish *wish,
									  const char *server_name, const char *table_name);

/* The next object; false: that was all.  Throws when the service fails. */
extern bool pin_object_next(PinObjectList *list, PinListed *listed);

extern void pin_object_list_free(PinObjectList *list);

#endif							/* PIN_OBJECT_LIST_H */
