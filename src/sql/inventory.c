/*-------------------------------------------------------------------------
 *
 * inventory.c
 *		What a user has at the service: all reports, all queries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "service_time.h"
#include "sql/inventory.h"
#include "utils/timestamp.h"

/* Pages that are followed; a user has at most some hundred objects. */
#define MAX_PAGES 100

/* What the reader of a page leaves behind. */
typedef struct Listing
{
	MemoryContext context;		/* the caller's */
	List	   *objects;		/* so far */
	char	   *next_link;		/* where the list goes on; NULL: nowhere */
} Listing;

/* In the caller's context, as turn_page. */
static PinRemoteObject *
add_object(Listing *listing, const char *id, const char *name, const char *created)
{
	PinRemoteObject *object = palloc0(sizeof(PinRemoteObject));

	strlcpy(object->id, id, sizeof(object->id));
	object->name = pstrdup(name != NULL ? name : "");
	object->created = created != NULL ? pin_service_time(created) : 0;
	if (object->created == 0)
		object->created = GetCurrentTimestamp();
	listing->objects = lappend(listing->objects, object);
	return object;
}

static void
turn_page(Listing *listing, const char *next_link)
{
	listing->next_link = next_link != NULL ? pstrdup(next_link) : NULL;
}

static bool
read_reports(const PinReply *reply, void *arg, PinError *err)
{
	Listing    *listing = arg;
	MemoryContext old;
	PinReportList list;

	if (!pin_api_find_reports_reply(reply, &list, err))
		return false;
	old = MemoryContextSwitchTo(listing->context);
	for (size_t i = 0; i < list.count; i++)
	{
		const PinRemoteReport *report = &list.items[i];
		PinRemoteObject *object = add_object(listing, report->id, report->name,
											 report->created_time);

		strlcpy(object->query_id, report->query_id, sizeof(PinId));
		object->recurring = !report->execute_now && report->recurrence_hours > 0;
	}
	turn_page(listing, list.next_link);
	MemoryContextSwitchTo(old);
	pin_api_report_list_free(&list);
	return true;
}

static bool
read_queries(const PinReply *reply, void *arg, PinError *err)
{
	Listing    *listing = arg;
	MemoryContext old;
	PinQueryList list;

	if (!pin_api_find_queries_reply(reply, &list, err))
		return false;
	old = MemoryContextSwitchTo(listing->context);
	for (size_t i = 0; i < list.count; i++)
		add_object(listing, list.items[i].id, list.items[i].name, list.items[i].created_time);
	turn_page(listing, list.next_link);
	MemoryContextSwitchTo(old);
	pin_api_query_list_free(&list);
	return true;
}

/* Follows a list to its end; built is whether its first request could be. */
static bool
list_all(PinAsker *asker, PinApiRequest *request, bool built, PinReadReply read,
		 List **objects, PinError *err)
{
	Listing		listing = {.context = CurrentMemoryContext};

	for (int page = 1; built; page++)
	{
		if (!pin_ask(asker, request, read, &listing, err))
			return false;
		if (listing.next_link == NULL)
		{
			*objects = listing.objects;
			return true;
		}
		if (page == MAX_PAGES)
		{
			pin_error_set(err, PIN_ERROR_REPLY, "a list of reports or queries does not end");
			return false;
		}
		built = pin_api_next_page(pin_ask_api(asker), listing.next_link, request, err);
	}
	return false;
}

bool
pin_inventory_reports(PinAsker *asker, List **objects, PinError *err)
{
	PinApiRequest request;
	bool		built = pin_api_find_reports(pin_ask_api(asker), NULL, NULL, &request, err);

	return list_all(asker, &request, built, read_reports, objects, err);
}

bool
pin_inventory_queries(PinAsker *asker, List **objects, PinError *err)
{
	PinApiRequest request;
	bool		built = pin_api_find_queries(pin_ask_api(asker), NULL, &request, err);

	return list_all(asker, &request, built, read_queries, objects, err);
}
