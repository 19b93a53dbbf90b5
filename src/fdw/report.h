/*-------------------------------------------------------------------------
 *
 * report.h
 *		The report of a foreign table: fetched, and opened as rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_REPORT_H
#define PIN_REPORT_H

#include "fdw/query.h"
#include "options.h"
#include "reader/rows.h"
#include "snapshot/resolve.h"
#include "utils/relcache.h"

/*
 * Are rows for a query at hand that would do now, so that nothing has to be
 * asked?  *head: of their snapshot.
 */
extern bool pin_report_at_hand(Oid relid, Oid userid, const PinOptions *options,
							   const PinScanQuery *query, PinSnapshotHead *head);

/*
 * Else: was a report ordered for it, which is not here?  *job: what is known of
 * that.
 */
extern bool pin_report_is_ordered(Oid relid, Oid userid, const PinOptions *options,
								  const PinScanQuery *query, PinJobState *job);

/*
 * Begins to find or fetch the rows of a query, and returns at once: nothing is
 * asked before the flight advances.  The result lives in the current context;
 * options and query are kept by reference.
 */
extern PinResolution *pin_report_begin(Relation relation, Oid userid,
									   const PinOptions *options, const List *plan,
									   const PinScanQuery *query);

/*
 * Are they here?  From the first call on wait_timeout counts.  Sends a notice
 * now and then.  Throws if no rows will come.
 */
extern bool pin_report_is_here(PinResolution *resolution, Relation relation,
							   const PinOptions *options, const List *plan,
							   const PinScanQuery *query);

/* Waits until they are.  Throws likewise. */
extern void pin_report_await(PinResolution *resolution, Relation relation,
							 const PinOptions *options, const List *plan,
							 const PinScanQuery *query);

/*
 * Warns that rows are older than max_age allows, but not older than stale_ok, or
 * the last of a report that does not run any more.  what: whose they are; hint:
 * what to do, in UTF-8, or "".
 */
extern void pin_report_warn_stale(const PinResolution *resolution, const char *what,
								  const char *hint);

/*
 * Opens the rows of a snapshot, in the current context, as rows of that type.
 * needed: attnums that are asked for; late: those of them that
 * pin_rows_complete has to give.
 */
extern PinRows *pin_report_open(Relation relation, TupleDesc tupdesc, const PinOptions *options,
								const List *plan, Bitmapset *needed, Bitmapset *late,
								const PinSnapshot *snapshot);

/* Notes how many rows it has, for later plans. */
extern void pin_report_counted(Relation relation, const PinOptions *options,
							   const List *plan, double rows);

#endif							/* PIN_REPORT_H */
