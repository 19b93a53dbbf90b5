/*-------------------------------------------------------------------------
 *
 * sweep.c
 *		Deletes what we have left at the service and nothing uses any more.
 *
 *		LOOK ---> JOBS ---> LIST_REPORTS ---> LIST_QUERIES ---> REPORTS ---> QUERIES
 *
 * At most one request is under way.  Reports go before the queries they use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ascii.h"
#include "insights/client.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "service_time.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "snapshot/sweep.h"
#include "text.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef enum SweepStep
{
	SWEEP_LOOK,					/* for jobs */
	SWEEP_JOBS,					/* what left ones name */
	SWEEP_LIST_REPORTS,
	SWEEP_LIST_QUERIES,
	SWEEP_REPORTS,				/* those that no job knows */
	SWEEP_QUERIES,				/* likewise */
	SWEEP_DONE,
	SWEEP_FAILED
} SweepStep;

/* Pages of a list that are followed; a user has some hundred objects at most. */
#define MAX_PAGES 100
/* Requests of a sweep that goes along with something else. */
#define MAX_REQUESTS_ALONG 20

/* A job that was abandoned, as it seems. */
typedef struct LeftJob
{
	char	   *path;
	TimestampTz saved;			/* when it was touched last */
} LeftJob;

/* What a list says of a report or query. */
typedef struct RemoteObject
{
	PinId		id;				/* never empty */
	PinId		query_id;		/* of a report: the query it runs; may be
								 * empty */
	char	   *name;			/* UTF-8; "" if it has none */
	bool		recurring;		/* a report that is made again and again */
	TimestampTz created;		/* if that is not told: now */
} RemoteObject;

struct PinSweep
{
	const PinOptions *options;	/* whose objects */
	TimestampTz before;			/* what is younger is spared */
	PinSweepTell tell;			/* told what was deleted */
	void	   *arg;			/* its argument */
	bool		along;			/* few requests, no second try */
	bool		for_room;		/* also of first rows, however young */
	MemoryContext context;		/* where it lives */
	SweepStep	step;			/* where we are */
	PinClient	client;			/* asks */
	bool		calling;		/* it does, just now */

	List	   *jobs;			/* of LeftJob: to look at, the oldest first */
	PinJob	   *job;			/* being cleaned; NULL: none */
	List	   *reports;		/* of RemoteObject: all, later those to look
								 * at */
	List	   *queries;		/* likewise */
	List	   *kept;			/* reports that stay */
	int			deleted;		/* reports and queries */
	RemoteObject *object;		/* being deleted, by a list; NULL: by a job */
	int			pages;			/* of the current list, followed */
	char	   *next_page;		/* where it goes on; NULL: its start */
	PinReportList report_page;	/* being read */
	PinQueryList query_page;	/* likewise */

	PinError	error;			/* why FAILED */
	MemoryContextCallback callback; /* lets go of everything */
};

static void
go(PinSweep *s, SweepStep step)
{
	s->step = step;
	s->pages = 0;
	s->next_page = NULL;
}

static void
fail(PinSweep *s, const PinError *err)
{
	s->error = *err;
	s->step = SWEEP_FAILED;
}

/* Begins a call; built is whether its request could be. */
static void
call(PinSweep *s, PinApiRequest *request, bool built, const PinError *err, PinReadReply read)
{
	if (!built)
	{
		fail(s, err);
		return;
	}
	pin_client_call(&s->client, request, PIN_CALL_REPEATABLE, read, s);
	if (s->along)
		pin_client_be_patient(&s->client, 1);
	s->calling = true;
}

/* ---- deleting ---- */

static bool
is_report(const PinSweep *s)
{
	return s->object != NULL ? s->step == SWEEP_REPORTS : s->job->state.report_id[0] != '\0';
}

