/*-------------------------------------------------------------------------
 *
 * resolve.h
 *		Where a scan's rows come from.
 *
 * In this order: the snapshot that an earlier scan of the same statement (or
 * transaction, under REPEATABLE READ) has used; one that is fresh enough;
 * another backend's, which is being fetched right now; a report, ordered or
 * found, or the latest execution of the one that report_id names; an older
 * snapshot, where stale_ok allows it.
 *
 * Nothing here sleeps.  All resolutions of a backend share the engine, and
 * flight.c advances them together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RESOLVE_H
#define PIN_RESOLVE_H

#include "snapshot/acquire.h"

typedef struct PinResolution PinResolution;

typedef enum PinResolveStatus
{
	PIN_RESOLVE_WAIT,			/* wait for pin_resolve_fd */
	PIN_RESOLVE_READY,			/* see pin_resolve_snapshot */
	PIN_RESOLVE_FAILED			/* see pin_resolve_error */
} PinResolveStatus;

typedef enum PinRowsFrom
{
	PIN_ROWS_SNAPSHOT,			/* one that was there */
	PIN_ROWS_SHARED,			/* one that another backend was fetching */
	PIN_ROWS_REPORT,			/* a report we have waited for */
	PIN_ROWS_SCHEDULED,			/* an execution of an existing report, which
								 * we have downloaded */
	PIN_ROWS_STALE				/* an old one, for want of a better */
} PinRowsFrom;

/*
 * Begins, in the current context, which frees everything whatever happens.
 * The need is kept by reference.  Throws when memory runs out.
 */
extern PinResolution *pin_resolve_start(const PinNeed *need);

/*
 * Somebody waits, from now on: wait_timeout begins.  Until then there is no
 * hurry.  Idempotent.
 */
extern void pin_resolve_await(PinResolution *resolution);
extern bool pin_resolve_is_awaited(const PinResolution *resolution);

/*
 * Goes on as far as possible without waiting, after pin_http_drive().  Throws
 * as pin_acquire_advance, and when the cache directory cannot be used.
 */
extern PinResolveStatus pin_resolve_advance(PinResolution *resolution);

/*
 * Ready, if rows are at hand?  Asks nobody and begins nothing; likewise throws
 * when the cache directory cannot be used.
 */
extern bool pin_resolve_at_hand(PinResolution *resolution);

/* How it stands, without advancing. */
extern PinResolveStatus pin_resolve_status(const PinResolution *resolution);

/*
 * Lets go of a report that is not here yet, for others or for later: the next
 * advance finds it again.  What is ready stays.  Never throws.
 */
extern void pin_resolve_land(PinResolution *resolution);

extern const PinNeed *pin_resolve_need(const PinResolution *resolution);

/*
 * For how long somebody waits, the first time after 10 s, 20 s, 40 s, ...: few
 * and soon enough.  Else 0.
 */
extern int64 pin_resolve_notice_due(PinResolution *resolution);

/* What it waits for, after PIN_RESOLVE_WAIT. */
extern PinWait pin_resolve_waits_for(const PinResolution *resolution);

/* After PIN_RESOLVE_READY; it stays the resolution's. */
extern const PinSnapshot *pin_resolve_snapshot(const PinResolution *resolution);
extern PinRowsFrom pin_resolve_from(const PinResolution *resolution);

/*
 * After PIN_RESOLVE_FAILED; and after READY with PIN_ROWS_STALE why nothing
 * fresher could be had.
 */
extern const PinError *pin_resolve_error(const PinResolution *resolution);

/* What could not be tidied up at the service's side; NULL: nothing. */
extern const PinError *pin_resolve_leftover(const PinResolution *resolution);

/* Of what we did ourselves; all zero where that was nothing. */
extern const PinAcquireStats *pin_resolve_stats(const PinResolution *resolution);

/*
 * Progress of whoever works on the report, for notices.  False if nothing is
 * known.
 */
extern bool pin_resolve_progress(const PinResolution *resolution, PinJobState *state);

/* The oldest rows that options and session accept right now. */
extern TimestampTz pin_resolve_oldest(const PinOptions *options);

#endif							/* PIN_RESOLVE_H */
