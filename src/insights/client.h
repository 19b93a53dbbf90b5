/*-------------------------------------------------------------------------
 *
 * client.h
 *		One user of the API: signs in, calls, tries again.
 *
 * A client carries one call at a time from its request to a reply that was
 * understood: it gets a token first if there is none, gets a new one when the
 * API refuses it, and sends the request again after failures that pass, as
 * long as that cannot do something twice.  It never sleeps: advance it, wait
 * for its engine's descriptor, advance it again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CLIENT_H
#define PIN_CLIENT_H

#include "insights/api.h"
#include "insights/credential.h"
#include "insights/sign_in.h"
#include "options.h"
#include "transport/http.h"

/* Room for a user's name. */
#define PIN_ACCOUNT_SIZE 128

/* Reads a reply into *arg.  False with *err filled, as in api.h. */
typedef bool (*PinReadReply) (const PinReply *reply, void *arg, PinError *err);

typedef enum PinCallStatus
{
	PIN_CALL_WAIT,				/* wait for the engine's descriptor */
	PIN_CALL_DONE,				/* the reply was read */
	PIN_CALL_FAILED				/* *err says why */
} PinCallStatus;

typedef enum PinCallKind
{
	PIN_CALL_REPEATABLE,		/* asking twice does no harm */
	PIN_CALL_ONCE				/* creates something: never sent again while
								 * an earlier one may have been carried out;
								 * then it fails with err->ambiguous */
} PinCallKind;

/* Embedded in whoever calls; private to client.c but for what is marked. */
typedef struct PinClient
{
	PinHttp    *http;			/* public: our share of the engine; NULL:
								 * closed */
	PinHttpSettings settings;	/* public: how to connect */
	PinApi		api;			/* public: where the API is */
	int			requests;		/* public: sent so far */
	int			retries;		/* public: of these, sent again */
	int			tries;			/* public: failures in a row so far */
	int64		give_up_us;		/* public: no retry after this time; 0: any */
	int			max_rest_ms;	/* public: nor after a longer wait; 0: any */
	bool		signing_in;		/* public: what was sent last is for a token */
	PinError	setback;		/* public: why the call is repeated; kind
								 * NONE: it is not */
	char		account[PIN_ACCOUNT_SIZE];	/* public: who has signed in, in
											 * UTF-8 for humans; empty: not
											 * told */

	const PinOptions *options;	/* who signs in where */
	PinHash		credential;		/* the same, as a key */
	PinTimer	rest;			/* wait before the request is sent (again) */
	PinExchange *exchange;		/* under way; NULL: none */
	bool		calling;		/* a call was begun and not ended */
	PinApiRequest request;		/* of the call */
	PinReadReply read;			/* its reader */
	void	   *arg;			/* for the reader */
	PinCallKind kind;			/* may it be repeated? */
	int			max_tries;		/* failures in a row before giving up */
	bool		rotated;		/* with a refresh token of an earlier sign-in */
	bool		refused;		/* the API has refused a token for this call */
	bool		doubtful;		/* a request that has failed may have been
								 * carried out */
	char	   *token;			/* in use; palloc'd */
} PinClient;

/*
 * Opens a client.  options are kept by reference.  False with *err filled when
 * the engine has no room; throws when memory runs out.  Close it in a memory
 * context callback that was registered before.
 */
extern bool pin_client_open(PinClient *client, const PinOptions *options, PinError *err);

/* Idempotent; a zeroed client is fine.  Never throws, never waits. */
extern void pin_client_close(PinClient *client);

/*
 * Begins a call, whose request the client takes over.  The first request is
 * sent by the next advance.
 */
extern void pin_client_call(PinClient *client, PinApiRequest *request, PinCallKind kind,
							PinReadReply read, void *arg);

/* Another patience than PIN_RETRY_TRIES for the call just begun. */
extern void pin_client_be_patient(PinClient *client, int max_tries);

/*
 * Moves the call on, after pin_http_drive().  After DONE or FAILED another one
 * may begin.  Throws only when memory runs out.
 */
extern PinCallStatus pin_client_advance(PinClient *client, PinError *err);

/* The whole reply of a finished exchange, as the readers of replies want it. */
extern PinReply pin_client_reply(const PinExchange *x);

/*
 * Of a call that is under way, or has failed: may the service have done what it
 * asks for, be it at its first request or a later one?
 */
extern bool pin_client_is_in_doubt(const PinClient *client);

/* Ends the call, whatever its state. */
extern void pin_client_abandon(PinClient *client);

#endif							/* PIN_CLIENT_H */