/* What is being deleted. */
static PinSwept
current(const PinSweep *s)
{
	PinSwept	swept = {0};
	const PinJobState *job = s->job != NULL ? &s->job->state : NULL;

	swept.kind = is_report(s) ? "report" : "query";
	swept.name = s->object != NULL ? s->object->name : job->name;
	swept.id = s->object != NULL ? s->object->id : is_report(s) ? job->report_id : job->query_id;
	return swept;
}

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

static void
delete_current(PinSweep *s)
{
	const char *id = current(s).id;
	PinApiRequest request;
	PinError	err;
	bool		built;

	if (is_report(s))
	{
		built = pin_api_delete_report(&s->client.api, id, &request, &err);
		call(s, &request, built, &err, read_deleted_report);
	}
	else
	{
		built = pin_api_delete_query(&s->client.api, id, &request, &err);
		call(s, &request, built, &err, read_deleted_query);
	}
}

static void
let_go_of_job(PinSweep *s)
{
	pin_job_release(s->job);
	s->job = NULL;
}

/*
 * An object is gone, or the service will not have it deleted, which shall not
 * keep the others.
 */
static void
end_deletion(PinSweep *s, const PinError *refusal)
{
	PinSwept	swept = current(s);

	swept.refusal = refusal;
	s->tell(&swept, s->arg);
	if (refusal == NULL)
		s->deleted++;
	if (s->object != NULL)
	{
		if (refusal != NULL && s->step == SWEEP_REPORTS)
			s->kept = lappend(s->kept, s->object);
		s->object = NULL;
	}
	else if (refusal != NULL)
		let_go_of_job(s);		/* which stays */
	else if (is_report(s))
		s->job->state.report_id[0] = '\0';
	else
		s->job->state.query_id[0] = '\0';
}

/* ---- jobs that nobody works on ---- */

static bool
is_abandoned(const PinSweep *s, const PinJobState *state)
{
	return state->database == MyDatabaseId && state->serverid == s->options->serverid &&
		state->umid == s->options->umid && strcmp(state->program, s->options->program) == 0 &&
		(state->saved <= s->before ||
		 (s->for_room && strcmp(state->phase, PIN_JOB_FIRST_ROWS) == 0));
}

static void
note_job(const char *path, void *arg)
{
	PinSweep   *s = arg;
	PinJobState state;
	LeftJob    *left;

	if (!pin_job_read(path, &state) || !is_abandoned(s, &state))
		return;
	left = palloc(sizeof(LeftJob));
	left->path = pstrdup(path);
	left->saved = state.saved;
	s->jobs = lappend(s->jobs, left);
}

static int
oldest_first(const ListCell *a, const ListCell *b)
{
	TimestampTz left = ((LeftJob *) lfirst(a))->saved;
	TimestampTz right = ((LeftJob *) lfirst(b))->saved;

	return left < right ? -1 : left > right;
}

static void
look_for_jobs(PinSweep *s)
{
	pin_cache_visit("", PIN_CACHE_JOB, note_job, s);
	list_sort(s->jobs, oldest_first);
	go(s, SWEEP_JOBS);
}

/* Takes a job if it is still abandoned: nobody else can take it up then. */
static void
take_job(PinSweep *s, const char *path)
{
	s->job = pin_job_take_left(path);
	if (s->job != NULL && !is_abandoned(s, &s->job->state))
		let_go_of_job(s);
}

static void
clean_jobs(PinSweep *s)
{
	if (s->job == NULL && s->jobs == NIL)
		go(s, SWEEP_LIST_REPORTS);
	else if (s->job == NULL)
	{
		LeftJob    *left = linitial(s->jobs);

		s->jobs = list_delete_first(s->jobs);
		take_job(s, left->path);
	}
	else if (s->job->state.report_id[0] != '\0' || s->job->state.query_id[0] != '\0')
		delete_current(s);
	else
	{
		pin_job_forget(s->job); /* nothing is left of it that we know of */
		s->job = NULL;
	}
}

/* ---- lists ---- */

