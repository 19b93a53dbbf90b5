/*-------------------------------------------------------------------------
 *
 * check.c
 *		pinsight_check(): everything between a user and the first row, looked at.
 *
 * Nothing is created at the service, and hardly anything asked: who the tenant
 * is, whether the API is there, for a token, and for the list of datasets.
 * Which row a failure belongs to is told by insights/step.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "attempt.h"
#include "compat.h"
#include "insights/aadsts.h"
#include "insights/ascii.h"
#include "insights/ask.h"
#include "insights/assertion.h"
#include "insights/probe.h"
#include "insights/step.h"
#include "insights/text_buffer.h"
#include "miscadmin.h"
#include "snapshot/budget.h"
#include "snapshot/cache.h"
#include "sql/look.h"
#include "sql/row.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_check);

/* Whoever hears of a certificate's end this long before has time for another. */
#define CERTIFICATE_WARN (30 * 24 * 60 * 60)

/* A clock that differs by more than this many seconds is worth a warning. */
#define CLOCK_TOLERANCE 60

typedef enum CheckStatus
{
	FOUND_NOT_REACHED,
	FOUND_OK,
	FOUND_WARNING,
	FOUND_FAILED
} CheckStatus;

static const char *const status_names[] = {"not reached", "ok", "warning", "failed"};

/* One step as it was found. */
typedef struct Finding
{
	CheckStatus status;			/* how it stands */
	const char *detail;			/* what was seen; NULL: nothing */
	const char *hint;			/* what to do; NULL: nothing */
} Finding;

/* What the API says of a token, if it is asked. */
typedef enum TokenMfa
{
	TOKEN_MFA_UNTOLD,
	TOKEN_MFA_YES,
	TOKEN_MFA_NO
} TokenMfa;

typedef struct Check
{
	const char *server_name;	/* as the caller wrote it */
	PinOptions *place;			/* the server's alone; NULL: not to be used */
	PinOptions *options;		/* with the mapping's; NULL: not complete */
	char	   *account;		/* who has signed in; NULL: not told */
	TokenMfa	mfa;			/* of the token, once it was used */
	Finding		findings[PIN_STEPS];	/* so far; zeroed: not reached */
} Check;

/* ---- findings ---- */

static void
find(Check *check, PinStep step, CheckStatus status, const char *detail, const char *hint)
{
	check->findings[step].status = status;
	check->findings[step].detail = detail;
	check->findings[step].hint = hint;
}

static void
pass(Check *check, PinStep step, const char *detail)
{
	find(check, step, FOUND_OK, detail, NULL);
}

/* A message and its detail as one text of sentences. */
static const char *
join(const char *message, const char *detail)
{
	char	   *text = detail != NULL && detail[0] != '\0' ?
	psprintf("%s.  %s", message, detail) : psprintf("%s.", message);

	text[0] = pg_ascii_toupper((unsigned char) text[0]);
	return text;
}

static void
fail(Check *check, PinStep step, const PinError *err)
{
	const char *hint = err->hint[0] != '\0' ? err->hint : pin_error_row(err->kind)->hint;

	find(check, step, FOUND_FAILED,
		 join(pin_text_to_server(err->message), pin_text_to_server(err->detail)),
		 hint != NULL ? pin_text_to_server(hint) : NULL);
}

static bool
has_failed(const Check *check)
{
	for (int i = 0; i < PIN_STEPS; i++)
	{
		if (check->findings[i].status == FOUND_FAILED)
			return true;
	}
	return false;
}

/* A look that may end in an error. */
typedef struct Look
{
	Check	   *check;
	void		(*at) (Check *);
} Look;

static void
attempt_look(void *arg)
{
	Look	   *one = arg;

	one->at(one->check);
}

/* Looks at something: an error becomes the finding of that step. */
static void
look(Check *check, PinStep step, void (*at) (Check *))
{
	Look		one = {.check = check,.at = at};
	ErrorData  *error = pin_attempt_unless_cancelled(attempt_look, &one);

	if (error != NULL)
		find(check, step, FOUND_FAILED, join(error->message, error->detail), error->hint);
}

/* ---- what is here ---- */

