/*-------------------------------------------------------------------------
 *
 * ask.h
 *		One question to the service after the other, each waited for.
 *
 * For whoever has nothing else to do meanwhile: IMPORT, and functions that
 * look at the service.  Scans never use it, they overlap.
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

/* Where the API is, for the functions that build requests. */
extern const PinApi *pin_ask_api(const PinAsker *asker);

/*
 * Sends a request, which it takes over, again if need be, and waits until its
 * reply was read into *arg.  False with *err filled.  Throws on interrupts.
 */
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

extern void pin_ask_close(PinAsker *asker);

#endif							/* PIN_ASK_H */
