/*-------------------------------------------------------------------------
 *
 * change.c
 *		Queries and reports made, changed and deleted, one row after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ascii.h"
#include "insights/catalog.h"
#include "insights/recurring.h"
#include "objects/change.h"
#include "objects/list.h"
#include "service_time.h"
#include "snapshot/budget.h"
#include "snapshot/job.h"
#include "snapshot/room.h"
#include "text.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* ---- rules beside those of the service ---- */

/* pinsight_cleanup deletes what has such a name. */
static bool
check_own_name(const char *column, const char *name, PinError *err)
{
	if (!pin_job_is_name(name) && !pin_recurring_is_name(name))
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" has a name of the kind that pinsight_fdw gives to its own",
				  column);
	pin_error_hint(err, "Choose another name: pinsight_cleanup() deletes what has such a one and is not used.");
	return false;
}

static void
limit_start(PinStartLimit *limit)
{
	TimestampTz now = GetCurrentTimestamp();

	limit->now = pin_service_time_text(now);
	limit->earliest = pin_service_time_text(now + PIN_START_NOTICE_HOURS * USECS_PER_HOUR);
}

/*
 * The object of a kind whose first column has that value without case, or NULL.
 * It lives as long as the list, which the caller frees.
 */
static const PinJson *
find_object(PinChanger *changer, PinObjectKind kind, const char *id, PinObjectList **list)
{
	PinObjectWish *wish = palloc0(sizeof(PinObjectWish));
	const char *key = pin_objects[kind].columns[0].key;
	PinListed	listed;

	wish->object = &pin_objects[kind];
	wish->values = palloc0(sizeof(List *) * wish->object->ncolumns);
	wish->values[0] = list_make1(pstrdup(id));
	*list = pin_object_list(changer->asker, wish, changer->options->server_name,
							changer->name);
	while (pin_object_next(*list, &listed))
	{
		const char *found = pin_json_member_string(listed.record, key);

		if (found != NULL && pin_ascii_equal_trimmed(found, id))
			return listed.record;
	}
	return NULL;
}

/* The dataset of a query, if it can be told; else empty. */
static void
find_dataset(PinChanger *changer, const char *query_id)
{
	PinObjectList *list;
	const PinJson *query = find_object(changer, PIN_QUERIES, query_id, &list);
	const char *text = pin_json_member_string(query, "query");

	if (text == NULL || !pin_rules_dataset(text, changer->dataset))
		changer->dataset[0] = '\0';
	pin_object_list_free(list);
}

/* How often the dataset's reports may run, as the service says, or said once. */
static void
find_minimum(PinChanger *changer)
{
	const PinCatalogDataset *known = pin_catalog_dataset(&pin_shipped_catalog,
														 changer->options->program,
														 changer->dataset);
	int			otherwise = known != NULL ? known->minimum_recurrence_hours : -1;
	PinObjectList *list;
	const PinJson *dataset = find_object(changer, PIN_DATASETS, changer->dataset, &list);
	int64		told = pin_json_member_integer(dataset, "minimumRecurrenceInterval", -1);

	changer->minimum_hours = told >= 0 && told <= PIN_RECURRENCE_MAX_HOURS ? (int) told : otherwise;
	pin_object_list_free(list);
}

/*
 * Looks the minimum of the query's dataset up, which costs two calls, and keeps
 * it for the rows that follow.  A query that is not there is the service's to
 * complain of.
 */
static bool
check_minimum(PinChanger *changer, const PinReportWish *wish, PinError *err)
{
	if (changer->query_id == NULL || strcmp(changer->query_id, wish->query_id) != 0)
	{
		changer->query_id = NULL;
		changer->minimum_hours = -1;
		find_dataset(changer, wish->query_id);
		if (changer->dataset[0] != '\0')
			find_minimum(changer);
		changer->query_id = MemoryContextStrdup(changer->context, wish->query_id);
	}
	return pin_rules_interval(wish->recurrence_hours, changer->dataset, changer->minimum_hours,
							  err);
}