static PinGrant
grant_of(const PinOptions *options)
{
	PinCredentials credentials = {
		.refresh_token = options->refresh_token,
		.username = options->username
	};

	return pin_sign_in_grant(&credentials);
}

/* The server, if there is one that the caller may use; else NULL, and said so. */
static ForeignServer *
find_server(Check *check)
{
	ForeignServer *server = GetForeignServerByName(check->server_name, true);

	if (server == NULL)
		find(check, PIN_STEP_OPTIONS, FOUND_FAILED,
			 psprintf("There is no server \"%s\".", check->server_name),
			 psprintf("Use CREATE SERVER %s FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (tenant ...).",
					  quote_identifier(check->server_name)));
	else if (pin_server_aclcheck(server->serverid, GetUserId()) != ACLCHECK_OK)
	{
		find(check, PIN_STEP_OPTIONS, FOUND_FAILED, "You may not use the server.",
			 psprintf("Have its owner GRANT USAGE ON FOREIGN SERVER %s to you.",
					  quote_identifier(check->server_name)));
		server = NULL;
	}
	else
		pin_look_check_server(server->serverid);
	return server;
}

static void
look_at_options(Check *check)
{
	static const char *const ways[] = {
		[PIN_GRANT_REFRESH_TOKEN] = "a user signs in by a refresh token",
		[PIN_GRANT_PASSWORD] = "a user signs in by a password",
		[PIN_GRANT_CLIENT_CREDENTIALS] = "the application signs in by itself"
	};
	PinOptions *options;
	ForeignServer *server = find_server(check);

	if (server == NULL)
		return;
	check->place = pin_options_place(server->serverid);
	options = pin_options_server(server->serverid, GetUserId(), check->place->program);
	check->options = options;
	pass(check, PIN_STEP_OPTIONS,
		 psprintf("Tenant \"%s\", program \"%s\"; %s.", options->tenant, options->program,
				  ways[grant_of(options)]));
}

/* Only a file that was written proves that one can be. */
static void
look_at_cache(Check *check)
{
	char	   *path = pin_cache_path("check", psprintf("%d", MyProcPid), PIN_CACHE_PART);

	pin_cache_write(path, "check", strlen("check"));
	pin_cache_remove(path);
	pass(check, PIN_STEP_CACHE, "Files can be written.");
}

static void
look_at_quota(Check *check)
{
	PinNeed		need = {.options = check->options};
	int			max = check->options->max_reports_per_hour;
	PinError	err;

	pin_credential_hash(need.credential, check->options);
	if (pin_budget_allows(&need, &err))
		pass(check, PIN_STEP_QUOTA,
			 psprintf("%d of %d immediate reports can be ordered within the hour.",
					  pin_budget_left(&need), max));
	else
		find(check, PIN_STEP_QUOTA, FOUND_WARNING,
			 join(err.message, err.detail), pstrdup(err.hint));
}

/* ---- hosts ---- */

/* The first host that tells the time is believed. */
static void
look_at_clock(Check *check, const PinProbe *probe)
{
	if (!probe->has_clock || check->findings[PIN_STEP_CLOCK].status != FOUND_NOT_REACHED)
		return;
	if (probe->ahead_s <= CLOCK_TOLERANCE && probe->ahead_s >= -CLOCK_TOLERANCE)
		pass(check, PIN_STEP_CLOCK, "It agrees with the service's within a minute.");
	else
		find(check, PIN_STEP_CLOCK, FOUND_WARNING,
			 psprintf("The database server's clock is %lld seconds %s the service's.",
					  (long long) (probe->ahead_s > 0 ? probe->ahead_s : -probe->ahead_s),
					  probe->ahead_s > 0 ? "behind" : "ahead of"),
			 "Synchronize the database server's clock with a time server; certificates, tokens and the age of rows depend on it.");
}

