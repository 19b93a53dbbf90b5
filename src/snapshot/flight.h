/*-------------------------------------------------------------------------
 *
 * flight.h
 *		The resolutions that advance together: those of the running executors.
 *
 * Whoever waits advances all of them, so many reports take as long as the
 * slowest.  What goes wrong with one is its own affair: it is told when that
 * one is asked for its rows, and never if it is not.
 *
 * A report that is under way keeps other sessions from ordering it, so nothing
 * stays in the flight while nobody advances it: when the executor returns to
 * the client, what is not ready lands, and is picked up when it is wanted again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_FLIGHT_H
#define PIN_FLIGHT_H

#include "snapshot/resolve.h"

/* Joins, unless it is in already; its end takes it out. */
extern void pin_flight_join(PinResolution *resolution);
extern void pin_flight_leave(PinResolution *resolution);

/* Is there room for one more that nobody waits for yet? */
extern bool pin_flight_has_room(void);

/*
 * Drives the engine and advances all.  The one that is waited for (NULL: none)
 * joins if it is not in and its wait_timeout begins; where descriptors are few,
 * as soon as there is room.  What goes wrong with it is thrown, and interrupts
 * are.
 */
extern void pin_flight_advance(PinResolution *awaited);

/* Readable when advancing makes sense, as long as one is not ready. */
extern int	pin_flight_fd(void);

/* The same for none, now and then: cheap enough to be called for every row. */
extern void pin_flight_tend(void);

/*
 * Is there something to be done for the one that is waited for, before anybody
 * sleeps?  It may have become ready when another one was advanced, or there is
 * room for it by now, or somebody else has driven the engine.
 */
extern bool pin_flight_is_due(const PinResolution *awaited);

/* Does another one fetch what this one needs, too? */
extern bool pin_flight_fetches(const PinResolution *resolution);

/* How many are not ready. */
extern int	pin_flight_size(void);

/*
 * For how long the resolution is waited for, if it is time for a notice that
 * says so; else 0.  The notice is for all that are waited for now.
 */
extern int64 pin_flight_notice_due(PinResolution *resolution);

/* Everything that is not ready lands.  Never throws. */
extern void pin_flight_land(void);

#endif							/* PIN_FLIGHT_H */
