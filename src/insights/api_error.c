/*-------------------------------------------------------------------------
 *
 * api_error.c
 *		The one place that understands how the Insights API says no.
 *
 * A reply is reduced to an Answer (status, code, words), and the first rule
 * that fits it gives the kind of error, the message and the hint.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/api_error.h"

#include <stdio.h>
#include <string.h>

#include "insights/ascii.h"

/* Longest wait the service's words may ask for, seconds. */
#define RETRY_WORDS_MAX (24 * 60 * 60)

/* Code of a token that lacks the second factor. */
#define MFA_CODE 900421

/* What a reply says, whichever way it says it. */
typedef struct Answer
{
	int			status;			/* the status that counts */
	char		code[32];		/* service's own code; empty if none */
	PinRemoteText text;			/* its words; empty if none */
	const char *www_authenticate;	/* the header; never NULL */
} Answer;

/* ---- from a reply to an answer ---- */

static bool
is_success(int status)
{
	return status >= 200 && status < 300;
}

/* The first of an object's members that is a text with something in it. */
static const char *
first_text(const PinJson *object, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		const char *text = pin_json_member_string(object, names[i]);

		if (text && *text)
			return text;
	}
	return NULL;
}

static void
read_code(const PinJson *value, Answer *answer)
{
	const char *text = pin_json_string(value);
	int64_t		number;

	if (text)
		pin_error_clean(answer->code, sizeof(answer->code), text, strlen(text));
	else if (pin_json_integer(value, &number))
		snprintf(answer->code, sizeof(answer->code), "%lld", (long long) number);
}

/*
 * What an error inside a success stands for, where no statusCode tells: Partner
 * Center's own shape has a code, which is an HTTP status or a number of its
 * own, a description, and no value.  0: the document is no such error.
 */
static int
status_of_code(const PinJson *document)
{
	int64_t		code = pin_json_member_integer(document, "code", 0);

	if (pin_json_member(document, "value") ||
		pin_json_member_string(document, "description") == NULL ||
		code <= 0 || (code >= 200 && code <= 299))
		return 0;
	if (code == MFA_CODE)
		return 401;
	return code >= 400 && code <= 599 ? (int) code : 400;
}

static void
read_document(const PinJson *document, Answer *answer)
{
	static const char *const names[] = {
		"message", "description", "error_description", "errorMessage",
		"title", "error"
	};
	const PinJson *error = pin_json_member(document, "error");
	const PinJson *teller = pin_json_is_object(error) ? error : document;
	const char *text = pin_json_string(document);
	int64_t		status = pin_json_member_integer(document, "statusCode", 0);

	if (status == 0 && is_success(answer->status))
		status = status_of_code(document);
	if (status >= 400 && status <= 599)
		answer->status = (int) status;
	if (text == NULL)
		text = first_text(teller, names, sizeof(names) / sizeof(names[0]));
	if (text)
		pin_error_clean(answer->text, sizeof(answer->text), text, strlen(text));
	read_code(pin_json_member(teller, "code"), answer);
}

static void
read_answer(const PinReply *reply, const PinJson *document, Answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->status = reply->status;
	answer->www_authenticate = reply->www_authenticate ? reply->www_authenticate : "";
	if (document)
		read_document(document, answer);
	else
		pin_reply_plain_text(reply, answer->text);
}

/* ---- from an answer to an error ---- */

#define HINT_MFA "Sign in with CALL pinsight_login, which puts a refresh token " \
	"into the user mapping: the service no longer accepts what a password alone " \
	"brings."

/* First and last status a rule is for, the words it needs, and what it says. */
typedef struct Rule
{
	int			from;			/* lowest HTTP status */
	int			to;				/* highest */
	const char *words;			/* in text, code or WWW-Authenticate; NULL:
								 * whatever they are */
	PinErrorKind kind;
	const char *reason;			/* completes "could not create report: ..." */
	const char *hint;			/* NULL: the kind's own */
} Rule;

