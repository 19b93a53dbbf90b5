/*-------------------------------------------------------------------------
 *
 * wire_time.c
 *		A grammar of fixed widths, read from left to right; then the ranges.
 *
 *-------------------------------------------------------------------------
 */
#include "wire_time.h"

#include <math.h>
#include <string.h>

#define FRACTION_DIGITS_MAX 9
#define OFFSET_MINUTES_MAX (15 * 60 + 59)

/* Rest of the text. */
typedef struct Cursor
{
	const char *p;				/* next byte */
	const char *end;			/* behind the last */
} Cursor;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes c if it is next. */
static bool
take(Cursor *in, char c)
{
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

/* Takes min to max digits, as many as there are; returns their number or 0. */
static int
take_digits(Cursor *in, int min, int max, int *value)
{
	int			n = 0;

	*value = 0;
	while (n < max && in->p < in->end && is_digit(*in->p))
	{
		*value = *value * 10 + (*in->p++ - '0');
		n++;
	}
	return n >= min ? n : 0;
}

/* Takes ":MM:SS". */
static bool
take_minute_second(Cursor *in, PinWireTime *time)
{
	return take(in, ':') && take_digits(in, 2, 2, &time->minute) &&
		take(in, ':') && take_digits(in, 2, 2, &time->second);
}

/*
 * Takes the digits of a fraction.  Rounds as the server does, by way of a
 * double, so that both make the same of the seventh digit.
 */
static bool
take_fraction(Cursor *in, PinWireTime *time)
{
	int			digits;
	int			n = take_digits(in, 1, FRACTION_DIGITS_MAX, &digits);
	double		scale = 1;

	for (int i = 0; i < n; i++)
		scale *= 10;
	time->usec = (int) rint(digits / scale * 1000000);
	return n > 0;
}

/* Takes "Z", or "+HH" and perhaps ":MM", if one is there. */
static bool
take_offset(Cursor *in, PinWireTime *time)
{
	int			sign;
	int			hours;
	int			minutes = 0;

	if (in->p == in->end)
		return true;
	if (take(in, 'Z'))
		return true;
	sign = take(in, '-') ? -1 : 1;
	if (sign > 0 && !take(in, '+'))
		return false;
	if (!take_digits(in, 2, 2, &hours))
		return false;
	if (take(in, ':') && !take_digits(in, 2, 2, &minutes))
		return false;
	time->offset = sign * (hours * 60 + minutes);
	time->out_of_range |= minutes > 59 || hours * 60 + minutes > OFFSET_MINUTES_MAX;
	return true;
}

/* Takes the time behind a date with hyphens. */
static bool
take_iso_time(Cursor *in, PinWireTime *time)
{
	if (in->p == in->end)
		return true;
	return (take(in, 'T') || take(in, ' ')) &&
		take_digits(in, 2, 2, &time->hour) &&
		take_minute_second(in, time) &&
		(!take(in, '.') || take_fraction(in, time)) &&
		take_offset(in, time);
}

/* Takes " AM" or " PM" if it is there, and makes 24 hours of 12. */
static bool
take_half_of_day(Cursor *in, PinWireTime *time)
{
	bool		pm;

	if (in->p == in->end)
		return true;
	if (!take(in, ' '))
		return false;
	pm = take(in, 'P') || take(in, 'p');
	if (!pm && !take(in, 'A') && !take(in, 'a'))
		return false;
	if (!take(in, 'M') && !take(in, 'm'))
		return false;
	time->out_of_range |= time->hour < 1 || time->hour > 12;
	time->hour = time->hour % 12 + (pm ? 12 : 0);
	return true;
}

/* Takes the time behind a date with slashes. */
static bool
take_us_time(Cursor *in, PinWireTime *time)
{
	if (in->p == in->end)
		return true;
	return take(in, ' ') &&
		take_digits(in, 1, 2, &time->hour) &&
		take_minute_second(in, time) &&
		take_half_of_day(in, time);
}

/* Takes all behind the first number, which has n digits. */
static bool
take_rest(Cursor *in, int n, int number, PinWireTime *time)
{
	switch (n)
	{
		case 1:
		case 2:
			time->month = number;
			return take(in, '/') && take_digits(in, 1, 2, &time->day) &&
				take(in, '/') && take_digits(in, 4, 4, &time->year) &&
				take_us_time(in, time);
		case 4:
			time->year = number;
			if (!take(in, '-') || !take_digits(in, 2, 2, &time->month))
				return false;
			time->has_day = take(in, '-');
			return !time->has_day ||
				(take_digits(in, 2, 2, &time->day) && take_iso_time(in, time));
		case 6:
			time->year = number / 100;
			time->month = number % 100;
			time->has_day = false;
			return true;
		case 8:
			time->year = number / 10000;
			time->month = number / 100 % 100;
			time->day = number % 100;
			return true;
		default:
			return false;
	}
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* The offset and a twelve-hour clock have been looked at before. */
static bool
in_range(const PinWireTime *time)
{
	return !time->out_of_range &&
		time->year >= 1 && time->month >= 1 && time->month <= 12 &&
		time->day >= 1 && time->day <= days_in_month(time->year, time->month) &&
		time->hour <= 23 && time->minute <= 59 && time->second <= 59;
}

bool
pin_wire_time_parse(const char *text, size_t len, PinWireTime *time)
{
	Cursor		in = {text, text + len};
	int			number;
	int			n;
	bool		spelled;
	bool		good;

	while (in.p < in.end && is_blank(*in.p))
		in.p++;
	while (in.p < in.end && is_blank(in.end[-1]))
		in.end--;

	memset(time, 0, sizeof(*time));
	time->day = 1;
	time->has_day = true;
	n = take_digits(&in, 1, 9, &number);
	spelled = take_rest(&in, n, number, time) && in.p == in.end;
	good = spelled && in_range(time);
	if (!good)
	{
		memset(time, 0, sizeof(*time));
		time->out_of_range = spelled;
	}
	return good;
}
