/*-------------------------------------------------------------------------
 *
 * ask.c
 *		One question to the service after the other, each waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ask.h"
#include "insights/token.h"
#include "throw.h"
#include "transport/retry.h"
#include "transport/wait.h"
#include "utils/memutils.h"

struct PinAsker
{
	MemoryContext context;		/* owns this */
	MemoryContextCallback callback; /* closes the client */
	PinClient	client;			/* asks */
	PinAskWait	wait;			/* what it does until there is a reply */
};

static void
wait_for_reply(PinClient *client)
{
	pin_wait(pin_http_fd(client->http), PIN_WAIT_REPLY);
	pin_http_drive(client->http);
}

/* In a memory context callback: throws nothing, waits for nothing. */
static void
close_client(void *arg)
{
	pin_client_close(&((PinAsker *) arg)->client);
}

PinAsker *
pin_ask_open(const PinOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pinsight questions",
												  ALLOCSET_SMALL_SIZES);
	PinAsker   *asker = MemoryContextAllocZero(context, sizeof(PinAsker));
	PinError	err;

	asker->context = context;
	asker->wait = wait_for_reply;
	asker->callback.func = close_client;
	asker->callback.arg = asker;
	MemoryContextRegisterResetCallback(context, &asker->callback);
	if (!pin_client_open(&asker->client, options, &err))
		pin_throw(&err, options->server_name, NULL);
	asker->client.max_rest_ms = PIN_RETRY_REST_MAX_MS;
	return asker;
}

void
pin_ask_wait_with(PinAsker *asker, PinAskWait wait)
{
	asker->wait = wait;
}

const PinApi *
pin_ask_api(const PinAsker *asker)
{
	return &asker->client.api;
}

static bool
ask(PinAsker *asker, PinApiRequest *request, PinCallKind kind, int max_tries,
	PinReadReply read, void *arg, PinError *err)
{
	MemoryContext old = MemoryContextSwitchTo(asker->context);
	PinCallStatus status;

	pin_client_call(&asker->client, request, kind, read, arg);
	pin_client_be_patient(&asker->client, max_tries);
	while ((status = pin_client_advance(&asker->client, err)) == PIN_CALL_WAIT)
		asker->wait(&asker->client);
	MemoryContextSwitchTo(old);
	return status == PIN_CALL_DONE;
}

bool
pin_ask_call(PinAsker *asker, PinApiRequest *request, PinCallKind kind, PinReadReply read,
			 void *arg, PinError *err)
{
	return ask(asker, request, kind, PIN_RETRY_TRIES, read, arg, err);
}

bool
pin_ask(PinAsker *asker, PinApiRequest *request, PinReadReply read, void *arg,
		PinError *err)
{
	return pin_ask_call(asker, request, PIN_CALL_REPEATABLE, read, arg, err);
}

bool
pin_ask_once(PinAsker *asker, PinApiRequest *request, PinReadReply read, void *arg,
			 PinError *err)
{
	return pin_ask_call(asker, request, PIN_CALL_ONCE, read, arg, err);
}

bool
pin_ask_now(PinAsker *asker, PinApiRequest *request, PinReadReply read, void *arg,
			bool *signing_in, PinError *err)
{
	bool		done;

	pin_token_forget(asker->client.credential);
	done = ask(asker, request, PIN_CALL_REPEATABLE, 1, read, arg, err);
	*signing_in = asker->client.signing_in;
	return done;
}

int
pin_ask_requests(const PinAsker *asker)
{
	return asker->client.requests;
}

int
pin_ask_retries(const PinAsker *asker)
{
	return asker->client.retries;
}

bool
pin_ask_is_in_doubt(const PinAsker *asker)
{
	return pin_client_is_in_doubt(&asker->client);
}

const char *
pin_ask_account(const PinAsker *asker)
{
	return asker->client.account;
}

void
pin_ask_close(PinAsker *asker)
{
	MemoryContextDelete(asker->context);
}
