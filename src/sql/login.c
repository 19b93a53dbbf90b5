/*-------------------------------------------------------------------------
 *
 * login.c
 *		pinsight_login(): signing in from psql, with a browser anywhere.
 *
 * The sign-in service gives a code, which the user enters on its page; until
 * that is done we ask now and then.  The refresh token that comes of it goes
 * into the caller's own user mapping, and nowhere else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "option_value.h"
#include "sql/keep_token.h"
#include "sql/login.h"
#include "text.h"
#include "throw.h"
#include "transport/retry.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_login);

/* What the standard adds to the pause when we ask too often, seconds. */
#define SLOW_DOWN 5

static _Noreturn void
fail_client_id(const ForeignServer *server)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
			 errmsg("server \"%s\": nobody has said which application to sign in to",
					server->servername),
			 errdetail("You have no user mapping with a client_id."),
			 errhint("Pass the application's id: CALL pinsight_login(%s, client_id => '...').",
					 quote_literal_cstr(server->servername))));
}

PinSigning *
pin_login_open(const ForeignServer *server, const char *client_id)
{
	PinOptions *options = pin_options_login(server->serverid, GetUserId());
	PinSigning *signing;
	PinError	err;

	if (client_id != NULL && !pin_value_client_id(client_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client_id must consist of letters, digits and hyphens")));
	if (client_id != NULL && options->client_id != NULL &&
		strcmp(client_id, options->client_id) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("your user mapping on server \"%s\" has another client_id",
						server->servername),
				 errhint("Drop the user mapping, or use ALTER USER MAPPING first.")));
	if (options->client_id == NULL)
		options->client_id = unconstify(char *, client_id);
	if (options->client_id == NULL)
		fail_client_id(server);

	signing = pin_signing_open(options, &err);
	if (signing == NULL)
		pin_throw(&err, server->servername, NULL);
	return signing;
}

char *
pin_login_finish(const ForeignServer *server, PinSigning *signing)
{
	const char *account = signing->result.account != NULL ?
	pin_text_to_server(signing->result.account) : "an unnamed user";
	TimestampTz end;

	if (signing->result.refresh_token == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
				 errmsg("server \"%s\": the sign-in brought no refresh token",
						server->servername),
				 errhint("The tenant may forbid that the application works on when the user is away (offline_access).")));
	end = pin_keep_token(server, signing->credentials.client_id,
						 signing->result.refresh_token);
	ereport(INFO,
			(errmsg("signed in to server \"%s\" as %s", server->servername, account),
			 errdetail("The refresh token in your user mapping is good until %s.",
					   timestamptz_to_str(end))));
	return pstrdup(account);
}

/*
 * At once, whatever client_min_messages says; the server's log does not get it
 * as it is usually set up.
 */
static void
show_code(const PinDeviceCode *device)
{
	int			minutes = Max(device->expires_in / 60, 1);

	ereport(INFO,
			(errmsg("to sign in, open %s in a browser and enter the code %s",
					device->url, device->user_code),
			 errdetail_plural("The code is good for %d minute; a cancel ends the wait.",
							  "The code is good for %d minutes; a cancel ends the wait.",
							  minutes, minutes)));
}

/*
 * How many milliseconds to wait after a question that brought no decision, the
 * given number of which have failed in a row.
 */
static int
pause_after(const PinSigning *signing, const PinError *err, int failures, int *interval)
{
	if (signing->result.slow_down)
		*interval += SLOW_DOWN;
	if (signing->result.pending)
		return *interval * 1000;
	return Max(*interval * 1000, pin_retry_delay_ms(err, failures));
}

/* Asks until the user has decided.  Throws unless that is to sign in. */
static void
await_decision(const ForeignServer *server, PinSigning *signing)
{
	int			interval = signing->device.interval;
	int			pause_ms = interval * 1000;
	int			failures = 0;
	int64		end_us = pin_now_us() + (int64) signing->device.expires_in * 1000000;
	PinError	err;

	signing->credentials.device_code = signing->device.device_code;
	for (;;)
	{
		pin_roundtrip_rest(signing->trip, pause_ms);
		if (pin_signing_sign_in(signing, &err))
			return;
		if (!signing->result.pending && !pin_retry_is_passing(&err) &&
			!signing->result.retry)
			break;
		if (pin_now_us() >= end_us)
		{
			pin_error_set(&err, PIN_ERROR_SECRET_EXPIRED,
						  "nobody entered the code in time");
			pin_error_hint(&err, "Start the sign-in again.");
			break;
		}
		failures = signing->result.pending ? 0 : failures + 1;
		pause_ms = pause_after(signing, &err, failures, &interval);
	}
	pin_throw(&err, server->servername, NULL);
}

/* A procedure, so that nobody runs it for every row of something. */
Datum
pinsight_login(PG_FUNCTION_ARGS)
{
	ForeignServer *server;
	PinSigning *signing;
	PinError	err;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("server must not be null")));
	server = pin_keep_token_server(NameStr(*PG_GETARG_NAME(0)), "pinsight_login()");
	signing = pin_login_open(server, PG_ARGISNULL(1) ? NULL :
							 text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (!pin_signing_device_code(signing, &err))
		pin_throw(&err, server->servername, NULL);
	show_code(&signing->device);
	await_decision(server, signing);
	(void) pin_login_finish(server, signing);
	return (Datum) 0;
}
