/*-------------------------------------------------------------------------
 *
 * acquire.c
 *		From a need to a local file: the way a report takes, step by step.
 *
 * One struct of state, one enum of steps, a start_X()/finish_X() pair for each
 * step; pin_acquire_advance() at the end of the file is the plot, next_step()
 * the map:
 *
 *	 CREATE_QUERY ----> CREATE_REPORT ----> POLL ----> DOWNLOAD
 *		|   ^               |   ^           ^   |         |
 *		v   |               v   |           +---+         v
 *	  FIND_QUERY         FIND_REPORT    CHECK_REPORT   DELETE_REPORT
 *		(a create whose outcome is        (is it           |
 *		 unknown is looked up first)       gone?)     DELETE_QUERY --> DONE
 *
 * Signing in and trying again are the client's business (insights/client.c),
 * resuming a broken download is download.c's.
 *
 * Invariants:
 *	1. At most one request is under way, the call or the download of the
 *	   current step.
 *	2. While `rest` is armed there is none: the step waits to be started.
 *	3. The job names every remote object of ours, on disk, from before its
 *	   creation is sent until its deletion is confirmed, and no other: whoever
 *	   takes the job later can go on from it alone (next_step() looks at nothing
 *	   else), and what it names may be deleted.  Only what could not be deleted
 *	   before a report is ordered anew is left to whoever finds it by its name.
 *	4. A create is never sent while an earlier one may have been carried out.
 *	5. The token goes to the API only; the download has none.
 *	6. Remote objects are deleted only after their rows are safe on disk.
 *	7. DONE is reached only with a snapshot that is proven whole, or with first
 *	   rows where these are enough.
 *	8. Nothing is created before our turn has come (turn.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "insights/client.h"
#include "service_time.h"
#include "snapshot/acquire.h"
#include "snapshot/budget.h"
#include "snapshot/cache.h"
#include "snapshot/sweep.h"
#include "snapshot/took.h"
#include "snapshot/turn.h"
#include "utils/timestamp.h"
#include "transport/retry.h"

typedef enum PinStep
{
	PIN_STEP_CREATE_QUERY,
	PIN_STEP_FIND_QUERY,
	PIN_STEP_CREATE_REPORT,
	PIN_STEP_FIND_REPORT,
	PIN_STEP_CHECK_REPORT,
	PIN_STEP_POLL,
	PIN_STEP_DOWNLOAD,
	PIN_STEP_DELETE_REPORT,
	PIN_STEP_DELETE_QUERY,
	PIN_STEP_DONE,
	PIN_STEP_FAILED
} PinStep;

/* A service that is down for minutes must not end a wait of hours. */
#define POLL_TRIES 10
/* Creates sent for one object, over the whole acquisition. */
#define MAX_CREATES 3
/* Pages of a list that are followed; the service holds 100 queries. */
#define MAX_PAGES 100
/*
 * A create whose scan was ended is looked for until it is so old, this often,
 * before it is sent again; one that took too long for as long again as it took,
 * but no longer than that.
 */
#define SETTLE_US (3 * USECS_PER_SEC)
#define LOOK_AGAIN_MS 500
/* Links asked for after the store refused one. */
#define MAX_LINKS 3
/* "not found" in a row before the report's existence is checked. */
#define CHECK_AFTER_POLLS 8
/*
 * Polls become rarer, up to this: continuous polling is what gets throttled.
 * But a report shall not be noticed later than by this part of its time.
 */
#define MAX_POLL_MS 60000
#define POLL_SHARE 5
/* Whether our turn has come is looked at this often, then less often. */
#define FIRST_TURN_MS 50
#define MAX_TURN_MS 500
#define QUEUED "waiting for its turn"
/* A wait that is long enough to sweep meanwhile. */
#define SWEEP_PAUSE_MS 1000
/* Rows are not held back for longer than this by tidying up. */
#define TIDY_UP_MS 10000

struct PinAcquisition
{
	const PinNeed *need;		/* what to get */
	MemoryContext context;		/* where it lives */
	PinStep		step;			/* where we are */
	bool		started;		/* the step's request was begun */
	PinTimer	rest;			/* wait before the step is started */
	PinTimer	deadline;		/* end of wait_timeout, later of tidying up */

	PinClient	client;			/* calls the API */
	PinDownload download;		/* fetches the file */
	PinJob	   *job;			/* remote identity and progress */
	PinTurn		turn;			/* our ticket, until the end */
	bool		queued;			/* its turn has not come */
	int			turn_ms;		/* wait before the next look */
	PinSweep   *sweep;			/* goes along; NULL: none */
	bool		making_room;	/* the current step starts behind it */
	bool		made_room;		/* that was done already */
	char		name[PIN_JOB_NAME_SIZE];	/* of the remote objects */
	TimestampTz oldest;			/* rows older than this are of no use */
	PinSnapshotHead head;		/* what the snapshot will say of itself */
	bool		outdated;		/* tidying up before ordering anew */
	bool		restarted;		/* that was done already */
	int64		patience_us;	/* end of wait_timeout; 0: nobody waits */
	TimestampTz sent;			/* when the current step was started */
	PinSnapshot *snapshot;		/* the file, once it is whole */

