/*-------------------------------------------------------------------------
 *
 * scheduled.c
 *		Rows of a report that runs by itself: its latest completed execution.
 *
 *		 +-------------------+
 *		 v                   | (nothing yet)
 *		LOOK ----> CHECK ----+----> DOWNLOAD ----> DONE
 *		 |  (too old or none:  \       ^            ^
 *		 |   does it still run?) \-----|------------+
 *		 +-----------------------------+      (that one is here)
 *
 * A report may end, with rows, between LOOK and CHECK: that it runs no more is
 * believed after another LOOK only.
 *
 * At most one request is under way; while `rest` is armed there is none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/xact.h"
#include "common/pg_prng.h"
#include "insights/ascii.h"
#include "insights/client.h"
#include "service_time.h"
#include "snapshot/scheduled.h"
#include "utils/timestamp.h"

typedef enum PinLookStep
{
	PIN_LOOK,
	PIN_LOOK_CHECK,
	PIN_LOOK_DOWNLOAD,
	PIN_LOOK_DONE,
	PIN_LOOK_FAILED
} PinLookStep;

/* Part of the rows' age for which the service is left alone. */
#define REST_SHARE 100
/* The service keeps executions this long, and no report runs less often. */
#define KEEP_MS (INT64CONST(90) * 24 * 60 * 60 * 1000)
/* Looks without rows before the report itself is looked at again. */
#define CHECK_AFTER_LOOKS 8
/* A service that is down for minutes must not end a wait of hours. */
#define LOOK_TRIES 10
/* Links asked for after the store refused one. */
#define MAX_LINKS 3
/* Looks become rarer up to this. */
#define MAX_REST_MS 60000
#define REST_GROWTH 1.5

struct PinScheduled
{
	const PinNeed *need;		/* what to get */
	MemoryContext context;		/* where it lives */
	PinLookStep step;			/* where we are */
	bool		started;		/* the step's request was begun */
	PinTimer	rest;			/* wait before the step is started */
	bool		awaited;		/* somebody waits */
	PinTimer	deadline;		/* end of wait_timeout, while somebody waits */

	PinClient	client;			/* calls the API */
	PinDownload download;		/* fetches the file */
	PinJob	   *job;			/* for those who wait for us or look on */
	TimestampTz oldest;			/* rows older than this are not fresh */
	PinSnapshot *snapshot;		/* the youngest we have; NULL: none */
	bool		fetched;		/* it was downloaded just now */
	PinSnapshotHead head;		/* what the next one will say of itself */
	char	   *link;			/* of the latest completed execution; NULL:
								 * none was seen */
	bool		run_failed;		/* the latest execution ended without a file */
	bool		under_way;		/* it has not ended yet */
	bool		stopped;		/* CHECK saw that the report runs no more */
	PinReportList reports;		/* a reply being read: let_go frees what an */
	PinExecution execution;		/* error leaves of it */
	PinTimeText first_run;		/* when the report starts; empty: unknown */

	int			looks;			/* done so far */
	int			links;			/* refused */
	int			rest_ms;		/* wait before the next look */
	PinError	error;			/* why FAILED; READY: why not to run again */
	PinAcquireStats stats;		/* for EXPLAIN */
	MemoryContextCallback callback; /* lets go of everything */
};

static const char *
report_id(const PinScheduled *s)
{
	return s->need->options->report_id;
}

static PinMux *
the_mux(PinScheduled *s)
{
	return pin_http_mux(s->client.http);
}

static void
go(PinScheduled *s, PinLookStep step)
{
	s->step = step;
	s->started = false;
}

static void
fail(PinScheduled *s, const PinError *err)
{
	s->error = *err;
	go(s, PIN_LOOK_FAILED);
}

static void
clear_deadline(PinScheduled *s)
{
	pin_mux_disarm(the_mux(s), &s->deadline);
	s->client.give_up_us = 0;
}

static void
set_deadline(PinScheduled *s, int64 due)
{
	if (!s->awaited)
		return;
	(void) pin_mux_arm(the_mux(s), &s->deadline, due);
	s->client.give_up_us = due;
}

static void
call(PinScheduled *s, PinApiRequest *request, bool built, const PinError *err,
	 PinReadReply read)
{
	if (built)
		pin_client_call(&s->client, request, PIN_CALL_REPEATABLE, read, s);
	else
		fail(s, err);
}

