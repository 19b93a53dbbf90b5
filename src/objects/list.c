/*-------------------------------------------------------------------------
 *
 * list.c
 *		The objects of a kind, one after the other, as the service lists them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/api_request.h"
#include "insights/ascii.h"
#include "miscadmin.h"
#include "objects/list.h"
#include "text.h"
#include "throw.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* More pages than any partner's objects fill; a list of more runs in circles. */
#define PAGES_MAX 1000

/* What tells objects of a kind apart: no two have the same bytes. */
typedef struct Identity
{
	PinId		id;				/* its own */
	PinId		report_id;		/* of an execution */
} Identity;

struct PinObjectList
{
	MemoryContext context;		/* owns this and all below */
	MemoryContextCallback callback; /* frees the page */
	PinAsker   *asker;			/* calls */
	PinObjectWish *wish;		/* what is wanted */
	const char *server_name;	/* for messages */
	const char *table_name;		/* likewise */

	PinRecordList page;			/* the one that is read */
	size_t		at;				/* its next record */
	int			npages;			/* of this list, so far */
	bool		open;			/* is there a page? */

	HTAB	   *seen;			/* Identities of objects given out */
	bool		walking;		/* report_ids is known */
	List	   *report_ids;		/* executions: of char *, UTF-8 */
	int			next_report;	/* place of the next one */
	const char *report_id;		/* whose executions are read */
	List	   *latest_ids;		/* of char *: its latest execution */
};

/* In a memory context callback: throws nothing, waits for nothing. */
static void
free_page(void *arg)
{
	pin_api_list_free(&((PinObjectList *) arg)->page);
}

PinObjectList *
pin_object_list(PinAsker *asker, PinObjectWish *wish, const char *server_name,
				const char *table_name)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinsight objects",
												  ALLOCSET_SMALL_SIZES);
	PinObjectList *list = MemoryContextAllocZero(context, sizeof(PinObjectList));
	HASHCTL		seen = {.keysize = sizeof(Identity),.entrysize = sizeof(Identity),.hcxt = context};

	list->context = context;
	list->callback.func = free_page;
	list->callback.arg = list;
	MemoryContextRegisterResetCallback(context, &list->callback);
	list->asker = asker;
	list->wish = wish;
	list->server_name = server_name;
	list->table_name = MemoryContextStrdup(context, table_name);
	list->seen = hash_create("pinsight objects", 64, &seen,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return list;
}

void
pin_object_list_free(PinObjectList *list)
{
	MemoryContextDelete(list->context);
}

/* ---- pages ---- */

static _Noreturn void
fail(const PinObjectList *list, const PinError *err)
{
	pin_throw(err, list->server_name,
			  list->report_id == NULL ?
			  psprintf("foreign table \"%s\"", list->table_name) :
			  psprintf("foreign table \"%s\": executions of report %s", list->table_name,
					   pin_text_to_server(list->report_id)));
}

/* Sends what brings a page, and reads that.  False with *err filled. */
static bool
fetch(PinObjectList *list, PinApiRequest *request, PinError *err)
{
	list->at = 0;
	list->open = false;
	if (!pin_ask(list->asker, request, pin_api_list_reply,
				 &list->page, err))
		return false;
	list->open = true;
	list->npages++;
	return true;
}

/* A next page that is not there is no end: what it held would be missing. */
static void
fetch_next_page(PinObjectList *list)
{
	char	   *link = pstrdup(list->page.next_link);
	PinApiRequest request;
	PinError	err;

	if (list->npages >= PAGES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("server \"%s\": could not %s: there are more than %d pages",
						list->server_name, list->page.what, PAGES_MAX)));
	if (!pin_api_next_page(pin_ask_api(list->asker), link, &request, &err) ||
		!fetch(list, &request, &err))
		fail(list, &err);
	if (list->page.document == NULL)
	{
		pin_error_set(&err, PIN_ERROR_REPLY, "could not %s: a page that the service told of is not there",
					  list->page.what);
		fail(list, &err);
	}
	pfree(link);
}

/* The next record of the list that is open; NULL: that was all. */
static const PinJson *
next_record(PinObjectList *list)
{
	while (list->open)
	{
		if (list->at < pin_json_count(list->page.records))
		{
			const PinJson *record = pin_json_element(list->page.records, list->at++);

			if (pin_json_is_object(record))
				return record;
		}
		else if (list->page.next_link != NULL)
			fetch_next_page(list);
		else
			list->open = false;
	}
	return NULL;
}

/* Begins a list.  False with *err filled. */
static bool
open_list(PinObjectList *list, const PinObject *object, const char *id,
		  const PinParameter *parameters, int nparameters, PinError *err)
{
	PinApiRequest request;

	list->npages = 0;
	list->page.what = object->list;
	return pin_api_list(pin_ask_api(list->asker), object->path, id, parameters,
						nparameters, object->list, &request, err) &&
		fetch(list, &request, err);
}

