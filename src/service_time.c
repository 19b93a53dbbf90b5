/*-------------------------------------------------------------------------
 *
 * service_time.c
 *		Times in the service's words and in PostgreSQL's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "service_time.h"
#include "utils/timestamp.h"
#include "wire_time.h"

/* Clocks differ by less than this. */
#define CLOCK_MARGIN (5 * USECS_PER_MINUTE)

TimestampTz
pin_service_time(const char *text)
{
	PinWireTime t;
	struct pg_tm tm = {0};
	TimestampTz result;
	int			utc = 0;

	if (!pin_wire_time_parse(text, strlen(text), &t))
		return 0;
	tm.tm_year = t.year;
	tm.tm_mon = t.month;
	tm.tm_mday = t.day;
	tm.tm_hour = t.hour;
	tm.tm_min = t.minute - t.offset;
	tm.tm_sec = t.second;
	if (tm2timestamp(&tm, t.usec, &utc, &result) != 0)
		return 0;
	return result;
}

char *
pin_service_time_text(TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_NOT_FINITE(time) ||
		timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		return NULL;
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec);
}

TimestampTz
pin_service_time_ahead(int hours)
{
	return GetCurrentTimestamp() + hours * USECS_PER_HOUR + CLOCK_MARGIN;
}
