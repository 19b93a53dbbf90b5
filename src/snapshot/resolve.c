/*-------------------------------------------------------------------------
 *
 * resolve.c
 *		Where a scan's rows come from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "snapshot/flight.h"
#include "snapshot/pin.h"
#include "snapshot/resolve.h"
#include "snapshot/scheduled.h"
#include "transport/engine.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Waiting for another backend: it is looked at this often, then less often. */
#define FIRST_LOOK_MS 50
#define MAX_LOOK_MS 1000
/* A wait that is longer than this is worth a notice. */
#define FIRST_NOTICE_US (10 * USECS_PER_SEC)

struct PinResolution
{
	const PinNeed *need;		/* what is wanted */
	MemoryContext context;		/* where it lives */
	bool		awaited;		/* somebody waits */
	int64		awaited_us;		/* since then */
	int64		notice_us;		/* waited for so long, a notice is due */
	TimestampTz oldest;			/* rows older than this are not fresh */
	PinSnapshot *snapshot;		/* READY: the rows */
	PinRowsFrom from;			/* READY: where they came from */
	MemoryContext work;			/* of the following two; NULL: neither is */
	PinAcquisition *acquisition;	/* our own; NULL: none so far */
	PinScheduled *scheduled;	/* likewise, of an existing report */
	PinError	error;			/* FAILED or STALE: why */
	bool		failed;			/* nothing can be had */

	PinHttp    *http;			/* while following: for its timers */
	PinTimer	look;			/* when to look at the other backend again */
	PinTimer	deadline;		/* end of wait_timeout, while somebody waits */
	int			look_ms;		/* wait before the next look */
	bool		following;		/* another backend was at work */
	bool		sharing;		/* another scan of ours is at work */
	MemoryContextCallback callback; /* lets go of everything */
};

TimestampTz
pin_resolve_oldest(const PinOptions *options)
{
	int64		max_age_ms = pin_max_age_ms >= 0 ? pin_max_age_ms : options->max_age_ms;

	return GetCurrentStatementStartTimestamp() - max_age_ms * 1000;
}

/* ---- following others ---- */

static void
stop_following(PinResolution *r)
{
	if (r->http == NULL)
		return;
	pin_mux_disarm(pin_http_mux(r->http), &r->look);
	pin_mux_disarm(pin_http_mux(r->http), &r->deadline);
	r->http = NULL;
	pin_engine_release();
}

/* The end of wait_timeout, whoever does the work. */
static int64
patience_us(const PinResolution *r)
{
	return r->awaited_us + r->need->options->wait_timeout_ms * 1000;
}

static void
set_deadline(PinResolution *r)
{
	(void) pin_mux_arm(pin_http_mux(r->http), &r->deadline, patience_us(r));
}

/* The engine has the timers that a wait needs. */
static bool
start_following(PinResolution *r)
{
	if (r->http != NULL)
		return true;
	r->http = pin_engine_take(&r->error);
	if (r->http == NULL)
		return false;
	r->look_ms = FIRST_LOOK_MS;
	if (r->awaited)
		set_deadline(r);
	return true;
}

/*
 * A little chance spreads sessions.  Those that look at the same moments find
 * that the first of them has the job, again and again: where each has to work
 * on it itself, as for first rows, they would have them a second apart.
 */
static void
look_later(PinResolution *r)
{
	double		chance = 0.5 + 0.5 * pg_prng_double(&pg_global_prng_state);

	(void) pin_mux_arm(pin_http_mux(r->http), &r->look,
					   pin_now_us() + (int64) (r->look_ms * 1000 * chance));
	r->look_ms = Min(r->look_ms * 2, MAX_LOOK_MS);
}

/* ---- the ways to rows ---- */

static void
use(PinResolution *r, PinSnapshot *snapshot, PinRowsFrom from)
{
	stop_following(r);
	r->snapshot = snapshot;
	r->from = from;
	if (!snapshot->first)
		pin_pin_put(r->need->key, snapshot);
}

/* Rows that we have not fetched ourselves. */
static void
reuse(PinResolution *r, PinSnapshot *snapshot, PinRowsFrom from)
{
	pin_snapshot_hit(snapshot);
	use(r, snapshot, from);
}

/* A snapshot that is there; true if so. */
static bool
use_snapshot(PinResolution *r)
{
	PinSnapshot *snapshot = pin_pin_get(r->need);

	if (snapshot == NULL)
		snapshot = pin_snapshot_find(r->need, r->oldest);
	if (snapshot == NULL && r->need->options->report_id != NULL)
		snapshot = pin_scheduled_recent(r->need, r->oldest);
	if (snapshot == NULL)
		return false;
	reuse(r, snapshot, r->following ? PIN_ROWS_SHARED : PIN_ROWS_SNAPSHOT);
	return true;
}