/* ---- what to do with what was seen ---- */

/* The rows we have are all there is: from now on they count as looked at. */
static void
keep_snapshot(PinScheduled *s)
{
	(void) futimens(s->snapshot->fd, NULL);
	go(s, PIN_LOOK_DONE);
}

/* Looks again after a while, which grows; a little chance spreads sessions. */
static void
look_later(PinScheduled *s)
{
	double		chance = 0.9 + 0.2 * pg_prng_double(&pg_global_prng_state);
	int			wait_ms = (int) (s->rest_ms * chance);

	go(s, PIN_LOOK);
	(void) pin_mux_arm(the_mux(s), &s->rest, pin_now_us() + (int64) wait_ms * 1000);
	strlcpy(s->job->state.phase, "waiting for schedule", sizeof(s->job->state.phase));
	s->job->state.next_poll = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait_ms);
	pin_job_save(s->job);
	s->rest_ms = Max(s->rest_ms, Min((int) (s->rest_ms * REST_GROWTH), MAX_REST_MS));
}

/*
 * Is the completed execution the one whose rows we have?  Never, if it has
 * neither id nor time.
 */
static bool
is_here(const PinScheduled *s)
{
	const PinSnapshotHead *ours = &s->snapshot->head;

	return (s->head.execution_id[0] != '\0' || s->head.generated_time[0] != '\0') &&
		strcmp(ours->execution_id, s->head.execution_id) == 0 &&
		strcmp(ours->generated_time, s->head.generated_time) == 0;
}

/* All is known that can be: is there something to download, to keep, to tell? */
static void
conclude(PinScheduled *s)
{
	if (s->snapshot != NULL && (s->link == NULL || is_here(s)))
		keep_snapshot(s);
	else if (s->link != NULL)
	{
		clear_deadline(s);		/* a file that arrives is waited for */
		go(s, PIN_LOOK_DOWNLOAD);
	}
	else if (s->error.kind != PIN_ERROR_NONE)
		go(s, PIN_LOOK_FAILED);
	else
		look_later(s);
}

/* ---- LOOK ---- */

/* What the snapshot of a completed execution will say of itself. */
static void
note_execution(PinScheduled *s, const PinExecution *execution)
{
	const PinOptions *options = s->need->options;
	PinSnapshotHead *head = &s->head;
	int64		keep_ms = Max(KEEP_MS, Max(options->max_age_ms, options->stale_ok_ms));

	strlcpy(head->report_id, report_id(s), sizeof(PinId));
	strlcpy(head->execution_id, execution->execution_id, sizeof(PinId));
	strlcpy(head->generated_time, execution->generated_time, sizeof(PinTimeText));

	/* what is here already has not become younger since */
	head->as_of = Min(pin_service_time(execution->generated_time),
					  s->snapshot != NULL && is_here(s) ? s->snapshot->head.as_of :
					  GetCurrentTimestamp());
	head->keep_until = TimestampTzPlusMilliseconds(head->as_of, keep_ms);
	head->tsv = execution->format[0] == '\0' ? options->format == PIN_FORMAT_TSV :
		pin_ascii_equal_trimmed(execution->format, "tsv");
	s->link = pstrdup(execution->secure_link);
}

/* A word that we do not know is no end. */
static bool
is_under_way(const PinExecution *execution)
{
	switch (execution->status)
	{
		case PIN_EXECUTION_NONE:
		case PIN_EXECUTION_FAILED:
		case PIN_EXECUTION_PAUSED:
			return false;
		case PIN_EXECUTION_COMPLETED:
			return execution->secure_link == NULL;
		default:
			return true;
	}
}

/* What to do with the execution that was seen. */
static void
weigh_execution(PinScheduled *s)
{
	if (s->link != NULL && s->head.as_of >= s->oldest)
	{
		pin_error_reset(&s->error);
		conclude(s);
	}
	else if (s->stopped && !s->under_way)
		conclude(s);
	else if (!s->stopped && (s->link != NULL || s->looks % CHECK_AFTER_LOOKS == 0))
		go(s, PIN_LOOK_CHECK);
	else
		look_later(s);
	s->looks++;
}

