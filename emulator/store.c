/*-------------------------------------------------------------------------
 *
 * store.c
 *		The store itself, and the queries in it.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "store_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

EmuStore *
emu_store_open(Emulator *emu, char *err, size_t errsize)
{
	EmuStore   *store = emu_alloc(sizeof *store);
	const char *base = getenv("TMPDIR");

	store->emu = emu;
	snprintf(store->folder, sizeof store->folder, "%s/pinsight-emulator.XXXXXX",
			 base != NULL && *base != '\0' ? base : "/tmp");
	if (mkdtemp(store->folder) == NULL)
	{
		snprintf(err, errsize, "cannot make a directory for report files: %s",
				 strerror(errno));
		free(store);
		return NULL;
	}
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->work, NULL);
	while (store->workers < EMU_WORKERS)
	{
		if (pthread_create(&store->threads[store->workers], NULL, emu_worker, store) != 0)
		{
			snprintf(err, errsize, "cannot start a thread");
			emu_store_close(store);
			return NULL;
		}
		store->workers++;
	}
	return store;
}

void
emu_store_close(EmuStore *store)
{
	if (store == NULL)
		return;
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_broadcast(&store->work);
	pthread_mutex_unlock(&store->lock);
	for (int i = 0; i < store->workers; i++)
		pthread_join(store->threads[i], NULL);
	emu_store_reset(store);
	rmdir(store->folder);
	pthread_cond_destroy(&store->work);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static void
query_free(EmuSavedQuery *query)
{
	json_decref(query->shape);
	free(query);
}

void
emu_store_reset(EmuStore *store)
{
	pthread_mutex_lock(&store->lock);
	while (store->queries != NULL)
	{
		EmuSavedQuery *next = store->queries->next;

		query_free(store->queries);
		store->queries = next;
	}
	while (store->reports != NULL)
	{
		EmuReport  *next = store->reports->next;

		emu_report_free(store->reports);
		store->reports = next;
	}
	store->now_count = 0;
	pthread_mutex_unlock(&store->lock);
}

void
emu_problem(EmuProblem *problem, int status, const char *message)
{
	problem->status = status;
	emu_fill(problem->message, sizeof problem->message, message);
}

bool
emu_owns(EmuOwner owner, const char *program, const char *user)
{
	return strcmp(owner.program, program) == 0 && strcmp(owner.user, user) == 0;
}

/* Is text one of the texts that list joins by semicolons?  Without case. */
bool
emu_in_list(const char *list, const char *text)
{
	size_t		length = strlen(text);

	while (list != NULL)
	{
		const char *end = strchrnul(list, ';');
		const char *start = list;

		while (start < end && isspace((unsigned char) *start))
			start++;
		if ((size_t) (end - start) == length && strncasecmp(start, text, length) == 0)
			return true;
		list = *end == ';' ? end + 1 : NULL;
	}
	return false;
}

/* A UUID, or with the switch "ids" a text that is none. */
void
emu_store_new_id(EmuStore *store, const char *prefix, char id[EMU_ID_SIZE])
{
	EmuSettings settings;
	char		uuid[EMU_UUID_SIZE];

	emu_switchboard_read(store->emu->switches, &settings);
	emu_uuid(uuid);
	if (settings.ids == 0)
		emu_fill(id, EMU_ID_SIZE, uuid);
	else
		snprintf(id, EMU_ID_SIZE, "%s_%.8s.X%.3s", prefix, uuid, uuid + 9);
}

/* The user as objects name it: mpn by name, cmp by number.  malloc'd. */
char *
emu_owner_user(EmuOwner owner)
{
	unsigned	hash = 2166136261u;

	if (strcmp(owner.program, "mpn") == 0)
		return emu_copy(owner.user);
	for (const char *at = owner.user; *at != '\0'; at++)
		hash = (hash ^ (unsigned char) *at) * 16777619u;
	return emu_format("%u", 100000000u + hash % 900000000u);
}

static int
count_queries(EmuStore *store, EmuOwner owner)
{
	int			count = 0;

	for (EmuSavedQuery *query = store->queries; query != NULL; query = query->next)
		count += emu_owns(owner, query->program, query->user);
	return count;
}

static json_t *
query_shape(EmuStore *store, EmuOwner owner, const char *id, const char *name,
			const char *description, const char *text)
{
	char		created[EMU_TIME_SIZE];
	char	   *user = emu_owner_user(owner);
	json_t	   *shape;

	emu_time_text(emu_now(store->emu->switches), created);
	shape = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
					  "queryId", id, "name", name,
					  "description", description ? description : "",
					  "query", text, "type", "userDefined", "user", user,
					  "createdTime", created);
	if (shape != NULL && strcmp(owner.program, "cmp") == 0)
		json_object_set_new(shape, "modifiedTime", json_null());
	free(user);
	return shape;
}

json_t *
emu_store_create_query(EmuStore *store, EmuOwner owner, const char *name,
					   const char *description, const char *text,
					   EmuProblem *problem)
{
	EmuSettings settings;
	EmuSavedQuery *query = NULL;
	EmuSavedQuery **tail = &store->queries;
	json_t	   *copy = NULL;

	emu_switchboard_read(store->emu->switches, &settings);
	pthread_mutex_lock(&store->lock);
	if (count_queries(store, owner) >= settings.quota_queries)
		emu_problem(problem, 400, "Number of queries exceeded. Delete few queries "
					"before creating new queries");
	else
	{
		query = emu_alloc(sizeof *query);
		emu_store_new_id(store, "qry", query->id);
		emu_fill(query->program, sizeof query->program, owner.program);
		emu_fill(query->user, sizeof query->user, owner.user);
		query->shape = query_shape(store, owner, query->id, name, description, text);
		while (*tail != NULL)
			tail = &(*tail)->next;
		*tail = query;
		copy = json_deep_copy(query->shape);
	}
	pthread_mutex_unlock(&store->lock);
	return copy;
}