/* Nothing fresh can be had: is there something else? */
static void
use_stale(PinResolution *r)
{
	const PinOptions *options = r->need->options;
	PinSnapshot *snapshot = NULL;

	stop_following(r);
	if (options->stale_ok_ms > 0)
		snapshot = pin_snapshot_find(r->need,
									 GetCurrentTimestamp() - options->stale_ok_ms * 1000);
	if (snapshot != NULL)
		reuse(r, snapshot, PIN_ROWS_STALE);
	else
		r->failed = true;
}

/* Somebody waits for what we work on. */
static void
await_own(PinResolution *r)
{
	if (r->scheduled != NULL)
		pin_scheduled_await(r->scheduled, patience_us(r));
	else
		pin_acquire_await(r->acquisition, patience_us(r));
}

static void
abandon(PinResolution *r)
{
	if (r->scheduled != NULL)
		pin_scheduled_abandon(r->scheduled);
	else
		pin_acquire_abandon(r->acquisition);
}

/* Begins to work on the job, in a context of its own, which takes it over. */
static void
take_job(PinResolution *r)
{
	PinJob	   *job;

	if (r->work == NULL)
		r->work = AllocSetContextCreate(r->context, "pinsight acquisition",
										ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(r->work);
	job = pin_job_take(r->need);
	if (job != NULL && r->need->options->report_id != NULL)
		r->scheduled = pin_scheduled_start(r->need, job, r->oldest);
	else if (job != NULL)
		r->acquisition = pin_acquire_start(r->need, job, r->oldest);
	MemoryContextSwitchTo(r->context);
}

/*
 * Takes the job, or finds out that another backend has it.  Whoever had it
 * until now may just have finished: so a snapshot is looked for once more.
 */
static void
work_or_follow(PinResolution *r)
{
	take_job(r);
	if (r->acquisition == NULL && r->scheduled == NULL)
	{
		r->following = true;
		if (start_following(r))
			look_later(r);
		else
			use_stale(r);
		return;
	}
	if (use_snapshot(r))
	{
		abandon(r);
		return;
	}
	stop_following(r);
	if (r->awaited)
		await_own(r);
}

/*
 * Another scan of ours fetches what we need, too: its end is ours.  Who is not
 * waited for needs no timers for that, and so no share in the engine.
 */
static void
share(PinResolution *r)
{
	r->sharing = true;
	if (r->awaited && !start_following(r))
		use_stale(r);
	else if (r->http != NULL)
		pin_mux_disarm(pin_http_mux(r->http), &r->look);
}

/*
 * Names the backend that has the report.  It may be at work, or do nothing because
 * its client does not read its rows: somebody has to look.
 */
static void
name_holder(const PinResolution *r, PinError *err)
{
	PinJobState job;

	if (!pin_resolve_progress(r, &job) || !pin_job_is_taken(&job))
		return;
	pin_error_detail(err, "Process %d works on it, at the step \"%s\".", job.pid, job.phase);
	pin_error_hint(err, "The report goes on: run the query again later to pick it up, or raise \"wait_timeout\". If that process waits for its client (wait event ClientWrite), it goes on when the client reads, or with others when pg_terminate_backend has ended it.");
}

/* The other backend goes on, but this scan's patience is at its end. */
static void
give_up_following(PinResolution *r)
{
	pin_need_timed_out(r->need, r->sharing ? "the report, which another scan waits for, too," :
					   "the report, which another session waits for, too,", NULL, &r->error);
	if (!r->sharing)
		name_holder(r, &r->error);
	use_stale(r);
}

static bool
advance_acquisition(PinResolution *r)
{
	switch (pin_acquire_advance(r->acquisition))
	{
		case PIN_ACQUIRE_WAIT:
			return false;
		case PIN_ACQUIRE_READY:
			use(r, pin_acquire_take(r->acquisition), PIN_ROWS_REPORT);
			return true;
		case PIN_ACQUIRE_FAILED:
			r->error = *pin_acquire_error(r->acquisition);
			abandon(r);
			use_stale(r);
			return true;
	}
	pg_unreachable();
}

/* A report that will not run again is told of with the rows it has. */
static void
use_execution(PinResolution *r)
{
	bool		fetched;
	PinSnapshot *snapshot = pin_scheduled_take(r->scheduled, &fetched);

	if (!fetched)
		pin_snapshot_hit(snapshot);
	r->error = *pin_scheduled_error(r->scheduled);
	use(r, snapshot, r->error.kind != PIN_ERROR_NONE ? PIN_ROWS_STALE :
		fetched ? PIN_ROWS_SCHEDULED : PIN_ROWS_SNAPSHOT);
}

static bool
advance_scheduled(PinResolution *r)
{
	switch (pin_scheduled_advance(r->scheduled))
	{
		case PIN_ACQUIRE_WAIT:
			return false;
		case PIN_ACQUIRE_READY:
			use_execution(r);
			return true;
		case PIN_ACQUIRE_FAILED:
			r->error = *pin_scheduled_error(r->scheduled);
			abandon(r);
			use_stale(r);
			return true;
	}
	pg_unreachable();
}

/* One move; false if there is something to wait for. */
static bool
advance_once(PinResolution *r)
{
	if (r->acquisition != NULL)
		return advance_acquisition(r);
	if (r->scheduled != NULL)
		return advance_scheduled(r);
	if (r->http != NULL && pin_timer_due(&r->deadline))
	{
		give_up_following(r);
		return true;
	}
	if (!r->sharing && r->http != NULL && !pin_timer_due(&r->look))
		return false;
	if (pin_flight_fetches(r))
	{
		share(r);
		return false;
	}
	r->sharing = false;
	if (!use_snapshot(r))
		work_or_follow(r);
	return true;
}

PinResolveStatus
pin_resolve_advance(PinResolution *r)
{
	MemoryContext old = MemoryContextSwitchTo(r->context);

	while (pin_resolve_status(r) == PIN_RESOLVE_WAIT && advance_once(r))
		;
	MemoryContextSwitchTo(old);
	return pin_resolve_status(r);
}

bool
pin_resolve_at_hand(PinResolution *r)
{
	MemoryContext old = MemoryContextSwitchTo(r->context);
	bool		ready = pin_resolve_status(r) == PIN_RESOLVE_READY || use_snapshot(r);

	MemoryContextSwitchTo(old);
	return ready;
}

PinResolveStatus
pin_resolve_status(const PinResolution *r)
{
	return r->snapshot != NULL ? PIN_RESOLVE_READY :
		r->failed ? PIN_RESOLVE_FAILED : PIN_RESOLVE_WAIT;
}

void
pin_resolve_await(PinResolution *r)
{
	if (r->awaited)
		return;
	r->awaited = true;
	r->awaited_us = pin_now_us();
	r->notice_us = FIRST_NOTICE_US;
	if (r->acquisition != NULL || r->scheduled != NULL)
		await_own(r);
	else if (r->http != NULL)
		set_deadline(r);
}

/* ---- beginning and end ---- */

/* In a memory context callback: throws nothing, waits for nothing. */
static void
let_go(void *arg)
{
	PinResolution *r = arg;

	pin_flight_leave(r);
	stop_following(r);
	pin_snapshot_close(r->snapshot);
	r->snapshot = NULL;
}

PinResolution *
pin_resolve_start(const PinNeed *need)
{
	PinResolution *r = palloc0(sizeof(PinResolution));

	r->need = need;
	r->context = CurrentMemoryContext;
	r->callback.func = let_go;
	r->callback.arg = r;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &r->callback);
	pin_error_reset(&r->error);
	r->oldest = pin_resolve_oldest(need->options);
	return r;
}

