/*-------------------------------------------------------------------------
 *
 * parallel.h
 *		One scan's rows, read by several processes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PARALLEL_H
#define PIN_PARALLEL_H

#include "fdw/scan.h"
#include "nodes/pathnodes.h"

/* Part of the rows of a report. */
typedef struct PinPart
{
	bool		whole;			/* all of them; else: */
	PinRecordRange range;		/* these */
	int64		end;			/* where they end in the file */
} PinPart;

/*
 * Adds a path that several processes share, if the rows are here and so many
 * that it may be worth it.
 */
extern void pin_parallel_add_path(PlannerInfo *root, RelOptInfo *baserel);

/*
 * Does a process that has no report of its own read for this scan?  It is told
 * which snapshot to read, and never asks the service.
 */
extern bool pin_parallel_is_worker(const ForeignScanState *node);

/* That snapshot, in the current context; the caller closes it.  NULL: no rows. */
extern PinSnapshot *pin_parallel_join(const PinParallel *parallel);

/* A part that nobody else has read or will; false if there are no more. */
extern bool pin_parallel_next(PinParallel *parallel, PinPart *part);

#endif							/* PIN_PARALLEL_H */
