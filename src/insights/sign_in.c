/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *		What the tenant's sign-in service answers.
 *
 * A refusal is understood by its AADSTS number first; the words "error" and
 * "suberror" decide where there is none we know.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero, strdup */
#include "insights/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include "insights/aadsts.h"
#include "insights/ascii.h"
#include "insights/id_token.h"
#include "insights/json.h"
#include "insights/text_buffer.h"
#include "transport/url.h"

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
		pin_sign_in_error(credentials, PIN_ERROR_REPLY, err);
		pin_error_detail(err, "The reply of the sign-in service holds no usable access token.");
		return false;
	}
	result->expires_in = life_of(reply);
	result->access_token = strdup(access);
	if (is_token(refresh))
		result->refresh_token = strdup(refresh);
	result->account = pin_id_token_account(pin_json_member_string(reply, "id_token"));
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

/* What becomes of a device code, in words of the standard or of the service. */
static const struct
{
	const char *word;			/* error */
	int			code;			/* the AADSTS number that says the same */
}			device_words[] = {
	{"bad_verification_code", 70018},
	{"expired_token", 70019},
	{"authorization_declined", 70020},
	{"access_denied", 70020}
};

/* Kind and hint where no AADSTS number tells. */
static PinErrorKind
kind_of_words(const Refusal *refusal, const char **hint)
{
	*hint = NULL;
	for (size_t i = 0; i < sizeof(device_words) / sizeof(device_words[0]); i++)
	{
		if (pin_ascii_equal(refusal->error, device_words[i].word))
		{
			const PinAadsts *row = pin_aadsts_find(device_words[i].code);

			*hint = row->hint;
			return row->kind;
		}
	}
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

/*
 * True if a text holds something like a signed token, which always begins with
 * the letters of "{\"": the assertion that we have sent, for instance.
 */
static bool
holds_token(const char *text)
{
	for (const char *token = strstr(text, "eyJ"); token; token = strstr(token + 3, "eyJ"))
		if (strcspn(token, " \t\r\n\"'&<>") > 40)
			return true;
	return false;
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
		repeats(copy, credentials->refresh_token) ||
		repeats(copy, credentials->device_code) ||
		repeats(copy, credentials->code) ||
		repeats(copy, credentials->code_verifier) ||
		holds_token(copy);
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
	result->slow_down = pin_ascii_equal(refusal.error, "slow_down");
	result->pending = result->slow_down || refusal.code == 70016 ||
		pin_ascii_equal(refusal.error, "authorization_pending");

	pin_sign_in_error(credentials, kind, err);
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
	free(result->account);
	memset(result, 0, sizeof(*result));
}

/* ---- device codes ---- */

/* Longest device code, user code and address of its page. */
#define DEVICE_CODE_MAX (16 * 1024)
#define SHOWN_MAX 256

#define INTERVAL_DEFAULT 5
#define INTERVAL_MAX 60
#define DEVICE_LIFE_MAX (60 * 60)

/* True if a text can be shown to a user as one word. */
static bool
is_shown(const char *text)
{
	return is_token(text) && strlen(text) <= SHOWN_MAX;
}

static int
within(int64_t number, int least, int most)
{
	return number < least ? least : number > most ? most : (int) number;
}

static bool
read_device_code(const PinCredentials *credentials, const PinJson *document,
				 PinDeviceCode *code, PinError *err)
{
	const char *device = pin_json_member_string(document, "device_code");
	const char *user = pin_json_member_string(document, "user_code");
	const char *url = pin_json_member_string(document, "verification_uri");

	if (!is_token(device) || strlen(device) > DEVICE_CODE_MAX || !is_shown(user) ||
		!is_shown(url) || !pin_url_allowed(url, err))
	{
		pin_sign_in_error(credentials, PIN_ERROR_REPLY, err);
		pin_error_detail(err, "The reply of the sign-in service holds no usable device code.");
		return false;
	}
	code->interval = within(pin_json_member_integer(document, "interval", INTERVAL_DEFAULT),
							1, INTERVAL_MAX);
	code->expires_in = within(pin_json_member_integer(document, "expires_in", LIFE_UNSTATED),
							  1, DEVICE_LIFE_MAX);
	code->device_code = strdup(device);
	code->user_code = strdup(user);
	code->url = strdup(url);
	if (code->device_code && code->user_code && code->url)
		return true;
	pin_device_code_free(code);
	pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return false;
}

bool
pin_device_code_reply(const PinCredentials *credentials, const PinReply *reply,
					  PinDeviceCode *code, PinError *err)
{
	bool		success = reply->status >= 200 && reply->status < 300;
	PinJson    *document = pin_json_parse(reply->body, reply->body_len,
										  "the reply of the sign-in service", err);
	PinSignIn	refused = {0};
	bool		done = false;

	memset(code, 0, sizeof(*code));
	if (document == NULL && success)
	{
		err->http_status = reply->status;
		return false;
	}
	pin_error_reset(err);
	if (success && pin_json_is_null(pin_json_member(document, "error")))
		done = read_device_code(credentials, document, code, err);
	else
		explain_refusal(credentials, reply, document, &refused, err);
	pin_json_free(document);
	if (!done)
		err->http_status = reply->status;
	return done;
}

void
pin_device_code_free(PinDeviceCode *code)
{
	if (code->device_code)
		explicit_bzero(code->device_code, strlen(code->device_code));
	free(code->device_code);
	free(code->user_code);
	free(code->url);
	memset(code, 0, sizeof(*code));
}
