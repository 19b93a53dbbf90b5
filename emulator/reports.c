/*-------------------------------------------------------------------------
 *
 * reports.c
 *		The store's reports: create, list, change, pause, delete.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define HOUR 3600

/* The earliest start the service takes. */
#define EARLIEST_START	(4 * HOUR)

static void
set_text(json_t *shape, const char *key, const char *text)
{
	json_object_set_new(shape, key, text != NULL ? json_string(text) : json_null());
}

static void
set_time(json_t *shape, const char *key, time_t when)
{
	char		text[EMU_TIME_SIZE];

	emu_time_text(when, text);
	json_object_set_new(shape, key, json_string(text));
}

/* Writes what creation and update have in common into the API's object. */
static void
shape_order(const EmuReport *report, const EmuOrder *order)
{
	json_t	   *shape = report->shape;

	set_text(shape, "reportName", order->name);
	set_text(shape, "description", order->description);
	set_text(shape, "callbackUrl", order->callback_url);
	if (strcmp(report->program, "mpn") == 0)
		set_text(shape, "callbackMethod", order->callback_method);
	set_text(shape, "format", order->tsv ? "tsv" : "csv");
	json_object_set_new(shape, "recurrenceInterval", json_integer(report->interval));
	json_object_set_new(shape, "recurrenceCount", json_integer(report->count));
}

static json_t *
new_shape(const EmuReport *report, EmuOwner owner, const EmuOrder *order, time_t now)
{
	json_t	   *shape = json_object();
	char	   *user = emu_owner_user(owner);

	set_text(shape, "reportId", report->id);
	set_text(shape, "reportName", order->name);
	set_text(shape, "description", order->description);
	set_text(shape, "queryId", order->query_id);
	set_text(shape, "query", report->text);
	set_text(shape, "user", user);
	set_time(shape, "createdTime", now);
	json_object_set_new(shape, "modifiedTime", json_null());
	if (strcmp(owner.program, "mpn") == 0)
		json_object_set_new(shape, "executeNow", json_boolean(order->execute_now));
	set_time(shape, "startTime", report->next_run);
	set_text(shape, "reportStatus", "Active");
	free(user);
	return shape;
}

/* Takes over the text. */
static EmuReport *
new_report(EmuStore *store, EmuOwner owner, const EmuOrder *order, char *text)
{
	EmuReport  *report = emu_alloc(sizeof *report);

	emu_store_new_id(store, "rep", report->id);
	emu_fill(report->program, sizeof report->program, owner.program);
	emu_fill(report->user, sizeof report->user, owner.user);
	report->text = text;
	report->created = emu_now(store->emu->switches);
	report->execute_now = order->execute_now;
	report->tsv = order->tsv;
	report->next_run = order->execute_now ? report->created : order->start;
	report->interval = order->execute_now ? 0 : order->interval;
	report->count = order->execute_now ? 0 : order->count;
	report->window = order->window;
	report->shape = new_shape(report, owner, order, report->created);
	shape_order(report, order);
	return report;
}

void
emu_report_free(EmuReport *report)
{
	while (report->executions != NULL)
	{
		EmuExecution *next = report->executions->next;

		emu_execution_remove(report->executions);
		report->executions = next;
	}
	json_decref(report->shape);
	free(report->text);
	free(report);
}

static const char *
report_status(const EmuReport *report)
{
	return json_string_value(json_object_get(report->shape, "reportStatus"));
}

static int
count_active(EmuStore *store, EmuOwner owner)
{
	int			count = 0;

	for (EmuReport *report = store->reports; report != NULL; report = report->next)
		count += emu_owns(owner, report->program, report->user) &&
			emu_same(report_status(report), "Active");
	return count;
}

/* The key of an owner in the hourly list: short, equal for equal owners. */
static void
owner_key(EmuOwner owner, char *key, size_t size)
{
	snprintf(key, size, "%s %.50s", owner.program, owner.user);
}

/* ExecuteNow orders of the last hour; deleting a report gives none back. */
static int
count_execute_now(EmuStore *store, EmuOwner owner, time_t now)
{
	char		key[sizeof store->now_users[0]];
	int			kept = 0;
	int			count = 0;

	owner_key(owner, key, sizeof key);
	for (int i = 0; i < store->now_count; i++)
	{
		if (store->now_times[i] <= now - HOUR)
			continue;
		store->now_times[kept] = store->now_times[i];
		memmove(store->now_users[kept], store->now_users[i], sizeof key);
		count += strcmp(store->now_users[kept++], key) == 0;
	}
	store->now_count = kept;
	return count;
}

static void
note_execute_now(EmuStore *store, EmuOwner owner, time_t now)
{
	int			last = (int) (sizeof store->now_times / sizeof store->now_times[0]) - 1;

	/* a full list forgets its latest entry: quotas are far smaller */
	if (store->now_count > last)
		store->now_count = last;
	store->now_times[store->now_count] = now;
	owner_key(owner, store->now_users[store->now_count],
			  sizeof store->now_users[0]);
	store->now_count++;
}

static bool
start_is_late_enough(EmuStore *store, const EmuOrder *order, EmuProblem *problem)
{
	if (order->start >= emu_now(store->emu->switches) + EARLIEST_START)
		return true;
	emu_problem(problem, 400, "Invalid report parameters for creation - Start time of "
				"report should at least be 4 hours from current UTC time");
	return false;
}

