/*-------------------------------------------------------------------------
 *
 * message.h
 *		A request to send and a reply to read, whoever carries them.
 *
 * Everything in src/insights turns a wish into a PinApiRequest and a PinReply
 * into a struct.  Nothing there waits or knows how bytes travel.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_MESSAGE_H
#define PIN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct PinApiRequest
{
	const char *method;			/* "GET", "POST", "PUT", "DELETE"; static */
	char	   *url;			/* complete and encoded; owned */
	const char *content_type;	/* static; the API wants one on GET too */
	char	   *body;			/* NULL: none; owned; may hold secrets */
	size_t		body_len;		/* bytes in body */
	bool		validate_mfa;	/* ask whether the token carries MFA */
} PinApiRequest;

/* A whole reply as it arrived; everything borrowed from the exchange. */
typedef struct PinReply
{
	int			status;			/* HTTP status */
	const char *body;			/* need not be zero-terminated; may be NULL */
	size_t		body_len;		/* bytes in body */
	const char *www_authenticate;	/* header WWW-Authenticate, or NULL */
	int			retry_after_ms; /* header Retry-After, -1 if absent */
	const char *mfa_compliant;	/* header isMfaCompliant, or NULL */
} PinReply;

/* A piece of remote text, cleaned, cut, and zero-terminated. */
typedef char PinRemoteText[PIN_REMOTE_TEXT_MAX + 4];

/*
 * Overwrites and frees what a request owns, and empties it.  A zeroed request
 * is fine; so is doing it twice.
 */
extern void pin_api_request_free(PinApiRequest *request);

/*
 * What a body that is not JSON says to a human: the title of an HTML page, or
 * the text itself.  Empty if it says nothing.
 */
extern void pin_reply_plain_text(const PinReply *reply, PinRemoteText text);

#endif							/* PIN_MESSAGE_H */
