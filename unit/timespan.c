/*-------------------------------------------------------------------------
 *
 * timespan.c
 *		Tests of how wide timespans are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* timegm under -std */
#endif
#include <limits.h>

#include "insights/timespan.h"
#include "tap.h"

static time_t
moment(int year, int month, int day, int hour, int minute)
{
	struct tm	tm = {
		.tm_year = year - 1900,.tm_mon = month - 1,.tm_mday = day,
		.tm_hour = hour,.tm_min = minute
	};

	return timegm(&tm);
}

/* At now the timespan reaches back to a day, and to none before. */
static void
reaches_just(const char *timespan, time_t now, int year, int month, int day)
{
	time_t		first = moment(year, month, day, 0, 0);

	ok(pin_timespan_reaches(timespan, first, now), "%s reaches %04d-%02d-%02d",
	   timespan, year, month, day);
	ok(pin_timespan_reaches(timespan, first + 86400, now), "and the day after");
	ok(pin_timespan_reaches(timespan, now, now), "and now");
	ok(!pin_timespan_reaches(timespan, first - 86400, now), "but not the day before");
	ok(!pin_timespan_reaches(timespan, first - 86400 * 800, now), "nor long before");
}

static void
months_and_years(void)
{
	time_t		middle = moment(2026, 6, 15, 10, 30);

	reaches_just("LAST_1_MONTH", middle, 2026, 6, 1);
	reaches_just("LAST_3_MONTHS", middle, 2026, 4, 1);
	reaches_just("last_3_months", middle, 2026, 4, 1);
	reaches_just("LAST_6_MONTHS", middle, 2026, 1, 1);
	reaches_just("LAST_7_MONTHS", middle, 2025, 12, 1);
	reaches_just("LAST_18_MONTHS", middle, 2025, 1, 1);
	reaches_just("LAST_1_YEAR", middle, 2025, 7, 1);
	reaches_just("LAST_2_YEARS", middle, 2024, 7, 1);

	ok(!pin_timespan_reaches("LAST_3_MONTHS", moment(2026, 3, 31, 23, 59), middle),
	   "the last minute before is not reached");
}

/* Where it is the first of a month already, the months are others. */
static void
month_edges(void)
{
	reaches_just("LAST_3_MONTHS", moment(2026, 6, 29, 23, 59), 2026, 4, 1);
	reaches_just("LAST_3_MONTHS", moment(2026, 6, 30, 0, 0), 2026, 5, 1);
	reaches_just("LAST_3_MONTHS", moment(2026, 6, 30, 23, 59), 2026, 5, 1);
	reaches_just("LAST_3_MONTHS", moment(2026, 7, 1, 0, 0), 2026, 5, 1);
	reaches_just("LAST_3_MONTHS", moment(2026, 1, 1, 0, 0), 2025, 11, 1);
	reaches_just("LAST_3_MONTHS", moment(2025, 12, 31, 12, 0), 2025, 11, 1);
	reaches_just("LAST_1_YEAR", moment(2025, 12, 30, 12, 0), 2025, 1, 1);
	reaches_just("LAST_1_YEAR", moment(2025, 12, 31, 12, 0), 2025, 2, 1);
	reaches_just("LAST_2_MONTHS", moment(2026, 3, 30, 12, 0), 2026, 2, 1);

	/* no thirtieth of February is taken for a day of March */
	reaches_just("LAST_1_MONTH", moment(2026, 1, 30, 12, 0), 2026, 1, 1);
	reaches_just("LAST_2_MONTHS", moment(2026, 3, 29, 12, 0), 2026, 2, 1);
}

static void
leap_days(void)
{
	reaches_just("LAST_2_MONTHS", moment(2024, 2, 28, 12, 0), 2024, 1, 1);
	reaches_just("LAST_2_MONTHS", moment(2024, 2, 29, 12, 0), 2024, 2, 1);
	reaches_just("LAST_2_MONTHS", moment(2026, 2, 27, 12, 0), 2026, 1, 1);
	reaches_just("LAST_2_MONTHS", moment(2026, 2, 28, 12, 0), 2026, 2, 1);
	reaches_just("LAST_1_YEAR", moment(2024, 2, 29, 0, 0), 2023, 4, 1);
	reaches_just("LAST_7_DAYS", moment(2024, 3, 1, 0, 0), 2024, 2, 25);
	reaches_just("LAST_7_DAYS", moment(2026, 3, 1, 0, 0), 2026, 2, 24);
}

