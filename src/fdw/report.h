/*-------------------------------------------------------------------------
 *
 * report.h
 *		The report of a foreign table: fetched, and opened as rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_REPORT_H
#define PIN_REPORT_H

#include "options.h"
#include "reader/rows.h"
#include "snapshot/acquire.h"
#include "utils/relcache.h"

/*
 * Fetches the report that a plan (see PinPlanItem) describes, and waits for it
 * with a notice now and then.  The acquisition lives in the current context;
 * its file is to be closed by pin_report_file_close().  Throws if the report
 * will not come.
 */
extern PinAcquisition *pin_report_fetch(Relation relation, const PinOptions *options,
										const List *plan);

/* Opens its file, in the current context.  needed: attnums that are asked for. */
extern PinRows *pin_report_open(Relation relation, const PinOptions *options,
								const List *plan, Bitmapset *needed,
								const PinAcquisition *acquisition);

/* Notes that all its rows were read: so many, for later plans. */
extern void pin_report_counted(Relation relation, const PinOptions *options,
							   const List *plan, double rows);

#endif							/* PIN_REPORT_H */
