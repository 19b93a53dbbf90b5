/*-------------------------------------------------------------------------
 *
 * day_text.c
 *		The reader of days against that of all spellings, and against a calendar.
 *
 *-------------------------------------------------------------------------
 */
#include "reader/day_text.h"

#include <stdlib.h>

#include "tap.h"
#include "wire_time.h"

static int
days_in(int year, int month)
{
	if (month == 2)
		return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void
write_number(char *text, int digits, int number)
{
	for (; digits > 0; number /= 10)
		text[--digits] = (char) ('0' + number % 10);
}

/* Day after day, numbered one by one, and some behind the end of each month. */
static void
test_calendar(void)
{
	char		text[] = "YYYY-MM-DD";
	int32_t		expected = -730119; /* 0001-01-01 */
	int			bad = 0;

	for (int year = 0; year <= 9999; year++)
	{
		write_number(text, 4, year);
		for (int month = 0; month <= 13; month++)
		{
			bool		exists = year > 0 && month >= 1 && month <= 12;

			write_number(text + 5, 2, month);
			for (int day = 0; day <= 33; day++)
			{
				int32_t		found;

				write_number(text + 8, 2, day);
				if (pin_day_text_read(text, &found))
					bad += !exists || day < 1 || day > days_in(year, month) || found != expected++;
				else
					bad += exists && day >= 1 && day <= days_in(year, month);
			}
		}
	}
	is_int(bad, 0, "every day of 9999 years, and no other");
	is_int(expected, 2921940, "which are so many");
}

/*
 * Bytes that are not what they should be, on text that ends where its memory does,
 * against the reader that knows all spellings.
 */
static void
test_bytes(void)
{
	char	   *text = malloc(PIN_DAY_TEXT_LEN);
	int			bad = 0;

	if (text == NULL)
		abort();
	for (int n = 0; n < 10 * 256 * 100; n++)
	{
		PinWireTime time;
		int32_t		day;
		bool		same;

		memcpy(text, "2024-02-29", PIN_DAY_TEXT_LEN);
		text[n / 256 % 10] = (char) (n % 256);
		text[n / 2560 / 10] = "0123456789"[n / 2560 % 10];
		same = text[4] == '-' && text[7] == '-' && memchr(text, ' ', PIN_DAY_TEXT_LEN) == NULL &&
			memchr(text, '\t', PIN_DAY_TEXT_LEN) == NULL;
		bad += pin_day_text_read(text, &day) !=
			(same && pin_wire_time_parse(text, PIN_DAY_TEXT_LEN, &time));
	}
	free(text);
	is_int(bad, 0, "every byte in every place, beside every digit in every other");
}

int
main(void)
{
	test_calendar();
	test_bytes();
	return done_testing();
}
