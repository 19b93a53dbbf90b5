/*-------------------------------------------------------------------------
 *
 * mux.c
 *		Unit test of src/transport/mux.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* pipe2 under -std */
#endif

#include "transport/mux.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits up to ms for the mux; returns whether it became readable. */
static bool
wakes(PinMux *mux, int ms)
{
	struct pollfd p = {.fd = pin_mux_fd(mux),.events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static void
test_timers(PinMux *mux)
{
	PinTimer	a = {0};
	PinTimer	b = {0};
	int64_t		start = pin_now_us();
	int64_t		woken;

	ok(!wakes(mux, 0), "nothing armed: silent");
	ok(!pin_timer_due(&a), "a timer not armed is not due");
	ok(pin_mux_arm(mux, &a, start + 80000), "arm a later one");
	ok(pin_mux_arm(mux, &b, start + 30000), "arm an earlier one");
	ok(!wakes(mux, 0), "not before its time");
	ok(wakes(mux, 2000), "wakes");
	woken = pin_now_us();
	ok(woken >= start + 30000 && woken < start + 80000, "wakes for the earlier");
	ok(pin_timer_due(&b) && !pin_timer_due(&a), "only the earlier is due");
	pin_mux_drain(mux);
	ok(pin_timer_due(&b), "a drained timer stays due");
	ok(!wakes(mux, 0), "but is quiet");
	ok(wakes(mux, 2000), "wakes again for the later, though the other stays due");
	ok(pin_now_us() >= start + 80000 && pin_timer_due(&a), "at its time");
	pin_mux_drain(mux);
	ok(!wakes(mux, 20), "both drained: silent");
	pin_mux_disarm(mux, &a);
	pin_mux_disarm(mux, &b);
	ok(!pin_timer_due(&a) && !pin_timer_due(&b), "disarmed: not due");
	pin_mux_disarm(mux, &b);
	ok(!wakes(mux, 0), "disarming twice is fine");
}

static void
test_moving_timers(PinMux *mux)
{
	PinTimer	t = {0};
	PinTimer	u = {0};

	pin_mux_arm(mux, &t, pin_now_us() + 20000);
	pin_mux_arm(mux, &t, pin_now_us() + 10000000);
	ok(!wakes(mux, 60), "moved away: the old time is forgotten");
	pin_mux_arm(mux, &t, pin_now_us() + 10000);
	ok(wakes(mux, 2000), "moved near: wakes");
	pin_mux_disarm(mux, &t);
	ok(!wakes(mux, 0), "disarmed before draining: silent");

	pin_mux_arm(mux, &t, pin_now_us() + 10000000);
	pin_mux_arm(mux, &u, pin_now_us() + 20000);
	pin_mux_disarm(mux, &u);
	ok(!wakes(mux, 60), "the earliest disarmed: the other counts");
	pin_mux_disarm(mux, &t);
}

static void
test_timers_in_the_past(PinMux *mux)
{
	PinTimer	t = {0};
	int			late = 0;

	pin_mux_arm(mux, &t, pin_now_us() - 1000000);
	ok(pin_timer_due(&t), "armed for the past: due");
	ok(wakes(mux, 1000), "wakes at once");
	pin_mux_drain(mux);
	pin_mux_arm(mux, &t, 1);
	ok(wakes(mux, 1000), "armed again for the past: wakes again");
	pin_mux_drain(mux);
	pin_mux_arm(mux, &t, 0);
	ok(pin_timer_due(&t) && wakes(mux, 1000), "time 0 is long ago, not disarmed");
	for (int i = 0; i < 10000; i++)
	{
		pin_mux_drain(mux);
		pin_mux_arm(mux, &t, pin_now_us());
		late += !pin_timer_due(&t);
	}
	is_int(late, 0, "armed for now right after draining: always due");
	pin_mux_disarm(mux, &t);
	pin_mux_drain(mux);
}

static void
test_many_timers(PinMux *mux)
{
	PinTimer	t[50] = {{0}};
	int64_t		start = pin_now_us();
	int			fired = 0;
	int			wakeups = 0;

	for (int i = 0; i < 50; i++)
		pin_mux_arm(mux, &t[i], start + ((i * 37) % 50 + 1) * 1000);
	while (fired < 50 && wakeups < 1000 && wakes(mux, 1000))
	{
		wakeups++;
		pin_mux_drain(mux);
		for (int i = 0; i < 50; i++)
		{
			if (pin_timer_due(&t[i]))
			{
				pin_mux_disarm(mux, &t[i]);
				fired++;
			}
		}
	}
	is_int(fired, 50, "fifty timers all fire");
	ok(wakeups <= 60, "without spinning (%d wake-ups)", wakeups);
	ok(pin_now_us() - start >= 50000, "none early");
}

static void
test_sockets(PinMux *mux)
{
	int			s[2];
	PinReady	ready[4];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return (void) ok(false, "socketpair");
	ok(pin_mux_watch(mux, s[0], PIN_MUX_READ), "watch for reading");
	ok(!wakes(mux, 0), "nothing to read");
	is_int(pin_mux_ready(mux, ready, 4), 0, "nobody ready");
	ok(write(s[1], "x", 1) == 1 && wakes(mux, 1000), "wakes for a byte");
	is_int(pin_mux_ready(mux, ready, 4), 1, "one ready");
	ok(ready[0].fd == s[0] && ready[0].events == PIN_MUX_READ, "to read");
	ok(pin_mux_watch(mux, s[0], PIN_MUX_READ | PIN_MUX_WRITE), "also for writing");
	pin_mux_drain(mux);
	ok(wakes(mux, 0), "draining leaves sockets alone");
	is_int(pin_mux_ready(mux, ready, 4), 1, "still one ready");
	is_int(ready[0].events, PIN_MUX_READ | PIN_MUX_WRITE, "to read and write");
	ok(pin_mux_watch(mux, s[0], 0), "stop watching");
	ok(!wakes(mux, 0), "silent");
	ok(pin_mux_watch(mux, s[0], 0), "stopping twice is fine");
	ok(pin_mux_watch(mux, s[0], PIN_MUX_WRITE), "watch for writing");
	is_int(pin_mux_ready(mux, ready, 4), 1, "ready");
	is_int(ready[0].events, PIN_MUX_WRITE, "to write only");
	close(s[1]);
	is_int(pin_mux_ready(mux, ready, 4), 1, "ready after the peer's close");
	ok(ready[0].events & PIN_MUX_READ, "a hang-up is to be read");
	close(s[0]);
	ok(pin_mux_watch(mux, s[0], 0), "stopping for a closed one is fine");
	ok(!pin_mux_watch(mux, s[0], PIN_MUX_READ), "watching a closed one is not");
	ok(!wakes(mux, 0), "silent at the end");
}

static void
test_out_of_descriptors(void)
{
	struct rlimit limit = {64, 64};
	int			fds[64];
	int			n = 0;

	if (!ok(setrlimit(RLIMIT_NOFILE, &limit) == 0, "allow few descriptors"))
		return;
	while (n < 64 && (fds[n] = dup(1)) >= 0)
		n++;
	ok(pin_mux_open() == NULL, "no descriptor left: NULL");
	n--;
	close(fds[n]);
	ok(pin_mux_open() == NULL, "one left: NULL");
	is_int(dup(1), fds[n], "and it was given back");
	n++;
	while (n > 0)
		close(fds[--n]);
}

int
main(void)
{
	PinMux	   *mux = pin_mux_open();

	if (!ok(mux != NULL, "open"))
		return done_testing();
	ok(fcntl(pin_mux_fd(mux), F_GETFD) & FD_CLOEXEC, "closed on exec");
	test_timers(mux);
	test_moving_timers(mux);
	test_timers_in_the_past(mux);
	test_many_timers(mux);
	test_sockets(mux);
	pin_mux_close(mux);
	pin_mux_close(NULL);
	test_out_of_descriptors();
	return done_testing();
}
