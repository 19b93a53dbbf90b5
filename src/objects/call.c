/*-------------------------------------------------------------------------
 *
 * call.c
 *		Calls to the service while reports advance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "objects/call.h"
#include "snapshot/flight.h"
#include "transport/wait.h"

static void
wait_beside_reports(PinClient *client)
{
	pin_wait(pin_flight_fd(), PIN_WAIT_REPLY);
	pin_flight_advance(NULL);
}

PinAsker *
pin_object_asker(const PinOptions *options)
{
	PinAsker   *asker = pin_ask_open(options);

	pin_ask_wait_with(asker, wait_beside_reports);
	return asker;
}
