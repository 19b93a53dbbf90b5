/*-------------------------------------------------------------------------
 *
 * service_time.h
 *		A time in the service's words as PostgreSQL's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SERVICE_TIME_H
#define PIN_SERVICE_TIME_H

#include "datatype/timestamp.h"

/* Without an offset it is UTC; 0 for what cannot be read.  Never throws. */
extern TimestampTz pin_service_time(const char *text);

#endif							/* PIN_SERVICE_TIME_H */