static RemoteObject *
add_object(List **objects, const char *id, const char *name, const char *created)
{
	RemoteObject *object = palloc0(sizeof(RemoteObject));

	strlcpy(object->id, id, sizeof(object->id));
	object->name = pstrdup(name != NULL ? name : "");
	object->created = created != NULL ? pin_service_time(created) : 0;
	if (object->created == 0)
		object->created = GetCurrentTimestamp();
	*objects = lappend(*objects, object);
	return object;
}

/* The list goes on, or the next step begins. */
static void
turn_page(PinSweep *s, const char *next_link, SweepStep next)
{
	PinError	err;

	if (next_link == NULL)
		go(s, next);
	else if (++s->pages < MAX_PAGES)
		s->next_page = pstrdup(next_link);
	else
	{
		pin_error_set(&err, PIN_ERROR_REPLY, "a list of reports or queries does not end");
		fail(s, &err);
	}
}

static bool
read_reports(const PinReply *reply, void *arg, PinError *err)
{
	PinSweep   *s = arg;
	PinReportList *list = &s->report_page;

	if (!pin_api_find_reports_reply(reply, list, err))
		return false;
	for (size_t i = 0; i < list->count; i++)
	{
		const PinRemoteReport *report = &list->items[i];
		RemoteObject *object = add_object(&s->reports, report->id, report->name,
										  report->created_time);

		strlcpy(object->query_id, report->query_id, sizeof(PinId));
		object->recurring = !report->execute_now && report->recurrence_hours > 0;
	}
	turn_page(s, list->next_link, SWEEP_LIST_QUERIES);
	pin_api_report_list_free(list);
	return true;
}

static bool
read_queries(const PinReply *reply, void *arg, PinError *err)
{
	PinSweep   *s = arg;
	PinQueryList *list = &s->query_page;

	if (!pin_api_find_queries_reply(reply, list, err))
		return false;
	for (size_t i = 0; i < list->count; i++)
		add_object(&s->queries, list->items[i].id, list->items[i].name,
				   list->items[i].created_time);
	turn_page(s, list->next_link, SWEEP_REPORTS);
	pin_api_query_list_free(list);
	return true;
}

static void
ask_for_page(PinSweep *s)
{
	const PinApi *api = &s->client.api;
	bool		reports = s->step == SWEEP_LIST_REPORTS;
	PinApiRequest request;
	PinError	err;
	bool		built;

	if (s->next_page != NULL)
		built = pin_api_next_page(api, s->next_page, &request, &err);
	else if (reports)
		built = pin_api_find_reports(api, NULL, NULL, &request, &err);
	else
		built = pin_api_find_queries(api, NULL, &request, &err);
	call(s, &request, built, &err, reports ? read_reports : read_queries);
}

/* ---- objects that no job knows ---- */

/* Is there a job that uses the object? */
typedef struct Search
{
	const RemoteObject *object; /* looked for */
	bool		found;			/* it is used */
} Search;

static void
search_job(const char *path, void *arg)
{
	Search	   *search = arg;
	const char *id = search->object->id;
	PinJobState state;

	if (!search->found && pin_job_read(path, &state))
		search->found = pin_ascii_equal(state.report_id, id) ||
			pin_ascii_equal(state.query_id, id) ||
			pin_ascii_equal_trimmed(state.name, search->object->name);
}

/*
 * Ours, old enough, and in no job of any database.  A report that is made again
 * and again was asked for by somebody, who will also end it.
 */
static bool
is_orphan(const PinSweep *s, const RemoteObject *object)
{
	Search		search = {.object = object};

	if (!pin_job_is_name(object->name) || object->recurring || object->created > s->before)
		return false;
	pin_cache_visit("", PIN_CACHE_JOB, search_job, &search);
	return !search.found;
}

static bool
is_used(const RemoteObject *query, const List *reports)
{
	ListCell   *lc;

	foreach(lc, reports)
	{
		if (pin_ascii_equal(((RemoteObject *) lfirst(lc))->query_id, query->id))
			return true;
	}
	return false;
}

