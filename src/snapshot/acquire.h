/*-------------------------------------------------------------------------
 *
 * acquire.h
 *		From a need to a local file: the way a report takes, step by step.
 *
 * The vocabulary, here and everywhere: a *report query* is a definition kept by
 * the service; a *report* is the order to run it; an *execution* is one run; a
 * *download* is its file; a *scan* is ours.
 *
 * Nothing here sleeps: advance the acquisition, wait for its descriptor, and
 * advance it again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ACQUIRE_H
#define PIN_ACQUIRE_H

#include "insights/api.h"
#include "snapshot/download.h"
#include "snapshot/job.h"
#include "snapshot/need.h"
#include "transport/wait.h"

typedef struct PinAcquisition PinAcquisition;

typedef enum PinAcquireStatus
{
	PIN_ACQUIRE_WAIT,			/* wait for pin_acquire_fd */
	PIN_ACQUIRE_READY,			/* the snapshot is here, proven whole, or the
								 * first rows, if these are enough */
	PIN_ACQUIRE_FAILED			/* see pin_acquire_error */
} PinAcquireStatus;

/* What EXPLAIN ANALYZE and progress notices tell. */
typedef struct PinAcquireStats
{
	int			requests;		/* HTTP requests sent, retries included */
	int			polls;			/* requests for the state of the execution */
	int			retries;		/* requests sent again after a failure */
	int64		started_us;		/* pin_now_us() at start */
	int64		ready_us;		/* likewise when the file was whole; 0: not
								 * yet */
	int64		downloaded;		/* bytes as stored by the service */
	bool		resumed;		/* picked up where an earlier scan stopped */
	char		state[64];		/* execution's state in the service's word */
	PinId		report_id;		/* of the report; empty: none yet */
} PinAcquireStats;

/*
 * Begins (or, where the job was left by somebody else, resumes) the
 * acquisition of a need.  It takes over the job and lives in the current
 * context, which frees it whatever happens.  Rows older than oldest are not
 * taken.  The first request is sent by the first advance.  Throws when memory
 * runs out.
 */
extern PinAcquisition *pin_acquire_start(const PinNeed *need, PinJob *job,
										 TimestampTz oldest);

/*
 * Somebody waits, until wait_timeout ends at patience_us on pin_now_us()'s clock.
 * Without that there is no hurry.  Idempotent.
 */
extern void pin_acquire_await(PinAcquisition *acquisition, int64 patience_us);

/*
 * Goes on as far as possible without waiting, after pin_http_drive().  Throws
 * on interrupts, when memory runs out and when the file cannot be written;
 * everything the service does wrong is PIN_ACQUIRE_FAILED.
 */
extern PinAcquireStatus pin_acquire_advance(PinAcquisition *acquisition);

/* What it waits for. */
extern PinWait pin_acquire_waits_for(const PinAcquisition *acquisition);

/* What went wrong: after PIN_ACQUIRE_FAILED. */
extern const PinError *pin_acquire_error(const PinAcquisition *acquisition);

/*
 * After PIN_ACQUIRE_READY: what could not be tidied up at the service's side;
 * NULL if nothing is left there.
 */
extern const PinError *pin_acquire_leftover(const PinAcquisition *acquisition);

extern const PinAcquireStats *pin_acquire_stats(const PinAcquisition *acquisition);

/* Lets go of everything but the statistics; what was begun can be resumed. */
extern void pin_acquire_abandon(PinAcquisition *acquisition);

/*
 * The snapshot, after PIN_ACQUIRE_READY, in the current context; the caller
 * closes it.  Lets go of everything else but the statistics.
 */
extern PinSnapshot *pin_acquire_take(PinAcquisition *acquisition);

#endif							/* PIN_ACQUIRE_H */