	int			query_creates;	/* creates sent */
	int			report_creates; /* likewise */
	int64		settled_us;		/* until then one that took too long may come;
								 * 0: none did */
	int			links;			/* links refused */
	int			not_found;		/* polls in a row that found no execution */
	int			pages;			/* pages of a list followed */
	TimestampTz looked;			/* when the first of them was asked for */
	char	   *next_page;		/* FIND_X: where its list goes on; NULL: start */
	char	   *link;			/* secure link of the completed execution */
	PinQueryList queries;		/* a reply being read: let_go frees what an */
	PinReportList reports;		/* error leaves of it */
	PinExecution execution;		/* likewise */

	PinError	error;			/* why FAILED */
	bool		doomed;			/* tidying up before FAILED */
	PinError	leftover;		/* why tidying up did not succeed */
	PinAcquireStats stats;		/* for EXPLAIN and notices */
	MemoryContextCallback callback; /* lets go of everything */
};

/* ---- moving between steps ---- */

static PinMux *
the_mux(PinAcquisition *a)
{
	return pin_http_mux(a->client.http);
}

static void
go(PinAcquisition *a, PinStep step)
{
	a->step = step;
	a->started = false;
}

/* The current step starts only after a while. */
static void
rest(PinAcquisition *a, int ms)
{
	(void) pin_mux_arm(the_mux(a), &a->rest, pin_now_us() + (int64) ms * 1000);
}

static void
set_deadline(PinAcquisition *a, int64 due_us)
{
	(void) pin_mux_arm(the_mux(a), &a->deadline, due_us);
	a->client.give_up_us = due_us;
}

static void
clear_deadline(PinAcquisition *a)
{
	pin_mux_disarm(the_mux(a), &a->deadline);
	a->client.give_up_us = 0;
}

/* The deadline is the end of wait_timeout; there is none while nobody waits. */
static void
be_patient(PinAcquisition *a)
{
	if (a->patience_us != 0)
		set_deadline(a, a->patience_us);
	else
		clear_deadline(a);
}

static int64
wait_timeout_end(const PinAcquisition *a)
{
	return pin_now_us() + a->need->options->wait_timeout_ms * 1000;
}

static void
fail(PinAcquisition *a, const PinError *err)
{
	a->error = *err;
	go(a, PIN_STEP_FAILED);
}

/* The report query, if it is one that exists and is not ours; else NULL. */
static const char *
given_query(const PinAcquisition *a)
{
	return a->need->options->query_id;
}

/* The step that the job's state asks for: all that is needed to resume. */
static PinStep
next_step(const PinAcquisition *a)
{
	const PinJobState *state = &a->job->state;

	if (state->report_id[0] != '\0')
		return PIN_STEP_POLL;
	if (state->report_tried)
		return PIN_STEP_FIND_REPORT;
	if (given_query(a) != NULL || state->query_id[0] != '\0')
		return PIN_STEP_CREATE_REPORT;
	if (state->query_tried)
		return PIN_STEP_FIND_QUERY;
	return PIN_STEP_CREATE_QUERY;
}

static bool
is_tidying(const PinAcquisition *a)
{
	return a->step == PIN_STEP_DELETE_REPORT || a->step == PIN_STEP_DELETE_QUERY;
}

/* Nothing remote is left that we could remove, and it is not over: from the start. */
static void
order_anew(PinAcquisition *a)
{
	a->outdated = false;
	a->restarted = true;
	a->not_found = 0;
	a->stats.resumed = false;
	a->stats.report_id[0] = '\0';
	pin_job_reset(a->job);
	be_patient(a);
	go(a, next_step(a));
}

/* Nothing remote is left that we could remove. */
static void
end_tidying(PinAcquisition *a)
{
	if (a->outdated)
	{
		order_anew(a);
		return;
	}

	/*
	 * A job that names what could not be removed stays.  And so does one that
	 * says there is nothing, if no report can be had: as long as that is so,
	 * nobody needs to ask.
	 */
	if ((a->leftover.kind != PIN_ERROR_NONE && !pin_job_is_blank(&a->job->state)) ||
		a->error.kind == PIN_ERROR_ORDER_QUOTA)
		pin_job_note(a->job);
	else
		pin_job_forget(a->job);
	go(a, a->doomed ? PIN_STEP_FAILED : PIN_STEP_DONE);
}

/* Removes what is there, the report before the query it uses. */
static void
tidy_up(PinAcquisition *a)
{
	if (a->job->state.report_id[0] != '\0')
		go(a, PIN_STEP_DELETE_REPORT);
	else if (a->job->state.query_id[0] != '\0')
		go(a, PIN_STEP_DELETE_QUERY);
	else
		end_tidying(a);
}

