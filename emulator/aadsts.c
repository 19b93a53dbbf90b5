/*-------------------------------------------------------------------------
 *
 * aadsts.c
 *		The sign-in errors: code, OAuth name, words.
 *
 * The descriptions say in few words what the service says in many; clients
 * are to go by the code and the OAuth error.
 *
 *-------------------------------------------------------------------------
 */
#include "aadsts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define GRANT "invalid_grant"
#define REQUEST "invalid_request"
#define CLIENT "invalid_client"
#define INTERACT "interaction_required"

static const EmuAadsts table[] = {
	{50001, "invalid_resource", NULL, EMU_AADSTS_ANY, "The resource '%s' is not valid."},
	{50012, CLIENT, NULL, EMU_AADSTS_ASSERTION, "Certificate authentication failed: %s."},
	{50013, GRANT, "bad_token", EMU_AADSTS_ASSERTION, "Assertion is not valid: %s."},
	{50034, GRANT, NULL, EMU_AADSTS_USER, "The user account '%s' does not exist in the directory."},
	{50053, GRANT, NULL, EMU_AADSTS_USER, "The account is locked, or sign-in came from a blocked address."},
	{50055, GRANT, "user_password_expired", EMU_AADSTS_PASSWORD, "The password has expired."},
	{50056, GRANT, NULL, EMU_AADSTS_PASSWORD, "The directory has no password for this user."},
	{50057, GRANT, NULL, EMU_AADSTS_USER, "The user account is disabled."},
	{50072, INTERACT, NULL, EMU_AADSTS_USER, "The user must enrol in multifactor authentication."},
	{50074, INTERACT, NULL, EMU_AADSTS_USER, "Strong authentication is required."},
	{50076, GRANT, "basic_action", EMU_AADSTS_PASSWORD, "Multifactor authentication is required to access '%s'."},
	{50078, GRANT, "basic_action", EMU_AADSTS_USER, "The multifactor authentication has expired."},
	{50079, INTERACT, "basic_action", EMU_AADSTS_USER, "The user must enrol in multifactor authentication."},
	{50126, GRANT, NULL, EMU_AADSTS_PASSWORD, "Invalid username or password."},
	{50173, GRANT, "bad_token", EMU_AADSTS_REFRESH, "The grant was revoked; a fresh token is needed."},
	{50196, GRANT, NULL, EMU_AADSTS_ANY, "The client is in a request loop."},
	{53003, GRANT, "message_only", EMU_AADSTS_USER, "Access is blocked by Conditional Access policies."},
	{530032, GRANT, NULL, EMU_AADSTS_USER, "Blocked by security policy."},
	{530035, GRANT, NULL, EMU_AADSTS_USER, "Blocked by security defaults."},
	{54005, GRANT, NULL, EMU_AADSTS_USER, "The authorization code was already redeemed."},
	{65001, GRANT, "consent_required", EMU_AADSTS_ANY, "Neither user nor administrator has consented to use the application '%s'."},
	{650056, CLIENT, NULL, EMU_AADSTS_ANY, "The application is misconfigured."},
	{650057, "invalid_resource", NULL, EMU_AADSTS_ANY, "The resource is not in the application's list of permissions."},
	{70000, GRANT, NULL, EMU_AADSTS_USER, "The provided grant is not valid."},
	{70001, "unauthorized_client", NULL, EMU_AADSTS_ANY, "The application '%s' was not found."},
	{70003, "unsupported_grant_type", NULL, EMU_AADSTS_ANY, "The grant type '%s' is not supported."},
	{70008, GRANT, "token_expired", EMU_AADSTS_REFRESH, "The code or refresh token has expired."},
	{70011, "invalid_scope", NULL, EMU_AADSTS_ANY, "The value for the input parameter 'scope' is not valid: '%s'."},
	{70016, "authorization_pending", NULL, EMU_AADSTS_USER, "The user has not finished signing in on the device."},
	{70018, "bad_verification_code", NULL, EMU_AADSTS_USER, "The device code is not valid."},
	{70019, "expired_token", NULL, EMU_AADSTS_USER, "The device code has expired."},
	{70020, "authorization_declined", NULL, EMU_AADSTS_USER, "The user declined to sign in."},
	{70043, GRANT, "bad_token", EMU_AADSTS_REFRESH, "The refresh token is invalid by a sign-in frequency policy."},
	{700016, "unauthorized_client", NULL, EMU_AADSTS_ANY, "Application with identifier '%s' was not found in the directory."},
	{700025, CLIENT, NULL, EMU_AADSTS_SECRET, "The client is public: it must not send a credential."},
	{700027, CLIENT, NULL, EMU_AADSTS_ASSERTION, "The client assertion failed validation: %s."},
	{700082, GRANT, "token_expired", EMU_AADSTS_REFRESH, "The refresh token has expired due to inactivity."},
	{7000112, "unauthorized_client", NULL, EMU_AADSTS_ANY, "The application '%s' is disabled."},
	{7000215, CLIENT, NULL, EMU_AADSTS_SECRET, "Invalid client secret provided for app '%s'; send its value, not its ID."},
	{7000218, CLIENT, NULL, EMU_AADSTS_ANY, "The request body must contain 'client_assertion' or 'client_secret'."},
	{7000222, CLIENT, NULL, EMU_AADSTS_SECRET, "The client secret keys provided for app '%s' are expired."},
	{80001, GRANT, NULL, EMU_AADSTS_PASSWORD, "The authentication agent cannot reach the directory."},
	{90002, REQUEST, NULL, EMU_AADSTS_ANY, "Tenant '%s' not found."},
	{90055, "temporarily_unavailable", NULL, EMU_AADSTS_ANY, "The tenant is throttled."},
	{90094, GRANT, "consent_required", EMU_AADSTS_ANY, "Consent of an administrator is required."},
	{90099, CLIENT, NULL, EMU_AADSTS_ANY, "The application is not authorized in the tenant."},
	{900144, REQUEST, NULL, EMU_AADSTS_ANY, "The request body must contain the parameter '%s'."},
	{901002, REQUEST, NULL, EMU_AADSTS_ANY, "The 'resource' request parameter is not supported."},
	{9001023, REQUEST, NULL, EMU_AADSTS_ANY, "The grant type is not supported over '%s'; use a tenant."},
	{9002313, REQUEST, NULL, EMU_AADSTS_ANY, "The request is malformed or invalid."},
	{500011, "invalid_resource", NULL, EMU_AADSTS_ANY, "The resource principal named '%s' was not found in the tenant."},
};

