/*-------------------------------------------------------------------------
 *
 * timespan.c
 *		How wide the service's timespans are.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/timespan.h"

#include <limits.h>
#include <string.h>

#include "insights/ascii.h"

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

int
pin_timespan_days(const char *timespan)
{
	int			number = 0;

	if (pin_ascii_equal(timespan, "LIFETIME"))
		return INT_MAX;
	if (!pin_ascii_starts(timespan, "LAST_"))
		return 0;
	timespan += 5;
	if (!pin_ascii_is_digit(*timespan))
		return days_of_unit(timespan);
	for (; pin_ascii_is_digit(*timespan); timespan++)
		if (number < MANY)
			number = number * 10 + (*timespan - '0');
	return *timespan == '_' ? number * days_of_unit(timespan + 1) : 0;
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