/* The first that fits counts. */
static const Rule rules[] = {
	{
		300, 399, NULL, PIN_ERROR_REDIRECT,
		"the service sent us to another address", NULL
	},

	{
		401, 403, "900421", PIN_ERROR_MFA,
		"the service wants multifactor authentication", HINT_MFA
	},
	{
		401, 403, "MFA", PIN_ERROR_MFA,
		"the service wants multifactor authentication", HINT_MFA
	},
	{
		401, 403, "multi-factor", PIN_ERROR_MFA,
		"the service wants multifactor authentication", HINT_MFA
	},
	{
		401, 403, "multifactor", PIN_ERROR_MFA,
		"the service wants multifactor authentication", HINT_MFA
	},
	{
		401, 401, NULL, PIN_ERROR_UNAUTHORIZED,
		"the service did not accept the sign-in token",
		"Check that the application has the Partner Center permission with consent, "
		"that the server option \"resource\" is right, and that the sign-in behind "
		"a refresh token used multifactor authentication."
	},

	{
		400, 499, "number of queries exceeded", PIN_ERROR_QUOTA,
		"there are too many report queries",
		"Delete report queries that nobody needs in Partner Center, and with "
		"pinsight_cleanup(server, '1 hour') those that scans have left; a user may "
		"keep 100."
	},
	{
		400, 499, "ExecuteNow report creation quota", PIN_ERROR_ORDER_QUOTA,
		"too many reports were ordered within the hour",
		"A user may order 5 reports an hour.  Wait, or accept older rows through the "
		"option \"stale_ok\"."
	},
	{
		400, 499, "report creation quota", PIN_ERROR_QUOTA,
		"there are too many active reports",
		"Delete or pause reports that nobody needs in Partner Center, and delete with "
		"pinsight_cleanup(server, '1 hour') those that scans have left; a user may "
		"have 50 active ones."
	},
	{
		403, 403, "call volume quota", PIN_ERROR_QUOTA,
		"too many requests were made",
		"Wait until the service's period ends."
	},
	{
		403, 403, NULL, PIN_ERROR_FORBIDDEN,
		"the service does not allow it",
		"Give the user the role \"Executive report viewer\" in Partner Center "
		"(program mpn), or the application the role \"Manager\" there (program "
		"cmp)."
	},

	{
		404, 404, "resource not found", PIN_ERROR_NOT_FOUND,
		"there is nothing at this address", NULL
	},
	{
		404, 404, NULL, PIN_ERROR_NOT_FOUND,
		"the service found no such item", NULL
	},
	{
		408, 408, NULL, PIN_ERROR_SERVICE,
		"the service ran out of time", NULL
	},
	{
		429, 429, NULL, PIN_ERROR_THROTTLED,
		"too many requests were made", NULL
	},

	{
		400, 499, "invalid table name", PIN_ERROR_UNKNOWN_DATASET,
		"the service does not know the dataset", NULL
	},
	{
		400, 499, "incorrect column name", PIN_ERROR_UNKNOWN_COLUMN,
		"the service does not know a column", NULL
	},
	{
		400, 499, "invalid queryid", PIN_ERROR_REPORT_GONE,
		"the service does not know the report query",
		"It may have been deleted meanwhile.  Try again."
	},
	{
		400, 499, NULL, PIN_ERROR_BAD_REQUEST,
		"the service refused the request", NULL
	},

	{
		500, 599, NULL, PIN_ERROR_SERVICE,
		"the service failed", NULL
	},
};

static bool
fits(const Rule *rule, const Answer *answer)
{
	if (answer->status < rule->from || answer->status > rule->to)
		return false;
	return rule->words == NULL ||
		pin_ascii_find(answer->text, rule->words) ||
		pin_ascii_find(answer->code, rule->words) ||
		pin_ascii_find(answer->www_authenticate, rule->words);
}

/* "Try again in 57 seconds." in milliseconds; -1 if the text says no such. */
static int
retry_from_words(const char *text)
{
	static const char words[] = "try again in ";
	const char *digit = pin_ascii_find(text, words);
	int			seconds = 0;

	if (digit == NULL)
		return -1;
	digit += strlen(words);
	if (!pin_ascii_is_digit(*digit))
		return -1;
	for (; pin_ascii_is_digit(*digit); digit++)
		if (seconds <= RETRY_WORDS_MAX)
			seconds = seconds * 10 + (*digit - '0');
	if (!pin_ascii_starts(digit, " second"))
		return -1;
	return (seconds < RETRY_WORDS_MAX ? seconds : RETRY_WORDS_MAX) * 1000;
}