json_t *
emu_store_list_queries(EmuStore *store, EmuOwner owner, const char *id, const char *name)
{
	json_t	   *list = json_array();

	pthread_mutex_lock(&store->lock);
	for (EmuSavedQuery *query = store->queries; query != NULL; query = query->next)
	{
		const char *own = json_string_value(json_object_get(query->shape, "name"));

		if (emu_owns(owner, query->program, query->user) &&
			(id == NULL || emu_same(id, query->id)) &&
			(name == NULL || emu_same(name, own)))
			json_array_append_new(list, json_deep_copy(query->shape));
	}
	pthread_mutex_unlock(&store->lock);
	return list;
}

/* Does any report of the owner use the query? */
static bool
query_in_use(EmuStore *store, EmuOwner owner, const char *id)
{
	for (EmuReport *report = store->reports; report != NULL; report = report->next)
		if (emu_owns(owner, report->program, report->user) &&
			emu_same(id, json_string_value(json_object_get(report->shape, "queryId"))))
			return true;
	return false;
}

json_t *
emu_store_delete_query(EmuStore *store, EmuOwner owner, const char *id,
					   EmuProblem *problem)
{
	EmuSettings settings;
	EmuSavedQuery **link = &store->queries;
	json_t	   *shape = NULL;

	emu_switchboard_read(store->emu->switches, &settings);
	pthread_mutex_lock(&store->lock);
	while (*link != NULL && !(emu_owns(owner, (*link)->program, (*link)->user) &&
							  emu_same(id, (*link)->id)))
		link = &(*link)->next;
	if (*link == NULL)
		emu_problem(problem, 404, "No item found with given filters.");
	else if (settings.refuse_used_query && query_in_use(store, owner, id))
		emu_problem(problem, 400, "Query is used by a report");
	else
	{
		EmuSavedQuery *query = *link;

		*link = query->next;
		shape = json_incref(query->shape);
		query_free(query);
	}
	pthread_mutex_unlock(&store->lock);
	return shape;
}

/* The text of a system query of that id; malloc'd or NULL. */
static char *
system_query_text(EmuStore *store, const char *program, const char *id)
{
	char	   *json = emu_engine_system_queries(store->emu->engine, program);
	json_t	   *list = json != NULL ? json_loads(json, 0, NULL) : NULL;
	char	   *text = NULL;
	size_t		i;
	json_t	   *query;

	json_array_foreach(list, i, query)
	{
		if (text == NULL &&
			emu_same(id, json_string_value(json_object_get(query, "queryId"))))
			text = emu_copy(json_string_value(json_object_get(query, "query")));
	}
	json_decref(list);
	free(json);
	return text;
}

char *
emu_store_query_text(EmuStore *store, EmuOwner owner, const char *id)
{
	json_t	   *list = emu_store_list_queries(store, owner, id, NULL);
	json_t	   *query = json_array_get(list, 0);
	char	   *text;

	if (query != NULL)
		text = emu_copy(json_string_value(json_object_get(query, "query")));
	else
		text = system_query_text(store, owner.program, id);
	json_decref(list);
	return text;
}

static json_t *
execution_state(const EmuExecution *execution, int64_t now_ms)
{
	static const char *const stages[] = {"waiting", "producing", "produced", "failed"};

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:s}",
					 "executionId", execution->id,
					 "executionStatus", emu_execution_status(execution, now_ms),
					 "stage", stages[execution->stage],
					 "rows", (json_int_t) execution->rows,
					 "size", (json_int_t) execution->file.size,
					 "gzip", execution->file.gzip,
					 "error", execution->error);
}

static json_t *
report_state(const EmuReport *report, int64_t now_ms)
{
	json_t	   *state = json_deep_copy(report->shape);
	json_t	   *executions = json_array();
	char		next[EMU_TIME_SIZE];

	for (EmuExecution *one = report->executions; one != NULL; one = one->next)
		json_array_append_new(executions, execution_state(one, now_ms));
	json_object_set_new(state, "program", json_string(report->program));
	json_object_set_new(state, "owner", json_string(report->user));
	json_object_set_new(state, "runs", json_integer(report->runs));
	json_object_set_new(state, "executions", executions);
	if (!report->execute_now)
	{
		emu_time_text(report->next_run, next);
		json_object_set_new(state, "nextRun", json_string(next));
	}
	return state;
}

json_t *
emu_store_state(EmuStore *store)
{
	json_t	   *queries = json_array();
	json_t	   *reports = json_array();
	int64_t		now_ms = emu_now_ms(store->emu->switches);
	int			active = 0;
	int			executions = 0;

	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	for (EmuSavedQuery *query = store->queries; query != NULL; query = query->next)
	{
		json_t	   *state = json_deep_copy(query->shape);

		json_object_set_new(state, "program", json_string(query->program));
		json_object_set_new(state, "owner", json_string(query->user));
		json_array_append_new(queries, state);
	}
	for (EmuReport *report = store->reports; report != NULL; report = report->next)
	{
		const char *status = json_string_value(json_object_get(report->shape,
															   "reportStatus"));

		active += emu_same(status, "Active");
		for (EmuExecution *one = report->executions; one != NULL; one = one->next)
			executions++;
		json_array_append_new(reports, report_state(report, now_ms));
	}
	pthread_mutex_unlock(&store->lock);
	return json_pack("{s:o, s:o, s:i, s:i, s:s}", "queries", queries,
					 "reports", reports, "active_reports", active,
					 "executions", executions, "folder", store->folder);
}