static RemoteObject *
take_first(List **objects)
{
	RemoteObject *object = linitial(*objects);

	*objects = list_delete_first(*objects);
	return object;
}

static void
clean_reports(PinSweep *s)
{
	RemoteObject *report;

	if (s->reports == NIL)
	{
		go(s, SWEEP_QUERIES);
		return;
	}
	report = take_first(&s->reports);
	if (is_orphan(s, report))
	{
		s->object = report;
		delete_current(s);
	}
	else
		s->kept = lappend(s->kept, report);
}

static void
clean_queries(PinSweep *s)
{
	RemoteObject *query;

	if (s->queries == NIL)
	{
		go(s, SWEEP_DONE);
		return;
	}
	query = take_first(&s->queries);
	if (!is_used(query, s->kept) && is_orphan(s, query))
	{
		s->object = query;
		delete_current(s);
	}
}

/* ---- the plot ---- */

static void
move(PinSweep *s)
{
	static void (*const moves[]) (PinSweep *) =
	{
		[SWEEP_LOOK] = look_for_jobs,
		[SWEEP_JOBS] = clean_jobs,
		[SWEEP_LIST_REPORTS] = ask_for_page,
		[SWEEP_LIST_QUERIES] = ask_for_page,
		[SWEEP_REPORTS] = clean_reports,
		[SWEEP_QUERIES] = clean_queries,
	};

	if (s->along && s->client.requests >= MAX_REQUESTS_ALONG)
		go(s, SWEEP_DONE);
	else
		moves[s->step] (s);
}

static bool
is_listing(const PinSweep *s)
{
	return s->step == SWEEP_LIST_REPORTS || s->step == SWEEP_LIST_QUERIES;
}

/* Moves the call on; false if there is something to wait for. */
static bool
advance_call(PinSweep *s)
{
	bool		listing = is_listing(s);
	PinError	err;

	switch (pin_client_advance(&s->client, &err))
	{
		case PIN_CALL_WAIT:
			return false;
		case PIN_CALL_DONE:
			if (!listing)
				end_deletion(s, NULL);
			break;
		case PIN_CALL_FAILED:
			if (!listing && err.kind == PIN_ERROR_BAD_REQUEST)
				end_deletion(s, &err);
			else
				fail(s, &err);
			break;
	}
	s->calling = false;
	return true;
}

PinSweepStatus
pin_sweep_advance(PinSweep *s)
{
	MemoryContext old = MemoryContextSwitchTo(s->context);

	while (s->step != SWEEP_DONE && s->step != SWEEP_FAILED)
	{
		if (!s->calling)
			move(s);
		else if (!advance_call(s))
			break;
	}
	MemoryContextSwitchTo(old);
	return s->step == SWEEP_DONE ? PIN_SWEEP_DONE :
		s->step == SWEEP_FAILED ? PIN_SWEEP_FAILED : PIN_SWEEP_WAIT;
}

/* ---- beginning and end ---- */

void
pin_sweep_close(PinSweep *s)
{
	if (s == NULL)
		return;
	pin_client_close(&s->client);
	pin_job_release(s->job);
	s->job = NULL;
	pin_api_report_list_free(&s->report_page);
	pin_api_query_list_free(&s->query_page);
	if (s->step != SWEEP_FAILED)
		s->step = SWEEP_DONE;
}

static void
let_go(void *arg)
{
	pin_sweep_close(arg);
}

PinSweep *
pin_sweep_start(const PinOptions *options, TimestampTz before, PinSweepTell tell, void *arg)
{
	PinSweep   *s = palloc0(sizeof(PinSweep));
	PinError	err;

	s->options = options;
	s->before = before;
	s->tell = tell;
	s->arg = arg;
	s->context = CurrentMemoryContext;
	s->callback.func = let_go;
	s->callback.arg = s;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &s->callback);
	pin_error_reset(&s->error);
	if (!pin_client_open(&s->client, options, &err))
		fail(s, &err);
	return s;
}