static void
begin_tidying(PinAcquisition *a)
{
	set_deadline(a, pin_now_us() + TIDY_UP_MS * 1000);
	tidy_up(a);
}

/* The acquisition cannot succeed: tidy up, then fail. */
static void
doom(PinAcquisition *a, const PinError *err)
{
	a->error = *err;
	a->doomed = true;
	begin_tidying(a);
}

/*
 * Begins a call of the current step.  built is what the function that made the
 * request returned, err what it said if that is false.
 */
static void
call(PinAcquisition *a, PinApiRequest *request, bool built, const PinError *err,
	 PinCallKind kind, PinReadReply read)
{
	if (built)
		pin_client_call(&a->client, request, kind, read, a);
	else
		fail(a, err);
}

/* ---- CREATE_QUERY, FIND_QUERY ---- */

static bool
read_create_query(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;

	if (!pin_api_create_query_reply(reply, a->job->state.query_id, err))
		return false;
	go(a, next_step(a));
	return true;
}

static void
start_create_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built;

	if (!pin_budget_allows(a->need, &err))
	{
		fail(a, &err);
		return;
	}
	built = pin_api_create_query(&a->client.api, a->name, NULL, a->need->asked->text,
								 &request, &err);

	a->query_creates++;
	a->job->state.query_tried = built;
	a->job->state.create_sent = a->sent;
	call(a, &request, built, &err, PIN_CALL_ONCE, read_create_query);
}

/* A page of a list of ours: the first, which was built, or the next. */
static void
call_for_page(PinAcquisition *a, PinApiRequest *first, bool built, PinError *err,
			  PinReadReply read)
{
	if (built && a->next_page != NULL)
	{
		pin_api_request_free(first);
		built = pin_api_next_page(&a->client.api, a->next_page, first, err);
	}
	call(a, first, built, err, PIN_CALL_REPEATABLE, read);
}

/*
 * What a scan that was ended has sent last, or what took too long, may still be
 * on its way, or in the service's hands.
 */
static bool
may_still_come(const PinAcquisition *a)
{
	return pin_now_us() < a->settled_us ||
		(a->job->resumed &&
		 a->job->state.create_sent > GetCurrentTimestamp() - SETTLE_US);
}

/*
 * What was looked for is found, or the list goes on, or it does not exist: go
 * on to where the job says, or stay with the next page.
 */
static void
turn_page(PinAcquisition *a, bool found, const char *next_link, bool *tried)
{
	a->next_page = NULL;
	if (!found && next_link != NULL && ++a->pages < MAX_PAGES)
	{
		a->next_page = pstrdup(next_link);
		go(a, a->step);
		return;
	}
	a->pages = 0;
	if (!found && may_still_come(a))
	{
		go(a, a->step);
		rest(a, LOOK_AGAIN_MS);
		return;
	}
	*tried = found;
	go(a, next_step(a));
}

static bool
read_find_query(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;
	PinQueryList *list = &a->queries;
	const PinRemoteQuery *query;

	if (!pin_api_find_queries_reply(reply, list, err))
		return false;
	query = pin_api_query_named(list, a->name);
	if (query != NULL)
		strlcpy(a->job->state.query_id, query->id, sizeof(PinId));
	turn_page(a, query != NULL, list->next_link, &a->job->state.query_tried);
	pin_api_query_list_free(list);
	return true;
}

static void
start_find_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_queries(&a->client.api, a->name, &request, &err);

	call_for_page(a, &request, built, &err, read_find_query);
}

/* ---- CREATE_REPORT, FIND_REPORT, CHECK_REPORT ---- */

static bool
read_create_report(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;

	if (!pin_api_create_report_reply(reply, a->job->state.report_id, err))
		return false;
	a->job->state.not_before = a->sent;
	go(a, next_step(a));
	return true;
}

static void
start_create_report(PinAcquisition *a)
{
	PinReportOrder order = {0};
	PinApiRequest request;
	PinError	err;
	bool		built;

	if (!pin_budget_take(a->need, &err))
	{
		fail(a, &err);
		return;
	}
	order.name = a->name;
	order.query_id = given_query(a) != NULL ? given_query(a) : a->job->state.query_id;
	order.query_start = a->need->asked->start;
	order.query_end = a->need->asked->end;
	order.format = a->need->options->format == PIN_FORMAT_TSV ? "tsv" : "csv";
	built = pin_api_create_report(&a->client.api, &order, &request, &err);
	a->report_creates++;

	/* also if we never hear of it, and look for it by its name */
	a->job->state.not_before = a->job->state.namesake ? 0 : a->sent;
	a->job->state.report_tried = built;
	a->job->state.create_sent = a->sent;
	call(a, &request, built, &err, PIN_CALL_ONCE, read_create_report);
}

