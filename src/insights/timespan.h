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

#include <stddef.h>

/*
 * About how many days LAST_MONTH, LAST_30_DAYS, LAST_2_YEARS or LIFETIME are,
 * without case.  0: not a timespan we know, which says nothing against it.
 */
extern int	pin_timespan_days(const char *timespan);

/* The widest of several, of equal ones the last; NULL of none. */
extern const char *pin_timespan_widest(const char *const *timespans, size_t count);

#endif							/* PIN_TIMESPAN_H */