/* Any answer will do, but one that a proxy or a service that is down gives. */
static bool
is_answer(const PinProbe *probe, PinError *err)
{
	PinErrorKind kind = probe->status >= 500 ? PIN_ERROR_SERVICE :
	probe->status == 429 ? PIN_ERROR_THROTTLED :
	probe->status == 407 ? PIN_ERROR_CONNECT :
	probe->status >= 300 && probe->status < 400 ? PIN_ERROR_REDIRECT : PIN_ERROR_NONE;

	if (kind != PIN_ERROR_NONE)
		pin_error_set(err, kind, "the host answered with HTTP status %d", probe->status);
	return kind == PIN_ERROR_NONE;
}

static bool
look_at_host(Check *check, PinStep step, const char *base, const char *url, PinProbe *probe)
{
	PinError	err;

	if (!pin_probe(check->place, url, probe, &err))
	{
		fail(check, step, &err);
		return false;
	}
	look_at_clock(check, probe);
	if (!is_answer(probe, &err))
	{
		fail(check, step, &err);
		return false;
	}
	pass(check, step, psprintf("\"%s\" answers.", base));
	return true;
}

static char *
configuration_url(const PinOptions *options)
{
	PinTextBuffer url;
	char	   *text;
	char	   *copy;

	pin_text_buffer_init(&url);
	pin_text_buffer_add(&url, options->login_url);
	pin_text_buffer_add(&url, "/");
	pin_text_buffer_add_encoded(&url, options->tenant != NULL ? options->tenant : "common");
	pin_text_buffer_add(&url, "/.well-known/openid-configuration");
	text = pin_text_buffer_take(&url, NULL);
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	copy = pstrdup(text);
	free(text);
	return copy;
}

/* The answer also tells whether there is such a tenant, before a secret is sent. */
static void
look_at_login_host(Check *check)
{
	const PinOptions *options = check->place;
	const PinAadsts *refusal;
	PinProbe	probe;
	PinError	err;

	if (!look_at_host(check, PIN_STEP_LOGIN_HOST, options->login_url,
					  configuration_url(options), &probe))
		return;
	if (options->tenant == NULL || pin_step_of_refusal(probe.aadsts) != PIN_STEP_TENANT)
		return;
	pin_error_set(&err, PIN_ERROR_SIGN_IN, "the sign-in service does not accept tenant \"%s\"",
				  options->tenant);
	pin_error_detail(&err, "It answered with AADSTS%d.", probe.aadsts);
	refusal = pin_aadsts_find(probe.aadsts);
	if (refusal == NULL)
		refusal = pin_aadsts_find(90002);
	pin_error_hint(&err, "%s", refusal->hint);
	fail(check, PIN_STEP_TENANT, &err);
}

static void
look_at_api_host(Check *check)
{
	const PinOptions *options = check->place;
	PinProbe	probe;

	(void) look_at_host(check, PIN_STEP_API_HOST, options->api_url, options->api_url, &probe);
}

/* ---- signing in and asking ---- */

/* What the list of datasets shows. */
typedef struct Listing
{
	size_t		count;			/* datasets on its first page */
	bool		more;			/* there are more pages */
	bool		redacted;		/* the service keeps something back */
	TokenMfa	mfa;			/* what it says of the token */
} Listing;

static TokenMfa
read_mfa(const PinReply *reply)
{
	if (reply->mfa_compliant == NULL)
		return TOKEN_MFA_UNTOLD;
	return pin_ascii_equal(reply->mfa_compliant, "true") ? TOKEN_MFA_YES :
		pin_ascii_equal(reply->mfa_compliant, "false") ? TOKEN_MFA_NO : TOKEN_MFA_UNTOLD;
}

static bool
read_listing(const PinReply *reply, void *arg, PinError *err)
{
	Listing    *listing = arg;
	PinDatasetList list;

	listing->mfa = read_mfa(reply);

	/* for the list alone 404 would be none; here the address is in question */
	if (!pin_api_check(reply, "list datasets", err) ||
		!pin_api_list_datasets_reply(reply, &list, err))
		return false;
	listing->count = list.count;
	listing->more = list.next_link != NULL;
	if (!pin_json_boolean(pin_json_member(list.document, "dataRedacted"), &listing->redacted))
		listing->redacted = false;
	pin_api_dataset_list_free(&list);
	return true;
}