static bool
read_find_report(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;
	PinReportList *list = &a->reports;
	const PinRemoteReport *report;

	if (!pin_api_find_reports_reply(reply, list, err))
		return false;
	report = pin_api_report_named(list, a->name);
	if (report != NULL)
	{
		strlcpy(a->job->state.report_id, report->id, sizeof(PinId));

		/* ours is to be deleted, too */
		if (given_query(a) == NULL && a->job->state.query_id[0] == '\0')
			strlcpy(a->job->state.query_id, report->query_id, sizeof(PinId));
	}
	turn_page(a, report != NULL, list->next_link, &a->job->state.report_tried);
	if (!a->job->state.report_tried)	/* what is found later was made later */
		a->job->state.not_before = a->looked;
	pin_api_report_list_free(list);
	return true;
}

static void
start_find_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_reports(&a->client.api, a->name, NULL,
											 &request, &err);

	if (a->next_page == NULL)
		a->looked = a->sent;
	call_for_page(a, &request, built, &err, read_find_report);
}

/*
 * The report is gone: another cluster with the same need has finished with it,
 * or somebody has deleted it.  Ordered anew, once, with a query of its own.
 */
static void
report_gone(PinAcquisition *a)
{
	PinError	err;

	pin_error_set(&err, PIN_ERROR_REPORT_GONE,
				  "report %s was deleted while it was waited for", a->job->state.report_id);
	a->job->state.report_id[0] = '\0';
	a->job->state.report_tried = false;
	if (a->restarted)
	{
		doom(a, &err);
		return;
	}
	a->client.retries++;
	a->outdated = true;
	begin_tidying(a);
}

/* The longer a report has taken, the longer it may wait for the next poll. */
static int
poll_interval_ms(const PinAcquisition *a)
{
	const PinJobState *state = &a->job->state;
	TimestampTz ordered = state->create_sent != 0 ? state->create_sent : state->begun;
	int64		taken_ms = Max(GetCurrentTimestamp() - ordered, 0) / 1000;

	return Max(a->need->options->poll_interval_ms,
			   (int) Min(taken_ms / POLL_SHARE, MAX_POLL_MS));
}

/* Polls again after a while, which grows; a little chance spreads sessions. */
static void
poll_later(PinAcquisition *a)
{
	double		chance = 0.9 + 0.2 * pg_prng_double(&pg_global_prng_state);
	int			wait_ms = (int) (poll_interval_ms(a) * chance);

	go(a, PIN_STEP_POLL);
	rest(a, wait_ms);
	a->job->state.next_poll = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait_ms);
	pin_job_save(a->job);
	if (a->sweep == NULL && wait_ms >= SWEEP_PAUSE_MS)
		a->sweep = pin_sweep_start_once(a->need);
}

static bool
read_check_report(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;
	PinReportList list;
	bool		there;

	if (!pin_api_find_reports_reply(reply, &list, err))
		return false;
	there = pin_api_report_with_id(&list, a->job->state.report_id) != NULL;
	pin_api_report_list_free(&list);
	if (there)
		poll_later(a);
	else
		report_gone(a);
	return true;
}

static void
start_check_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_reports(&a->client.api, NULL, a->job->state.report_id,
											 &request, &err);

	call(a, &request, built, &err, PIN_CALL_REPEATABLE, read_check_report);
}

/* ---- POLL ---- */

/*
 * The report has not run yet, or it does not exist: seldom worth a look, but one
 * that we took over may have been deleted by whoever had it, and its polls are
 * rare.
 */
static void
execution_missing(PinAcquisition *a, bool maybe_gone)
{
	bool		doubtful = maybe_gone || a->stats.resumed;

	a->not_found++;
	if ((doubtful && a->not_found == 1) || a->not_found % CHECK_AFTER_POLLS == 0)
		go(a, PIN_STEP_CHECK_REPORT);
	else
		poll_later(a);
}

static void
execution_failed(PinAcquisition *a)
{
	PinError	err;

	pin_error_set(&err, PIN_ERROR_REPORT_FAILED,
				  "the service could not make report %s", a->job->state.report_id);
	pin_error_detail(&err, "It says of the report's execution: %s.", a->stats.state);
	doom(a, &err);
}

/*
 * The execution is complete.  Its rows are not older than the last time it was
 * seen incomplete, unless the clock was set back since, nor than the time the
 * service says it was generated; if that cannot be read, it was long ago.
 */
static void
execution_completed(PinAcquisition *a, const PinExecution *execution)
{
	PinSnapshotHead *head = &a->head;
	TimestampTz generated = Min(pin_service_time(execution->generated_time), GetCurrentTimestamp());

	head->as_of = Max(a->job->state.not_before, generated);
	if (pin_snapshot_is_ahead(head))
		head->as_of = generated;
	if (head->as_of < a->oldest && !a->restarted)
	{
		a->outdated = true;
		begin_tidying(a);
		return;
	}
	head->keep_until = TimestampTzPlusMilliseconds(head->as_of,
												   Max(a->need->options->max_age_ms,
													   a->need->options->stale_ok_ms));
	head->tsv = a->need->options->format == PIN_FORMAT_TSV;
	strlcpy(head->report_id, a->job->state.report_id, sizeof(PinId));
	strlcpy(head->execution_id, execution->execution_id, sizeof(PinId));
	strlcpy(head->generated_time, execution->generated_time, sizeof(PinTimeText));
	a->link = pstrdup(execution->secure_link);
	clear_deadline(a);			/* a file that arrives is waited for */
	go(a, PIN_STEP_DOWNLOAD);
}

