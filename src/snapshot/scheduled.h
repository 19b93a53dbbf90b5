/*-------------------------------------------------------------------------
 *
 * scheduled.h
 *		Rows of a report that runs by itself: its latest completed execution.
 *
 * Somebody made the report, we or a person in Partner Center, and it runs when
 * it is due.  We order nothing and delete nothing: we look for its latest
 * completed execution and download that if it is not here yet.
 *
 * How fresh the rows are is up to the schedule.  While those we have are younger
 * than max_age nobody asks the service.  When they are older it is asked, and
 * if it has nothing newer they are served all the same; then it is left alone
 * for a hundredth of the rows' age, and poll_interval at least, unless max_age
 * is zero.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SCHEDULED_H
#define PIN_SCHEDULED_H

#include "snapshot/acquire.h"

typedef struct PinScheduled PinScheduled;

/*
 * The rows we have, older than oldest as they may be, if the service was asked
 * a short while ago and had nothing newer.  NULL: it has to be asked.  The
 * caller closes the snapshot.  Throws as pin_snapshot_find.
 */
extern PinSnapshot *pin_scheduled_recent(const PinNeed *need, TimestampTz oldest);

/*
 * Begins to look for rows of the report that the need's options name.  It takes
 * over the job, of which nothing lasts, and lives in the current context, which
 * frees it whatever happens.
 */
extern PinScheduled *pin_scheduled_start(const PinNeed *need, PinJob *job,
										 TimestampTz oldest);

/* As their namesakes in acquire.h. */
extern void pin_scheduled_await(PinScheduled *scheduled, int64 patience_us);
extern PinAcquireStatus pin_scheduled_advance(PinScheduled *scheduled);
extern PinWait pin_scheduled_waits_for(const PinScheduled *scheduled);
extern const PinAcquireStats *pin_scheduled_stats(const PinScheduled *scheduled);
extern void pin_scheduled_abandon(PinScheduled *scheduled);

/*
 * After PIN_ACQUIRE_FAILED why; after READY what keeps the report from running
 * again, of kind NONE if nothing does.
 */
extern const PinError *pin_scheduled_error(const PinScheduled *scheduled);

/*
 * The rows, after PIN_ACQUIRE_READY, in the current context; the caller closes
 * them.  *fetched: they were downloaded just now.  Lets go of everything but error
 * and statistics.
 */
extern PinSnapshot *pin_scheduled_take(PinScheduled *scheduled, bool *fetched);

#endif							/* PIN_SCHEDULED_H */