/* ---- INSERT ---- */

static bool
insert_query(PinChanger *changer, const PinObjectRow *row, PinError *err)
{
	char	   *name = pin_wanted_text(row, "name");
	char	   *text = pin_wanted_text(row, "query");
	PinApiRequest request;
	PinSubject	subject = {.call = PIN_CREATE_QUERY};
	bool		built;

	if (!pin_rules_query(name, text, err) || !check_own_name("name", name, err))
		return false;
	subject.name = pin_text_to_server(name);
	built = pin_api_create_query(pin_ask_api(changer->asker), name,
								 pin_wanted_text(row, "description"), text, &request, err);
	return pin_changer_call(changer, built, &request, &subject, err);
}

/* What our own count of orders needs to know. */
static PinNeed *
order_of(const PinChanger *changer)
{
	PinReportQuery *asked = palloc0(sizeof(PinReportQuery));

	asked->text = "";
	return pin_need_create(changer->options, asked, changer->table->relid, changer->userid);
}

/*
 * A report that runs at once is one of those the service allows in an hour, so
 * scans have to know of it; but only the service refuses it.
 */
static bool
create_report(PinChanger *changer, const PinReportOrder *order, PinError *err)
{
	PinNeed    *need = order->start_time == NULL ? order_of(changer) : NULL;
	bool		counted = need != NULL && pin_budget_take(need, err);
	PinApiRequest request;
	PinSubject	subject = {.call = PIN_CREATE_REPORT,.name = pin_text_to_server(order->name)};
	bool		built = pin_api_create_report(pin_ask_api(changer->asker), order, &request, err);

	if (pin_changer_call(changer, built, &request, &subject, err))
		return true;
	if (counted && !pin_ask_is_in_doubt(changer->asker))
		pin_budget_give_back(need);
	if (need != NULL && err->kind == PIN_ERROR_ORDER_QUOTA)
		pin_budget_note_refusal(need);
	return false;
}

static bool
insert_report(PinChanger *changer, const PinObjectRow *row, PinError *err)
{
	PinReportWish wish;
	PinStartLimit limit;
	PinReportOrder order;

	pin_wanted_report(row, &wish);
	limit_start(&limit);
	if (!pin_rules_new_report(&wish, &limit, err) ||
		!check_own_name("report_name", wish.name, err) ||
		(!wish.execute_now && !check_minimum(changer, &wish, err)))
		return false;
	pin_rules_order(&wish, &order);
	return create_report(changer, &order, err);
}

static bool
insert(PinChanger *changer, const PinObjectRow *row, PinError *err)
{
	return changer->table->object->kind == PIN_QUERIES ? insert_query(changer, row, err) :
		insert_report(changer, row, err);
}

/* The service keeps no more of them: may it now? */
static bool
make_room(const PinChanger *changer, const PinError *refusal)
{
	return refusal->kind == PIN_ERROR_QUOTA && !pin_ask_is_in_doubt(changer->asker) &&
		pin_room_make(changer->options);
}

void
pin_change_insert(PinChanger *changer, const PinObjectRow *row)
{
	PinError	err;

	pin_error_reset(&err);
	if (!pin_wanted_check_new(row, &err) ||
		(!insert(changer, row, &err) &&
		 !(make_room(changer, &err) && insert(changer, row, &err))))
		pin_changer_fail(changer, &err);
}

/* ---- UPDATE ---- */

/* What the service lists without an id nobody can change. */
static const char *
id_of(const PinChanger *changer, const PinObjectRow *row)
{
	const PinObjectColumn *column = &changer->table->object->columns[0];
	char	   *id = pin_wanted_text(row, column->key);

	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"%s\" of a row that is to be changed is null", column->name),
				 errdetail("The service has sent no id that could be used.")));
	return id;
}