/* ---- executions ---- */

/*
 * Opens the list of a report's executions.  A service that does not know the
 * word for one that failed is asked for the others.
 */
static void
open_executions(PinObjectList *list, bool latest)
{
	PinParameter parameters[PIN_WISH_PARAMETERS_MAX];
	PinError	err;

	for (;;)
	{
		int			n = pin_wish_parameters(list->wish, latest, parameters);

		if (open_list(list, list->wish->object, list->report_id, parameters, n, &err))
			return;
		if (err.kind != PIN_ERROR_BAD_REQUEST || list->wish->documented)
			fail(list, &err);
		list->wish->documented = true;
	}
}

/* Reads the ids of all reports. */
static void
walk_reports(PinObjectList *list)
{
	const PinJson *record;
	PinError	err;

	if (!open_list(list, &pin_objects[PIN_REPORTS], NULL, NULL, 0, &err))
		fail(list, &err);
	while ((record = next_record(list)) != NULL)
	{
		PinId		id;

		if (pin_api_read_id(pin_json_member(record, "reportId"), id))
			list->report_ids = lappend(list->report_ids, pstrdup(id));
		else
			ereport(WARNING,
					(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
					 errmsg("server \"%s\": executions of a report are left out: its id cannot be used",
							list->server_name)));
	}
}

/* The reports that are wanted, but for ids that no report can have. */
static void
choose_reports(PinObjectList *list)
{
	List	   *wanted = pin_wish_reports(list->wish);
	ListCell   *lc;

	if (wanted == NIL)
		walk_reports(list);
	foreach(lc, wanted)
	{
		if (pin_api_is_id(lfirst(lc)))
			list->report_ids = lappend(list->report_ids, lfirst(lc));
	}
	list->walking = true;
}

/* Reads which one is the latest. */
static void
read_latest(PinObjectList *list)
{
	const PinJson *record;
	PinId		id;

	list->latest_ids = NIL;
	open_executions(list, true);
	while ((record = next_record(list)) != NULL)
	{
		if (pin_api_read_id(pin_json_member(record, "executionId"), id))
			list->latest_ids = lappend(list->latest_ids, pstrdup(id));
	}
}

/* Opens the list of the next report's executions; false: there is none. */
static bool
open_next_report(PinObjectList *list)
{
	if (!list->walking)
		choose_reports(list);
	if (list->next_report >= list_length(list->report_ids))
		return false;
	list->report_id = list_nth(list->report_ids, list->next_report++);
	if (list->wish->tell_latest && !list->wish->only_latest)
		read_latest(list);
	open_executions(list, list->wish->only_latest);
	return true;
}

/* ---- the list ---- */

/* Opens what is next to be read; false: nothing is. */
static bool
open_next(PinObjectList *list)
{
	PinParameter parameters[PIN_WISH_PARAMETERS_MAX];
	PinError	err;

	if (list->wish->object->kind == PIN_EXECUTIONS)
		return open_next_report(list);
	if (list->walking)
		return false;
	list->walking = true;
	if (!open_list(list, list->wish->object, NULL, parameters,
				   pin_wish_parameters(list->wish, false, parameters), &err))
		fail(list, &err);
	return true;
}

/*
 * Was the object given out before?  Pages overlap when objects come or go
 * meanwhile.  What has no usable id is always new; an execution is told apart
 * within its report.
 */
static bool
was_seen(PinObjectList *list, const PinJson *record)
{
	const PinObject *object = list->wish->object;
	Identity	identity;
	bool		found = false;

	memset(&identity, 0, sizeof(identity));
	if (object->kind == PIN_EXECUTIONS &&
		!pin_api_read_id(pin_json_member(record, "reportId"), identity.report_id))
		strlcpy(identity.report_id, list->report_id, sizeof(PinId));
	if (pin_api_read_id(pin_json_member(record, object->columns[0].key), identity.id))
		(void) hash_search(list->seen, &identity, HASH_ENTER, &found);
	return found;
}

static bool
is_latest(const PinObjectList *list, const PinJson *record)
{
	ListCell   *lc;
	PinId		id;

	if (list->wish->only_latest)
		return true;
	(void) pin_api_read_id(pin_json_member(record, "executionId"), id);
	foreach(lc, list->latest_ids)
	{
		if (pin_ascii_equal(id, lfirst(lc)))
			return true;
	}
	return false;
}

bool
pin_object_next(PinObjectList *list, PinListed *listed)
{
	MemoryContext old = MemoryContextSwitchTo(list->context);

	do
	{
		CHECK_FOR_INTERRUPTS();
		while ((listed->record = next_record(list)) == NULL && open_next(list))
			;
	} while (listed->record != NULL && was_seen(list, listed->record));
	listed->report_id = list->report_id;
	listed->latest = listed->record != NULL && is_latest(list, listed->record);
	MemoryContextSwitchTo(old);
	return listed->record != NULL;
}
