/*-------------------------------------------------------------------------
 *
 * ask.h
 *		One question to the service after the other, each waited for.
 *
 * For whoever has nothing else to do meanwhile: IMPORT, and functions that
 * look at the service.  Scans of reports never use it, they overlap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ASK_H
#define PIN_ASK_H

#include "insights/client.h"

typedef struct PinAsker PinAsker;

/*
 * Opens a connection for questions in a memory context of its own under the
 * current one, which closes it whatever happens.  Throws when there is no room.
 * options are kept by reference.
 */
extern PinAsker *pin_ask_open(const PinOptions *options);

/*
 * Sleeps until a call may have come further, and lets it, along with whatever
 * else is to go on meanwhile.  May throw.
 */
typedef void (*PinAskWait) (PinClient *client);

/* From now on the asker waits like that. */
extern void pin_ask_wait_with(PinAsker *asker, PinAskWait wait);

/* Where the API is, for the functions that build requests. */
extern const PinApi *pin_ask_api(const PinAsker *asker);

/*
 * Sends a request, which it takes over, again if need be and its kind allows it,
 * and waits until its reply was read into *arg.  False with *err filled.  Throws
 * on interrupts.
 */
extern bool pin_ask_call(PinAsker *asker, PinApiRequest *request, PinCallKind kind,
						 PinReadReply read, void *arg, PinError *err);

/* The same with a request that may be repeated. */
extern bool pin_ask(PinAsker *asker, PinApiRequest *request,
					PinReadReply read, void *arg, PinError *err);

/*
 * The same with a request that creates something: it is not sent again while
 * the first may have been carried out.  Then it fails with err->ambiguous.
 */
extern bool pin_ask_once(PinAsker *asker, PinApiRequest *request,
						 PinReadReply read, void *arg, PinError *err);

/*
 * The same with a request that may be repeated, but is not when it fails: for
 * whoever wants to know how things stand now.  It signs in anew, whether the
 * session has a token or not.  *signing_in: it was that which failed.
 */
extern bool pin_ask_now(PinAsker *asker, PinApiRequest *request, PinReadReply read,
						void *arg, bool *signing_in, PinError *err);

/* Requests so far, those for signing in included; of these, repeated ones. */
extern int	pin_ask_requests(const PinAsker *asker);
extern int	pin_ask_retries(const PinAsker *asker);

/*
 * Of a call that is under way, or has failed: may the service have done what it
 * asks for?
 */
extern bool pin_ask_is_in_doubt(const PinAsker *asker);

/* Who has signed in, as of pin_ask_now, in UTF-8 for humans; empty: not told. */
extern const char *pin_ask_account(const PinAsker *asker);

extern void pin_ask_close(PinAsker *asker);

#endif							/* PIN_ASK_H */