static char *
name_of(const PinObjectRow *row)
{
	char	   *name = pin_wanted_text(row, row->table->object->kind == PIN_QUERIES ?
									   "name" : "reportName");

	return pin_text_to_server(name != NULL ? name : "");
}

/*
 * The service takes a change only with a start that is far enough ahead.  A
 * report whose start nobody has changed goes on in its rhythm, with the next
 * run that the service lets us set.
 */
static bool
move_start(PinReportWish *wish)
{
	int64		step = wish->recurrence_hours * USECS_PER_HOUR;
	TimestampTz earliest = pin_service_time_ahead(PIN_START_NOTICE_HOURS);
	TimestampTz start = wish->start_time != NULL ? pin_service_time(wish->start_time) : 0;

	if (wish->recurrence_hours < PIN_RECURRENCE_MIN_HOURS || start == 0 || start >= earliest)
		return false;
	start += (earliest - start + step - 1) / step * step;
	wish->start_time = pin_service_time_text(start);
	return true;
}

/* What the service gives back for "none" was not said by anybody. */
static void
leave_out_none(const PinObjectRow *before, const PinObjectRow *after, PinReportWish *wish)
{
	if (wish->recurrence_count <= 0 && pin_wanted_same(before, after, "recurrenceCount"))
		wish->recurrence_count = PIN_UNSAID;
	if (wish->callback_url == NULL && pin_wanted_same(before, after, "callbackMethod"))
		wish->callback_method = NULL;
}

static bool
check_changed(PinChanger *changer, const PinObjectRow *before, const PinObjectRow *after,
			  const PinReportWish *wish, PinError *err)
{
	PinStartLimit limit;

	limit_start(&limit);
	return pin_rules_changed_report(wish, &limit, err) &&
		(pin_wanted_same(before, after, "reportName") ||
		 check_own_name("report_name", wish->name, err)) &&
		(pin_wanted_same(before, after, "recurrenceInterval") || wish->query_id == NULL ||
		 check_minimum(changer, wish, err));
}

/* The word that report_status shall become; NULL with *err filled: no such. */
static const char *
status_word(const PinObjectRow *row, PinError *err)
{
	const char *status = pin_wanted_text(row, "reportStatus");

	if (status != NULL && pin_ascii_equal_trimmed(status, "Paused"))
		return "Paused";
	if (status != NULL && pin_ascii_equal_trimmed(status, "Active"))
		return "Active";
	pin_error_set(err, PIN_ERROR_RULE, "column \"report_status\" can only be set to Paused or Active");
	pin_error_hint(err, "Paused keeps the report from running, Active lets it run again.");
	return NULL;
}

static bool
send_change(PinChanger *changer, const PinReportWish *wish, const PinSubject *subject, PinError *err)
{
	PinReportOrder order;
	PinApiRequest request;
	bool		built;

	/*
	 * also of a report that runs at once: what it takes then, the service
	 * knows
	 */
	pin_rules_order(wish, &order);
	order.start_time = wish->start_time;
	order.recurrence_hours = wish->recurrence_hours;
	order.recurrence_count = Max(wish->recurrence_count, 0);
	built = pin_api_update_report(pin_ask_api(changer->asker), subject->id, &order, &request,
								  err);
	return pin_changer_call(changer, built, &request, subject, err);
}

static bool
send_status(PinChanger *changer, const char *status, const PinSubject *subject, PinError *err)
{
	bool		pause = strcmp(status, "Paused") == 0;
	const PinApi *api = pin_ask_api(changer->asker);
	PinSubject	paused = *subject;
	PinApiRequest request;
	bool		built;

	paused.call = pause ? PIN_PAUSE_REPORT : PIN_RESUME_REPORT;
	built = pause ? pin_api_pause_report(api, subject->id, &request, err) :
		pin_api_resume_report(api, subject->id, &request, err);
	return pin_changer_call(changer, built, &request, &paused, err);
}