static bool
read_look(const PinReply *reply, void *arg, PinError *err)
{
	PinScheduled *s = arg;
	PinExecution *execution = &s->execution;

	if (!pin_api_latest_execution_reply(reply, report_id(s), execution, err))
		return false;
	strlcpy(s->stats.state, execution->status_text, sizeof(s->stats.state));
	if (execution->status_text[0] != '\0')	/* else what note_first_run said */
		strlcpy(s->job->state.said, execution->status_text, sizeof(s->job->state.said));
	s->job->state.failing_since = 0;
	s->run_failed = execution->status == PIN_EXECUTION_FAILED;
	s->under_way = is_under_way(execution);
	if (execution->status == PIN_EXECUTION_COMPLETED && execution->secure_link != NULL)
		note_execution(s, execution);
	pin_api_execution_free(execution);
	weigh_execution(s);
	return true;
}

static void
start_look(PinScheduled *s)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_latest_execution(&s->client.api, report_id(s), &request, &err);

	s->link = NULL;
	s->stats.polls++;
	s->job->state.polls++;
	call(s, &request, built, &err, read_look);
	if (s->looks > 0)
		pin_client_be_patient(&s->client, LOOK_TRIES);
}

/* ---- CHECK ---- */

/* The way out that is always there. */
static const char another[] =
"call pinsight_unschedule and pinsight_schedule for a new one, "
"or set the table's option \"report_id\" to another report";

/* What keeps the report from running again, if anything does. */
static void
note_report(PinScheduled *s, const PinRemoteReport *report)
{
	PinError   *err = &s->error;
	const char *status = report != NULL && report->status != NULL ? report->status : "";

	pin_error_reset(err);
	if (report == NULL && s->link == NULL)
	{
		pin_error_set(err, PIN_ERROR_REPORT_GONE, "report %s does not exist", report_id(s));
		pin_error_hint(err, "It was deleted, or belongs to another user or program: %s.", another);
	}
	else if (pin_ascii_equal_trimmed(status, "Paused"))
	{
		pin_error_set(err, PIN_ERROR_REPORT_STOPPED, "report %s is paused", report_id(s));
		pin_error_hint(err, "Resume it in Partner Center; or %s.", another);
	}
	else if (pin_ascii_equal_trimmed(status, "Inactive"))
	{
		pin_error_set(err, PIN_ERROR_REPORT_STOPPED,
					  "report %s has ended and will not run again", report_id(s));
		pin_error_hint(err, "It ran as often as it should: %s.", another);
	}
	else if (s->run_failed)
	{
		pin_error_set(err, PIN_ERROR_REPORT_FAILED,
					  "the latest execution of report %s ended without a file", report_id(s));
		pin_error_detail(err, "The service says of it: %s.", s->stats.state);
		pin_error_hint(err, "The report runs again as scheduled.");
	}
}

/* Before its first run this is all there is to say. */
static void
note_first_run(PinScheduled *s, const PinRemoteReport *report)
{
	if (report == NULL || report->start_time == NULL || s->link != NULL ||
		pin_service_time(report->start_time) < GetCurrentTimestamp())
		return;
	pin_error_clean(s->first_run, sizeof(s->first_run), report->start_time,
					strlen(report->start_time));
	snprintf(s->job->state.said, sizeof(s->job->state.said), "first run at %s", s->first_run);
}

static bool
read_check(const PinReply *reply, void *arg, PinError *err)
{
	PinScheduled *s = arg;
	PinReportList *list = &s->reports;
	const PinRemoteReport *report;

	if (!pin_api_find_reports_reply(reply, list, err))
		return false;
	report = pin_api_report_with_id(list, report_id(s));
	note_report(s, report);
	note_first_run(s, report);
	pin_api_report_list_free(list);
	s->stopped = s->error.kind == PIN_ERROR_REPORT_STOPPED;
	if (s->stopped)
		go(s, PIN_LOOK);
	else
		conclude(s);
	return true;
}

static void
start_check(PinScheduled *s)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_reports(&s->client.api, NULL, report_id(s), &request, &err);

	call(s, &request, built, &err, read_check);
}

/* ---- DOWNLOAD ---- */

