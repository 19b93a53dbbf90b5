/*-------------------------------------------------------------------------
 *
 * assertion.h
 *		Checks a client assertion: the JWT sent instead of a secret.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_ASSERTION_H
#define EMU_ASSERTION_H

#include "credentials.h"

/*
 * NULL if the assertion is right, else what is wrong with it (static text).
 * Its times are compared with the machine's clock, which is the client's too.
 * The signature is verified if a public key has been registered.
 */
extern const char *emu_assertion_check(const char *jwt, const EmuCredentials *credentials,
									   const char *own_url);

#endif							/* EMU_ASSERTION_H */
