/*-------------------------------------------------------------------------
 *
 * wait.c
 *		The only place that sleeps.
 *
 * Every timer lives inside the descriptor (see mux.h), so there is no timeout
 * here: an ordinary latch wait on one descriptor covers sockets, polls,
 * deadlines, cancel and the postmaster's death alike.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "transport/wait.h"

void
pin_wait(int fd)
{
	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH,
							 fd, -1L, pin_wait_event());
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}
