/*-------------------------------------------------------------------------
 *
 * pkce.h
 *		The proof that an authorization code was sent for us: a random secret
 *		is kept here, and only its hash goes out with the user.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PKCE_H
#define PIN_PKCE_H

#include <stdbool.h>

/* 32 random bytes, or as many of a hash, as letters; terminated. */
#define PIN_PKCE_SIZE 44

typedef struct PinPkce
{
	char		verifier[PIN_PKCE_SIZE];	/* the secret */
	char		challenge[PIN_PKCE_SIZE];	/* its hash */
	char		state[PIN_PKCE_SIZE];	/* tells our answer from another's */
} PinPkce;

/* A new one.  False if there is no randomness or no memory. */
extern bool pin_pkce_create(PinPkce *pkce);

#endif							/* PIN_PKCE_H */
