/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The state of a foreign scan, for those who begin, await and explain it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SCAN_H
#define PIN_SCAN_H

#include "fdw/query.h"
#include "nodes/execnodes.h"
#include "reader/rows.h"
#include "snapshot/resolve.h"
#include "utils/relcache.h"

typedef struct PinScan
{
	MemoryContext context;		/* everything of the scan */
	List	   *plan;			/* fdw_private, see PinPlanItem */
	Relation	relation;		/* the table */
	Oid			userid;			/* whose user mapping */
	PinScanQuery *query;		/* NULL: not begun */
	PinResolution *resolution;	/* NULL: not begun */
	PinOptions *options;		/* NULL: not begun */
	PinRows    *rows;			/* NULL: not open yet */
	ExprState  *condition;		/* what rows have to fulfill, if the scan
								 * looks at it itself; else NULL */
	uint32		read;			/* rows that were read */
	bool		counted;		/* the number of rows was taken, or cannot be */
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

#endif							/* PIN_SCAN_H */
