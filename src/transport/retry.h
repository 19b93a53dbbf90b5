/*-------------------------------------------------------------------------
 *
 * retry.h
 *		Which failures pass by themselves, and how long to wait for that.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RETRY_H
#define PIN_RETRY_H

#include "error.h"

/* Failures in a row before something is given up. */
#define PIN_RETRY_TRIES 4

/*
 * A service that wants to be left alone for longer than this is given up by
 * whoever has no time limit of his own.
 */
#define PIN_RETRY_REST_MAX_MS (5 * 60 * 1000)

/*
 * May the same request succeed if it is sent again?  Says nothing of whether
 * it may be sent again: see PinError.ambiguous.
 */
extern bool pin_retry_is_passing(const PinError *err);

/*
 * Milliseconds to wait after the given number of failures in a row (1, 2, ...):
 * the service's wish if it has one, else 0.5 s, 1 s, 2 s, ... up to 30 s.
 */
extern int	pin_retry_delay_ms(const PinError *err, int failures);

#endif							/* PIN_RETRY_H */