static bool
read_poll(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;
	PinExecution *execution = &a->execution;

	if (!pin_api_latest_execution_reply(reply, a->job->state.report_id, execution, err))
		return false;

	strlcpy(a->stats.state, execution->status_text, sizeof(a->stats.state));
	strlcpy(a->job->state.said, execution->status_text, sizeof(a->job->state.said));
	a->job->state.failing_since = 0;
	if (execution->status != PIN_EXECUTION_COMPLETED)
		a->job->state.not_before = a->sent;
	if (execution->status == PIN_EXECUTION_NONE)
		execution_missing(a, execution->maybe_gone);
	else if (execution->status == PIN_EXECUTION_FAILED)
		execution_failed(a);
	else if (execution->status == PIN_EXECUTION_COMPLETED && execution->secure_link != NULL)
		execution_completed(a, execution);
	else
		poll_later(a);
	pin_api_execution_free(execution);
	return true;
}

static void
start_poll(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_latest_execution(&a->client.api, a->job->state.report_id,
												 &request, &err);

	strlcpy(a->stats.report_id, a->job->state.report_id, sizeof(PinId));
	a->stats.polls++;
	a->job->state.polls++;
	call(a, &request, built, &err, PIN_CALL_REPEATABLE, read_poll);
	pin_client_be_patient(&a->client, POLL_TRIES);
}

/* ---- DOWNLOAD ---- */

static void
start_download(PinAcquisition *a)
{
	PinError	err;

	if (!pin_download_start(&a->download, a->link, &err))
		fail(a, &err);
}

/*
 * How long the report took, for those who wait for the next one: from its
 * order, whoever has sent that, until it was ready, however late that was seen,
 * and its download.
 */
static void
note_took(PinAcquisition *a)
{
	TimestampTz ordered = a->job->state.create_sent;
	int64		took = a->head.as_of - ordered + GetCurrentTimestamp() - a->sent;

	if (ordered != 0 && took >= 0)
		pin_took_note(a->need->options, a->need->relid, took / USECS_PER_SEC);
}

/*
 * The rows that are here are enough for this scan, and no others'.  So the report
 * stays at the service, and the job here, for whoever will need all of it.
 */
static void
leave_rest(PinAcquisition *a)
{
	a->snapshot = pin_report_file_first_rows(a->download.file, &a->head);
	a->stats.ready_us = pin_now_us();
	strlcpy(a->job->state.phase, PIN_JOB_FIRST_ROWS, sizeof(a->job->state.phase));
	pin_job_note(a->job);
	go(a, PIN_STEP_DONE);
}

/* Moves the download on; true if there is nothing to wait for. */
static bool
advance_download(PinAcquisition *a)
{
	PinError	err;
	PinDownloadStatus status = pin_download_advance(&a->download, &err);

	a->stats.downloaded = pin_report_file_offset(a->download.file);
	pin_job_note_download(a->job, a->stats.downloaded, pin_report_file_rows(a->download.file));
	if (status == PIN_DOWNLOAD_WAIT)
		return false;
	if (status == PIN_DOWNLOAD_DONE)
	{
		a->snapshot = pin_report_file_seal(a->download.file, &a->head);
		a->stats.ready_us = pin_now_us();
		pin_evict(a->snapshot);
		note_took(a);
		begin_tidying(a);
	}
	else if (status == PIN_DOWNLOAD_FIRST_ROWS)
		leave_rest(a);
	else if (status == PIN_DOWNLOAD_LINK && ++a->links < MAX_LINKS)
	{
		if (a->patience_us != 0)
			a->patience_us = wait_timeout_end(a);
		be_patient(a);
		go(a, PIN_STEP_POLL);	/* for a fresh link */
	}
	else
		fail(a, &err);
	return true;
}

/* ---- DELETE_REPORT, DELETE_QUERY ---- */

static bool
read_delete_report(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;

	if (!pin_api_delete_report_reply(reply, err))
		return false;
	a->job->state.report_id[0] = '\0';
	a->job->state.report_tried = false;
	tidy_up(a);
	return true;
}

static void
start_delete_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_delete_report(&a->client.api, a->job->state.report_id,
											  &request, &err);

	call(a, &request, built, &err, PIN_CALL_REPEATABLE, read_delete_report);
}

static bool
read_delete_query(const PinReply *reply, void *arg, PinError *err)
{
	PinAcquisition *a = arg;

	if (!pin_api_delete_query_reply(reply, err))
		return false;
	a->job->state.query_id[0] = '\0';
	a->job->state.query_tried = false;
	tidy_up(a);
	return true;
}

