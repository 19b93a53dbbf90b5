/*-------------------------------------------------------------------------
 *
 * room.h
 *		Room at the service for another report or query.
 *
 * For whoever makes one and waits for it.  Scans make room by themselves, while
 * others go on (acquire.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROOM_H
#define PIN_ROOM_H

#include "options.h"

/*
 * The service has refused one since it holds as many as it allows.  Deletes what
 * pin_sweep_start_for_room() says, while reports advance.  True if something went:
 * then it may be worth asking again.  Throws on interrupts.
 */
extern bool pin_room_make(const PinOptions *options);

#endif							/* PIN_ROOM_H */
