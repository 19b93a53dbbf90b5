/*-------------------------------------------------------------------------
 *
 * mux.c
 *		One pollable descriptor for many sockets and many timers.
 *
 * Sockets are epoll's business.  Timers are a plain list (there are a few per
 * running report, not thousands) whose earliest member sets one timerfd, which
 * sits in the same epoll set.
 *
 * A timer that is due makes the descriptor readable until somebody drains it.
 * So the list has two kinds of members: those up to drained_us, which have
 * been announced, and those after it, which the timerfd is set for.  Arming a
 * timer in the past moves it just behind drained_us, so that it is announced.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* epoll, timerfd, clock_gettime under -std */
#endif

#include "transport/mux.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Most descriptors one call of pin_mux_ready reports. */
#define MAX_READY 64

struct PinMux
{
	int			epoll_fd;
	int			timer_fd;
	int64_t		alarm_us;		/* what timer_fd is set for; 0: nothing */
	int64_t		drained_us;		/* timers up to here have been announced */
	PinTimer   *first;			/* armed timers, in no order */
};

int64_t
pin_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

PinMux *
pin_mux_open(void)
{
	PinMux	   *mux = calloc(1, sizeof(PinMux));
	struct epoll_event event = {.events = EPOLLIN};
	int			saved;

	if (!mux)
		return NULL;
	mux->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	mux->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = mux->timer_fd;
	if (mux->epoll_fd >= 0 && mux->timer_fd >= 0 &&
		epoll_ctl(mux->epoll_fd, EPOLL_CTL_ADD, mux->timer_fd, &event) == 0)
		return mux;
	saved = errno;
	pin_mux_close(mux);
	errno = saved;
	return NULL;
}

void
pin_mux_close(PinMux *mux)
{
	if (!mux)
		return;
	if (mux->epoll_fd >= 0)
		close(mux->epoll_fd);
	if (mux->timer_fd >= 0)
		close(mux->timer_fd);
	free(mux);
}

int
pin_mux_fd(const PinMux *mux)
{
	return mux->epoll_fd;
}

bool
pin_mux_watch(PinMux *mux, int fd, int events)
{
	struct epoll_event event = {.data.fd = fd};

	if (events == 0)
	{
		/* A descriptor that is closed or was never watched is fine. */
		return epoll_ctl(mux->epoll_fd, EPOLL_CTL_DEL, fd, &event) == 0 ||
			errno == ENOENT || errno == EBADF;
	}
	if (events & PIN_MUX_READ)
		event.events |= EPOLLIN;
	if (events & PIN_MUX_WRITE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(mux->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return true;
	return errno == ENOENT &&
		epoll_ctl(mux->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

int
pin_mux_ready(PinMux *mux, PinReady *ready, int max)
{
	struct epoll_event events[MAX_READY];
	int			n;
	int			stored = 0;

	if (max > MAX_READY)
		max = MAX_READY;
	n = epoll_wait(mux->epoll_fd, events, max, 0);
	for (int i = 0; i < n; i++)
	{
		if (events[i].data.fd == mux->timer_fd)
			continue;
		ready[stored].fd = events[i].data.fd;
		ready[stored].events =
			(events[i].events & (EPOLLIN | EPOLLHUP) ? PIN_MUX_READ : 0) |
			(events[i].events & EPOLLOUT ? PIN_MUX_WRITE : 0) |
			(events[i].events & EPOLLERR ? PIN_MUX_ERROR : 0);
		stored++;
	}
	return stored;
}

/* Sets the timerfd for the earliest timer that has not been announced. */
static bool
set_alarm(PinMux *mux)
{
	struct itimerspec when = {{0, 0}, {0, 0}};
	int64_t		due_us = 0;

	for (PinTimer *timer = mux->first; timer; timer = timer->next)
	{
		if (timer->due_us > mux->drained_us &&
			(due_us == 0 || timer->due_us < due_us))
			due_us = timer->due_us;
	}
	if (due_us == mux->alarm_us)
		return true;
	when.it_value.tv_sec = due_us / 1000000;
	when.it_value.tv_nsec = due_us % 1000000 * 1000;
	if (timerfd_settime(mux->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return false;
	mux->alarm_us = due_us;
	return true;
}

bool
pin_mux_arm(PinMux *mux, PinTimer *timer, int64_t due_us)
{
	if (timer->due_us == 0)
	{
		timer->next = mux->first;
		mux->first = timer;
	}
	timer->due_us = due_us > mux->drained_us ? due_us : mux->drained_us + 1;
	return set_alarm(mux);
}

void
pin_mux_disarm(PinMux *mux, PinTimer *timer)
{
	PinTimer  **link = &mux->first;

	if (timer->due_us == 0)
		return;
	while (*link && *link != timer)
		link = &(*link)->next;
	if (*link)
		*link = timer->next;
	timer->next = NULL;
	timer->due_us = 0;
	set_alarm(mux);
}

bool
pin_timer_due(const PinTimer *timer)
{
	return timer->due_us != 0 && timer->due_us <= pin_now_us();
}

void
pin_mux_drain(PinMux *mux)
{
	uint64_t	expirations;

	/*
	 * One microsecond back: a timer armed "at once" right after this lands at
	 * drained_us + 1, which must not lie ahead of its owner's clock.
	 */
	mux->drained_us = pin_now_us() - 1;
	if (read(mux->timer_fd, &expirations, sizeof(expirations)) > 0)
		mux->alarm_us = 0;		/* an expired timerfd is set for nothing */
	set_alarm(mux);
}
