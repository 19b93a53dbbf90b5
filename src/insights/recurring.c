/*-------------------------------------------------------------------------
 *
 * recurring.c
 *		A report of ours that runs again and again: found, made, removed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ascii.h"
#include "insights/recurring.h"
#include "insights/rules.h"
#include "service_time.h"

#define NAME_START "pinsight schedule "
#define NAME_DIGITS 16

/* Pages of a list that are followed. */
#define MAX_PAGES 100
/* Queries of one name that are deleted. */
#define MAX_TWINS 10

void
pin_recurring_name(char name[PIN_RECURRING_NAME_SIZE], const char *hash)
{
	snprintf(name, PIN_RECURRING_NAME_SIZE, NAME_START "%.*s", NAME_DIGITS, hash);
}

bool
pin_recurring_is_name(const char *name)
{
	char		digits[NAME_DIGITS + 1];

	while (pin_ascii_is_blank(*name))
		name++;
	if (!pin_ascii_starts(name, NAME_START))
		return false;
	name += strlen(NAME_START);
	strlcpy(digits, name, sizeof(digits));
	if (strspn(digits, "0123456789abcdefABCDEF") != NAME_DIGITS)
		return false;
	name += NAME_DIGITS;
	while (pin_ascii_is_blank(*name))
		name++;
	return *name == '\0';
}

/* ---- looking ---- */

/* What is looked for, page by page. */
typedef struct Search
{
	const char *name;			/* by name, */
	const char *id;				/* or (reports) by id; the other is NULL */
	const PinRecurringOrder *order; /* NULL: anything fits */
	PinRecurring *found;		/* ids are empty as long as it is not */
	char	   *next_link;		/* where the list goes on; NULL: nowhere */
} Search;

/* Does the report run as it should, now and in future? */
static bool
is_fit(const PinRemoteReport *report, const PinRecurringOrder *order)
{
	return order == NULL ||
		(report->status != NULL && pin_ascii_equal_trimmed(report->status, "Active") &&
		 report->format != NULL && pin_ascii_equal_trimmed(report->format, order->format) &&
		 !report->execute_now && report->recurrence_hours == order->hours &&
		 report->recurrence_count == 0);
}

static void
note_report(Search *search, const PinRemoteReport *report)
{
	PinRecurring *found = search->found;

	strlcpy(found->report_id, report->id, sizeof(PinId));
	strlcpy(found->query_id, report->query_id, sizeof(PinId));
	strlcpy(found->name, report->name != NULL ? report->name : "", sizeof(found->name));
	strlcpy(found->start_time, report->start_time != NULL ? report->start_time : "",
			sizeof(PinTimeText));
	found->fits = is_fit(report, search->order);
}

/* Throws when memory runs out. */
static void
turn_page(Search *search, bool found, const char *next_link)
{
	search->next_link = found || next_link == NULL ? NULL : pstrdup(next_link);
}

static bool
read_reports(const PinReply *reply, void *arg, PinError *err)
{
	Search	   *search = arg;
	PinReportList list;
	const PinRemoteReport *report;

	if (!pin_api_find_reports_reply(reply, &list, err))
		return false;
	report = search->id != NULL ? pin_api_report_with_id(&list, search->id) :
		pin_api_report_named(&list, search->name);
	if (report != NULL)
		note_report(search, report);
	PG_TRY();
	{
		turn_page(search, report != NULL, list.next_link);
	}
	PG_FINALLY();
	{
		pin_api_report_list_free(&list);
	}
	PG_END_TRY();
	return true;
}

static bool
read_queries(const PinReply *reply, void *arg, PinError *err)
{
	Search	   *search = arg;
	PinQueryList list;
	const PinRemoteQuery *query;

	if (!pin_api_find_queries_reply(reply, &list, err))
		return false;
	query = pin_api_query_named(&list, search->name);
	if (query != NULL)
		strlcpy(search->found->query_id, query->id, sizeof(PinId));
	PG_TRY();
	{
		turn_page(search, query != NULL, list.next_link);
	}
	PG_FINALLY();
	{
		pin_api_query_list_free(&list);
	}
	PG_END_TRY();
	return true;
}

/* Follows a list; built is whether its first request could be. */
static bool
look(PinAsker *asker, PinApiRequest *request, bool built, PinReadReply read, Search *search,
	 PinError *err)
{
	for (int page = 0; built && page < MAX_PAGES; page++)
	{
		if (!pin_ask(asker, request, read, search, err))
			return false;
		if (search->next_link == NULL)
			return true;
		built = pin_api_next_page(pin_ask_api(asker), search->next_link, request, err);
	}
	if (built)
	{
		pin_api_request_free(request);
		pin_error_set(err, PIN_ERROR_REPLY, "a list of reports or queries does not end");
	}
	return false;
}

static bool
look_for_report(PinAsker *asker, Search *search, PinError *err)
{
	PinApiRequest request;
	bool		built = pin_api_find_reports(pin_ask_api(asker), search->name, search->id,
											 &request, err);

	search->found->report_id[0] = '\0';
	return look(asker, &request, built, read_reports, search, err);
}

static bool
look_for_query(PinAsker *asker, Search *search, PinError *err)
{
	PinApiRequest request;
	bool		built = pin_api_find_queries(pin_ask_api(asker), search->name, &request, err);

	search->found->query_id[0] = '\0';
	return look(asker, &request, built, read_queries, search, err);
}

