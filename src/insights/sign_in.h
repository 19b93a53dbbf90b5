/*-------------------------------------------------------------------------
 *
 * sign_in.h
 *		Getting an access token from the tenant's sign-in service.
 *
 * Builds the request of a grant (sign_in_request.c) and reads its reply
 * (sign_in.c).  Secrets go into the request's body only, never into an error.
 *
 * There are two versions of the token endpoint.  The first names what a token
 * is for by "resource", the second by "scope".  Device codes and authorization
 * codes always take the second, which documents them.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SIGN_IN_H
#define PIN_SIGN_IN_H

#include <stdbool.h>

#include "error.h"
#include "insights/assertion.h"
#include "insights/message.h"

/* Who signs in where; NULL or empty: not given. */
typedef struct PinCredentials
{
	const char *login_url;		/* https://login.microsoftonline.com */
	const char *tenant;			/* id or domain */
	const char *resource;		/* what the token is for */
	bool		v2;				/* version 2 of the token endpoint */
	const char *client_id;		/* the application */
	const char *client_secret;	/* its secret; a public client has none */
	const char *certificate;	/* or its certificate, PEM, */
	const char *private_key;	/* with the key that signs, PEM, */
	PinSignature signature;		/* and how it signs */
	const char *username;		/* grant password */
	const char *password;		/* grant password */
	const char *refresh_token;	/* grant refresh_token */
	const char *device_code;	/* grant device_code */
	const char *code;			/* grant authorization_code, */
	const char *redirect_uri;	/* where it was sent, */
	const char *code_verifier;	/* and the proof that it was sent for us */
} PinCredentials;

typedef enum PinGrant
{
	PIN_GRANT_DEVICE_CODE,		/* there is a device code */
	PIN_GRANT_AUTHORIZATION_CODE,	/* else there is an authorization code */
	PIN_GRANT_REFRESH_TOKEN,	/* else there is a refresh token */
	PIN_GRANT_PASSWORD,			/* else there is a user name */
	PIN_GRANT_CLIENT_CREDENTIALS	/* else the application by itself */
} PinGrant;

/* What a sign-in brought; strings owned, see pin_sign_in_free. */
typedef struct PinSignIn
{
	char	   *access_token;	/* safe for a header; NULL after an error */
	int			expires_in;		/* seconds it is good for; >= 0 */
	char	   *refresh_token;	/* its successor, NULL if none came; keep it */
	char	   *account;		/* who signed in, for humans; NULL: not told */
	int			aadsts;			/* the service's error number; 0 if none */
	bool		retry;			/* after an error: trying again makes sense */
	bool		pending;		/* of a device code: nobody has entered it yet */
	bool		slow_down;		/* and we ask too often */
} PinSignIn;

/* A device code: what a user shall enter where, while we wait. */
typedef struct PinDeviceCode
{
	char	   *device_code;	/* secret: whoever has it gets the tokens */
	char	   *user_code;		/* what the user enters, */
	char	   *url;			/* and on which page */
	int			interval;		/* seconds between questions; > 0 */
	int			expires_in;		/* seconds it is good for; > 0 */
} PinDeviceCode;

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

/*
 * The request for a device code, and its reply.  Both return false with *err
 * filled as above; the reply's code is always initialized.
 */
extern bool pin_device_code_request(const PinCredentials *credentials,
									PinApiRequest *request, PinError *err);
extern bool pin_device_code_reply(const PinCredentials *credentials,
								  const PinReply *reply, PinDeviceCode *code,
								  PinError *err);

/* Overwrites and frees; a zeroed struct is fine. */
extern void pin_device_code_free(PinDeviceCode *code);

/*
 * The page where a user signs in for an authorization code, which is sent to
 * credentials->redirect_uri together with state; challenge is the hash of the
 * code_verifier.  The caller frees it; NULL with *err filled.
 */
extern char *pin_authorize_url(const PinCredentials *credentials, const char *state,
							   const char *challenge, PinError *err);

/* The message that every failure of a sign-in has; empties the rest. */
extern void pin_sign_in_error(const PinCredentials *credentials, PinErrorKind kind,
							  PinError *err);

/* Overwrites and frees the tokens; a zeroed struct is fine. */
extern void pin_sign_in_free(PinSignIn *result);

#endif							/* PIN_SIGN_IN_H */
