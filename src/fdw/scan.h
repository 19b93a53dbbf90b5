/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The state of a foreign scan, for those who begin, await and explain it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SCAN_H
#define PIN_SCAN_H

#include "fdw/glance.h"
#include "fdw/query.h"
#include "nodes/execnodes.h"
#include "reader/rows.h"
#include "snapshot/resolve.h"
#include "utils/relcache.h"

/* What the processes that share a scan have in common; see parallel.c. */
typedef struct PinParallel PinParallel;

typedef struct PinScan
{
	MemoryContext context;		/* everything of the scan */
	List	   *plan;			/* fdw_private, see PinPlanItem */
	Relation	relation;		/* the table */
	Oid			userid;			/* whose user mapping */
	PinScanQuery *query;		/* NULL: not begun */
	PinResolution *resolution;	/* NULL: not begun */
	PinOptions *options;		/* NULL: not begun */
	const PinSnapshot *snapshot;	/* whose rows these are; NULL: a preview's */
	PinRows    *rows;			/* NULL: not open yet */
	ExprState  *condition;		/* what rows have to fulfill, if the scan
								 * looks at it itself; else NULL */
	PinGlance	glance;			/* a part of it that is looked at first */
	PinParallel *parallel;		/* shared with other processes; NULL: alone */
	PinSnapshot *joined;		/* a worker's own snapshot; else NULL */
	bool		begun;			/* part of the rows is being read */
	bool		ended;			/* there is no other part */
	bool		alike;			/* the rows need not be read, only counted */
	bool		empty;			/* and nobody looks at a value of theirs */
	uint64		left;			/* of these: rows that are left of the part */
	uint32		read;			/* rows that were read */
	int			bell;			/* descriptor that stands in an Append's wait;
								 * -1: none */
	MemoryContextCallback callback; /* closes it */
} PinScan;

/* Scans that were begun by the executor and not ended. */
extern int	pin_scans;

/*
 * States what the scan needs and sets out for it, before anybody asks for a
 * row.  Does nothing where that must not be (prefetch 'false') or cannot be:
 * what is wrong is said when a row is asked for.
 */
extern void pin_scan_prefetch(ForeignScanState *node);

/*
 * Is there a row to be had, or the end, without waiting?  Sets out if that was
 * not done yet.  Throws if no rows will come.
 */
extern bool pin_scan_is_ready(ForeignScanState *node);

/* Waits until that is so. */
extern void pin_scan_await(ForeignScanState *node);

#endif							/* PIN_SCAN_H */