static void
days_and_weeks(void)
{
	time_t		midnight = moment(2026, 6, 15, 0, 0);

	reaches_just("LAST_7_DAYS", midnight, 2026, 6, 10);
	reaches_just("LAST_2_DAYS", midnight, 2026, 6, 15);
	reaches_just("LAST_365_DAYS", midnight, 2025, 6, 17);
	reaches_just("LAST_2_WEEKS", midnight, 2026, 6, 9);

	/* in the course of a day it is the next one */
	reaches_just("LAST_7_DAYS", moment(2026, 6, 15, 0, 1), 2026, 6, 11);
	reaches_just("LAST_7_DAYS", moment(2026, 6, 15, 23, 59), 2026, 6, 11);
	ok(!pin_timespan_reaches("LAST_1_DAY", midnight, midnight),
	   "a single day may be the next one altogether");
}

static void
unknown_ones(void)
{
	static const char *const names[] = {
		"LIFETIME", "LAST_MONTH", "LAST_YEAR", "LAST_WEEK", "LAST_DAY", "TODAY", "YESTERDAY",
		"", "LAST_", "LAST_3", "LAST_3_", "LAST_0_DAYS", "LAST_0_MONTHS", "LAST_3_MONTHLY",
		"LAST_3_DECADES", "LAST_-3_MONTHS", "LAST_3MONTHS", "NEXT_3_MONTHS", "3_MONTHS", "ALWAYS"
	};
	time_t		now = moment(2026, 6, 15, 10, 30);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok(!pin_timespan_reaches(names[i], now + 86400 * 400, now),
		   "\"%s\" is not known to reach any day", names[i]);
	ok(pin_timespan_reaches("LAST_99999999999_YEARS", moment(1, 1, 1, 0, 0), now),
	   "very many years reach all days");
	ok(pin_timespan_reaches("LAST_99999999999_DAYS", moment(1990, 1, 1, 0, 0), now),
	   "very many days, too");
}

static void
widths(void)
{
	const char *const spans[] = {"LAST_1_YEAR", "LIFETIME", "LAST_MONTH", "ALWAYS"};
	const char *const unknown[] = {"ALWAYS", "EVER"};

	is_int(pin_timespan_days("LAST_MONTH"), 30, "a month");
	is_int(pin_timespan_days("last_3_months"), 90, "without case");
	is_int(pin_timespan_days("LAST_1_YEAR"), 365, "a year");
	is_int(pin_timespan_days("LAST_7_DAYS"), 7, "days");
	is_int(pin_timespan_days("LAST_WEEK"), 7, "a week");
	is_int(pin_timespan_days("LIFETIME"), INT_MAX, "all there is");
	ok(pin_timespan_days("LAST_99999999999_YEARS") > 365 * 1000, "very many years");
	is_int(pin_timespan_days("LAST_MONTHLY"), 0, "not a unit");
	is_int(pin_timespan_days("LAST_3"), 0, "no unit");
	is_int(pin_timespan_days("LAST_3MONTHS"), 0, "no underscore");
	is_int(pin_timespan_days("LAST_"), 0, "nothing");
	is_int(pin_timespan_days("NEXT_MONTH"), 0, "not in the past");
	is_str(pin_timespan_widest(spans, 4), "LIFETIME", "the widest");
	is_str(pin_timespan_widest(spans, 1), "LAST_1_YEAR", "of one");
	is_str(pin_timespan_widest(unknown, 2), "EVER", "of unknown ones the last");
	ok(pin_timespan_widest(spans, 0) == NULL, "of none");
}

int
main(void)
{
	widths();
	months_and_years();
	month_edges();
	leap_days();
	days_and_weeks();
	unknown_ones();
	return done_testing();
}
