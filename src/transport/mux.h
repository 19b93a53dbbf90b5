/*-------------------------------------------------------------------------
 *
 * mux.h
 *		One pollable descriptor for many sockets and many timers.
 *
 * An epoll descriptor with a timerfd inside: whoever holds it can sleep on a
 * single descriptor (an ordinary latch wait, or Append's WaitEventSet) and is
 * woken by any socket's readiness and by the earliest timer.
 *
 * Plain C.  Never raises; functions that can fail return false with errno set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_MUX_H
#define PIN_MUX_H

#include <stdbool.h>
#include <stdint.h>

typedef struct PinMux PinMux;

/*
 * A deadline somebody waits for.  The owner embeds it, zeroed, and must disarm
 * it before its memory goes away.
 */
typedef struct PinTimer
{
	int64_t		due_us;			/* pin_now_us() clock; 0: not armed */
	struct PinTimer *next;		/* private to mux.c */
} PinTimer;

#define PIN_MUX_READ 1
#define PIN_MUX_WRITE 2
#define PIN_MUX_ERROR 4			/* only reported, never asked for */

/* A watched descriptor that has something to say. */
typedef struct PinReady
{
	int			fd;
	int			events;			/* PIN_MUX_READ | PIN_MUX_WRITE |
								 * PIN_MUX_ERROR */
} PinReady;

/* Monotonic clock, microseconds. */
extern int64_t pin_now_us(void);

/* Returns NULL with errno set where descriptors or memory ran out. */
extern PinMux *pin_mux_open(void);
extern void pin_mux_close(PinMux *mux); /* NULL is fine */

/* The descriptor to wait on: readable when something is due. */
extern int	pin_mux_fd(const PinMux *mux);

/* Watch fd for PIN_MUX_READ | PIN_MUX_WRITE; 0 stops watching it. */
extern bool pin_mux_watch(PinMux *mux, int fd, int events);

/* Wake at due_us (past: at once); re-arming moves it. */
extern bool pin_mux_arm(PinMux *mux, PinTimer *timer, int64_t due_us);
extern void pin_mux_disarm(PinMux *mux, PinTimer *timer);
extern bool pin_timer_due(const PinTimer *timer);

/*
 * Acknowledges what made the descriptor readable: drains the timerfd and
 * re-arms it for the earliest timer still ahead.  Timers that are due stay
 * "due" until their owner disarms or re-arms them, but no longer make the
 * descriptor readable: who drains must afterwards look at every timer.
 */
extern void pin_mux_drain(PinMux *mux);

/*
 * Stores up to max watched descriptors that are ready now and returns how
 * many; never waits.  What is not attended to is reported again.
 */
extern int	pin_mux_ready(PinMux *mux, PinReady *ready, int max);

#endif							/* PIN_MUX_H */
