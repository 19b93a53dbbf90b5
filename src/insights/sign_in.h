/*-------------------------------------------------------------------------
 *
 * sign_in.h
 *		Getting an access token from the tenant's sign-in service.
 *
 * Builds the request of a grant and reads its reply.  Secrets go into the
 * request's body only, never into an error.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SIGN_IN_H
#define PIN_SIGN_IN_H

#include <stdbool.h>

#include "error.h"
#include "insights/message.h"

/* Who signs in where; NULL or empty: not given. */
typedef struct PinCredentials
{
	const char *login_url;		/* https://login.microsoftonline.com */
	const char *tenant;			/* id or domain */
	const char *resource;		/* what the token is for */
	const char *client_id;		/* the application */
	const char *client_secret;	/* its secret; a public client has none */
	const char *username;		/* grant password */
	const char *password;		/* grant password */
	const char *refresh_token;	/* grant refresh_token */
} PinCredentials;

typedef enum PinGrant
{
	PIN_GRANT_REFRESH_TOKEN,	/* there is a refresh token */
	PIN_GRANT_PASSWORD,			/* else there is a user name */
	PIN_GRANT_CLIENT_CREDENTIALS	/* else the application by itself */
} PinGrant;

/* What a sign-in brought; strings owned, see pin_sign_in_free. */
typedef struct PinSignIn
{
	char	   *access_token;	/* safe for a header; NULL after an error */
	int			expires_in;		/* seconds it is good for; >= 0 */
	char	   *refresh_token;	/* its successor, NULL if none came; keep it */
	int			aadsts;			/* the service's error number; 0 if none */
	bool		retry;			/* after an error: trying again makes sense */
} PinSignIn;

/* The grant these credentials lead to. */
extern PinGrant pin_sign_in_grant(const PinCredentials *credentials);

/*
 * Builds the request.  False with *err filled (kind SIGN_IN) if something the
 * grant needs is missing.  Free the request: that also wipes the secrets.
 */
extern bool pin_sign_in_request(const PinCredentials *credentials,
								PinApiRequest *request, PinError *err);

/*
 * Reads the reply.  False with *err filled: kind MFA, SECRET_EXPIRED, SIGN_IN,
 * THROTTLED, SERVICE, REDIRECT or REPLY; result->retry says whether to go on.
 * *result is always initialized.
 */
extern bool pin_sign_in_reply(const PinCredentials *credentials,
							  const PinReply *reply, PinSignIn *result,
							  PinError *err);

/* Overwrites and frees the tokens; a zeroed struct is fine. */
extern void pin_sign_in_free(PinSignIn *result);

#endif							/* PIN_SIGN_IN_H */
