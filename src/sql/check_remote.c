/*-------------------------------------------------------------------------
 *
 * check_remote.c
 *		Steps of pinsight_check() that ask the sign-in service and the API.
 *
 * Three questions are asked of them: what the tenant's public document says,
 * a sign-in, and the list of datasets with the token that it brought.  What a
 * refusal means for which prerequisite is in the table of AADSTS numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "insights/aadsts.h"
#include "insights/ascii.h"
#include "insights/credential.h"
#include "insights/token.h"
#include "sql/check.h"
#include "text.h"
#include "transport/url.h"
#include "utils/timestamp.h"

#define SKEW_WARN_US (60 * USECS_PER_SEC)
#define SKEW_FAIL_US (300 * USECS_PER_SEC)

/* A certificate is renewed in time if one hears of it this long before. */
#define CERTIFICATE_WARN_SECONDS (30 * 24 * 60 * 60)

static int64
magnitude(int64 us)
{
	return us < 0 ? -us : us;
}

/* ---- hosts ---- */

/* A round trip for somebody without credentials. */
static const PinExchange *
visit(const PinOptions *place, const char *url, PinError *err)
{
	PinRequest	request = {.method = "GET",.url = url};
	PinHttpSettings settings;
	PinRoundtrip *trip;

	pin_credential_settings(&settings, place);
	trip = pin_roundtrip_open(&settings, err);
	return trip != NULL ? pin_roundtrip(trip, &request, err) : NULL;
}