/* The API lets tokens without a second factor pass where it does not yet insist. */
static void
pass_mfa(Check *check)
{
	PinGrant	grant = grant_of(check->options);

	if (check->mfa == TOKEN_MFA_YES)
		pass(check, PIN_STEP_MFA, "The API says that the sign-in carries it.");
	else if (grant == PIN_GRANT_CLIENT_CREDENTIALS)
		pass(check, PIN_STEP_MFA, "An application that signs in by itself needs none.");
	else if (check->mfa == TOKEN_MFA_NO || grant == PIN_GRANT_PASSWORD)
		find(check, PIN_STEP_MFA, FOUND_WARNING,
			 "The sign-in carries no proof of multifactor authentication, which the API does not demand yet.",
			 pin_error_row(PIN_ERROR_MFA)->hint);
	else
		pass(check, PIN_STEP_MFA, "No further proof was asked for.");
}

/* A certificate has been looked at before the sign-in. */
static void
pass_secret(Check *check)
{
	if (check->findings[PIN_STEP_SECRET].status == FOUND_NOT_REACHED)
		pass(check, PIN_STEP_SECRET, "The sign-in service raised no objection.");
}

/* Who has signed in, and for how long that will do. */
static void
pass_user(Check *check)
{
	const PinOptions *o = check->options;
	TimestampTz end = o->refresh_token_issued + PIN_REFRESH_TOKEN_LIFE_US;
	char	   *who = check->account != NULL ?
	psprintf("Signed in as \"%s\"", check->account) : pstrdup("The user signs in");

	if (grant_of(o) == PIN_GRANT_CLIENT_CREDENTIALS)
		pass(check, PIN_STEP_USER, "The application signs in by itself.");
	else if (o->refresh_token == NULL)
		pass(check, PIN_STEP_USER, psprintf("%s.", who));
	else if (o->refresh_token_issued == 0)
		pass(check, PIN_STEP_USER,
			 psprintf("%s; when the refresh token ends is not known.", who));
	else if (GetCurrentTimestamp() < end - PIN_REFRESH_TOKEN_WARN_US)
		pass(check, PIN_STEP_USER,
			 psprintf("%s; the refresh token is good until %s.", who, timestamptz_to_str(end)));
	else
		find(check, PIN_STEP_USER, FOUND_WARNING,
			 psprintf("%s; the refresh token is good until %s.", who, timestamptz_to_str(end)),
			 "Renew it with pinsight_rotate, or sign in again with CALL pinsight_login.");
}

/* The steps from the tenant on, up to but not including that one, are passed. */
static void
pass_until(Check *check, PinStep end)
{
	const PinOptions *options = check->options;

	if (end > PIN_STEP_TENANT)
		pass(check, PIN_STEP_TENANT, psprintf("\"%s\" exists.", options->tenant));
	if (end > PIN_STEP_APPLICATION)
		pass(check, PIN_STEP_APPLICATION, "The tenant knows it.");
	if (end > PIN_STEP_SECRET)
		pass_secret(check);
	if (end > PIN_STEP_USER)
		pass_user(check);
	if (end > PIN_STEP_MFA)
		pass_mfa(check);
	if (end > PIN_STEP_CONSENT)
		pass(check, PIN_STEP_CONSENT, "It was given.");
	if (end > PIN_STEP_PERMISSION)
		pass(check, PIN_STEP_PERMISSION, "The API accepts the application's tokens.");
}

static void
pass_listing(Check *check, const Listing *listing)
{
	pass_until(check, PIN_STEP_ROLE);
	if (listing->redacted)
		find(check, PIN_STEP_ROLE, FOUND_WARNING,
			 "The service says that it keeps some of the data back (\"dataRedacted\").",
			 pin_error_row(PIN_ERROR_FORBIDDEN)->hint);
	else
		pass(check, PIN_STEP_ROLE, "Insights can be read.");
	if (listing->count == 0)
		find(check, PIN_STEP_DATASETS, FOUND_WARNING,
			 psprintf("The service offers no dataset in program \"%s\".",
					  check->options->program),
			 "Check the server option \"program\", and that the company is enrolled in that program.");
	else
		pass(check, PIN_STEP_DATASETS,
			 psprintf("%s%zu in program \"%s\".", listing->more ? "More than " : "",
					  listing->count, check->options->program));
}

