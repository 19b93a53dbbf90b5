/*-------------------------------------------------------------------------
 *
 * login.h
 *		What the two ways of signing in with a browser have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_LOGIN_H
#define PIN_LOGIN_H

#include "foreign/foreign.h"
#include "sql/signing.h"

/*
 * Opens a sign-in of the current user to the application of the own user
 * mapping, or to client_id where that names none (NULL: it has to).  Throws.
 */
extern PinSigning *pin_login_open(const ForeignServer *server, const char *client_id);

/*
 * Keeps the refresh token that the sign-in brought and tells who signed in and
 * until when; returns who, palloc'd.  Throws.
 */
extern char *pin_login_finish(const ForeignServer *server, PinSigning *signing);

#endif							/* PIN_LOGIN_H */
