/*
 * query_literal.c
 *		From a literal of a report query to a column's stored form, and the
 *		timespans.
 *
 * Any value may be written as a string; it is converted to the column's type.
 * A boolean is compared with the word its column is written with: 'False' is a
 * value of a 0/1 column that no row has, as users of the service found out.
 */
#define _GNU_SOURCE
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "calendar.h"

static const EmuTimespan timespans[] =
{
	{"TODAY", EMU_SPAN_DAYS, 0, 0},
	{"YESTERDAY", EMU_SPAN_DAYS, 1, 1},
	{"LAST_7_DAYS", EMU_SPAN_DAYS, 7, 0},
	{"LAST_14_DAYS", EMU_SPAN_DAYS, 14, 0},
	{"LAST_30_DAYS", EMU_SPAN_DAYS, 30, 0},
	{"LAST_90_DAYS", EMU_SPAN_DAYS, 90, 0},
	{"LAST_180_DAYS", EMU_SPAN_DAYS, 180, 0},
	{"LAST_365_DAYS", EMU_SPAN_DAYS, 365, 0},
	{"LAST_MONTH", EMU_SPAN_MONTHS, 1, 0},
	{"LAST_3_MONTHS", EMU_SPAN_MONTHS, 3, 0},
	{"LAST_6_MONTHS", EMU_SPAN_MONTHS, 6, 0},
	{"LAST_1_YEAR", EMU_SPAN_MONTHS, 12, 0},
	{"LIFETIME", EMU_SPAN_ALL, 0, 0},
};

const EmuTimespan *
emu_timespan_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(timespans) / sizeof(timespans[0]); i++)
	{
		if (strlen(timespans[i].name) == length &&
			strncasecmp(timespans[i].name, name, length) == 0)
			return &timespans[i];
	}
	return NULL;
}

const EmuTimespan *
emu_timespan_default(void)
{
	return emu_timespan_find("LAST_6_MONTHS", 13);
}

static bool
is_number(const char *text)
{
	size_t		digits;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	text += digits;
	if (digits > 0 && *text == '.')
	{
		digits = strspn(text + 1, "0123456789");
		text += 1 + digits;
	}
	return digits > 0 && *text == '\0';
}

/* Months, days and times as users write them; *time is left if there is none. */
static bool
scan_moment(const char *text, int *year, int *month, int *day, int time[3])
{
	int			n = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", year, month, day, &n) < 3 &&
		sscanf(text, "%2d/%2d/%4d%n", month, day, year, &n) < 3)
		return false;
	text += n;
	if (*text == 'T' || *text == ' ')
	{
		n = 0;
		if (sscanf(text + 1, "%2d:%2d:%2d%n", &time[0], &time[1], &time[2], &n) < 3)
			return false;
		text += 1 + n;
	}
	return (*text == '\0' || strcmp(text, "Z") == 0) &&
		*year >= 1 && emu_date_is_valid(*year, *month, *day) &&
		time[0] >= 0 && time[0] < 24 && time[1] >= 0 && time[1] < 60 &&
		time[2] >= 0 && time[2] < 60;
}

/*
 * Dates are stored as yyyy-mm-dd, moments as yyyy-mm-ddThh:mm:ssZ.  A date
 * column may be compared with a moment: texts of both forms order rightly.
 */
static char *
convert_moment(const EmuColumn *column, const char *text)
{
	int			year;
	int			month;
	int			day;
	int			time[3] = {0, 0, 0};
	EmuText		out = {0};

	if (!scan_moment(text, &year, &month, &day, time))
		return NULL;
	emu_text_printf(&out, "%04d-%02d-%02d", year, month, day);
	if (column->type == EMU_TIMESTAMPTZ || time[0] || time[1] || time[2])
		emu_text_printf(&out, "T%02d:%02d:%02dZ", time[0], time[1], time[2]);
	return emu_text_take(&out);
}

char *
emu_literal_convert(const EmuColumn *column, const char *text, size_t length)
{
	char	   *copy = strndup(text, length);
	char	   *result = copy;

	if (copy == NULL)
		return NULL;
	switch (column->type)
	{
		case EMU_DATE:
		case EMU_TIMESTAMPTZ:
			result = convert_moment(column, copy);
			break;
		case EMU_BIGINT:
		case EMU_NUMERIC:
			if (!is_number(copy))
				result = NULL;
			break;
		case EMU_TEXT:
		case EMU_UUID:
		case EMU_BOOLEAN:
			break;
	}
	if (result != copy)
		free(copy);
	return result;
}