/* What a change makes of a report that was paused nobody has written down. */
static bool
has_awoken(const PinChanger *changer, const PinObjectRow *before)
{
	const char *status = pin_wanted_text(before, "reportStatus");
	const char *told = pin_json_member_string(changer->record, "reportStatus");

	return status != NULL && pin_ascii_equal_trimmed(status, "Paused") &&
		told != NULL && !pin_ascii_equal_trimmed(told, "Paused");
}

static void
tell_start(const char *name, const char *start_time)
{
	ereport(NOTICE,
			(errmsg("report \"%s\" will run next at %s", name, start_time),
			 errdetail("The service takes a change only with a start at least %d hours ahead.",
					   PIN_START_NOTICE_HOURS)));
}

static bool
change_report(PinChanger *changer, const PinObjectRow *before, const PinObjectRow *after,
			  const PinSubject *subject, PinError *err)
{
	PinReportWish wish;
	bool		moved;

	pin_wanted_report(after, &wish);
	leave_out_none(before, after, &wish);
	moved = pin_wanted_same(before, after, "startTime") && move_start(&wish);
	if (!pin_wanted_check_columns(changer->table, err) ||
		!check_changed(changer, before, after, &wish, err) ||
		!send_change(changer, &wish, subject, err))
		return false;
	if (moved)
		tell_start(subject->name, wish.start_time);
	return true;
}

/* The change first: whatever it does to the status, that comes last. */
static bool
update_report(PinChanger *changer, const PinObjectRow *before, const PinObjectRow *after,
			  const PinSubject *subject, PinError *err)
{
	const char *status = NULL;
	bool		set_status;
	bool		set_rest;

	if (!pin_wanted_check_change(before, after, &set_status, &set_rest, err) ||
		(set_status && (status = status_word(after, err)) == NULL) ||
		(set_rest && !change_report(changer, before, after, subject, err)))
		return false;
	if (set_rest && !set_status && has_awoken(changer, before))
		status = "Paused";
	return status == NULL || send_status(changer, status, subject, err);
}

bool
pin_change_update(PinChanger *changer, const PinObjectRow *before, const PinObjectRow *after)
{
	PinSubject	subject = {
		.call = PIN_CHANGE_REPORT,.name = name_of(before),.id = id_of(changer, before)
	};
	PinError	err;

	if (!pin_changer_meet(changer, &subject))
		return false;
	pin_error_reset(&err);
	if (!update_report(changer, before, after, &subject, &err))
		pin_changer_fail(changer, &err);
	return true;
}

/* ---- DELETE ---- */

/* Reference: only queries of type userDefined can be deleted. */
static bool
check_user_defined(const PinObjectRow *row, PinError *err)
{
	const char *type = pin_wanted_text(row, "type");

	if (type == NULL || !pin_ascii_equal_trimmed(type, "system"))
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "a query of the service's own cannot be deleted");
	pin_error_hint(err, "Add the condition type = 'userDefined'.");
	return false;
}

static bool
delete(PinChanger *changer, const PinObjectRow *before, const PinSubject *subject, PinError *err)
{
	bool		is_query = subject->call == PIN_DELETE_QUERY;
	const PinApi *api = pin_ask_api(changer->asker);
	PinApiRequest request;
	bool		built;

	if (is_query && !check_user_defined(before, err))
		return false;
	built = is_query ? pin_api_delete_query(api, subject->id, &request, err) :
		pin_api_delete_report(api, subject->id, &request, err);
	return pin_changer_call(changer, built, &request, subject, err);
}

bool
pin_change_delete(PinChanger *changer, const PinObjectRow *before)
{
	bool		is_query = changer->table->object->kind == PIN_QUERIES;
	PinSubject	subject = {
		.call = is_query ? PIN_DELETE_QUERY : PIN_DELETE_REPORT,
		.name = name_of(before),.id = id_of(changer, before)
	};
	PinError	err;

	if (!pin_changer_meet(changer, &subject))
		return false;
	pin_error_reset(&err);
	if (!delete(changer, before, &subject, &err))
		pin_changer_fail(changer, &err);
	return true;
}