/* Compares our clock with what the host's Date says. */
static void
note_time(PinCheck *check, const PinExchange *x)
{
	const char *date = pin_exchange_header(x, "Date");
	struct tm	tm = {0};
	TimestampTz theirs;
	int64		skew;

	if (date == NULL || strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
		return;
	theirs = time_t_to_timestamptz((pg_time_t) timegm(&tm));
	skew = GetCurrentTimestamp() - theirs;
	check->skew_known++;
	if (magnitude(skew) > magnitude(check->skew_us))
		check->skew_us = skew;
}

static void
reach(PinCheck *check, PinStep step, const char *url, const PinExchange *x,
	  const PinError *err)
{
	char		host[PIN_URL_HOST_SIZE];

	if (x == NULL)
	{
		pin_check_fail(check, step, err);
		return;
	}
	note_time(check, x);
	pin_check_set(check, step, PIN_STEP_OK,
				  psprintf("%s answers, %s", pin_url_host(url, host, sizeof(host)),
						   pin_url_is_https(url) ? "and its certificate is trusted" :
						   "by plain http on this machine"), NULL);
}

static void
accept_tenant(PinCheck *check)
{
	pin_check_set(check, PIN_STEP_TENANT, PIN_STEP_OK,
				  psprintf("%s is known", check->place->tenant), NULL);
}

/*
 * What the sign-in service says of the tenant to everybody.  Only its clear
 * word ends the check here: a gateway may not pass the question on.
 */
static void
judge_tenant(PinCheck *check, const PinExchange *x)
{
	PinCredentials credentials = {.tenant = check->place->tenant};
	PinReply	reply = pin_signing_reply(x);
	PinSignIn	answer = {0};
	PinError	err;

	if (reply.status == 200)
		accept_tenant(check);
	else if (!pin_sign_in_reply(&credentials, &reply, &answer, &err) && answer.aadsts != 0)
	{
		pin_check_fail(check, PIN_STEP_TENANT, &err);
		check->tenant_unknown = true;
	}
	else
		pin_check_set(check, PIN_STEP_TENANT, PIN_STEP_WARNING,
					  psprintf("the sign-in host did not tell (HTTP status %d)", reply.status),
					  "Check the server options \"login_url\" and \"tenant\".");
	pin_sign_in_free(&answer);
}

/* One question answers two steps: is the host there, and the tenant? */
void
pin_check_login_host(PinCheck *check)
{
	const PinExchange *x;
	PinError	err;
	char	   *url;

	if (check->place == NULL)
		return;
	if (check->place->tenant == NULL)
		url = psprintf("%s/", check->place->login_url);
	else
		url = psprintf("%s/%s/v2.0/.well-known/openid-configuration",
					   check->place->login_url, check->place->tenant);
	x = visit(check->place, url, &err);
	reach(check, PIN_STEP_LOGIN_HOST, url, x, &err);
	if (x != NULL && check->place->tenant != NULL)
		judge_tenant(check, x);
}

/* Whatever it answers to a stranger, it has been reached. */
void
pin_check_api_host(PinCheck *check)
{
	const PinExchange *x;
	PinError	err;
	char	   *url;

	if (check->place == NULL)
		return;
	url = psprintf("%s/", check->place->api_url);
	x = visit(check->place, url, &err);
	reach(check, PIN_STEP_API_HOST, url, x, &err);
	check->api_reached = x != NULL;
}

void
pin_check_clock(PinCheck *check)
{
	int64		skew = magnitude(check->skew_us);
	char	   *detail;

	if (check->results[PIN_STEP_LOGIN_HOST].status != PIN_STEP_OK && !check->api_reached)
		return;
	if (check->skew_known == 0)
	{
		pin_check_set(check, PIN_STEP_CLOCK, PIN_STEP_WARNING,
					  "no host has told the time", NULL);
		return;
	}
	detail = psprintf("this machine's clock is %lld s %s",
					  (long long) (skew / USECS_PER_SEC),
					  check->skew_us < 0 ? "behind" : "ahead");
	if (skew <= SKEW_WARN_US)
		pin_check_set(check, PIN_STEP_CLOCK, PIN_STEP_OK, "this machine's clock is right", NULL);
	else
		pin_check_set(check, PIN_STEP_CLOCK,
					  skew > SKEW_FAIL_US ? PIN_STEP_FAILED : PIN_STEP_WARNING, detail,
					  "Set the clock, and let it follow a time server.");
}

/* ---- the sign-in ---- */

static PinStep
step_of(PinPrerequisite needs)
{
	return PIN_STEP_TENANT + (needs - PIN_NEEDS_TENANT);
}

/* What a sign-in that has failed is about. */
static PinPrerequisite
unfulfilled(const PinSigning *signing, const PinError *err)
{
	const PinAadsts *row = pin_aadsts_find(signing->result.aadsts);

	if (row != NULL)
		return row->needs;
	return err->kind == PIN_ERROR_MFA ? PIN_NEEDS_MFA : PIN_NEEDS_USER;
}

static const char *
write_day(time_t time)
{
	return pnstrdup(timestamptz_to_str(time_t_to_timestamptz((pg_time_t) time)),
					strlen("2026-03-01"));
}

/* Without a sign-in; false if the certificate cannot be used at all. */
static bool
check_certificate(PinCheck *check)
{
	PinCertificateInfo info;
	PinError	err;
	char	   *detail;

	if (!pin_certificate_check(check->options->certificate, check->options->private_key,
							   &info, &err))
	{
		pin_check_fail(check, PIN_STEP_SECRET, &err);
		return false;
	}
	detail = psprintf("certificate %s, valid until %s", info.thumbprint, write_day(info.not_after));
	if (time(NULL) > info.not_after)
	{
		pin_check_set(check, PIN_STEP_SECRET, PIN_STEP_FAILED, detail,
					  "The certificate has expired: make a new one and register it with the application.");
		return false;
	}
	if (time(NULL) > info.not_after - CERTIFICATE_WARN_SECONDS)
		pin_check_set(check, PIN_STEP_SECRET, PIN_STEP_WARNING, detail,
					  "Make a new certificate soon and register it with the application.");
	else
		pin_check_set(check, PIN_STEP_SECRET, PIN_STEP_OK, detail, NULL);
	return true;
}

static void
accept_secret(PinCheck *check)
{
	if (check->results[PIN_STEP_SECRET].status != PIN_STEP_NOT_REACHED)
		return;					/* the certificate has been looked at */
	pin_check_set(check, PIN_STEP_SECRET, PIN_STEP_OK, check->options->client_secret != NULL ?
				  "the client secret is accepted; only the application's registration tells when it ends" :
				  "none is given, and none is needed", NULL);
}

/* The user has signed in; how long does that last? */
static void
accept_user(PinCheck *check)
{
	const PinOptions *o = check->options;
	const char *who = check->signing->result.account;
	TimestampTz end = o->refresh_token_issued + PIN_REFRESH_TOKEN_LIFE_US;
	char	   *detail;

	if (o->refresh_token == NULL && o->username == NULL)
	{
		pin_check_set(check, PIN_STEP_USER, PIN_STEP_OK,
					  "no user: the application signs in by itself", NULL);
		return;
	}
	detail = psprintf("signed in as %s", who != NULL ? pin_text_to_server(who) :
					  "a user who is not named");
	if (o->refresh_token == NULL)
		pin_check_set(check, PIN_STEP_USER, PIN_STEP_OK, detail, NULL);
	else if (o->refresh_token_issued == 0)
		pin_check_set(check, PIN_STEP_USER, PIN_STEP_OK,
					  psprintf("%s; since when the refresh token exists is not known", detail),
					  "Let pinsight_rotate or pinsight_login write a new one, and its end is watched.");
	else
		pin_check_set(check, PIN_STEP_USER,
					  GetCurrentTimestamp() > end - PIN_REFRESH_TOKEN_WARN_US ?
					  PIN_STEP_WARNING : PIN_STEP_OK,
					  psprintf("%s; the refresh token is good until %s", detail,
							   timestamptz_to_str(end)),
					  GetCurrentTimestamp() > end - PIN_REFRESH_TOKEN_WARN_US ?
					  "Renew it with pinsight_rotate, or sign in again with CALL pinsight_login." : NULL);
}

/*
 * Fills the rows up to the one that has failed, which comes as PIN_STEPS if
 * none has.
 */
static void
accept_until(PinCheck *check, PinStep failed)
{
	if (failed > PIN_STEP_TENANT)
		accept_tenant(check);
	if (failed > PIN_STEP_APPLICATION)
		pin_check_set(check, PIN_STEP_APPLICATION, PIN_STEP_OK,
					  "the tenant knows the application", NULL);
	if (failed > PIN_STEP_SECRET)
		accept_secret(check);
	else if (failed != PIN_STEP_SECRET)
		pin_check_set(check, PIN_STEP_SECRET, PIN_STEP_NOT_REACHED, NULL, NULL);
	if (failed > PIN_STEP_CONSENT)
		pin_check_set(check, PIN_STEP_CONSENT, PIN_STEP_OK, "consent was given", NULL);
}

void
pin_check_sign_in(PinCheck *check)
{
	PinError	err;
	PinStep		failed;

	if (check->options == NULL || check->tenant_unknown ||
		check->results[PIN_STEP_LOGIN_HOST].status != PIN_STEP_OK)
		return;
	if (check->options->certificate != NULL && !check_certificate(check))
		return;
	check->signing = pin_signing_open(check->options, &err);
	if (check->signing == NULL)
	{
		pin_check_fail(check, PIN_STEP_USER, &err);
		return;
	}
	if (pin_signing_sign_in(check->signing, &err))
	{
		PinHash		credential;

		accept_until(check, PIN_STEPS);
		accept_user(check);
		pin_credential_hash(credential, check->options);
		pin_token_put(credential, &check->signing->result);
		return;
	}
	failed = step_of(unfulfilled(check->signing, &err));
	accept_until(check, failed);
	if (failed > PIN_STEP_USER)
		pin_check_set(check, PIN_STEP_USER, PIN_STEP_OK, "the user is known", NULL);
	if (failed > PIN_STEP_MFA)
		pin_check_set(check, PIN_STEP_MFA, PIN_STEP_OK, "the sign-in did not ask for more", NULL);
	pin_check_fail(check, failed, &err);
}

/* ---- the API ---- */

/* What the API says of the token's second factor. */
static void
judge_mfa(PinCheck *check, const char *compliant)
{
	const PinOptions *o = check->options;

	if (o->refresh_token == NULL && o->username == NULL)
		pin_check_set(check, PIN_STEP_MFA, PIN_STEP_OK,
					  "not needed: the application signs in by itself", NULL);
	else if (compliant != NULL && pin_ascii_equal(compliant, "true"))
		pin_check_set(check, PIN_STEP_MFA, PIN_STEP_OK,
					  "the token carries multifactor authentication", NULL);
	else if (compliant != NULL || o->refresh_token == NULL)
		pin_check_set(check, PIN_STEP_MFA, PIN_STEP_WARNING, compliant != NULL ?
					  "the token carries no multifactor authentication" :
					  "the service did not say whether the token carries multifactor authentication",
					  "The service refuses such tokens step by step: sign in with CALL pinsight_login.");
	else
		pin_check_set(check, PIN_STEP_MFA, PIN_STEP_OK,
					  "the token is accepted; the service did not say more", NULL);
}

static void
judge_datasets(PinCheck *check, const PinDatasetList *list)
{
	pin_check_set(check, PIN_STEP_PERMISSION, PIN_STEP_OK, "the API accepts the token", NULL);
	if (list->redacted)
		pin_check_set(check, PIN_STEP_ROLE, PIN_STEP_WARNING,
					  "the service hides some data from this user",
					  "Give the user the role Executive Report Viewer in Partner Center, and no lesser report role.");
	else
		pin_check_set(check, PIN_STEP_ROLE, PIN_STEP_OK, "nothing is hidden", NULL);
	if (list->count == 0)
		pin_check_set(check, PIN_STEP_DATASETS, PIN_STEP_FAILED, "the service offers no datasets",
					  "Check the server options \"program\", \"api_url\" and \"api_version\", and that the company is enrolled.");
	else
		pin_check_set(check, PIN_STEP_DATASETS, PIN_STEP_OK,
					  psprintf(list->next_link != NULL ? "more than %d datasets" : "%d datasets",
							   (int) list->count), NULL);
}

/* An error of the API: whose row is it? */
static void
judge_refusal(PinCheck *check, const char *compliant, const PinError *err)
{
	if (err->kind == PIN_ERROR_MFA)
	{
		pin_check_fail(check, PIN_STEP_MFA, err);
		return;
	}
	if (compliant != NULL || check->options->refresh_token == NULL)
		judge_mfa(check, compliant);
	if (err->kind == PIN_ERROR_FORBIDDEN)
	{
		pin_check_set(check, PIN_STEP_PERMISSION, PIN_STEP_OK, "the API accepts the token", NULL);
		pin_check_fail(check, PIN_STEP_ROLE, err);
	}
	else
		pin_check_fail(check, PIN_STEP_PERMISSION, err);
}

/* Lists the datasets, and asks about the second factor on the way. */
static const PinExchange *
ask_datasets(PinCheck *check, PinError *err)
{
	PinApi		api = {
		.api_url = check->options->api_url,
		.api_version = check->options->api_version,
		.program = check->options->program
	};
	PinApiRequest *wish = &check->signing->request;
	PinRequest	request = {0};

	if (!pin_api_list_datasets(&api, NULL, wish, err))
		return NULL;
	request.method = wish->method;
	request.url = wish->url;
	request.content_type = wish->content_type;
	request.bearer = check->signing->result.access_token;
	request.validate_mfa = true;
	return pin_roundtrip(check->signing->trip, &request, err);
}

/* An answer that repeats the token is not shown. */
static void
hide_token(const PinReply *reply, const char *token, PinError *err)
{
	if (memmem(reply->body, reply->body_len, token, strlen(token)) != NULL)
		pin_error_detail(err, "The service's answer is not shown: it repeats the sign-in token.");
}

void
pin_check_api(PinCheck *check)
{
	const PinExchange *x;
	const char *compliant;
	PinDatasetList list;
	PinReply	reply;
	PinError	err;

	if (check->signing == NULL || check->signing->result.access_token == NULL ||
		!check->api_reached)
		return;
	x = ask_datasets(check, &err);
	if (x == NULL)
	{
		pin_check_fail(check, PIN_STEP_PERMISSION, &err);
		return;
	}
	reply = pin_signing_reply(x);
	compliant = pin_exchange_header(x, "isMfaCompliant");
	if (pin_api_list_datasets_reply(&reply, &list, &err))
	{
		judge_mfa(check, compliant);
		judge_datasets(check, &list);
		pin_api_dataset_list_free(&list);
	}
	else
	{
		hide_token(&reply, check->signing->result.access_token, &err);
		judge_refusal(check, compliant, &err);
	}
}
