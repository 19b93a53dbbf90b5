/*-------------------------------------------------------------------------
 *
 * scan.h
 *		The state of a foreign scan, for scan.c and explain.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SCAN_H
#define PIN_SCAN_H

#include "fdw/query.h"
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
	PinRows    *rows;			/* NULL: no row was asked for yet */
	bool		counted;		/* the number of rows was taken, or cannot be */
} PinScan;

#endif							/* PIN_SCAN_H */