/*
 * With a token the sign-in is passed, whatever the API says then.  Without one
 * nothing is known of secret and user where the sign-in service does not want
 * the application to have what it asks for.
 */
static void
fail_listing(Check *check, bool signing_in, PinError *err)
{
	PinStep		step = signing_in ? pin_step_of_sign_in(err) : pin_step_of_request(err);

	if (!signing_in)
		pass_until(check, Max(step, PIN_STEP_MFA));
	else
		pass_until(check, step == PIN_STEP_PERMISSION ? PIN_STEP_SECRET : step);
	fail(check, step, err);
}

static void
ask(Check *check, PinAsker *asker, PinApiRequest *request)
{
	Listing		listing = {0};
	bool		signing_in;
	PinError	err;
	bool		listed;

	request->validate_mfa = true;
	listed = pin_ask_now(asker, request, read_listing, &listing, &signing_in, &err);
	check->mfa = listing.mfa;
	if (pin_ask_account(asker)[0] != '\0')
		check->account = pin_text_to_server(pin_ask_account(asker));
	if (listed)
		pass_listing(check, &listing);
	else
		fail_listing(check, signing_in, &err);
}

/*
 * The application's certificate, if it has one: what can be seen of it without
 * a sign-in.
 */
static void
look_at_certificate(Check *check)
{
	PinCertificateInfo info;
	PinError	err;
	char	   *detail;

	if (check->options->certificate == NULL)
		return;
	if (!pin_certificate_check(check->options->certificate, check->options->private_key,
							   &info, &err))
	{
		fail(check, PIN_STEP_SECRET, &err);
		return;
	}
	detail = psprintf("The certificate %s is valid until %s.", info.thumbprint,
					  timestamptz_to_str(time_t_to_timestamptz(info.not_after)));
	if (time(NULL) > info.not_after)
		find(check, PIN_STEP_SECRET, FOUND_FAILED, detail,
			 "It has expired: make a new one, and register it with the application.");
	else if (time(NULL) > info.not_after - CERTIFICATE_WARN)
		find(check, PIN_STEP_SECRET, FOUND_WARNING, detail,
			 "Make a new one soon, and register it with the application.");
	else
		pass(check, PIN_STEP_SECRET, detail);
}

static void
look_at_datasets(Check *check)
{
	PinAsker   *asker = pin_ask_open(check->options);
	PinApiRequest request;
	PinError	err;

	if (pin_api_list_datasets(pin_ask_api(asker), NULL, &request, &err))
		ask(check, asker, &request);
	else
		fail(check, PIN_STEP_OPTIONS, &err);
	pin_ask_close(asker);
}

/* ---- the function ---- */

/*
 * The cache directory and both hosts are looked at by themselves, for whoever
 * may use the server; everything else only after what it needs.
 */
static void
look_at_all(Check *check)
{
	look(check, PIN_STEP_OPTIONS, look_at_options);
	if (check->place == NULL)
		return;
	look(check, PIN_STEP_LOGIN_HOST, look_at_login_host);
	look(check, PIN_STEP_API_HOST, look_at_api_host);
	if (!has_failed(check))
		look(check, PIN_STEP_SECRET, look_at_certificate);
	if (!has_failed(check))
		look(check, PIN_STEP_DATASETS, look_at_datasets);
	look(check, PIN_STEP_CACHE, look_at_cache);
	if (!has_failed(check))
		look(check, PIN_STEP_QUOTA, look_at_quota);
}

Datum
pinsight_check(PG_FUNCTION_ARGS)
{
	Check		check = {.server_name = NameStr(*PG_GETARG_NAME(0))};
	PinRow		row;

	pin_row_begin(&row, fcinfo);
	look_at_all(&check);
	for (int i = 0; i < PIN_STEPS; i++)
	{
		const Finding *finding = &check.findings[i];

		pin_row_text(&row, pin_step_name((PinStep) i));
		pin_row_text(&row, status_names[finding->status]);
		pin_row_text(&row, finding->detail);
		pin_row_text(&row, finding->hint);
		pin_row_end(&row);
	}
	return (Datum) 0;
}