static void
start_download(PinScheduled *s)
{
	PinError	err;

	if (s->download.http == NULL)
	{
		pin_download_open(&s->download, s->client.http, &s->client.settings, s->need);
		pin_report_file_format(s->download.file, s->head.tsv);
	}
	if (!pin_download_start(&s->download, s->link, &err))
		fail(s, &err);
}

/* What was downloaded takes the place of what was here. */
static void
use_file(PinScheduled *s, PinSnapshot *snapshot)
{
	pin_snapshot_close(s->snapshot);
	s->snapshot = snapshot;
	s->fetched = true;
	s->stats.ready_us = pin_now_us();
	go(s, PIN_LOOK_DONE);
}

static bool
advance_download(PinScheduled *s)
{
	PinError	err;
	PinDownloadStatus status = pin_download_advance(&s->download, &err);

	s->stats.downloaded = pin_report_file_offset(s->download.file);
	pin_job_note_download(s->job, s->stats.downloaded, pin_report_file_rows(s->download.file));
	if (status == PIN_DOWNLOAD_WAIT)
		return false;
	if (status == PIN_DOWNLOAD_DONE)
	{
		use_file(s, pin_report_file_seal(s->download.file, &s->head));
		pin_evict(s->snapshot);
	}
	else if (status == PIN_DOWNLOAD_FIRST_ROWS)
		use_file(s, pin_report_file_first_rows(s->download.file, &s->head));
	else if (status == PIN_DOWNLOAD_LINK && ++s->links < MAX_LINKS)
	{
		set_deadline(s, pin_now_us() + s->need->options->wait_timeout_ms * 1000);
		go(s, PIN_LOOK);		/* for a fresh link */
	}
	else
		fail(s, &err);
	return true;
}

/* ---- the plot ---- */

static void
start_step(PinScheduled *s)
{
	PinLookStep step = s->step;

	pin_mux_disarm(the_mux(s), &s->rest);
	s->started = true;
	strlcpy(s->job->state.phase, step == PIN_LOOK_DOWNLOAD ? PIN_JOB_DOWNLOADING : "checking report",
			sizeof(s->job->state.phase));
	s->job->state.next_poll = s->job->state.failing_since = 0;
	pin_job_save(s->job);

	if (step == PIN_LOOK)
		start_look(s);
	else if (step == PIN_LOOK_CHECK)
		start_check(s);
	else
		start_download(s);
}

/* Moves the call on; true if there is nothing to wait for. */
static bool
advance_call(PinScheduled *s)
{
	PinError	err;
	PinCallStatus status = pin_client_advance(&s->client, &err);

	if (status == PIN_CALL_WAIT)
		pin_job_note_failing(s->job, s->client.tries > 0);
	else if (status == PIN_CALL_FAILED && s->step == PIN_LOOK_CHECK && s->link != NULL)
		conclude(s);			/* there are rows, whatever the report is up
								 * to */
	else if (status == PIN_CALL_FAILED)
		fail(s, &err);
	return status != PIN_CALL_WAIT;
}

static void
deadline_passed(PinScheduled *s)
{
	PinError	err;

	pin_client_abandon(&s->client);
	clear_deadline(s);
	pin_need_timed_out(s->need, psprintf("report %s", report_id(s)), &s->client.setback, &err);
	if (s->first_run[0] != '\0')
		pin_error_detail(&err, "It runs for the first time at %s.", s->first_run);
	else if (err.detail[0] == '\0' && s->stats.state[0] != '\0')
		pin_error_detail(&err, "The service says of its execution: %s.", s->stats.state);
	pin_error_hint(&err, "Run the query again when the report has run.");
	fail(s, &err);
}

/* One move of the plot; false if there is something to wait for. */
static bool
advance_once(PinScheduled *s)
{
	if (pin_timer_due(&s->deadline))
	{
		deadline_passed(s);
		return true;
	}
	if (!s->started)
	{
		if (s->rest.due_us != 0 && !pin_timer_due(&s->rest))
			return false;
		start_step(s);
		return true;
	}
	return s->step == PIN_LOOK_DOWNLOAD ? advance_download(s) : advance_call(s);
}

