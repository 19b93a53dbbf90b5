/*-------------------------------------------------------------------------
 *
 * credential.h
 *		Who asks whom, as a hash: the key of tokens, needs and files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CREDENTIAL_H
#define PIN_CREDENTIAL_H

#include "insights/sign_in.h"
#include "options.h"
#include "transport/http.h"

#define PIN_HASH_SIZE 65		/* SHA-256 in hexadecimal, terminated */
typedef char PinHash[PIN_HASH_SIZE];

/*
 * Hashes a list of texts, each
 * with its length before it, so that no two lists hash alike.  Throws when
 * hashing fails.
 */
extern void pin_hash_parts(PinHash hash, int nparts, const char *const *parts);

/*
 * The credential of a scan's options: server, mapping and every option that
 * decides whose data comes back.  Nobody can read a secret out of it.
 */
extern void pin_credential_hash(PinHash hash, const PinOptions *options);

/*
 * A refresh token counts in that by its origin: the first of the tokens that
 * pinsight_rotate has replaced one by the other, since all of them stand for
 * the same user.  So what was fetched with one is there for the next.  The
 * option refresh_token_origin holds the hash of the first and the hash of the
 * one it is written for: with any other it does not count.
 *
 * pin_credential_origin is the origin's hash; pin_credential_write_origin the
 * option's value for a successor, palloc'd.
 */
extern void pin_credential_origin(PinHash hash, const PinOptions *options);
extern char *pin_credential_write_origin(const PinOptions *options, const char *successor);

/* The same as a sign-in wants it; everything borrowed from the options. */
extern void pin_credential_sign_in(PinCredentials *credentials, const PinOptions *options);

/* How the options say to connect; everything borrowed from them. */
extern void pin_credential_settings(PinHttpSettings *settings, const PinOptions *options);

#endif							/* PIN_CREDENTIAL_H */