static void
start_delete_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_delete_query(&a->client.api, a->job->state.query_id,
											 &request, &err);

	call(a, &request, built, &err, PIN_CALL_REPEATABLE, read_delete_query);
}

/* ---- the plot ---- */

static void
start_step(PinAcquisition *a)
{
	static const char *const phases[] =
	{
		[PIN_STEP_CREATE_QUERY] = "creating query",
		[PIN_STEP_FIND_QUERY] = "looking for query",
		[PIN_STEP_CREATE_REPORT] = "ordering report",
		[PIN_STEP_FIND_REPORT] = "looking for report",
		[PIN_STEP_CHECK_REPORT] = "checking report",
		[PIN_STEP_POLL] = "waiting",
		[PIN_STEP_DOWNLOAD] = PIN_JOB_DOWNLOADING,
		[PIN_STEP_DELETE_REPORT] = "tidying up",
		[PIN_STEP_DELETE_QUERY] = "tidying up",
	};
	static void (*const starts[]) (PinAcquisition *) =
	{
		[PIN_STEP_CREATE_QUERY] = start_create_query,
		[PIN_STEP_FIND_QUERY] = start_find_query,
		[PIN_STEP_CREATE_REPORT] = start_create_report,
		[PIN_STEP_FIND_REPORT] = start_find_report,
		[PIN_STEP_CHECK_REPORT] = start_check_report,
		[PIN_STEP_POLL] = start_poll,
		[PIN_STEP_DOWNLOAD] = start_download,
		[PIN_STEP_DELETE_REPORT] = start_delete_report,
		[PIN_STEP_DELETE_QUERY] = start_delete_query,
	};
	PinStep		step = a->step;

	pin_mux_disarm(the_mux(a), &a->rest);
	a->started = true;
	a->sent = GetCurrentTimestamp();
	starts[a->step] (a);

	/*
	 * Before anything is sent: whoever takes over knows what may exist.  What
	 * is deleted is known already, and rows that are here shall not be lost
	 * because a disk is full.
	 */
	strlcpy(a->job->state.phase, phases[step], sizeof(a->job->state.phase));
	a->job->state.next_poll = a->job->state.failing_since = 0;
	if (step == PIN_STEP_DELETE_REPORT || step == PIN_STEP_DELETE_QUERY)
		pin_job_note(a->job);
	else
		pin_job_save(a->job);
}

/* The service may go on with what we, or its gateway, had no time to wait for. */
static bool
took_too_long(const PinError *err)
{
	return err->kind == PIN_ERROR_REQUEST_TIMEOUT ||
		err->http_status == 408 || err->http_status == 504;
}

/*
 * A create failed.  If it is known not to have happened the job says so;
 * otherwise, after a pause, the object is looked for by its name before it is
 * created again, unless the name would bring the wrong one.
 */
static bool
recover_create(PinAcquisition *a, const PinError *err)
{
	bool		is_query = a->step == PIN_STEP_CREATE_QUERY;
	int			creates = is_query ? a->query_creates : a->report_creates;
	int			pause_ms = pin_retry_delay_ms(err, creates);

	if (is_query)
		a->job->state.query_tried = err->ambiguous;
	else if (a->step == PIN_STEP_CREATE_REPORT)
		a->job->state.report_tried = err->ambiguous;
	else
		return false;

	if (!is_query && !err->ambiguous)
	{
		pin_budget_give_back(a->need);
		if (err->kind == PIN_ERROR_ORDER_QUOTA)
			pin_budget_note_refusal(a->need);
	}
	if (!err->ambiguous || creates >= MAX_CREATES || (!is_query && a->job->state.namesake) ||
		(a->client.give_up_us != 0 &&
		 pin_now_us() + (int64) pause_ms * 1000 > a->client.give_up_us))
		return false;
	if (took_too_long(err))
		a->settled_us = pin_now_us() + Min(GetCurrentTimestamp() - a->sent, SETTLE_US);
	a->client.retries++;
	go(a, next_step(a));
	rest(a, pause_ms);
	return true;
}

static bool
is_query_gone(const PinAcquisition *a, const PinError *err)
{
	return a->step == PIN_STEP_CREATE_REPORT && err->kind == PIN_ERROR_REPORT_GONE &&
		!err->ambiguous;
}

/* In the words of whoever has named the query. */
static void
explain_query_gone(const PinAcquisition *a, PinError *err)
{
	PinError	why = *err;

	pin_error_set(err, PIN_ERROR_REPORT_GONE, "report query %s does not exist", given_query(a));
	pin_error_detail(err, "%s", why.detail);
	pin_error_hint(err, "It was deleted, or belongs to another user or program: set the table's option \"query_id\" to another one.");
	err->http_status = why.http_status;
}

/*
 * The report was refused because its query is gone.  Somebody whose scan was
 * ended may just have been deleting it when we took the job over: with a new
 * one, once.
 */
