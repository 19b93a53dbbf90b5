/*-------------------------------------------------------------------------
 *
 * token.h
 *		The session's access tokens.
 *
 * One token for each credential, kept in the session's memory and nowhere
 * else.  It is dropped shortly before it expires, when the service refuses it,
 * and when a server or user mapping changes.  Of a rotated refresh token the
 * newest is kept, as long as the session lasts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TOKEN_H
#define PIN_TOKEN_H

#include "insights/sign_in.h"

/*
 * A token of the credential (a hash, see credential.h) that is good for a while, as
 * a palloc'd copy, or NULL.
 */
extern char *pin_token_get(const char *credential);

/* Keeps what a sign-in brought.  Throws only when memory runs out. */
extern void pin_token_put(const char *credential, const PinSignIn *sign_in);

/* The service refused this token: do not hand it out again. */
extern void pin_token_refuse(const char *credential, const char *token);

/* Whoever needs a token next shall sign in; refresh tokens stay. */
extern void pin_token_forget(const char *credential);

/*
 * The newest refresh token as a palloc'd copy, or NULL: then the mapping's own
 * is the newest.
 */
extern char *pin_token_refresh_token(const char *credential);

/* The rotated refresh token was refused: back to the mapping's own. */
extern void pin_token_drop_refresh_token(const char *credential);

#endif							/* PIN_TOKEN_H */