static void
explain(const Answer *answer, int retry_after_ms, const char *what, PinError *err)
{
	const Rule *rule = NULL;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && rule == NULL; i++)
		if (fits(&rules[i], answer))
			rule = &rules[i];
	if (rule == NULL)
		pin_error_set(err, PIN_ERROR_REPLY,
					  "could not %s: the service gave no proper reply", what);
	else
		pin_error_set(err, rule->kind, "could not %s: %s", what, rule->reason);

	err->http_status = answer->status;
	err->retry_after_ms = retry_after_ms >= 0 ? retry_after_ms :
		retry_from_words(answer->text);
	if (*answer->text)
		pin_error_detail(err, "The service answered: %s", answer->text);
	else if (*answer->code)
		pin_error_detail(err, "The service answered with code %s and HTTP status %d.",
						 answer->code, answer->status);
	else
		pin_error_detail(err, "The service answered with HTTP status %d.",
						 answer->status);
	if (rule && rule->hint)
		pin_error_hint(err, "%s", rule->hint);
}

/* ---- the two ways in ---- */

/* True if there is nothing but blanks. */
static bool
is_blank_body(const PinReply *reply)
{
	for (size_t i = 0; reply->body && i < reply->body_len; i++)
		if (!pin_ascii_is_blank(reply->body[i]))
			return false;
	return true;
}

/* Checks; on success *document is the document, NULL for an empty body. */
static bool
check(const PinReply *reply, const char *what, PinJson **document, PinError *err)
{
	Answer		answer;

	*document = pin_json_parse(reply->body, reply->body_len,
							   "the reply of the service", err);
	read_answer(reply, *document, &answer);
	if (is_success(answer.status))
	{
		if (*document == NULL && !is_blank_body(reply))
		{
			err->http_status = reply->status;
			return false;
		}
		pin_error_reset(err);
		return true;
	}
	explain(&answer, reply->retry_after_ms, what, err);
	pin_json_free(*document);
	*document = NULL;
	return false;
}

bool
pin_api_check(const PinReply *reply, const char *what, PinError *err)
{
	PinJson    *document;
	bool		success = check(reply, what, &document, err);

	pin_json_free(document);
	return success;
}

PinJson *
pin_api_document(const PinReply *reply, const char *what, PinError *err)
{
	PinJson    *document;

	if (!check(reply, what, &document, err))
		return NULL;
	if (document == NULL)
	{
		pin_error_set(err, PIN_ERROR_REPLY,
					  "could not %s: the service's reply is empty", what);
		err->http_status = reply->status;
	}
	return document;
}

/* ---- whose 404 it is ---- */

/* A proxy speaks in pages, or in plain words. */
static bool
is_of_service(const PinReply *reply, bool perhaps)
{
	PinError	ignored;
	PinJson    *document = pin_json_parse(reply->body, reply->body_len, "the reply", &ignored);
	bool		yes = perhaps ? document != NULL || is_blank_body(reply) :
	pin_json_is_object(document);

	pin_json_free(document);
	return yes;
}

/* The gateway's words, which are of the address, are JSON like the service's. */
static bool
found_nothing(const PinReply *reply, bool perhaps, PinError *err)
{
	if (err->kind != PIN_ERROR_NOT_FOUND)
		return false;
	if (is_of_service(reply, perhaps) && pin_ascii_find(err->detail, "resource not found") == NULL)
		return true;
	pin_error_hint(err, "It may be no word of the service's: check the server's options \"api_url\" and \"api_version\".");
	return false;
}

bool
pin_api_found_nothing(const PinReply *reply, PinError *err)
{
	return found_nothing(reply, false, err);
}

bool
pin_api_found_nothing_perhaps(const PinReply *reply, PinError *err)
{
	return found_nothing(reply, true, err);
}
