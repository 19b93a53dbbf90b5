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

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "compat.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "transport/wait.h"

/* The number of a wait event, which is the same as long as the server runs. */
static uint32
wait_event(PinWait what)
{
	static const char *const names[] =
	{
		[PIN_WAIT_REPLY] = "PinsightReply",
		[PIN_WAIT_REPORT] = "PinsightReport",
		[PIN_WAIT_DOWNLOAD] = "PinsightDownload",
		[PIN_WAIT_SESSION] = "PinsightSession",
		[PIN_WAIT_TURN] = "PinsightTurn",
	};
	static uint32 events[lengthof(names)];

	if (events[what] == 0)
		events[what] = pin_wait_event_new(names[what]);
	return events[what];
}

void
pin_wait(int fd, PinWait what)
{
	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH,
							 fd, -1L, wait_event(what));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Not counted. */
static int
open_other(int fd)
{
	return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

int
pin_wait_open(int fd)
{
	int			other;

	if (!AcquireExternalFD())
		return -1;
	other = open_other(fd);
	if (other < 0)
		ReleaseExternalFD();
	return other;
}

bool
pin_wait_reopen(int other, int fd)
{
	int			source = open_other(fd);
	bool		ok = source >= 0 && dup3(source, other, O_CLOEXEC) == other;

	if (source >= 0)
		close(source);
	return ok;
}

void
pin_wait_close(int fd)
{
	if (fd < 0)
		return;
	close(fd);
	ReleaseExternalFD();
}
