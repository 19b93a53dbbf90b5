/*-------------------------------------------------------------------------
 *
 * timespan.c
 *		How wide the service's timespans are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* timegm under -std */
#endif
#include "insights/timespan.h"

#include <limits.h>
#include <string.h>

#include "insights/ascii.h"

#define DAY_SECONDS 86400

/* More units than this are as good as all there is. */
#define MANY 10000

static int
days_of_unit(const char *unit)
{
	static const struct
	{
		const char *name;		/* singular */
		int			days;		/* about */
	}			units[] = {{"DAY", 1}, {"WEEK", 7}, {"MONTH", 30}, {"YEAR", 365}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		size_t		len = strlen(units[i].name);

		if (pin_ascii_starts(unit, units[i].name) &&
			(unit[len] == '\0' || pin_ascii_equal(unit + len, "S")))
			return units[i].days;
	}
	return 0;
}

/* LAST_3_MONTHS: *number is 3, the result is about a month; 0 if unknown. */
static int
read_last(const char *timespan, int *number)
{
	if (!pin_ascii_starts(timespan, "LAST_"))
		return 0;
	timespan += 5;
	*number = 1;
	if (!pin_ascii_is_digit(*timespan))
		return days_of_unit(timespan);
	for (*number = 0; pin_ascii_is_digit(*timespan); timespan++)
		if (*number < MANY)
			*number = *number * 10 + (*timespan - '0');
	return *timespan == '_' ? days_of_unit(timespan + 1) : 0;
}

int
pin_timespan_days(const char *timespan)
{
	int			number = 0;
	int			days;

	if (pin_ascii_equal(timespan, "LIFETIME"))
		return INT_MAX;
	days = read_last(timespan, &number);
	return number * days;
}

const char *
pin_timespan_widest(const char *const *timespans, size_t count)
{
	const char *widest = NULL;
	int			days = 0;

	for (size_t i = 0; i < count; i++)
	{
		int			these = pin_timespan_days(timespans[i]);

		if (these >= days)
		{
			widest = timespans[i];
			days = these;
		}
	}
	return widest;
}

/* The first of the month that lies so many months before now. */
static time_t
month_begin(time_t now, int months_ago)
{
	struct tm	tm;

	gmtime_r(&now, &tm);
	tm.tm_mday = 1;
	tm.tm_mon -= months_ago;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	return timegm(&tm);
}

/*
 * The day under way counts as one of the days, the week as one of the weeks, the
 * month as one of the months; and the service's day may have begun before ours.  A span without a number,
 * LAST_MONTH, may as well mean the month that is over.
 */
bool
pin_timespan_reaches(const char *timespan, time_t day, time_t now)
{
	int			number = 0;
	int			unit = read_last(timespan, &number);
	time_t		tomorrow = now + DAY_SECONDS;

	if (unit == 0 || number == 0 || !pin_ascii_is_digit(timespan[strlen("LAST_")]))
		return false;
	if (unit >= 30)
		return day >= month_begin(tomorrow, number * (unit >= 365 ? 12 : 1) - 1);
	return day >= tomorrow - (time_t) (number - 1) * unit * DAY_SECONDS;
}
