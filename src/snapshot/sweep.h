/*-------------------------------------------------------------------------
 *
 * sweep.h
 *		Deletes what we have left at the service and nothing uses any more.
 *
 * A scan deletes its report and query as soon as their rows are safe.  What is
 * left was abandoned: its scan was cancelled and never repeated, or could not
 * reach the service, or the cache directory was lost.  A sweep finds it by the
 * jobs that nobody works on, and by the names of remote objects:
 *
 *	- objects of a job that no backend has and nobody has touched since
 *	  `before`, in this database, of the same server, mapping and program;
 *	- objects that bear a name of ours, were made before `before`, and that no
 *	  job in the cache directory knows.
 *
 * Never a recurring report, nor a query that a report still uses.  Whoever
 * looks for a report while it is being deleted orders it anew, as when anybody
 * else deletes it.
 *
 * Nothing here sleeps: advance it, wait for its descriptor, drive, advance it
 * again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SWEEP_H
#define PIN_SWEEP_H

#include "datatype/timestamp.h"
#include "insights/api.h"
#include "snapshot/need.h"

typedef struct PinSweep PinSweep;

typedef enum PinSweepStatus
{
	PIN_SWEEP_WAIT,				/* wait for pin_sweep_fd */
	PIN_SWEEP_DONE,				/* nothing is left to do */
	PIN_SWEEP_FAILED			/* see pin_sweep_error */
} PinSweepStatus;

/* An object that was deleted, or that the service will not have deleted. */
typedef struct PinSwept
{
	const char *kind;			/* "report" or "query" */
	const char *name;			/* UTF-8 */
	const char *id;				/* likewise */
	const PinError *refusal;	/* NULL: deleted */
} PinSwept;

/* Told of every such object, in a context that lasts as long as the sweep. */
typedef void (*PinSweepTell) (const PinSwept *swept, void *arg);

/*
 * Begins a sweep with the credential and program of the options, in the current
 * context, which frees everything whatever happens.  options are kept by
 * reference.  Throws when memory runs out.
 */
extern PinSweep *pin_sweep_start(const PinOptions *options, TimestampTz before,
								 PinSweepTell tell, void *arg);

/*
 * Goes on as far as possible without waiting.  Throws when memory runs out or
 * the cache directory cannot be used.
 */
extern PinSweepStatus pin_sweep_advance(PinSweep *sweep);

/* Readable when driving and advancing makes sense. */
extern int	pin_sweep_fd(const PinSweep *sweep);

/* To be called between waiting and advancing, by whoever drives nothing else. */
extern void pin_sweep_drive(PinSweep *sweep);

/* How many reports and queries it has deleted, also once it is closed. */
extern int	pin_sweep_deleted(const PinSweep *sweep);

/* After PIN_SWEEP_FAILED: why, and what it was about (palloc'd). */
extern const PinError *pin_sweep_error(const PinSweep *sweep);
extern char *pin_sweep_doing(const PinSweep *sweep);

/* Ends it wherever it is.  Idempotent, safe in a callback; NULL is fine. */
extern void pin_sweep_close(PinSweep *sweep);

/* ---- beside something else ---- */

/*
 * A sweep to go along with an acquisition that has a while to wait: once a
 * session for a credential and program, of what is older than
 * pinsight_fdw.sweep_age, with a few requests and no second try.  NULL if there
 * is nothing to begin.  Throws when memory runs out.
 */
extern PinSweep *pin_sweep_start_once(const PinNeed *need);

/*
 * Likewise, but at once, however often, and also of jobs whose scans needed no
 * more than first rows, however young: the service has no room for another report
 * or query.  NULL if nothing shall be swept.
 */
extern PinSweep *pin_sweep_start_for_room(const PinOptions *options);

/*
 * Advances such a sweep, after pin_http_drive(); false if that was all, and it
 * is closed.  Never throws, tells the server's log only.
 */
extern bool pin_sweep_go_along(PinSweep *sweep);

#endif							/* PIN_SWEEP_H */
