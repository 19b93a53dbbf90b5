/*-------------------------------------------------------------------------
 *
 * service_time.h
 *		Times in the service's words and in PostgreSQL's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SERVICE_TIME_H
#define PIN_SERVICE_TIME_H

#include "datatype/timestamp.h"

/* Without an offset it is UTC; 0 for what cannot be read.  Never throws. */
extern TimestampTz pin_service_time(const char *text);

/*
 * The other way, palloc'd: 2026-03-01T00:00:00Z.  What is left of a second is cut
 * off.  NULL for a time that has no year of four digits.
 */
extern char *pin_service_time_text(TimestampTz time);

/*
 * So many hours from now, and a little more: by the service's clock, too, which
 * may be behind ours or ahead.
 */
extern TimestampTz pin_service_time_ahead(int hours);

#endif							/* PIN_SERVICE_TIME_H */
