/*-------------------------------------------------------------------------
 *
 * call.h
 *		One call to the service after the other, while reports advance.
 *
 * Like insights/ask.h, but within a running statement: reports that other scans
 * have set out for go on meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CALL_H
#define PIN_OBJECT_CALL_H

#include "insights/client.h"

typedef struct PinCaller PinCaller;

/*
 * Opens a connection in a memory context of its own under the current one,
 * which closes it whatever happens.  Throws when there is no room.  options are
 * kept by reference.
 */
extern PinCaller *pin_caller_open(const PinOptions *options);

/* Where the API is, for the functions that build requests. */
extern const PinApi *pin_caller_api(const PinCaller *caller);

/*
 * Sends a request, which it takes over, again if need be and its kind allows it,
 * and waits until its reply was read into *arg.  False with *err filled.  Throws
 * on interrupts.
 */
extern bool pin_caller_call(PinCaller *caller, PinApiRequest *request, PinCallKind kind,
							PinReadReply read, void *arg, PinError *err);

/* Requests so far, those for signing in included; of these, repeated ones. */
extern int	pin_caller_requests(const PinCaller *caller);
extern int	pin_caller_retries(const PinCaller *caller);

/*
 * Of a call that is under way, or has failed: was it still signing in?  Then
 * the service has not seen it.
 */
extern bool pin_caller_is_signing_in(const PinCaller *caller);

#endif							/* PIN_OBJECT_CALL_H */
