/*-------------------------------------------------------------------------
 *
 * preview.h
 *		A look at a few rows, without a report.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PREVIEW_H
#define PIN_PREVIEW_H

#include "fdw/query.h"
#include "options.h"
#include "reader/rows.h"

/*
 * Asks the service for a query's first rows, which it gives at once and without
 * counting them as a report, and opens them in the current context.  NULL if
 * they are not surely the answer to a scan that needs query->rows rows: too few
 * fulfill the scan's condition (NULL: none), or what came cannot be told from
 * what a report would have.  Throws on interrupts and when memory runs out.
 */
extern PinRows *pin_preview_open(ForeignScanState *node, ExprState *condition,
								 Relation relation, const PinOptions *options,
								 const List *plan, const PinScanQuery *query);

#endif							/* PIN_PREVIEW_H */
