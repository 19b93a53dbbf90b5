/*-------------------------------------------------------------------------
 *
 * service_time.c
 *		A time in the service's words as PostgreSQL's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "service_time.h"
#include "utils/timestamp.h"
#include "wire_time.h"

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
