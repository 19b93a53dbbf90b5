/*-------------------------------------------------------------------------
 *
 * timespan.h
 *		How wide the service's timespans are.
 *
 * Plain C; nothing here fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TIMESPAN_H
#define PIN_TIMESPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * About how many days LAST_MONTH, LAST_30_DAYS, LAST_2_YEARS or LIFETIME are,
 * without case.  0: not a timespan we know, which says nothing against it.
 */
extern int	pin_timespan_days(const char *timespan);

/* The widest of several, of equal ones the last; NULL of none. */
extern const char *pin_timespan_widest(const char *const *timespans, size_t count);

/*
 * Does a timespan surely begin at or before a day (00:00 UTC), when it is asked
 * for at the time now?  Where LAST_3_MONTHS begins is not documented, so the
 * latest day that it can mean is taken: the first of the month before the last.
 * False for LIFETIME, which is as wide as can be, and for what we do not know.
 */
extern bool pin_timespan_reaches(const char *timespan, time_t day, time_t now);

#endif							/* PIN_TIMESPAN_H */
