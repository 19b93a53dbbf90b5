/*-------------------------------------------------------------------------
 *
 * room.c
 *		Room at the service for another report or query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "snapshot/flight.h"
#include "snapshot/room.h"
#include "snapshot/sweep.h"
#include "transport/wait.h"

bool
pin_room_make(const PinOptions *options)
{
	PinSweep   *sweep = pin_sweep_start_for_room(options);

	if (sweep == NULL)
		return false;
	while (pin_sweep_go_along(sweep))
	{
		pin_wait(pin_flight_fd(), PIN_WAIT_REPLY);
		pin_flight_advance(NULL);
	}
	return pin_sweep_deleted(sweep) > 0;
}