PinAcquireStatus
pin_scheduled_advance(PinScheduled *s)
{
	MemoryContext old = MemoryContextSwitchTo(s->context);
	PinAcquireStatus status = PIN_ACQUIRE_WAIT;

	while (status == PIN_ACQUIRE_WAIT)
	{
		if (s->step == PIN_LOOK_DONE)
			status = PIN_ACQUIRE_READY;
		else if (s->step == PIN_LOOK_FAILED)
			status = PIN_ACQUIRE_FAILED;
		else if (!advance_once(s))
			break;
	}
	s->stats.requests = s->client.requests + s->download.requests;
	s->stats.retries = s->client.retries + s->download.retries;
	MemoryContextSwitchTo(old);
	return status;
}

/* ---- beginning and end ---- */

/* Idempotent, and safe in a memory context callback. */
static void
let_go(void *arg)
{
	PinScheduled *s = arg;

	if (s->client.http != NULL)
	{
		pin_download_stop(&s->download);
		pin_mux_disarm(the_mux(s), &s->rest);
		pin_mux_disarm(the_mux(s), &s->deadline);
		pin_client_close(&s->client);
	}
	pin_job_forget(s->job);
	pin_api_report_list_free(&s->reports);
	pin_api_execution_free(&s->execution);
	pin_snapshot_close(s->snapshot);
	s->snapshot = NULL;
}

PinScheduled *
pin_scheduled_start(const PinNeed *need, PinJob *job, TimestampTz oldest)
{
	PinScheduled *s = palloc0(sizeof(PinScheduled));
	PinError	err;

	s->need = need;
	s->job = job;
	s->oldest = oldest;
	s->context = CurrentMemoryContext;
	s->callback.func = let_go;
	s->callback.arg = s;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &s->callback);
	pin_error_reset(&s->error);
	s->stats.started_us = pin_now_us();
	strlcpy(s->stats.report_id, report_id(s), sizeof(PinId));
	s->rest_ms = need->options->poll_interval_ms;
	s->snapshot = pin_snapshot_find(need, PG_INT64_MIN);

	if (!pin_client_open(&s->client, need->options, &err))
	{
		fail(s, &err);
		return s;
	}
	go(s, PIN_LOOK);
	return s;
}

void
pin_scheduled_await(PinScheduled *s, int64 patience_us)
{
	if (s->awaited || s->client.http == NULL)
		return;
	s->awaited = true;
	if (s->step != PIN_LOOK_DOWNLOAD)
		set_deadline(s, patience_us);
}

PinWait
pin_scheduled_waits_for(const PinScheduled *s)
{
	return s->step == PIN_LOOK_DOWNLOAD ? PIN_WAIT_DOWNLOAD :
		s->started ? PIN_WAIT_REPLY : PIN_WAIT_REPORT;
}

const PinError *
pin_scheduled_error(const PinScheduled *s)
{
	return &s->error;
}

const PinAcquireStats *
pin_scheduled_stats(const PinScheduled *s)
{
	return &s->stats;
}

void
pin_scheduled_abandon(PinScheduled *s)
{
	let_go(s);
}

PinSnapshot *
pin_scheduled_take(PinScheduled *s, bool *fetched)
{
	PinSnapshot *snapshot = pin_snapshot_dup(s->snapshot);

	*fetched = s->fetched;
	let_go(s);
	return snapshot;
}

/* When the service was asked last: a look that finds nothing newer says so. */
static TimestampTz
last_look(const PinSnapshot *snapshot)
{
	struct stat st;

	if (fstat(snapshot->fd, &st) != 0)
		return PG_INT64_MIN;
	return time_t_to_timestamptz(st.st_mtim.tv_sec) + st.st_mtim.tv_nsec / 1000;
}

PinSnapshot *
pin_scheduled_recent(const PinNeed *need, TimestampTz oldest)
{
	TimestampTz now = GetCurrentTimestamp();
	PinSnapshot *snapshot;
	TimestampTz looked;
	int64		rest_us;

	if (oldest >= GetCurrentStatementStartTimestamp())
		return NULL;			/* max_age is zero */
	snapshot = pin_snapshot_find(need, PG_INT64_MIN);
	if (snapshot == NULL)
		return NULL;
	looked = last_look(snapshot);
	rest_us = Max((now - snapshot->head.as_of) / REST_SHARE,
				  (int64) need->options->poll_interval_ms * 1000);
	if (looked <= now && looked > now - rest_us)
		return snapshot;
	pin_snapshot_close(snapshot);
	return NULL;
}
