/*-------------------------------------------------------------------------
 *
 * wire_time.c
 *		Fuzzes the reader of dates and times: what it accepts is a time there
 *		is, and spelled another way it is the same time.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "wire_time.h"

static void
check_ranges(const PinWireTime *time)
{
	FUZZ_EXPECT(time->year >= 1 && time->year <= 9999);
	FUZZ_EXPECT(time->month >= 1 && time->month <= 12);
	FUZZ_EXPECT(time->day >= 1 && time->day <= 31);
	FUZZ_EXPECT(time->hour >= 0 && time->hour <= 23);
	FUZZ_EXPECT(time->minute >= 0 && time->minute <= 59);
	FUZZ_EXPECT(time->second >= 0 && time->second <= 59);
	FUZZ_EXPECT(time->usec >= 0 && time->usec <= 1000000);
	FUZZ_EXPECT(time->offset >= -959 && time->offset <= 959);
	FUZZ_EXPECT(!time->out_of_range);
}

/* Spells the time in full. */
static size_t
spell(const PinWireTime *time, char *out, size_t size)
{
	int			minutes = abs(time->offset);

	return snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06d%c%02d:%02d",
					time->year, time->month, time->day, time->hour,
					time->minute, time->second, time->usec % 1000000,
					time->offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PinWireTime time;
	PinWireTime again;
	char		spelled[200];

	if (!pin_wire_time_parse((const char *) data, size, &time))
		return 0;
	check_ranges(&time);
	FUZZ_EXPECT(pin_wire_time_parse(spelled, spell(&time, spelled, sizeof(spelled)),
									&again));
	FUZZ_EXPECT(again.year == time.year && again.month == time.month);
	FUZZ_EXPECT(again.day == time.day && again.hour == time.hour);
	FUZZ_EXPECT(again.minute == time.minute && again.second == time.second);
	FUZZ_EXPECT(again.usec == time.usec % 1000000);
	FUZZ_EXPECT(again.offset == time.offset);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("2026-03-01"),
		  FUZZ_SEED("2026-03-01T10:11:12.1234567Z"),
		  FUZZ_SEED(" 2026-03-01 10:11:12-05:30 "),
		  FUZZ_SEED("3/1/2026 12:00:00 AM"),
		  FUZZ_SEED("12/31/2026 23:59:59"),
		  FUZZ_SEED("20260301"),
		  FUZZ_SEED("202603"));