const EmuAadsts *
emu_aadsts_find(int code)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

static char *
describe(const EmuAadsts *row, const char *about)
{
	const char *mark = strstr(row->text, "%s");

	if (mark == NULL)
		return emu_copy(row->text);
	return emu_format("%.*s%s%s", (int) (mark - row->text), row->text, about, mark + 2);
}

void
emu_aadsts_reply(const EmuRequest *request, EmuReply *reply, int code, const char *about)
{
	static const EmuAadsts unknown = {0, REQUEST, NULL, EMU_AADSTS_ANY, "Sign-in failed."};
	const EmuAadsts *row = emu_aadsts_find(code);
	char		trace[EMU_UUID_SIZE];
	char		correlation[EMU_UUID_SIZE];
	char		when[EMU_TIME_SIZE];
	char	   *text;
	char	   *description;
	char	   *uri;
	json_t	   *json;

	if (row == NULL)
		row = &unknown;
	emu_uuid(trace);
	emu_uuid(correlation);
	emu_time_text(emu_now(request->emu->switches), when);
	when[10] = ' ';				/* this host writes times with a blank */
	text = describe(row, about != NULL ? about : "");
	description = emu_format("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\n"
							 "Timestamp: %s", code, text, trace, correlation, when);
	uri = emu_format("%s/error?code=%d", request->emu->api_url, code);
	json = json_pack("{s:s, s:s, s:[i], s:s, s:s, s:s, s:s}", "error", row->error,
					 "error_description", description, "error_codes", code,
					 "timestamp", when, "trace_id", trace,
					 "correlation_id", correlation, "error_uri", uri);
	if (row->suberror != NULL)
		json_object_set_new(json, "suberror", json_string(row->suberror));
	emu_reply_body(reply, strcmp(row->error, CLIENT) == 0 ? 401 : 400,
				   "application/json; charset=utf-8", json_dumps(json, JSON_COMPACT));
	json_decref(json);
	free(text);
	free(description);
	free(uri);
}
