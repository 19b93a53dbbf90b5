/*-------------------------------------------------------------------------
 *
 * id_token.h
 *		Who has signed in, from the identity token that comes with a sign-in.
 *
 * The token is believed because of the way it came, from the sign-in service
 * itself over TLS; it serves for messages only.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ID_TOKEN_H
#define PIN_ID_TOKEN_H

/* The user's name for humans, which the caller frees; NULL if none is told. */
extern char *pin_id_token_account(const char *token);

#endif							/* PIN_ID_TOKEN_H */
