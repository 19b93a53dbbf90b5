/*-------------------------------------------------------------------------
 *
 * keep_token.h
 *		A refresh token's way into a user mapping.
 *
 * The mapping is changed in the catalog directly, not through a statement:
 * a statement's text goes to logs and statistics.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_KEEP_TOKEN_H
#define PIN_KEEP_TOKEN_H

#include "datatype/timestamp.h"
#include "foreign/foreign.h"

/*
 * The server of that name, if the current user may have a mapping there that
 * is about to be changed.  Throws before anything was asked of anybody: no such
 * server, no right, a read-only transaction.  command is for the message.
 */
extern ForeignServer *pin_keep_token_server(const char *name, const char *command);

/*
 * Puts the token into the current user's mapping, or makes one with client_id
 * (which may be NULL where there is one).  What else the mapping had to sign a
 * user in, a password or a file, goes; the application's secret stays.
 * Returns when the token ends.
 */
extern TimestampTz pin_keep_token(const ForeignServer *server, const char *client_id,
								  const char *refresh_token);

/*
 * Puts a token's successor into the mapping it came from: of the user, or with
 * InvalidOid the one for everybody.  origin is the value of that option.
 */
extern TimestampTz pin_keep_successor(const ForeignServer *server, Oid userid,
									  const char *refresh_token, const char *origin);

#endif							/* PIN_KEEP_TOKEN_H */
