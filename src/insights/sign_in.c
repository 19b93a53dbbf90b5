/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *		Getting an access token from the tenant's sign-in service.
 *
 * The v1 endpoint is used, as the Insights documentation does: it names what
 * the token is for by "resource".  A refusal is understood by its AADSTS number
 * first; the words "error" and "suberror" decide where there is none we know.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero, strdup */
#include "insights/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include "insights/aadsts.h"
#include "insights/ascii.h"
#include "insights/text_buffer.h"
#include "insights/json.h"

/* Real tokens have 2 to 4 kB. */
#define TOKEN_MAX (64 * 1024)

/* A token without a stated life is trusted this long, seconds. */
#define LIFE_UNSTATED 300
#define LIFE_MAX (24 * 60 * 60)

static bool
given(const char *text)
{
	return text && *text;
}

PinGrant
pin_sign_in_grant(const PinCredentials *credentials)
{
	if (given(credentials->refresh_token))
		return PIN_GRANT_REFRESH_TOKEN;
	if (given(credentials->username))
		return PIN_GRANT_PASSWORD;
	return PIN_GRANT_CLIENT_CREDENTIALS;
}

/* Sets kind and the one message every failure here has. */
static void
set_error(const PinCredentials *credentials, PinErrorKind kind, PinError *err)
{
	PinRemoteText tenant;
	const char *name = given(credentials->tenant) ? credentials->tenant : "";

	pin_error_clean(tenant, sizeof(tenant), name, strlen(name));
	pin_error_set(err, kind, "could not sign in to tenant \"%s\"", tenant);
}

/* ---- request ---- */

/* The name of what the grant needs and nobody gave; NULL if all is there. */
static const char *
missing_option(const PinCredentials *credentials)
{
	PinGrant	grant = pin_sign_in_grant(credentials);

	if (!given(credentials->login_url))
		return "login_url";
	if (!given(credentials->tenant))
		return "tenant";
	if (!given(credentials->resource))
		return "resource";
	if (!given(credentials->client_id))
		return "client_id";
	if (grant == PIN_GRANT_PASSWORD && !given(credentials->password))
		return "password";
	if (grant == PIN_GRANT_CLIENT_CREDENTIALS && !given(credentials->client_secret))
		return "client_secret";
	return NULL;
}

static void
add_parameter(PinTextBuffer *form, const char *name, const char *value)
{
	if (!given(value))
		return;
	if (form->len > 0)
		pin_text_buffer_add(form, "&");
	pin_text_buffer_add(form, name);
	pin_text_buffer_add(form, "=");
	pin_text_buffer_add_encoded(form, value);
}

static void
add_grant(PinTextBuffer *form, const PinCredentials *credentials)
{
	switch (pin_sign_in_grant(credentials))
	{
		case PIN_GRANT_REFRESH_TOKEN:
			add_parameter(form, "grant_type", "refresh_token");
			add_parameter(form, "refresh_token", credentials->refresh_token);
			add_parameter(form, "scope", "openid");
			break;
		case PIN_GRANT_PASSWORD:
			add_parameter(form, "grant_type", "password");
			add_parameter(form, "username", credentials->username);
			add_parameter(form, "password", credentials->password);
			add_parameter(form, "scope", "openid");
			break;
		case PIN_GRANT_CLIENT_CREDENTIALS:
			add_parameter(form, "grant_type", "client_credentials");
			break;
	}
}

static char *
token_url(const PinCredentials *credentials)
{
	PinTextBuffer url;
	size_t		len = strlen(credentials->login_url);

	while (len > 0 && credentials->login_url[len - 1] == '/')
		len--;
	pin_text_buffer_init(&url);
	pin_text_buffer_add_bytes(&url, credentials->login_url, len);
	pin_text_buffer_add(&url, "/");
	pin_text_buffer_add_encoded(&url, credentials->tenant);
	pin_text_buffer_add(&url, "/oauth2/token");
	return pin_text_buffer_take(&url, NULL);
}

bool
pin_sign_in_request(const PinCredentials *credentials, PinApiRequest *request,
					PinError *err)
{
	const char *missing = missing_option(credentials);
	PinTextBuffer form;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	if (missing)
	{
		set_error(credentials, PIN_ERROR_SIGN_IN, err);
		pin_error_detail(err, "The option \"%s\" is not set.", missing);
		return false;
	}

	pin_text_buffer_init(&form);
	add_parameter(&form, "resource", credentials->resource);
	add_parameter(&form, "client_id", credentials->client_id);
	add_parameter(&form, "client_secret", credentials->client_secret);
	add_grant(&form, credentials);

	request->method = "POST";
	request->content_type = "application/x-www-form-urlencoded";
	request->body = pin_text_buffer_take(&form, &request->body_len);
	request->url = token_url(credentials);
	if (request->body == NULL || request->url == NULL)
	{
		pin_api_request_free(request);
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY,
					  "out of memory, or an option is too long");
		return false;
	}
	return true;
}

