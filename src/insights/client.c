/*-------------------------------------------------------------------------
 *
 * client.c
 *		One user of the API: signs in, calls, tries again.
 *
 * The access token goes to the API's address only; the sign-in service gets
 * none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/client.h"
#include "insights/token.h"
#include "transport/engine.h"
#include "transport/retry.h"
#include "utils/timestamp.h"

static void
wipe(char *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, strlen(secret));
	pfree(secret);
}

/* The call's own copy; the session may keep its own. */
static void
drop_token(PinClient *client)
{
	wipe(client->token);
	client->token = NULL;
}

bool
pin_client_open(PinClient *client, const PinOptions *options, PinError *err)
{
	memset(client, 0, sizeof(PinClient));
	client->options = options;
	pin_credential_hash(client->credential, options);
	pin_credential_settings(&client->settings, options);
	client->api.api_url = options->api_url;
	client->api.api_version = options->api_version;
	client->api.program = options->program;
	client->http = pin_engine_take(err);
	return client->http != NULL;
}

void
pin_client_close(PinClient *client)
{
	if (client->http == NULL)
		return;
	pin_client_abandon(client);
	client->http = NULL;
	pin_engine_release();
}

void
pin_client_abandon(PinClient *client)
{
	pin_exchange_free(client->exchange);
	client->exchange = NULL;
	pin_mux_disarm(pin_http_mux(client->http), &client->rest);
	pin_api_request_free(&client->request);
	drop_token(client);
	client->calling = false;
}

void
pin_client_call(PinClient *client, PinApiRequest *request, PinCallKind kind,
				PinReadReply read, void *arg)
{
	Assert(!client->calling);
	client->request = *request;
	memset(request, 0, sizeof(*request));
	client->kind = kind;
	client->read = read;
	client->arg = arg;
	client->tries = 0;
	client->max_tries = PIN_RETRY_TRIES;
	client->refused = false;
	client->doubtful = false;
	client->signing_in = false;
	client->calling = true;
	pin_error_reset(&client->setback);
}

void
pin_client_be_patient(PinClient *client, int max_tries)
{
	client->max_tries = max_tries;
}

/* ---- sending ---- */

static bool
send_request(PinClient *client, const PinApiRequest *what, const char *token, PinError *err)
{
	PinRequest	request = {0};

	request.method = what->method;
	request.url = what->url;
	request.bearer = token;
	request.content_type = what->content_type;
	request.body = what->body;
	request.body_len = what->body_len;
	request.validate_mfa = what->validate_mfa;
	client->exchange = pin_http_start(client->http, &client->settings, &request, err);
	if (client->exchange == NULL)
		return false;
	client->requests++;
	return true;
}

/* Who signs in: with the newest refresh token, if one was rotated. */
static PinCredentials
credentials_of(PinClient *client, char **rotated)
{
	PinCredentials credentials;

	pin_credential_sign_in(&credentials, client->options);
	*rotated = pin_token_refresh_token(client->credential);
	if (*rotated != NULL)
		credentials.refresh_token = *rotated;
	return credentials;
}

static bool
send_sign_in(PinClient *client, PinError *err)
{
	char	   *rotated;
	PinCredentials credentials = credentials_of(client, &rotated);
	PinApiRequest request;
	bool		ok = pin_sign_in_request(&credentials, &request, err);

	client->rotated = rotated != NULL;
	wipe(rotated);
	if (!ok)
		return false;
	client->signing_in = true;
	ok = send_request(client, &request, NULL, err);
	pin_api_request_free(&request);
	return ok;
}

/* Sends the call's request, or signs in first. */
static bool
send_next(PinClient *client, PinError *err)
{
	pin_mux_disarm(pin_http_mux(client->http), &client->rest);
	if (client->token == NULL)
		client->token = pin_token_get(client->credential);
	client->signing_in = client->token == NULL;
	if (client->signing_in)
		return send_sign_in(client, err);
	return send_request(client, &client->request, client->token, err);
}

/* ---- reading ---- */

PinReply
pin_client_reply(const PinExchange *x)
{
	PinReply	reply;

	reply.status = pin_exchange_status(x);
	reply.body = pin_exchange_body(x, &reply.body_len);
	reply.www_authenticate = pin_exchange_header(x, "WWW-Authenticate");
	reply.retry_after_ms = pin_exchange_retry_after_ms(x);
	reply.mfa_compliant = pin_exchange_header(x, "isMfaCompliant");
	return reply;
}

/*
 * Nothing of a reply that repeats the token, as the pages of some proxies do,
 * may be shown: not even a part of it.
 */
static void
hide_token(const PinClient *client, const PinReply *reply, PinError *err)
{
	if (memmem(reply->body, reply->body_len, client->token, strlen(client->token)) != NULL)
		pin_error_detail(err, "The service's answer is not shown: it repeats the sign-in token.");
}

/*
 * Says so when the mapping's refresh token is about to end: whoever reads it
 * can still do something.
 */
static void
warn_of_end(const PinOptions *o)
{
	TimestampTz end = o->refresh_token_issued + PIN_REFRESH_TOKEN_LIFE_US;

	if (o->refresh_token == NULL || o->refresh_token_issued == 0 ||
		GetCurrentTimestamp() < end - PIN_REFRESH_TOKEN_WARN_US)
		return;
	ereport(WARNING,
			(errmsg("server \"%s\": the refresh token in the user mapping ends on %s",
					o->server_name, timestamptz_to_str(end)),
			 errhint("Renew it with pinsight_rotate, or sign in again with CALL pinsight_login.")));
}

