/*-------------------------------------------------------------------------
 *
 * rules.h
 *		The service's rules for queries and reports, looked at before it is asked.
 *
 * Each function returns false with *err filled (kind RULE) for the first rule
 * that is broken; the message names the column as the API's tables have it,
 * the hint a way out.  Only what is documented, or could not mean anything, is
 * refused here: everything else is for the service to judge.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RULES_H
#define PIN_RULES_H

#include <limits.h>
#include <stdbool.h>

#include "error.h"
#include "insights/api.h"
#include "insights/query_text.h"

/* How long before its first run a report has to be ordered. */
#define PIN_START_NOTICE_HOURS 4

/* From one run of a report to the next. */
#define PIN_RECURRENCE_MIN_HOURS 4
#define PIN_RECURRENCE_MAX_HOURS 2160

/* How a report query is written. */
#define PIN_QUERY_FORM "A report query is written as SELECT column, ... FROM dataset " \
	"[WHERE condition AND ...] [ORDER BY column, ...] [LIMIT number] " \
	"[TIMESPAN range]."

/* A number that nobody has given. */
#define PIN_UNSAID INT_MIN

/* What a report shall be; NULL and PIN_UNSAID: not said.  UTF-8. */
typedef struct PinReportWish
{
	const char *name;			/* report_name */
	const char *description;
	const char *query_id;
	bool		execute_now;	/* at once, and only once */
	const char *query_start;	/* query_start_time, 2026-03-01T00:00:00Z */
	const char *query_end;		/* query_end_time */
	const char *start_time;		/* first run */
	int			recurrence_hours;	/* recurrence_interval */
	int			recurrence_count;
	const char *format;
	const char *callback_url;
	const char *callback_method;
} PinReportWish;

/* Both are as long as a time is: 2026-03-01T00:00:00Z. */
typedef struct PinStartLimit
{
	const char *now;
	const char *earliest;		/* PIN_START_NOTICE_HOURS later */
} PinStartLimit;

/* A new query. */
extern bool pin_rules_query(const char *name, const char *text, PinError *err);

/*
 * The dataset that a report query is about, as far as a look without the
 * service tells; false if there is none to be seen.
 */
extern bool pin_rules_dataset(const char *text, char dataset[PIN_QUERY_NAME_MAX + 1]);

/* A new report. */
extern bool pin_rules_new_report(const PinReportWish *wish, const PinStartLimit *limit,
								 PinError *err);

/* A report that is changed: query, window and execute_now are not looked at. */
extern bool pin_rules_changed_report(const PinReportWish *wish,
									 const PinStartLimit *limit, PinError *err);

/* Its interval, where the dataset sets a minimum (-1: it sets none). */
extern bool pin_rules_interval(int hours, const char *dataset, int minimum_hours,
							   PinError *err);

/* A wish that keeps the rules, as an order; both have the same strings. */
extern void pin_rules_order(const PinReportWish *wish, PinReportOrder *order);

#endif							/* PIN_RULES_H */