/* ---- success ---- */

/* True if a token can stand in a header: printable ASCII without blanks. */
static bool
is_token(const char *text)
{
	size_t		len = text ? strlen(text) : 0;

	if (len == 0 || len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static int
life_of(const PinJson *reply)
{
	int64_t		life = pin_json_member_integer(reply, "expires_in", LIFE_UNSTATED);

	if (life < 0)
		return 0;
	return life > LIFE_MAX ? LIFE_MAX : (int) life;
}

static bool
read_tokens(const PinCredentials *credentials, const PinJson *reply,
			PinSignIn *result, PinError *err)
{
	const char *access = pin_json_member_string(reply, "access_token");
	const char *refresh = pin_json_member_string(reply, "refresh_token");

	if (!is_token(access))
	{
		set_error(credentials, PIN_ERROR_REPLY, err);
		pin_error_detail(err, "The reply of the sign-in service holds no usable access token.");
		return false;
	}
	result->expires_in = life_of(reply);
	result->access_token = strdup(access);
	if (is_token(refresh))
		result->refresh_token = strdup(refresh);
	if (result->access_token == NULL || (is_token(refresh) && !result->refresh_token))
	{
		pin_sign_in_free(result);
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return false;
	}
	return true;
}

/* ---- refusal ---- */

/* What the reply says about a refusal; strings borrowed from its document. */
typedef struct Refusal
{
	const char *error;			/* "invalid_grant"; never NULL */
	const char *suberror;		/* "consent_required"; never NULL */
	const char *description;	/* sentences; never NULL */
	const PinAadsts *row;		/* NULL: no number, or one unknown to us */
	int			code;			/* AADSTS number, 0 if none */
} Refusal;

static const char *
string_or_empty(const PinJson *object, const char *name)
{
	const char *text = pin_json_member_string(object, name);

	return text ? text : "";
}

static void
read_refusal(const PinJson *reply, Refusal *refusal)
{
	const PinJson *codes = pin_json_member(reply, "error_codes");

	refusal->error = string_or_empty(reply, "error");
	refusal->suberror = string_or_empty(reply, "suberror");
	refusal->description = string_or_empty(reply, "error_description");
	refusal->code = 0;
	refusal->row = NULL;

	for (size_t i = 0; i < pin_json_count(codes) && refusal->row == NULL; i++)
	{
		int64_t		code;

		if (!pin_json_integer(pin_json_element(codes, i), &code) ||
			code <= 0 || code > 99999999)
			continue;
		refusal->code = (int) code;
		refusal->row = pin_aadsts_find(refusal->code);
	}
	if (refusal->row == NULL)
	{
		int			code = pin_aadsts_in_text(refusal->description);

		refusal->row = pin_aadsts_find(code);
		if (refusal->row || refusal->code == 0)
			refusal->code = code;
	}
}

/* Kind and hint where no AADSTS number tells. */
static PinErrorKind
kind_of_words(const Refusal *refusal, const char **hint)
{
	*hint = NULL;
	if (pin_ascii_equal(refusal->suberror, "consent_required"))
	{
		*hint = pin_aadsts_find(65001)->hint;
		return PIN_ERROR_SIGN_IN;
	}
	if (pin_ascii_equal(refusal->suberror, "user_password_expired"))
	{
		*hint = pin_aadsts_find(50055)->hint;
		return PIN_ERROR_SIGN_IN;
	}
	if (pin_ascii_equal(refusal->suberror, "token_expired") ||
		pin_ascii_equal(refusal->suberror, "bad_token"))
	{
		*hint = pin_aadsts_find(70008)->hint;
		return PIN_ERROR_SECRET_EXPIRED;
	}
	if (pin_ascii_equal(refusal->error, "interaction_required") ||
		pin_ascii_equal(refusal->suberror, "basic_action") ||
		pin_ascii_equal(refusal->suberror, "additional_action"))
	{
		*hint = pin_aadsts_find(50076)->hint;
		return PIN_ERROR_MFA;
	}
	return PIN_ERROR_SIGN_IN;
}

/* Kind, hint and whether to try again, from all there is. */
static PinErrorKind
judge(const Refusal *refusal, int status, const char **hint, bool *retry)
{
	bool		busy = pin_ascii_equal(refusal->error, "temporarily_unavailable");

	*hint = refusal->row ? refusal->row->hint : NULL;
	*retry = true;
	if (status >= 500)
		return PIN_ERROR_SERVICE;
	if (status == 429)
		return PIN_ERROR_THROTTLED;
	if (refusal->row)
	{
		*retry = refusal->row->retry || busy;
		return refusal->row->kind;
	}
	if (busy)
		return PIN_ERROR_SERVICE;
	*retry = false;
	if (status >= 300 && status < 400)
		return PIN_ERROR_REDIRECT;
	if (status == 404 && !given(refusal->error))
		*hint = "Check the server options \"login_url\" and \"tenant\".";
	else
		return kind_of_words(refusal, hint);
	return PIN_ERROR_SIGN_IN;
}

/* True if text repeats a secret, as it is or as it was sent. */
static bool
repeats(const char *text, const char *secret)
{
	PinTextBuffer buffer;
	char	   *encoded;
	bool		found;

	if (!given(secret))
		return false;
	if (strstr(text, secret))
		return true;
	pin_text_buffer_init(&buffer);
	pin_text_buffer_add_encoded(&buffer, secret);
	encoded = pin_text_buffer_take(&buffer, NULL);
	found = encoded == NULL || strstr(text, encoded) != NULL;
	if (encoded)
		explicit_bzero(encoded, strlen(encoded));
	free(encoded);
	return found;
}

/* True if a text of the service repeats any secret. */
static bool
tells_secret(const PinCredentials *credentials, const char *text, size_t len)
{
	char	   *copy = malloc(len + 1);
	bool		tells;

	if (copy == NULL)
		return true;
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] ? text[i] : ' ';
	copy[len] = '\0';
	tells = repeats(copy, credentials->client_secret) ||
		repeats(copy, credentials->password) ||
		repeats(copy, credentials->refresh_token);
	explicit_bzero(copy, len);
	free(copy);
	return tells;
}

/* Length of a description without what is meant for the service's support. */
static size_t
length_for_users(const char *description)
{
	static const char *const tails[] = {"Trace ID:", "Correlation ID:", "Timestamp:"};
	size_t		len = strlen(description);

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
	{
		const char *tail = pin_ascii_find(description, tails[i]);

		if (tail && (size_t) (tail - description) < len)
			len = tail - description;
	}
	while (len > 0 && pin_ascii_is_blank(description[len - 1]))
		len--;
	return len;
}

/* What the service said, for users; empty if nothing, or if it is secret. */
static void
said_text(const PinCredentials *credentials, const PinReply *reply,
		  const PinJson *document, const Refusal *refusal, PinRemoteText text)
{
	const char *said = given(refusal->description) ? refusal->description : refusal->error;

	text[0] = '\0';
	if (document)
	{
		if (!tells_secret(credentials, said, strlen(said)))
			pin_error_clean(text, sizeof(PinRemoteText), said, length_for_users(said));
	}
	else if (reply->body && !tells_secret(credentials, reply->body, reply->body_len))
		pin_reply_plain_text(reply, text);
}

static void
explain_refusal(const PinCredentials *credentials, const PinReply *reply,
				const PinJson *document, PinSignIn *result, PinError *err)
{
	Refusal		refusal;
	PinRemoteText text;
	const char *hint;
	PinErrorKind kind;

	read_refusal(document, &refusal);
	kind = judge(&refusal, reply->status, &hint, &result->retry);
	result->aadsts = refusal.code;

	set_error(credentials, kind, err);
	err->retry_after_ms = reply->retry_after_ms;
	said_text(credentials, reply, document, &refusal, text);
	if (*text)
		pin_error_detail(err, "The sign-in service answered: %s", text);
	else
		pin_error_detail(err, "The sign-in service answered with HTTP status %d.",
						 reply->status);
	if (hint)
		pin_error_hint(err, "%s", hint);
}

bool
pin_sign_in_reply(const PinCredentials *credentials, const PinReply *reply,
				  PinSignIn *result, PinError *err)
{
	PinJson    *document;
	bool		done = false;

	memset(result, 0, sizeof(*result));
	document = pin_json_parse(reply->body, reply->body_len,
							  "the reply of the sign-in service", err);
	if (document == NULL && reply->status >= 200 && reply->status < 300)
	{
		err->http_status = reply->status;
		return false;
	}
	pin_error_reset(err);
	if (reply->status >= 200 && reply->status < 300 &&
		pin_json_is_null(pin_json_member(document, "error")))
		done = read_tokens(credentials, document, result, err);
	else
		explain_refusal(credentials, reply, document, result, err);
	pin_json_free(document);
	if (!done)
		err->http_status = reply->status;
	return done;
}

void
pin_sign_in_free(PinSignIn *result)
{
	if (result->access_token)
		explicit_bzero(result->access_token, strlen(result->access_token));
	if (result->refresh_token)
		explicit_bzero(result->refresh_token, strlen(result->refresh_token));
	free(result->access_token);
	free(result->refresh_token);
	memset(result, 0, sizeof(*result));
}