/* True also where another sign-in shall follow at once. */
static bool
read_sign_in(PinClient *client, const PinReply *reply, PinError *err)
{
	char	   *rotated;
	PinCredentials credentials = credentials_of(client, &rotated);
	PinSignIn	sign_in;
	bool		ok = pin_sign_in_reply(&credentials, reply, &sign_in, err);

	wipe(rotated);
	if (ok)
	{
		/* good for this call, even if it is too short-lived to be kept */
		client->token = pstrdup(sign_in.access_token);
		pin_token_put(client->credential, &sign_in);
		if (sign_in.account != NULL)
			pin_error_clean(client->account, sizeof(client->account), sign_in.account,
							strlen(sign_in.account));
		warn_of_end(client->options);
	}
	else if (client->rotated && !sign_in.retry)
	{
		/* the mapping's own refresh token may still be good */
		pin_token_drop_refresh_token(client->credential);
		ok = true;
	}
	pin_sign_in_free(&sign_in);
	return ok;
}

/* A role is of no use to an application where only users may have one. */
static void
explain_forbidden(const PinOptions *o, PinError *err)
{
	if (err->kind == PIN_ERROR_FORBIDDEN && strcmp(o->program, "mpn") == 0 &&
		o->username == NULL && o->refresh_token == NULL)
		pin_error_hint(err, "Program \"mpn\" may want a user: sign in with CALL pinsight_login, "
					   "which puts a refresh token into the user mapping.");
}

/* Reads what the exchange brought.  False with *err filled. */
static bool
read_exchange(PinClient *client, const PinExchange *x, PinError *err)
{
	PinReply	reply;

	elog(DEBUG1, "pinsight_fdw: %s %s: HTTP status %d",
		 client->signing_in ? "POST" : client->request.method,
		 client->signing_in ? "sign-in" : "request", pin_exchange_status(x));
	if (pin_exchange_state(x) == PIN_EXCHANGE_FAILED)
	{
		*err = *pin_exchange_error(x);
		return false;
	}
	reply = pin_client_reply(x);
	if (client->signing_in)
		return read_sign_in(client, &reply, err);
	if (client->read(&reply, client->arg, err))
		return true;
	hide_token(client, &reply, err);
	explain_forbidden(client->options, err);
	return false;
}

/* ---- trying again ---- */

/* A failure of the service's, or a reply that makes no sense, proves nothing. */
static void
note_doubt(PinClient *client, const PinError *err)
{
	client->doubtful |= err->ambiguous || err->kind == PIN_ERROR_SERVICE ||
		err->kind == PIN_ERROR_REPLY || err->kind == PIN_ERROR_REPLY_TOO_LARGE ||
		err->kind == PIN_ERROR_OUT_OF_MEMORY;
}

bool
pin_client_is_in_doubt(const PinClient *client)
{
	return client->doubtful || (client->exchange != NULL && !client->signing_in);
}

/* The API refused the token: with a new one, once for each call. */
static bool
renew_token(PinClient *client, const PinError *err)
{
	if (client->signing_in || client->refused || err->kind != PIN_ERROR_UNAUTHORIZED)
		return false;
	pin_token_refuse(client->credential, client->token);
	drop_token(client);
	client->refused = true;
	client->retries++;
	return true;
}

static bool
try_later(PinClient *client, const PinError *err)
{
	bool		twice = !client->signing_in && client->kind == PIN_CALL_ONCE && err->ambiguous;
	int			rest_ms;
	int64		due;

	if (!pin_retry_is_passing(err) || twice || ++client->tries >= client->max_tries)
		return false;
	rest_ms = pin_retry_delay_ms(err, client->tries);
	if (client->max_rest_ms != 0 && rest_ms > client->max_rest_ms)
		return false;
	due = pin_now_us() + (int64) rest_ms * 1000;
	if (client->give_up_us != 0 && due > client->give_up_us)
		return false;
	(void) pin_mux_arm(pin_http_mux(client->http), &client->rest, due);
	drop_token(client);
	client->retries++;
	client->setback = *err;
	return true;
}

/*
 * A sign-in that fails has not begun the call itself, so its outcome cannot be
 * in doubt.
 */
static PinCallStatus
give_up(PinClient *client, PinError *err)
{
	if (client->signing_in)
		err->ambiguous = false;
	pin_client_abandon(client);
	return PIN_CALL_FAILED;
}

PinCallStatus
pin_client_advance(PinClient *client, PinError *err)
{
	for (;;)
	{
		PinExchange *x = client->exchange;
		bool		ok;

		if (x == NULL)
		{
			if (client->rest.due_us != 0 && !pin_timer_due(&client->rest))
				return PIN_CALL_WAIT;
			if (!send_next(client, err))
				return give_up(client, err);
			continue;
		}
		if (pin_exchange_state(x) == PIN_EXCHANGE_RUNNING)
			return PIN_CALL_WAIT;

		/* until the exchange is freed it stays ours to free */
		pin_error_reset(err);
		ok = read_exchange(client, x, err);
		client->exchange = NULL;
		pin_exchange_free(x);
		if (!ok && !client->signing_in)
			note_doubt(client, err);
		if (ok && !client->signing_in)
		{
			client->doubtful = false;
			pin_error_reset(&client->setback);
			pin_client_abandon(client);
			return PIN_CALL_DONE;
		}
		if (!ok && !renew_token(client, err) && !try_later(client, err))
			return give_up(client, err);
	}
}
