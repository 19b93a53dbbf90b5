/*-------------------------------------------------------------------------
 *
 * call.c
 *		One call to the service after the other, while reports advance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "objects/call.h"
#include "snapshot/flight.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/memutils.h"

struct PinCaller
{
	MemoryContext context;		/* owns this */
	MemoryContextCallback callback; /* closes the client */
	PinClient	client;			/* calls */
};

/* In a memory context callback: throws nothing, waits for nothing. */
static void
close_client(void *arg)
{
	pin_client_close(&((PinCaller *) arg)->client);
}

PinCaller *
pin_caller_open(const PinOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinsight calls",
												  ALLOCSET_SMALL_SIZES);
	PinCaller  *caller = MemoryContextAllocZero(context, sizeof(PinCaller));
	PinError	err;

	caller->context = context;
	caller->callback.func = close_client;
	caller->callback.arg = caller;
	MemoryContextRegisterResetCallback(context, &caller->callback);
	if (!pin_client_open(&caller->client, options, &err))
		pin_throw(&err, options->server_name, NULL);
	return caller;
}

const PinApi *
pin_caller_api(const PinCaller *caller)
{
	return &caller->client.api;
}

bool
pin_caller_call(PinCaller *caller, PinApiRequest *request, PinCallKind kind,
				PinReadReply read, void *arg, PinError *err)
{
	MemoryContext old = MemoryContextSwitchTo(caller->context);
	PinCallStatus status;

	pin_client_call(&caller->client, request, kind, read, arg);
	while ((status = pin_client_advance(&caller->client, err)) == PIN_CALL_WAIT)
	{
		pin_wait(pin_flight_fd(), PIN_WAIT_REPLY);
		pin_flight_advance(NULL);
	}
	MemoryContextSwitchTo(old);
	return status == PIN_CALL_DONE;
}

int
pin_caller_requests(const PinCaller *caller)
{
	return caller->client.requests;
}

int
pin_caller_retries(const PinCaller *caller)
{
	return caller->client.retries;
}

bool
pin_caller_is_signing_in(const PinCaller *caller)
{
	return caller->client.signing_in;
}
