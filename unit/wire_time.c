/*-------------------------------------------------------------------------
 *
 * wire_time.c
 *		Every spelling of a date or time the service has, and many it has not.
 *
 * Links: src/wire_time.c -lm
 *
 *-------------------------------------------------------------------------
 */
#include "wire_time.h"

#include <stdlib.h>

#include "tap.h"

/* Parses a copy without a terminator, so that reading on would be noticed. */
static bool
parse(const char *input, PinWireTime *time)
{
	size_t		len = strlen(input);
	char	   *copy = malloc(len > 0 ? len : 1);
	bool		good;

	memcpy(copy, input, len);
	good = pin_wire_time_parse(copy, len, time);
	free(copy);
	return good;
}

/* Spells a result out in one fixed way. */
static void
spell(const PinWireTime *time, char *out, size_t size)
{
	size_t		n;

	n = snprintf(out, size, time->has_day ? "%04d-%02d-%02d" : "%04d-%02d",
				 time->year, time->month, time->day);
	if (time->has_day)
		n += snprintf(out + n, size - n, " %02d:%02d:%02d.%06d", time->hour,
					  time->minute, time->second, time->usec);
	if (time->offset != 0)
		snprintf(out + n, size - n, " %+d", time->offset);
}

static void
good(const char *input, const char *expected)
{
	PinWireTime time;
	char		got[100];

	if (parse(input, &time))
		spell(&time, got, sizeof(got));
	else
		snprintf(got, sizeof(got), "(refused)");
	is_str(got, expected, "\"%s\"", input);
}

static void
refused(const char *input, bool out_of_range)
{
	PinWireTime time;
	bool		parsed = parse(input, &time);

	ok(!parsed && time.out_of_range == out_of_range && time.year == 0,
	   "\"%s\" is %s", input, out_of_range ? "out of range" : "misspelled");
}

static void
test_dates(void)
{
	good("2026-03-01", "2026-03-01 00:00:00.000000");
	good("  2026-03-01\t ", "2026-03-01 00:00:00.000000");
	good("20260301", "2026-03-01 00:00:00.000000");
	good("2026-03", "2026-03");
	good("202603", "2026-03");
	good("3/1/2026", "2026-03-01 00:00:00.000000");
	good("03/01/2026", "2026-03-01 00:00:00.000000");
	good("12/31/9999", "9999-12-31 00:00:00.000000");
	good("0001-01-01", "0001-01-01 00:00:00.000000");
	good("2024-02-29", "2024-02-29 00:00:00.000000");
	good("2000-02-29", "2000-02-29 00:00:00.000000");
}

static void
test_times(void)
{
	good("2026-03-01T10:11:12", "2026-03-01 10:11:12.000000");
	good("2026-03-01 10:11:12", "2026-03-01 10:11:12.000000");
	good("2026-03-01T23:59:59Z", "2026-03-01 23:59:59.000000");
	good("2026-03-01T10:11:12+05:30", "2026-03-01 10:11:12.000000 +330");
	good("2026-03-01T10:11:12-08", "2026-03-01 10:11:12.000000 -480");
	good("2026-03-01T10:11:12-00:30", "2026-03-01 10:11:12.000000 -30");
	good("2026-03-01 10:11:12+15:59", "2026-03-01 10:11:12.000000 +959");
	good("2026-03-01T10:11:12.5", "2026-03-01 10:11:12.500000");
	good("2026-03-01T10:11:12.123456Z", "2026-03-01 10:11:12.123456");
	good("2026-03-01T10:11:12.1234567Z", "2026-03-01 10:11:12.123457");
	good("2026-03-01T10:11:12.1234564Z", "2026-03-01 10:11:12.123456");
	good("2026-03-01T10:11:12.0000025", "2026-03-01 10:11:12.000002");
	good("2026-03-01T10:11:12.0000015", "2026-03-01 10:11:12.000002");
	good("2026-03-01T10:11:12.999999999", "2026-03-01 10:11:12.1000000");
	good("2026-03-01T10:11:12.000+01", "2026-03-01 10:11:12.000000 +60");
	good("3/1/2026 12:00:00 AM", "2026-03-01 00:00:00.000000");
	good("3/1/2026 12:00:00 PM", "2026-03-01 12:00:00.000000");
	good("3/1/2026 1:02:03 am", "2026-03-01 01:02:03.000000");
	good("3/1/2026 11:59:59 pm", "2026-03-01 23:59:59.000000");
	good("3/1/2026 0:00:00", "2026-03-01 00:00:00.000000");
	good("3/1/2026 14:05:09", "2026-03-01 14:05:09.000000");
}