bool
pin_recurring_find(PinAsker *asker, const char *report_id, PinRecurring *found, PinError *err)
{
	Search		search = {.id = report_id,.found = found};

	memset(found, 0, sizeof(*found));
	return look_for_report(asker, &search, err);
}

bool
pin_recurring_find_named(PinAsker *asker, const char *name, PinRecurring *found, PinError *err)
{
	Search		search = {.name = name,.found = found};

	memset(found, 0, sizeof(*found));
	return look_for_report(asker, &search, err);
}

/* ---- deleting ---- */

static bool
read_deleted_report(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_delete_report_reply(reply, err);
}

static bool
read_deleted_query(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_delete_query_reply(reply, err);
}

static bool
delete_report(PinAsker *asker, const char *id, PinError *err)
{
	PinApiRequest request;

	return pin_api_delete_report(pin_ask_api(asker), id, &request, err) &&
		pin_ask(asker, &request, read_deleted_report, NULL, err);
}

static bool
delete_query(PinAsker *asker, const char *id, PinError *err)
{
	PinApiRequest request;

	return pin_api_delete_query(pin_ask_api(asker), id, &request, err) &&
		pin_ask(asker, &request, read_deleted_query, NULL, err);
}

bool
pin_recurring_remove(PinAsker *asker, const char *report_id, const char *name, PinError *err)
{
	PinRecurring found = {0};
	Search		search = {.name = name,.found = &found};

	if (report_id != NULL && !delete_report(asker, report_id, err))
		return false;
	for (int i = 0; i < MAX_TWINS; i++)
	{
		if (!look_for_query(asker, &search, err))
			return false;
		if (found.query_id[0] == '\0')
			return true;
		if (!delete_query(asker, found.query_id, err))
			return false;
	}
	return true;
}

bool
pin_recurring_undo(PinAsker *asker, const PinRecurring *made, PinError *err)
{
	return (!made->report_is_new || delete_report(asker, made->report_id, err)) &&
		(!made->query_is_new || delete_query(asker, made->query_id, err));
}

/* ---- making ---- */

static bool
read_created_query(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_create_query_reply(reply, ((PinRecurring *) arg)->query_id, err);
}

static bool
read_created_report(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_create_report_reply(reply, ((PinRecurring *) arg)->report_id, err);
}

/*
 * Makes what was not found.  If nobody knows whether the service has done so,
 * it is looked for once more.
 */
static bool
make_query(PinAsker *asker, Search *search, PinError *err)
{
	PinRecurring *made = search->found;
	PinApiRequest request;
	PinError	looking;

	if (!pin_api_create_query(pin_ask_api(asker), search->name, NULL, search->order->query,
							  &request, err))
		return false;
	made->query_is_new = true;
	if (pin_ask_once(asker, &request, read_created_query, made, err))
		return true;
	made->query_is_new = err->ambiguous && look_for_query(asker, search, &looking) &&
		made->query_id[0] != '\0';
	return made->query_is_new;
}

static bool
make_report(PinAsker *asker, Search *search, PinError *err)
{
	PinRecurring *made = search->found;
	PinReportOrder order = {
		.name = search->name,.query_id = made->query_id,.format = search->order->format,
		.start_time = made->start_time,.recurrence_hours = search->order->hours
	};
	PinApiRequest request;
	PinError	looking;

	strlcpy(made->start_time,
			pin_service_time_text(pin_service_time_ahead(PIN_START_NOTICE_HOURS)),
			sizeof(PinTimeText));
	if (!pin_api_create_report(pin_ask_api(asker), &order, &request, err))
		return false;
	made->report_is_new = true;
	if (pin_ask_once(asker, &request, read_created_report, made, err))
		return true;
	made->report_is_new = err->ambiguous && look_for_report(asker, search, &looking) &&
		made->report_id[0] != '\0';
	return made->report_is_new;
}

/* A report that runs otherwise, or another query, is in the way. */
static bool
find_what_fits(PinAsker *asker, Search *search, PinError *err)
{
	PinRecurring *found = search->found;
	PinId		query_of_report;

	if (!look_for_report(asker, search, err))
		return false;
	strlcpy(query_of_report, found->query_id, sizeof(PinId));
	if (!look_for_query(asker, search, err))
		return false;
	if (found->report_id[0] == '\0')
		return true;
	if (found->fits && found->query_id[0] != '\0' &&
		pin_ascii_equal(found->query_id, query_of_report))
		return true;
	if (!delete_report(asker, found->report_id, err))
		return false;
	found->report_id[0] = '\0';
	return true;
}

bool
pin_recurring_make(PinAsker *asker, const PinRecurringOrder *order, PinRecurring *made,
				   PinError *err)
{
	Search		search = {.name = order->name,.order = order,.found = made};
	PinError	undoing;

	memset(made, 0, sizeof(*made));
	if (!find_what_fits(asker, &search, err))
		return false;
	if (made->query_id[0] == '\0' && !make_query(asker, &search, err))
		return false;
	if (made->report_id[0] == '\0' && !make_report(asker, &search, err))
	{
		(void) pin_recurring_undo(asker, made, &undoing);
		return false;
	}
	return true;
}
