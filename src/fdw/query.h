/*-------------------------------------------------------------------------
 *
 * query.h
 *		What a scan asks the service for, now that its values are known.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_QUERY_H
#define PIN_QUERY_H

#include "fdw/literal.h"
#include "nodes/execnodes.h"
#include "snapshot/need.h"

/*
 * Conditions are sent as long as they are not longer than this, bytes: the
 * longest queries that the service is known to take have about 4000.
 */
#define PIN_QUERY_CONDITIONS_MAX 3000

typedef struct PinScanQuery
{
	PinReportQuery asked;		/* the report query, and its window */
	const char *timespan;		/* of the report query; NULL: none */
	List	   *conditions;		/* of PinWritten *, in step with the plan's */
	bool		never;			/* no row can fulfill the conditions */
	bool		exact;			/* all of them are exact */
	bool		everything;		/* the report has every row of the table */
	bool		preview;		/* a preview may have as many as are enough */
	int64		rows;			/* as many are enough (LIMIT and OFFSET); -1:
								 * all */
} PinScanQuery;

/*
 * Do the values of a plan depend on what its other nodes bring?  Then they are
 * known when the first row is asked for, and not before.
 */
extern bool pin_query_is_late(const ForeignScan *plan);

/* Might evaluating them fail? */
extern bool pin_query_may_fail(const ForeignScan *plan);

/* How long a condition is there. */
extern size_t pin_query_length(const PinWritten *written);

/*
 * The query of a scan.  Evaluates the plan's expressions in the node; those
 * whose parameters are not there, as in an EXPLAIN that does not execute, stay
 * unknown and are shown as $1, $2.  Result in the current context, which shall
 * live as long as the scan.
 */
extern PinScanQuery *pin_query_of_scan(ForeignScanState *node, bool explain_only);

/*
 * The same while it is planned: of a plan's expressions only the constants are
 * known.
 */
extern PinScanQuery *pin_query_of_plan(const List *plan, const List *exprs);

/* The query of a whole table, from pin_plan_table. */
extern PinScanQuery *pin_query_of_table(const List *plan);

/*
 * The same query for a look at a few rows: of these columns (a List of String)
 * and with all conditions that can be written, whatever the table's fetch says.
 * If all of them are exact it asks for no more rows than needed.
 */
extern PinReportQuery *pin_query_of_preview(const List *plan, List *names,
											const PinScanQuery *query);

#endif							/* PIN_QUERY_H */