bool
pin_resolve_is_awaited(const PinResolution *r)
{
	return r->awaited;
}

void
pin_resolve_land(PinResolution *r)
{
	if (r->snapshot != NULL)
		return;
	stop_following(r);
	if (r->work != NULL)
		MemoryContextDelete(r->work);
	r->work = NULL;
	r->acquisition = NULL;
	r->scheduled = NULL;
	r->failed = r->following = r->sharing = r->awaited = false;
	pin_error_reset(&r->error);
}

int64
pin_resolve_notice_due(PinResolution *r)
{
	int64		waited = r->awaited ? pin_now_us() - r->awaited_us : 0;

	if (!r->awaited || waited < r->notice_us)
		return 0;
	while (r->notice_us <= waited)
		r->notice_us *= 2;
	return waited;
}

const PinNeed *
pin_resolve_need(const PinResolution *r)
{
	return r->need;
}

PinWait
pin_resolve_waits_for(const PinResolution *r)
{
	return r->acquisition != NULL ? pin_acquire_waits_for(r->acquisition) :
		r->scheduled != NULL ? pin_scheduled_waits_for(r->scheduled) :
		r->sharing ? PIN_WAIT_REPORT : PIN_WAIT_SESSION;
}

const PinSnapshot *
pin_resolve_snapshot(const PinResolution *r)
{
	return r->snapshot;
}

PinRowsFrom
pin_resolve_from(const PinResolution *r)
{
	return r->from;
}

const PinError *
pin_resolve_error(const PinResolution *r)
{
	return &r->error;
}

const PinError *
pin_resolve_leftover(const PinResolution *r)
{
	return r->acquisition == NULL ? NULL : pin_acquire_leftover(r->acquisition);
}

const PinAcquireStats *
pin_resolve_stats(const PinResolution *r)
{
	static const PinAcquireStats none = {0};

	return r->acquisition != NULL ? pin_acquire_stats(r->acquisition) :
		r->scheduled != NULL ? pin_scheduled_stats(r->scheduled) : &none;
}

bool
pin_resolve_progress(const PinResolution *r, PinJobState *state)
{
	return pin_job_read(pin_cache_path(r->need->key, NULL, PIN_CACHE_JOB), state);
}