static bool
quotas_allow(EmuStore *store, EmuOwner owner, const EmuOrder *order,
			 EmuProblem *problem)
{
	EmuSettings settings;
	time_t		now = emu_now(store->emu->switches);

	emu_switchboard_read(store->emu->switches, &settings);
	problem->status = 400;
	if (count_active(store, owner) >= settings.quota_reports)
		snprintf(problem->message, sizeof problem->message,
				 "User has exceeded its report creation quota of %d active reports",
				 (int) settings.quota_reports);
	else if (order->execute_now &&
			 count_execute_now(store, owner, now) >= settings.quota_execute_now)
		snprintf(problem->message, sizeof problem->message,
				 "User has exceeded its ExecuteNow report creation quota of "
				 "%d reports/60 mins", (int) settings.quota_execute_now);
	else
		return true;
	return false;
}

json_t *
emu_store_create_report(EmuStore *store, EmuOwner owner, const EmuOrder *order,
						EmuProblem *problem)
{
	char	   *text = emu_store_query_text(store, owner, order->query_id);
	EmuReport **tail = &store->reports;
	json_t	   *copy = NULL;

	if (text == NULL)
	{
		emu_problem(problem, 400, "Invalid QueryId");
		return NULL;
	}
	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	if ((order->execute_now || start_is_late_enough(store, order, problem)) &&
		quotas_allow(store, owner, order, problem))
	{
		EmuReport  *report = new_report(store, owner, order, text);

		text = NULL;
		while (*tail != NULL)
			tail = &(*tail)->next;
		*tail = report;
		if (report->execute_now)
		{
			note_execute_now(store, owner, report->created);
			emu_report_execute(store, report, emu_now_ms(store->emu->switches));
		}
		copy = json_deep_copy(report->shape);
	}
	pthread_mutex_unlock(&store->lock);
	free(text);
	return copy;
}

json_t *
emu_store_list_reports(EmuStore *store, EmuOwner owner, const char *id,
					   const char *name, const char *query_id)
{
	json_t	   *list = json_array();

	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	for (EmuReport *report = store->reports; report != NULL; report = report->next)
	{
		json_t	   *shape = report->shape;

		if (!emu_owns(owner, report->program, report->user) ||
			(id != NULL && !emu_same(id, report->id)) ||
			(name != NULL &&
			 !emu_same(name, json_string_value(json_object_get(shape, "reportName")))) ||
			(query_id != NULL &&
			 !emu_same(query_id, json_string_value(json_object_get(shape, "queryId")))))
			continue;
		json_array_append_new(list, json_deep_copy(shape));
	}
	pthread_mutex_unlock(&store->lock);
	return list;
}

/* The link to the owner's report, so that it can be unlinked; never NULL. */
static EmuReport **
find_report(EmuStore *store, EmuOwner owner, const char *id, EmuProblem *problem)
{
	EmuReport **link = &store->reports;

	while (*link != NULL && !(emu_owns(owner, (*link)->program, (*link)->user) &&
							  emu_same(id, (*link)->id)))
		link = &(*link)->next;
	if (*link == NULL)
		emu_problem(problem, 404, "No item found with given filters.");
	return link;
}

static void
update(EmuStore *store, EmuReport *report, const EmuOrder *order)
{
	if (!report->execute_now)
	{
		report->next_run = order->start;
		report->interval = order->interval;
		report->count = order->count;
		report->runs = 0;
		set_time(report->shape, "startTime", order->start);
		set_text(report->shape, "reportStatus", report->paused ? "Paused" : "Active");
	}
	report->tsv = order->tsv;
	shape_order(report, order);
	set_time(report->shape, "modifiedTime", emu_now(store->emu->switches));
}

json_t *
emu_store_update_report(EmuStore *store, EmuOwner owner, const char *id,
						const EmuOrder *order, EmuProblem *problem)
{
	EmuReport  *report;
	json_t	   *copy = NULL;

	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	report = *find_report(store, owner, id, problem);
	if (report != NULL && start_is_late_enough(store, order, problem))
	{
		update(store, report, order);
		copy = json_deep_copy(report->shape);
	}
	pthread_mutex_unlock(&store->lock);
	return copy;
}

json_t *
emu_store_delete_report(EmuStore *store, EmuOwner owner, const char *id,
						EmuProblem *problem)
{
	EmuReport **link;
	json_t	   *shape = NULL;

	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	link = find_report(store, owner, id, problem);
	if (*link != NULL)
	{
		EmuReport  *report = *link;

		*link = report->next;
		shape = json_incref(report->shape);
		emu_report_free(report);
	}
	pthread_mutex_unlock(&store->lock);
	return shape;
}

json_t *
emu_store_pause_report(EmuStore *store, EmuOwner owner, const char *id, bool pause,
					   EmuProblem *problem)
{
	EmuReport  *report;
	json_t	   *copy = NULL;

	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	report = *find_report(store, owner, id, problem);
	if (report != NULL && emu_same(report_status(report), "Inactive"))
		emu_problem(problem, 400, "Invalid report parameters");
	else if (report != NULL)
	{
		report->paused = pause;
		set_text(report->shape, "reportStatus", pause ? "Paused" : "Active");
		copy = json_deep_copy(report->shape);
	}
	pthread_mutex_unlock(&store->lock);
	return copy;
}
