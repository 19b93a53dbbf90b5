/*-------------------------------------------------------------------------
 *
 * retry.c
 *		Which failures pass by themselves, and how long to wait for that.
 *
 *-------------------------------------------------------------------------
 */
#include "transport/retry.h"

#define FIRST_DELAY_MS 500
#define MAX_DELAY_MS 30000

bool
pin_retry_is_passing(const PinError *err)
{
	switch (err->kind)
	{
		case PIN_ERROR_RESOLVE:
		case PIN_ERROR_CONNECT:
		case PIN_ERROR_CONNECTION_LOST:
		case PIN_ERROR_REQUEST_TIMEOUT:
		case PIN_ERROR_REPLY:
		case PIN_ERROR_THROTTLED:
		case PIN_ERROR_SERVICE:
			return true;
		case PIN_ERROR_TLS:
			return err->broken_off; /* a certificate stays what it is */
		default:
			return false;
	}
}

int
pin_retry_delay_ms(const PinError *err, int failures)
{
	int			delay = FIRST_DELAY_MS;

	if (err->retry_after_ms >= 0)
		return err->retry_after_ms;
	while (--failures > 0 && delay < MAX_DELAY_MS)
		delay *= 2;
	return delay < MAX_DELAY_MS ? delay : MAX_DELAY_MS;
}