static bool
recover_query(PinAcquisition *a, const PinError *err)
{
	if (!is_query_gone(a, err) || given_query(a) != NULL || a->restarted)
		return false;
	a->client.retries++;
	a->outdated = true;
	begin_tidying(a);
	return true;
}

/*
 * The service holds as many reports or queries as it allows.  Those that nobody
 * wants any more, or others have read the first rows of, make room, once.
 */
static bool
recover_room(PinAcquisition *a, const PinError *err)
{
	if (err->kind != PIN_ERROR_QUOTA || a->made_room ||
		(a->step != PIN_STEP_CREATE_QUERY && a->step != PIN_STEP_CREATE_REPORT))
		return false;
	pin_sweep_close(a->sweep);
	a->sweep = NULL;
	a->sweep = pin_sweep_start_for_room(a->need->options);
	if (a->sweep == NULL)
		return false;
	a->making_room = a->made_room = true;
	a->client.retries++;
	go(a, next_step(a));
	return true;
}

/* The current step's call has failed for good. */
static void
handle_failure(PinAcquisition *a, PinError *err)
{
	if (recover_create(a, err) || recover_query(a, err) || recover_room(a, err))
		return;
	if (given_query(a) != NULL && is_query_gone(a, err))
		explain_query_gone(a, err);
	if (is_tidying(a))
	{
		a->leftover = *err;
		end_tidying(a);
	}
	else if (a->step == PIN_STEP_CREATE_REPORT && err->http_status != 0 && !err->ambiguous)
		doom(a, err);			/* refused: the query is of no use now */
	else
		fail(a, err);
}

/* Moves the call on; true if there is nothing to wait for. */
static bool
advance_call(PinAcquisition *a)
{
	PinError	err;

	switch (pin_client_advance(&a->client, &err))
	{
		case PIN_CALL_WAIT:
			pin_job_note_failing(a->job, a->client.tries > 0);
			return false;
		case PIN_CALL_DONE:
			return true;		/* the reader has moved to the next step */
		case PIN_CALL_FAILED:
			handle_failure(a, &err);
			return true;
	}
	pg_unreachable();
}

/* wait_timeout has passed, or rows shall not be held back any longer. */
static void
deadline_passed(PinAcquisition *a)
{
	PinError	err;

	pin_client_abandon(&a->client);
	clear_deadline(a);
	if (is_tidying(a))
	{
		pin_error_set(&a->leftover, PIN_ERROR_REQUEST_TIMEOUT,
					  "no answer within %d s", TIDY_UP_MS / 1000);
		end_tidying(a);
		return;
	}
	pin_need_timed_out(a->need, "the report", &a->client.setback, &err);
	if (a->queued)
	{
		pin_error_detail(&err, "It was not ordered: as many reports are under way as \"max_concurrent_reports\" allows (%d).",
						 a->need->options->max_concurrent_reports);
		pin_error_hint(&err, "Run the query again later, or raise \"max_concurrent_reports\" or \"wait_timeout\".");
	}
	else if (a->job->state.report_id[0] == '\0')
	{
		if (err.detail[0] == '\0')
			pin_error_detail(&err, "It got no further than the step \"%s\".", a->job->state.phase);
		pin_error_hint(&err, "Run the query again later, or raise \"wait_timeout\".");
	}
	else if (err.detail[0] == '\0')
		pin_error_detail(&err, "The service says of report %s: %s.", a->job->state.report_id,
						 a->stats.state[0] != '\0' ? a->stats.state : "not started");
	fail(a, &err);
}

/* ---- our turn ---- */

/*
 * May the current step start?  If it creates something, only when our turn has
 * come; it is looked for again after a while, which grows.
 */
static bool
may_start(PinAcquisition *a)
{
	bool		creates = a->step == PIN_STEP_CREATE_QUERY || a->step == PIN_STEP_CREATE_REPORT;

	a->queued = creates && !pin_turn_has_come(&a->turn);
	if (!a->queued)
		return true;
	if (strcmp(a->job->state.phase, QUEUED) != 0)
	{
		strlcpy(a->job->state.phase, QUEUED, sizeof(a->job->state.phase));
		a->turn_ms = FIRST_TURN_MS;
		pin_job_save(a->job);
	}
	rest(a, a->turn_ms);
	a->turn_ms = Min(a->turn_ms * 2, MAX_TURN_MS);
	return false;
}

/* One move of the plot; false if there is something to wait for. */
static bool
advance_once(PinAcquisition *a)
{
	if (pin_timer_due(&a->deadline))
	{
		deadline_passed(a);
		return true;
	}
	if (!a->started)
	{
		if (a->making_room || (a->rest.due_us != 0 && !pin_timer_due(&a->rest)))
			return false;
		if (!may_start(a))
			return false;
		start_step(a);
		return true;
	}
	return a->step == PIN_STEP_DOWNLOAD ? advance_download(a) : advance_call(a);
}

