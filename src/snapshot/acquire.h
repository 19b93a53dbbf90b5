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
#include "snapshot/need.h"

typedef struct PinAcquisition PinAcquisition;

typedef enum PinAcquireStatus
{
	PIN_ACQUIRE_WAIT,			/* wait for pin_acquire_fd */
	PIN_ACQUIRE_READY,			/* the file is here, proven whole */
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
	PinId		execution_id;	/* of the completed execution; empty: not yet */
	PinTimeText generated_time; /* when it made the file; empty: not told */
} PinAcquireStats;

/*
 * Begins (or, where an earlier scan of this session gave up, resumes) the
 * acquisition of a need.  It lives in the current context, which frees it
 * whatever happens.  The first request is sent by the first advance.  Throws
 * when memory or descriptors run out.
 */
extern PinAcquisition *pin_acquire_start(const PinNeed *need);

/*
 * Goes on as far as possible without waiting.  Throws on interrupts, when
 * memory runs out and when the file cannot be written; everything the service
 * does wrong is PIN_ACQUIRE_FAILED.
 */
extern PinAcquireStatus pin_acquire_advance(PinAcquisition *acquisition);

/* Readable when advancing makes sense. */
extern int	pin_acquire_fd(const PinAcquisition *acquisition);

/* What went wrong: after PIN_ACQUIRE_FAILED. */
extern const PinError *pin_acquire_error(const PinAcquisition *acquisition);

/*
 * After PIN_ACQUIRE_READY: what could not be tidied up at the service's side;
 * NULL if nothing is left there.
 */
extern const PinError *pin_acquire_leftover(const PinAcquisition *acquisition);

extern const PinAcquireStats *pin_acquire_stats(const PinAcquisition *acquisition);

/* The report file, after PIN_ACQUIRE_READY. */
extern PinReportFile *pin_acquire_file(const PinAcquisition *acquisition);

/*
 * Lets go of the connection before the context does; statistics and file stay.
 */
extern void pin_acquire_finish(PinAcquisition *acquisition);

#endif							/* PIN_ACQUIRE_H */