int
pin_sweep_deleted(const PinSweep *s)
{
	return s->deleted;
}

int
pin_sweep_fd(const PinSweep *s)
{
	return pin_http_fd(s->client.http);
}

void
pin_sweep_drive(PinSweep *s)
{
	pin_http_drive(s->client.http);
}

const PinError *
pin_sweep_error(const PinSweep *s)
{
	return &s->error;
}

char *
pin_sweep_doing(const PinSweep *s)
{
	PinSwept	swept;

	if (s->object == NULL && s->job == NULL)
		return psprintf("program \"%s\"", s->options->program);
	swept = current(s);
	return psprintf("deleting %s %s", swept.kind, pin_text_to_server(swept.id));
}

/* ---- beside something else ---- */

/* Whose objects this session has swept. */
typedef struct SweptOnce
{
	PinHash		credential;
	char		program[8];
} SweptOnce;

static List *swept_once = NIL;

/* True the first time it is asked. */
static bool
note_once(const PinNeed *need)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	SweptOnce  *mine = NULL;
	ListCell   *lc;

	foreach(lc, swept_once)
	{
		mine = lfirst(lc);
		if (strcmp(mine->credential, need->credential) == 0 &&
			strcmp(mine->program, need->options->program) == 0)
			break;
	}
	if (lc == NULL)
	{
		mine = palloc0(sizeof(SweptOnce));
		strlcpy(mine->credential, need->credential, sizeof(mine->credential));
		strlcpy(mine->program, need->options->program, sizeof(mine->program));
		swept_once = lappend(swept_once, mine);
	}
	MemoryContextSwitchTo(old);
	return lc == NULL;
}

/* Nobody waits for this: whoever looks after the server may want to know. */
static void
tell_log(const PinSwept *swept, void *arg)
{
	const PinOptions *options = arg;

	if (swept->refusal == NULL)
		ereport(LOG,
				(errmsg("deleted %s %s of server \"%s\", which nobody has waited for any more",
						swept->kind, pin_text_to_server(swept->id), options->server_name)));
}

static PinSweep *
start_along(const PinOptions *options)
{
	TimestampTz before = GetCurrentTimestamp() - (int64) pin_sweep_age_s * USECS_PER_SEC;
	PinSweep   *s = pin_sweep_start(options, before, tell_log, (void *) options);

	s->along = true;
	return s;
}

PinSweep *
pin_sweep_start_once(const PinNeed *need)
{
	if (pin_sweep_age_s < 0 || !note_once(need))
		return NULL;
	return start_along(need->options);
}

PinSweep *
pin_sweep_start_for_room(const PinOptions *options)
{
	PinSweep   *s;

	if (pin_sweep_age_s < 0)
		return NULL;
	s = start_along(options);
	s->for_room = true;
	return s;
}

/* The error of a sweep, whoever has raised it, is nobody's business. */
static void
give_up_along(const char *why)
{
	elog(DEBUG1, "pinsight_fdw: sweep ended early: %s", why);
}

/*
 * What can be thrown here is about files of the cache directory and memory: no
 * lock, no catalog, no interrupt is involved, so to go on is safe.  But an error
 * lets go of interrupts, which whoever called may hold.
 */
bool
pin_sweep_go_along(PinSweep *s)
{
	MemoryContext old = CurrentMemoryContext;
	uint32		held = InterruptHoldoffCount;
	volatile PinSweepStatus status = PIN_SWEEP_FAILED;

	PG_TRY();
	{
		status = pin_sweep_advance(s);
		if (status == PIN_SWEEP_FAILED)
			give_up_along(s->error.message);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old);
		error = CopyErrorData();
		FlushErrorState();
		InterruptHoldoffCount = held;
		give_up_along(error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
	if (status != PIN_SWEEP_WAIT)
		pin_sweep_close(s);
	return status == PIN_SWEEP_WAIT;
}
