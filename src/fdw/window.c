/*-------------------------------------------------------------------------
 *
 * window.c
 *		The times that a report has to cover for a scan's conditions.
 *
 * A table's timespan defines its rows, and only the service knows where exactly
 * LAST_6_MONTHS begins: a window of our own could bring rows from before it.  So
 * a window replaces LIFETIME only, which has no bounds; any other timespan can
 * become a narrower one that surely reaches back far enough.
 *
 * Neither the service's time zone nor whether the ends of a window belong to it
 * is documented, and a row of a month may be made of its days.  A window is
 * therefore whole months and a day more at either end.  The rows that are too
 * many are left out here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/window.h"
#include "insights/ascii.h"
#include "insights/timespan.h"
#include "utils/datetime.h"

/* The end of a window without one, and of those that end later. */
#define OPEN_END "9999-12-31T00:00:00Z"
#define LAST_END (date2j(9999, 12, 1) - POSTGRES_EPOCH_JDATE)

/*
 * A window has to begin somewhere, and dates before this are not safe with many
 * a database; what has no bound below keeps the timespan.
 */
#define FIRST_START (date2j(1900, 2, 1) - POSTGRES_EPOCH_JDATE)

static bool
is_lifetime(const char *timespan)
{
	return pin_ascii_equal(timespan, "LIFETIME");
}

/* A timespan that is narrower, and of the same kind. */
static bool
is_narrower(const char *timespan, const char *than)
{
	int			days = pin_timespan_days(timespan);

	return days > 0 && days < pin_timespan_days(than);
}

bool
pin_window_helps(const PinCatalogDataset *dataset, const char *timespan)
{
	if (timespan == NULL)
		return false;
	if (is_lifetime(timespan))
		return true;
	for (size_t i = 0; dataset != NULL && i < dataset->ndate_ranges; i++)
	{
		if (is_narrower(dataset->date_ranges[i], timespan))
			return true;
	}
	return false;
}

void
pin_window_intersect(PinDays *days, const PinDays *others)
{
	if (others->has_first && (!days->has_first || others->first > days->first))
		days->first = others->first;
	if (others->has_last && (!days->has_last || others->last < days->last))
		days->last = others->last;
	days->has_first |= others->has_first;
	days->has_last |= others->has_last;
}

/* The day after or before (step) the end of the month that a day is in. */
static char *
outer_day(DateADT date, bool after)
{
	int			year;
	int			month;
	int			day;
	int			julian;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (!after)
		julian = date2j(year, month, 1) - 1;
	else if (month == 12)
		julian = date2j(year + 1, 1, 1) + 1;
	else
		julian = date2j(year, month + 1, 1) + 1;
	j2date(julian, &year, &month, &day);
	return psprintf("%04d-%02d-%02dT00:00:00Z", year, month, day);
}

static void
set_bounds(PinWindow *window, const PinDays *days)
{
	if (!days->has_first || days->first < FIRST_START || days->first >= LAST_END)
		return;
	window->start = outer_day(days->first, false);
	window->end = days->has_last && days->last < LAST_END ? outer_day(days->last, true) : OPEN_END;
}

/* 00:00 UTC of a day. */
static time_t
unix_time(DateADT date)
{
	return ((time_t) date + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

/* The narrowest of the dataset's timespans that reaches back to a day. */
static const char *
narrowest(const PinCatalogDataset *dataset, const char *timespan, DateADT first)
{
	const char *best = timespan;

	for (size_t i = 0; dataset != NULL && i < dataset->ndate_ranges; i++)
	{
		const char *range = dataset->date_ranges[i];

		if (is_narrower(range, best) &&
			pin_timespan_reaches(range, unix_time(first), time(NULL)))
			best = range;
	}
	return best;
}

PinWindow
pin_window_of(const PinCatalogDataset *dataset, const char *timespan, const PinDays *days)
{
	PinWindow	window = {.timespan = timespan};

	if (timespan == NULL || !(days->has_first || days->has_last))
		return window;
	window.never = days->has_first && days->has_last && days->first > days->last;
	if (window.never)
		return window;
	if (is_lifetime(timespan))
		set_bounds(&window, days);
	else if (days->has_first)
		window.timespan = narrowest(dataset, timespan, days->first);
	return window;
}