/* Moves the sweep on; true if its end is what a step has waited for. */
static bool
advance_sweep(PinAcquisition *a)
{
	bool		awaited = a->making_room;

	if (a->sweep == NULL || pin_sweep_go_along(a->sweep))
		return false;
	a->sweep = NULL;
	a->making_room = false;
	return awaited;
}

PinAcquireStatus
pin_acquire_advance(PinAcquisition *a)
{
	MemoryContext old = MemoryContextSwitchTo(a->context);
	PinAcquireStatus status = PIN_ACQUIRE_WAIT;

	while (status == PIN_ACQUIRE_WAIT)
	{
		if (a->step == PIN_STEP_DONE)
			status = PIN_ACQUIRE_READY;
		else if (a->step == PIN_STEP_FAILED)
			status = PIN_ACQUIRE_FAILED;
		else if (!advance_once(a) && !advance_sweep(a))
			break;
	}
	a->stats.requests = a->client.requests + a->download.requests;
	a->stats.retries = a->client.retries + a->download.retries;
	MemoryContextSwitchTo(old);
	return status;
}

/* ---- beginning and end ---- */

/*
 * Nothing of the job can be at the service: what we know of is gone, and what
 * may be there by our name another scan finds just as well without the job.
 * But as long as no report can be had the job says so, and nobody asks again.
 */
static bool
nothing_left(const PinAcquisition *a)
{
	const PinJobState *state = &a->job->state;

	if (state->query_id[0] != '\0' || state->report_id[0] != '\0' ||
		a->error.kind == PIN_ERROR_ORDER_QUOTA)
		return false;
	return (!state->query_tried && !state->report_tried) ||
		(!a->job->resumed && a->query_creates == 0 && a->report_creates == 0);
}

/*
 * Idempotent, and safe in a memory context callback: it waits for nothing,
 * throws nothing and touches nothing that a resource owner has.
 */
static void
let_go(void *arg)
{
	PinAcquisition *a = arg;

	pin_sweep_close(a->sweep);
	a->sweep = NULL;
	pin_api_query_list_free(&a->queries);
	pin_api_report_list_free(&a->reports);
	pin_api_execution_free(&a->execution);
	if (a->client.http != NULL)
	{
		pin_download_stop(&a->download);
		pin_mux_disarm(the_mux(a), &a->rest);
		pin_mux_disarm(the_mux(a), &a->deadline);
		pin_client_close(&a->client);
	}
	if (nothing_left(a))
		pin_job_forget(a->job);
	else
		pin_job_release(a->job);
	pin_turn_give_back(&a->turn);
	pin_snapshot_close(a->snapshot);
	a->snapshot = NULL;
}

PinAcquisition *
pin_acquire_start(const PinNeed *need, PinJob *job, TimestampTz oldest)
{
	PinAcquisition *a = palloc0(sizeof(PinAcquisition));
	PinError	err;

	a->need = need;
	a->job = job;
	a->oldest = oldest;
	a->context = CurrentMemoryContext;
	a->callback.func = let_go;
	a->callback.arg = a;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &a->callback);
	pin_error_reset(&a->error);
	pin_error_reset(&a->leftover);
	pin_job_name(a->name, need);
	a->stats.started_us = pin_now_us();
	a->stats.resumed = job->resumed && !pin_job_is_blank(&job->state);

	if (!pin_client_open(&a->client, need->options, &err))
	{
		fail(a, &err);
		return a;
	}
	pin_turn_take(&a->turn, need);
	pin_download_open(&a->download, a->client.http, &a->client.settings, need);
	go(a, next_step(a));
	return a;
}

/* A file that arrives is waited for, and tidying up has a deadline of its own. */
void
pin_acquire_await(PinAcquisition *a, int64 patience_us)
{
	if (a->patience_us != 0 || a->client.http == NULL)
		return;
	a->patience_us = patience_us;
	if (!is_tidying(a) && a->step != PIN_STEP_DOWNLOAD)
		be_patient(a);
}

PinWait
pin_acquire_waits_for(const PinAcquisition *a)
{
	return a->queued ? PIN_WAIT_TURN :
		a->step == PIN_STEP_DOWNLOAD ? PIN_WAIT_DOWNLOAD :
		a->step == PIN_STEP_POLL && !a->started ? PIN_WAIT_REPORT : PIN_WAIT_REPLY;
}

const PinError *
pin_acquire_error(const PinAcquisition *a)
{
	return &a->error;
}

const PinError *
pin_acquire_leftover(const PinAcquisition *a)
{
	return a->leftover.kind == PIN_ERROR_NONE ? NULL : &a->leftover;
}

const PinAcquireStats *
pin_acquire_stats(const PinAcquisition *a)
{
	return &a->stats;
}

void
pin_acquire_abandon(PinAcquisition *a)
{
	let_go(a);
}

PinSnapshot *
pin_acquire_take(PinAcquisition *a)
{
	PinSnapshot *snapshot = pin_snapshot_dup(a->snapshot);

	let_go(a);
	return snapshot;
}
