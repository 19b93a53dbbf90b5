/*
 * calendar.c
 *		Days since 1970-01-01 and the Gregorian calendar.
 *
 * Years are counted from March, so that the leap day is a year's last, in eras
 * of 400 years, each 146097 days long.
 */
#include "calendar.h"

#define DAYS_PER_ERA 146097
#define DAYS_BEFORE_1970 719468 /* from 0000-03-01 */

static int
floor_divide(int a, int b)
{
	return a / b - (a % b < 0);
}

int
emu_date_to_days(int year, int month, int day)
{
	int			y = year - (month <= 2);
	int			era = floor_divide(y, 400);
	int			year_of_era = y - era * 400;
	int			day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - DAYS_BEFORE_1970;
}

void
emu_days_to_date(int days, int *year, int *month, int *day)
{
	int			shifted = days + DAYS_BEFORE_1970;
	int			era = floor_divide(shifted, DAYS_PER_ERA);
	int			d = shifted - era * DAYS_PER_ERA;
	int			y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int			day_of_year = d - (365 * y + y / 4 - y / 100);
	int			m = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

bool
emu_date_is_valid(int year, int month, int day)
{
	int			y;
	int			m;
	int			d;

	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	emu_days_to_date(emu_date_to_days(year, month, day), &y, &m, &d);
	return y == year && m == month && d == day;
}

int
emu_month_start(int days, int months_back)
{
	int			year;
	int			month;
	int			day;
	int			count;

	emu_days_to_date(days, &year, &month, &day);
	count = year * 12 + month - 1 - months_back;
	return emu_date_to_days(count / 12, count % 12 + 1, 1);
}
