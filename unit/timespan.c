/*-------------------------------------------------------------------------
 *
 * timespan.c
 *		Tests of how wide timespans are.
 *
 *-------------------------------------------------------------------------
 */
#include <limits.h>

#include "insights/timespan.h"
#include "tap.h"

int
main(void)
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
	return done_testing();
}
