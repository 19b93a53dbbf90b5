/*-------------------------------------------------------------------------
 *
 * wire_time.h
 *		Dates and times as the service spells them.
 *
 * They mean the same whatever a session's DateStyle and TimeZone are, so the
 * server's own input functions cannot read them.
 *
 *		2026-03-01						20260301		3/1/2026
 *		2026-03-01T10:11:12				2026-03			202603
 *		2026-03-01T10:11:12.1234567Z	3/1/2026 12:00:00 AM
 *		2026-03-01 10:11:12+05:30		3/1/2026 14:05:09
 *
 * With slashes the month comes first.  There are four digits to a year, one to
 * nine to a fraction.  Years start with 1, hours end with 23, minutes and
 * seconds with 59, offsets with 15:59; there is no 24:00 and no leap second.
 * Blanks around it are allowed, nothing else is.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_WIRE_TIME_H
#define PIN_WIRE_TIME_H

#include <stdbool.h>
#include <stddef.h>

typedef struct PinWireTime
{
	int			year;			/* 1 to 9999 */
	int			month;			/* 1 to 12 */
	int			day;			/* 1 to the month's last; 1 without a day */
	int			hour;			/* 0 to 23 */
	int			minute;			/* 0 to 59 */
	int			second;			/* 0 to 59 */
	int			usec;			/* 0 to 1000000: rounding may make it whole */
	int			offset;			/* minutes east of UTC */
	bool		has_day;		/* false for a month alone */
	bool		out_of_range;	/* on failure: well spelled, no such time */
} PinWireTime;

/*
 * Reads text of len bytes, which need not be terminated.  False if it is
 * anything else than the above; then *time holds nothing but out_of_range.
 */
extern bool pin_wire_time_parse(const char *text, size_t len, PinWireTime *time);

#endif							/* PIN_WIRE_TIME_H */
