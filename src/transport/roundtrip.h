/*-------------------------------------------------------------------------
 *
 * roundtrip.h
 *		One HTTP exchange after the other, each waited for.
 *
 * For whoever speaks to a host without being signed in: signing in itself, and
 * looking whether a host can be reached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROUNDTRIP_H
#define PIN_ROUNDTRIP_H

#include "transport/http.h"

typedef struct PinRoundtrip PinRoundtrip;

/*
 * Opens it in a memory context of its own under the current one, which closes
 * it whatever happens.  NULL with *err filled.  Settings are copied, their
 * strings are not.
 */
extern PinRoundtrip *pin_roundtrip_open(const PinHttpSettings *settings, PinError *err);

/*
 * Sends a request and waits for the whole reply, whatever its status, which
 * belongs to the round trip and lives until the next one.  NULL with *err
 * filled.  Throws on interrupts.
 */
extern const PinExchange *pin_roundtrip(PinRoundtrip *trip, const PinRequest *request,
										PinError *err);

/* Sleeps while a user is at a browser.  Throws on interrupts. */
extern void pin_roundtrip_rest(PinRoundtrip *trip, int ms);

extern void pin_roundtrip_close(PinRoundtrip *trip);

#endif							/* PIN_ROUNDTRIP_H */