static void
test_out_of_range(void)
{
	static const char *const inputs[] = {
		"2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29", "2026-04-31",
		"2026-01-00", "2026-01-32", "0000-01-01", "20261301", "20260230",
		"2026-13", "202600", "13/1/2026", "2/30/2026", "0/1/2026", "1/0/2026",
		"1/1/0000", "2026-03-01T24:00:00", "2026-03-01T23:60:00",
		"2026-03-01T23:59:60", "2026-03-01T23:59:59+16:00",
		"2026-03-01T23:59:59+05:60", "3/1/2026 13:00:00 AM",
		"3/1/2026 0:00:00 PM", "3/1/2026 24:00:00"
	};

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		refused(inputs[i], true);
}

static void
test_misspelled(void)
{
	static const char *const inputs[] = {
		"", " ", "x", "2026", "2026-", "2026-3-1", "2026-03-", "2026-03-1",
		"2026-03-011", "26-03-01", "02026-03-01", "2026/03/01", "2026.03.01",
		"-2026-03-01", "+2026-03-01", "2026-03-01x", "2026-03-01T",
		"2026-03-01T10", "2026-03-01T10:11", "2026-03-01T10:11:",
		"2026-03-01T1:11:12", "2026-03-01T10:11:12.", "2026-03-01T10:11:12,5",
		"2026-03-01T10:11:12.1234567890", "2026-03-01T10:11:12z",
		"2026-03-01T10:11:12 Z", "2026-03-01T10:11:12ZZ",
		"2026-03-01T10:11:12+", "2026-03-01T10:11:12+1",
		"2026-03-01T10:11:12+01:", "2026-03-01T10:11:12+01:3",
		"2026-03-01T10:11:12+0130", "2026-03-01T10:11:12+-1",
		"2026-03-01T10:11:12-+01", "2026-03-01  10:11:12", "2026-03-01t10:11:12",
		"2026-03-01 10:11:12 AM", "2026-03T10:11:12", "20260301T101112",
		"20260301 10:11:12", "2026030", "202603011", "3/1/26", "3/1/02026",
		"3/1", "003/1/2026", "3/001/2026", "3/1/2026T10:11:12",
		"3/1/2026 10:11", "3/1/2026 10:11:12 XM", "3/1/2026 10:11:12 A",
		"3/1/2026 10:11:12AM", "3/1/2026 10:11:12 AMx", "3/1/2026 10:11:12Z",
		"3-1-2026", "infinity", "now", "2026-W09-7", "99999999999999999999"
	};

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		refused(inputs[i], false);
}

/* Every day of 800 years is accepted, in order, and none between them is. */
static void
test_calendar(void)
{
	int			accepted = 0;
	PinWireTime time;

	for (int year = 1700; year < 2500; year++)
	{
		for (int number = 0; number < 10000; number++)
		{
			char		input[16];
			int			len;

			if (number % 100 > 40)
				continue;
			len = snprintf(input, sizeof(input), "%04d%04d", year, number);
			accepted += pin_wire_time_parse(input, len, &time);
		}
	}
	is_int(accepted, 2 * 146097, "days in two cycles of 400 years");
}

int
main(void)
{
	test_dates();
	test_times();
	test_out_of_range();
	test_misspelled();
	test_calendar();
	return done_testing();
}
