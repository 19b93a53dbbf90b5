/*-------------------------------------------------------------------------
 *
 * engine.h
 *		The backend's one HTTP engine, alive while somebody uses it.
 *
 * All acquisitions of a backend share one engine, so that while one of them
 * is waited for the others advance too.  It is opened by the first user and
 * closed with the last, so an idle session holds no descriptor of ours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ENGINE_H
#define PIN_ENGINE_H

#include "transport/http.h"

/*
 * Takes a share in the engine.  Returns NULL with *err filled when it cannot
 * be opened.  Never throws.
 */
extern PinHttp *pin_engine_take(PinError *err);

/* Gives the share back; safe in a memory context callback.  Never throws. */
extern void pin_engine_release(void);

/* The engine, for whoever needs no share of his own; NULL: it is not open. */
extern PinHttp *pin_engine(void);

/* Could so many descriptors be had now, beside those in use? */
extern bool pin_engine_has_room(int descriptors);

#endif							/* PIN_ENGINE_H */
