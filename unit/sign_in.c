/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *		Unit test of src/insights/sign_in.c and aadsts.c.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/aadsts.h"
#include "insights/sign_in.h"
#include "tap.h"

#include <stddef.h>
#include <stdlib.h>

static const PinCredentials with_password = {
	.login_url = "https://login.microsoftonline.com",
	.tenant = "contoso.onmicrosoft.com",
	.resource = "https://api.partnercenter.microsoft.com",
	.client_id = "c1",
	.client_secret = "s3cr3t/+value",
	.username = "user@contoso.com",
	.password = "pa55 w&rd=",
};

static PinReply
reply_of(int status, const char *body)
{
	PinReply	reply = {status, body, strlen(body), NULL, -1, NULL};

	return reply;
}

/* ---- requests ---- */

static void
is_request(const PinCredentials *credentials, const char *url, const char *body)
{
	PinApiRequest request;
	PinError	err;

	ok(pin_sign_in_request(credentials, &request, &err), "a request: %s", err.detail);
	is_str(request.method, "POST", "method");
	is_str(request.content_type, "application/x-www-form-urlencoded", "content type");
	is_str(request.url, url, "url");
	is_str(request.body, body, "body");
	is_int(request.body_len, strlen(body), "body's length");
	pin_api_request_free(&request);
	ok(request.url == NULL && request.body == NULL, "freed");
	pin_api_request_free(&request);
}

static void
test_grants(void)
{
	PinCredentials credentials = with_password;

	is_int(pin_sign_in_grant(&credentials), PIN_GRANT_PASSWORD, "a user: grant password");
	is_request(&credentials,
			   "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token",
			   "resource=https%3A%2F%2Fapi.partnercenter.microsoft.com&client_id=c1"
			   "&client_secret=s3cr3t%2F%2Bvalue&grant_type=password"
			   "&username=user%40contoso.com&password=pa55%20w%26rd%3D&scope=openid");

	credentials.refresh_token = "0.A-b_c~d";
	is_int(pin_sign_in_grant(&credentials), PIN_GRANT_REFRESH_TOKEN, "a refresh token goes first");
	is_request(&credentials,
			   "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token",
			   "resource=https%3A%2F%2Fapi.partnercenter.microsoft.com&client_id=c1"
			   "&client_secret=s3cr3t%2F%2Bvalue&grant_type=refresh_token"
			   "&refresh_token=0.A-b_c~d&scope=openid");

	credentials.refresh_token = "";
	credentials.username = NULL;
	credentials.login_url = "http://127.0.0.1:8080//";
	credentials.tenant = "a/../b?x#y";
	is_int(pin_sign_in_grant(&credentials), PIN_GRANT_CLIENT_CREDENTIALS, "neither: the application");
	is_request(&credentials, "http://127.0.0.1:8080/a%2F..%2Fb%3Fx%23y/oauth2/token",
			   "resource=https%3A%2F%2Fapi.partnercenter.microsoft.com&client_id=c1"
			   "&client_secret=s3cr3t%2F%2Bvalue&grant_type=client_credentials");
}

#define V2 "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/"
#define SCOPE "scope=https%3A%2F%2Fapi.partnercenter.microsoft.com%2F.default"
#define USER_SCOPE SCOPE "%20openid%20profile%20offline_access"

static void
test_version_2(void)
{
	PinCredentials credentials = with_password;

	credentials.v2 = true;
	is_request(&credentials, V2 "token",
			   "client_id=c1&client_secret=s3cr3t%2F%2Bvalue&grant_type=password"
			   "&username=user%40contoso.com&password=pa55%20w%26rd%3D&" USER_SCOPE);
	credentials.username = credentials.password = NULL;
	is_request(&credentials, V2 "token",
			   "client_id=c1&client_secret=s3cr3t%2F%2Bvalue&grant_type=client_credentials&" SCOPE);
	credentials.client_secret = NULL;
	credentials.refresh_token = "r1";
	is_request(&credentials, V2 "token",
			   "client_id=c1&grant_type=refresh_token&refresh_token=r1&" USER_SCOPE);

	/* codes take version 2 whatever the option says */
	credentials.v2 = false;
	credentials.code = "a/b";
	credentials.redirect_uri = "http://localhost";
	credentials.code_verifier = "v1";
	is_int(pin_sign_in_grant(&credentials), PIN_GRANT_AUTHORIZATION_CODE, "a code goes first");
	is_request(&credentials, V2 "token",
			   "client_id=c1&grant_type=authorization_code&code=a%2Fb"
			   "&redirect_uri=http%3A%2F%2Flocalhost&code_verifier=v1&" USER_SCOPE);
	credentials.device_code = "d1";
	is_int(pin_sign_in_grant(&credentials), PIN_GRANT_DEVICE_CODE, "and a device code before it");
	is_request(&credentials, V2 "token",
			   "client_id=c1&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
			   "&device_code=d1");
}

static void
test_authorize_url(void)
{
	PinCredentials credentials = with_password;
	PinError	err;
	char	   *url;

	credentials.redirect_uri = "http://localhost";
	url = pin_authorize_url(&credentials, "s1", "h1", &err);
	is_str(url, V2 "authorize?client_id=c1&response_type=code&redirect_uri=http%3A%2F%2Flocalhost"
		   "&response_mode=query&" USER_SCOPE "&state=s1&code_challenge=h1"
		   "&code_challenge_method=S256&prompt=select_account", "the address to sign in at");
	free(url);
	credentials.client_id = NULL;
	ok(pin_authorize_url(&credentials, "s1", "h1", &err) == NULL && err.kind == PIN_ERROR_SIGN_IN,
	   "not without an application");
}

/* ---- device codes ---- */

#define DEVICE "{\"device_code\":\"d1\",\"user_code\":\"ABCD\"," \
	"\"verification_uri\":\"https://microsoft.com/devicelogin\""

static void
is_no_code(int status, const char *body, PinErrorKind kind)
{
	PinReply	reply = reply_of(status, body);
	PinDeviceCode code;
	PinError	err;

	ok(!pin_device_code_reply(&with_password, &reply, &code, &err), "%d %.60s", status, body);
	is_int(err.kind, kind, "kind");
	ok(code.device_code == NULL && code.user_code == NULL && code.url == NULL, "no code");
}

static void
is_code(const char *body, int interval, int expires_in)
{
	PinReply	reply = reply_of(200, body);
	PinDeviceCode code;
	PinError	err;

	ok(pin_device_code_reply(&with_password, &reply, &code, &err), "%.90s", body);
	is_str(code.device_code, "d1", "device code");
	is_str(code.user_code, "ABCD", "user code");
	is_str(code.url, "https://microsoft.com/devicelogin", "address");
	is_int(code.interval, interval, "interval");
	is_int(code.expires_in, expires_in, "life");
	pin_device_code_free(&code);
	pin_device_code_free(&code);
}

static void
test_device_code(void)
{
	PinCredentials credentials = with_password;
	PinApiRequest request;
	PinError	err;

	ok(pin_device_code_request(&credentials, &request, &err), "a request for a device code");
	is_str(request.url, V2 "devicecode", "address");
	is_str(request.body, "client_id=c1&" USER_SCOPE, "form");
	pin_api_request_free(&request);
	credentials.tenant = NULL;
	ok(!pin_device_code_request(&credentials, &request, &err), "not without a tenant");

	is_code(DEVICE ",\"expires_in\":900,\"interval\":5}", 5, 900);
	is_code(DEVICE ",\"expires_in\":\"600\",\"interval\":0}", 1, 600);
	is_code(DEVICE ",\"expires_in\":-5,\"interval\":99999}", 60, 1);
	is_code(DEVICE ",\"expires_in\":99999999}", 5, 3600);
	is_no_code(200, "{}", PIN_ERROR_REPLY);
	is_no_code(200, "hello", PIN_ERROR_REPLY);
	is_no_code(200, "{\"device_code\":\"d1\",\"user_code\":\"A\",\"verification_uri\":\"http://x/\"}",
			   PIN_ERROR_REPLY);
	is_no_code(200, "{\"device_code\":\"d1\",\"user_code\":\"A\\u001b\",\"verification_uri\":\"https://x/\"}",
			   PIN_ERROR_REPLY);
	is_no_code(200, "{\"device_code\":\"d 1\",\"user_code\":\"A\",\"verification_uri\":\"https://x/\"}",
			   PIN_ERROR_REPLY);
	is_no_code(400, "{\"error\":\"invalid_client\",\"error_codes\":[7000218]}", PIN_ERROR_SIGN_IN);
	is_no_code(503, "", PIN_ERROR_SERVICE);
}

/* What a question after a device code is answered with. */
static void
is_answer(const char *error, int code, bool pending, bool slow_down, PinErrorKind kind)
{
	char		body[256];
	PinReply	reply;
	PinSignIn	result;
	PinError	err;

	snprintf(body, sizeof(body), code != 0 ? "{\"error\":\"%s\",\"error_codes\":[%d]}" :
			 "{\"error\":\"%s\"}", error, code);
	reply = reply_of(400, body);
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "%s", body);
	is_int(result.pending, pending, "pending");
	is_int(result.slow_down, slow_down, "slow down");
	is_int(err.kind, kind, "kind");
	ok(err.hint[0] != '\0' || pending, "with a hint");
}

static void
test_device_answers(void)
{
	is_answer("authorization_pending", 70016, true, false, PIN_ERROR_SIGN_IN);
	is_answer("authorization_pending", 0, true, false, PIN_ERROR_SIGN_IN);
	is_answer("slow_down", 0, true, true, PIN_ERROR_SIGN_IN);
	is_answer("authorization_declined", 70020, false, false, PIN_ERROR_SIGN_IN);
	is_answer("access_denied", 0, false, false, PIN_ERROR_SIGN_IN);
	is_answer("expired_token", 70019, false, false, PIN_ERROR_SECRET_EXPIRED);
	is_answer("expired_token", 0, false, false, PIN_ERROR_SECRET_EXPIRED);
	is_answer("bad_verification_code", 0, false, false, PIN_ERROR_SIGN_IN);
}

static void
test_public_client(void)
{
	PinCredentials credentials = with_password;
	PinApiRequest request;
	PinError	err;

	credentials.client_secret = NULL;
	ok(pin_sign_in_request(&credentials, &request, &err), "a public client may sign in a user");
	ok(strstr(request.body, "client_secret") == NULL, "and sends no secret");
	pin_api_request_free(&request);
}

/* Every byte a secret can have arrives as one value of the form. */
static void
test_hostile_secret(void)
{
	PinCredentials credentials = with_password;
	PinApiRequest request;
	PinError	err;
	char		secret[256];
	const char *p;
	int			decoded = 0;

	for (int i = 0; i < 255; i++)
		secret[i] = (char) (i + 1);
	secret[255] = '\0';
	credentials.password = secret;
	ok(pin_sign_in_request(&credentials, &request, &err), "a password of every byte");
	p = strstr(request.body, "&password=") + strlen("&password=");
	while (*p && *p != '&')
	{
		unsigned	byte;

		if (*p == '%' && sscanf(p + 1, "%2X", &byte) == 1)
			p += 3;
		else
			byte = (unsigned char) *p++;
		if (byte != (unsigned char) secret[decoded])
			break;
		decoded++;
	}
	is_int(decoded, 255, "comes back byte for byte");
	is_str(p, "&scope=openid", "and nothing of it leaks into the next value");
	for (p = request.body; *p; p++)
		if (*p <= ' ' || *p > '~')
			break;
	ok(*p == '\0', "the form is printable ASCII");
	pin_api_request_free(&request);
}

static void
test_missing(void)
{
	static const struct
	{
		const char *named;
		size_t		offset;
	}			cases[] = {
		{"login_url", offsetof(PinCredentials, login_url)},
		{"tenant", offsetof(PinCredentials, tenant)},
		{"resource", offsetof(PinCredentials, resource)},
		{"client_id", offsetof(PinCredentials, client_id)},
		{"password", offsetof(PinCredentials, password)},
	};
	PinCredentials credentials;
	PinApiRequest request;
	PinError	err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		credentials = with_password;
		*(const char **) ((char *) &credentials + cases[i].offset) = i % 2 ? NULL : "";
		ok(!pin_sign_in_request(&credentials, &request, &err), "no %s", cases[i].named);
		is_int(err.kind, PIN_ERROR_SIGN_IN, "its kind");
		has_str(err.detail, cases[i].named, "its detail");
		ok(request.url == NULL && request.body == NULL, "no request");
	}
	credentials = with_password;
	credentials.username = NULL;
	credentials.client_secret = NULL;
	ok(!pin_sign_in_request(&credentials, &request, &err), "neither user nor secret");
	has_str(err.detail, "client_secret", "its detail");
}

/* ---- success ---- */

static void
is_signed_in(const char *body, const char *access, int expires_in, const char *refresh)
{
	PinReply	reply = reply_of(200, body);
	PinSignIn	result;
	PinError	err;

	ok(pin_sign_in_reply(&with_password, &reply, &result, &err), "%.70s", body);
	is_str(result.access_token, access, "access token");
	is_int(result.expires_in, expires_in, "its life");
	is_str(result.refresh_token, refresh, "refresh token");
	pin_sign_in_free(&result);
	ok(result.access_token == NULL, "freed");
	pin_sign_in_free(&result);
}

static void
test_success(void)
{
	is_signed_in("{\"token_type\":\"Bearer\",\"expires_in\":\"3599\",\"ext_expires_in\":\"3599\","
				 "\"expires_on\":\"1612794445\",\"not_before\":\"1612790545\","
				 "\"resource\":\"https://api.partnercenter.microsoft.com\",\"access_token\":\"eyJ.a-_\"}",
				 "eyJ.a-_", 3599, NULL);
	is_signed_in("{\"access_token\":\"t\",\"expires_in\":3600,\"refresh_token\":\"r2\"}",
				 "t", 3600, "r2");
	is_signed_in("\xEF\xBB\xBF{\"Access_Token\":\"t\",\"Expires_In\":\" 60 \",\"error\":null}",
				 "t", 60, NULL);
	is_signed_in("{\"access_token\":\"t\"}", "t", 300, NULL);
	is_signed_in("{\"access_token\":\"t\",\"expires_in\":-5}", "t", 0, NULL);
	is_signed_in("{\"access_token\":\"t\",\"expires_in\":99999999999}", "t", 86400, NULL);
	is_signed_in("{\"access_token\":\"t\",\"expires_in\":\"soon\"}", "t", 300, NULL);
	is_signed_in("{\"access_token\":\"t\",\"refresh_token\":\"a\\nb\"}", "t", 300, NULL);
}

/* ---- refusals ---- */

static void
check_refusal(int status, const char *body, PinErrorKind kind, bool retry,
			  const char *detail)
{
	PinReply	reply = reply_of(status, body);
	PinSignIn	result;
	PinError	err;

	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "%d %.70s", status, body);
	is_int(err.kind, kind, "kind");
	is_int(err.http_status, status, "status");
	ok(result.retry == retry, "%s", retry ? "may be tried again" : "must not be tried again");
	ok(result.access_token == NULL && result.refresh_token == NULL, "no tokens");
	has_str(err.detail, detail, "detail");
}

static void
test_bad_success(void)
{
	check_refusal(200, "{}", PIN_ERROR_REPLY, false, "");
	check_refusal(200, "", PIN_ERROR_REPLY, false, "empty");
	check_refusal(200, "<html>portal</html>", PIN_ERROR_REPLY, false, "not JSON");
	check_refusal(200, "{\"access_token\":7}", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "{\"access_token\":\"\"}", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "{\"access_token\":\"a\\r\\nX-Evil: 1\"}", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "{\"access_token\":\"a b\"}", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "{\"access_token\":\"\xC3\xA4\"}", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "[\"access_token\"]", PIN_ERROR_REPLY, false, "no usable");
	check_refusal(200, "{\"access_token\":\"t\",\"error\":\"invalid_grant\"}",
				  PIN_ERROR_SIGN_IN, false, "invalid_grant");
}

static void
test_words(void)
{
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"consent_required\"}",
				  PIN_ERROR_SIGN_IN, false, "invalid_grant");
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"basic_action\"}",
				  PIN_ERROR_MFA, false, "invalid_grant");
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"additional_action\"}",
				  PIN_ERROR_MFA, false, "invalid_grant");
	check_refusal(400, "{\"error\":\"interaction_required\"}", PIN_ERROR_MFA, false, "interaction");
	check_refusal(400, "{\"error\":\"interaction_required\",\"suberror\":\"consent_required\"}",
				  PIN_ERROR_SIGN_IN, false, "interaction");
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"token_expired\"}",
				  PIN_ERROR_SECRET_EXPIRED, false, "invalid_grant");
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\"}",
				  PIN_ERROR_SECRET_EXPIRED, false, "invalid_grant");
	check_refusal(400, "{\"error\":\"invalid_grant\",\"suberror\":\"user_password_expired\"}",
				  PIN_ERROR_SIGN_IN, false, "invalid_grant");
	check_refusal(401, "{\"error\":\"invalid_client\"}", PIN_ERROR_SIGN_IN, false, "invalid_client");
	check_refusal(400, "{\"error\":\"temporarily_unavailable\"}", PIN_ERROR_SERVICE, true,
				  "temporarily");
	check_refusal(400, "{\"error\":\"unheard_of\",\"error_codes\":\"x\"}", PIN_ERROR_SIGN_IN,
				  false, "unheard_of");
}

static void
test_statuses(void)
{
	check_refusal(302, "", PIN_ERROR_REDIRECT, false, "HTTP status 302");
	check_refusal(404, "<html><head><title>Not \n Found</title></head></html>",
				  PIN_ERROR_SIGN_IN, false, "Not Found");
	check_refusal(429, "", PIN_ERROR_THROTTLED, true, "HTTP status 429");
	check_refusal(500, "boom", PIN_ERROR_SERVICE, true, "boom");
	check_refusal(503, "{\"error\":\"x\"", PIN_ERROR_SERVICE, true, "x");
	check_refusal(503, "{\"error_codes\":[50126]}", PIN_ERROR_SERVICE, true, "503");
	check_refusal(400, "{}", PIN_ERROR_SIGN_IN, false, "HTTP status 400");
	check_refusal(400, "", PIN_ERROR_SIGN_IN, false, "HTTP status 400");
}

/* Each row of the table, told by code and told by text only. */
static void
check_row(const PinAadsts *row, int code)
{
	char		bodies[2][400];
	PinReply	reply;
	PinSignIn	result;
	PinError	err;

	snprintf(bodies[0], sizeof(bodies[0]),
			 "{\"error\":\"invalid_grant\",\"error_description\":\"Words.\",\"error_codes\":[%d]}",
			 code);
	snprintf(bodies[1], sizeof(bodies[1]),
			 "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS%d: Words.\"}", code);
	for (int i = 0; i < 2; i++)
	{
		reply = reply_of(400, bodies[i]);
		ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "AADSTS%d", code);
		is_int(err.kind, row->kind, "kind");
		is_str(err.hint, row->hint, "hint");
		is_int(result.aadsts, code, "number");
		ok(result.retry == row->retry, "retry");
		is_str(err.message, "could not sign in to tenant \"contoso.onmicrosoft.com\"", "message");
	}
}

static void
test_table(void)
{
	static const int documented[] = {
		50126, 50034, 50053, 50055, 50056, 50057, 50076, 50078, 50079, 50072, 50074,
		53003, 530032, 530035, 65001, 90094, 650056, 650057, 90099, 700016, 7000112,
		70001, 7000215, 7000222, 7000218, 700025, 700027, 50012, 50013, 700082, 70008,
		70043, 50173, 70000, 54005, 90002, 500011, 50001, 70011, 901002, 900144, 9002313,
		9001023, 90055, 50196, 70016, 70019, 80001, 80014
	};
	size_t		count;
	const PinAadsts *table = pin_aadsts_table(&count);

	for (size_t i = 0; i < count; i++)
	{
		const PinAadsts *row = &table[i];

		check_row(row, row->code);
		check_row(row, row->last_code);
		ok(strlen(row->hint) < PIN_ERROR_HINT_SIZE, "the hint is not cut");
		ok(row->last_code >= row->code && (i == 0 || table[i - 1].last_code < row->code),
		   "sorted");
	}
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		ok(pin_aadsts_find(documented[i]) != NULL, "AADSTS%d has a row", documented[i]);
	ok(pin_aadsts_find(1) == NULL && pin_aadsts_find(0) == NULL, "others have none");
	is_int(pin_aadsts_find(50076)->kind, PIN_ERROR_MFA, "50076 is about MFA");
	is_int(pin_aadsts_find(7000222)->kind, PIN_ERROR_SECRET_EXPIRED, "7000222: secret expired");
	is_int(pin_aadsts_find(90055)->kind, PIN_ERROR_THROTTLED, "90055: throttled");

	is_int(pin_aadsts_in_text("error aadsts70011 and AADSTS50126"), 70011, "the first number");
	is_int(pin_aadsts_in_text("AADSTS"), 0, "no number");
	is_int(pin_aadsts_in_text("AADSTS99999999999999"), 99999999, "a number without end");
	is_int(pin_aadsts_in_text(""), 0, "nothing");
}

static void
test_codes(void)
{
	PinReply	reply;
	PinSignIn	result;
	PinError	err;

	reply = reply_of(400, "{\"error\":\"e\",\"error_codes\":[1, \"50076\"]}");
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "several codes");
	is_int(result.aadsts, 50076, "the first we know counts, even as text");
	reply = reply_of(400, "{\"error\":\"e\",\"error_codes\":[123456],\"error_description\":"
					 "\"AADSTS123456: Strange.\"}");
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "an unknown code");
	is_int(result.aadsts, 123456, "is told");
	is_str(err.hint, "", "but has no hint of its own");
	reply = reply_of(400, "{\"error\":\"e\",\"error_codes\":[123456],\"error_description\":"
					 "\"AADSTS50126: Bad password.\"}");
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "unknown code, known text");
	is_int(result.aadsts, 50126, "the known one counts");
	reply = reply_of(400, "{\"error\":\"e\",\"error_codes\":[-1, 99999999999, {}, null, \"x\"]}");
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "codes that are none");
	is_int(result.aadsts, 0, "do not count");
}

/* ---- what an error tells ---- */

static void
test_detail(void)
{
	PinReply	reply = reply_of(401,
								 "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: "
								 "Invalid client secret provided.\\r\\nTrace ID: 12ab\\r\\nCorrelation ID: 34cd"
								 "\\r\\nTimestamp: 2016-01-09 02:02:12Z\",\"error_codes\":[7000215]}");
	PinSignIn	result;
	PinError	err;

	reply.retry_after_ms = 1500;
	ok(!pin_sign_in_reply(&with_password, &reply, &result, &err), "refused");
	is_str(err.detail, "The sign-in service answered: AADSTS7000215: Invalid client secret provided.",
		   "the detail ends before the identifiers");
	is_int(err.retry_after_ms, 1500, "the wish to wait is passed on");
}

static void
tells_nothing(const PinCredentials *credentials, int status, const char *body,
			  const char *secret)
{
	PinReply	reply = reply_of(status, body);
	PinSignIn	result;
	PinError	err;

	ok(!pin_sign_in_reply(credentials, &reply, &result, &err), "%d %.60s", status, body);
	ok(strstr(err.message, secret) == NULL && strstr(err.detail, secret) == NULL &&
	   strstr(err.hint, secret) == NULL, "does not repeat the secret");
}

static void
test_secrets(void)
{
	PinCredentials credentials = with_password;
	char		page[700];

	tells_nothing(&with_password, 400,
				  "{\"error\":\"e\",\"error_description\":\"secret s3cr3t/+value is wrong\"}", "s3cr3t");
	tells_nothing(&with_password, 400,
				  "{\"error\":\"e\",\"error_description\":\"secret s3cr3t%2F%2Bvalue is wrong\"}", "s3cr3t");
	tells_nothing(&with_password, 400,
				  "{\"error\":\"e\",\"error_description\":\"password \\u0070a55 w\\u0026rd=!\"}", "pa55");
	tells_nothing(&with_password, 400, "you sent password=pa55%20w%26rd%3D", "pa55");
	tells_nothing(&with_password, 400, "{\"error\":\"s3cr3t/+value\"}", "s3cr3t");
	tells_nothing(&with_password, 200, "s3cr3t/+value", "s3cr3t");

	/* what has been signed, wherever it stands */
	tells_nothing(&with_password, 400, "eyJhbGci is none, "
				  "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJjMSJ9.c2lnbmF0dXJl is", "c2lnbmF0dXJl");

	/* a secret that the cut of a long text would halve */
	memset(page, 'x', sizeof(page));
	strcpy(page + PIN_REMOTE_TEXT_MAX - 12, "s3cr3t/+value");
	tells_nothing(&with_password, 500, page, "s3cr3");

	credentials.refresh_token = "line1\nline2";
	tells_nothing(&credentials, 400, "got line1\nline2", "line1");
}

static void
test_tenant_in_message(void)
{
	PinCredentials credentials = with_password;
	PinReply	reply = reply_of(400, "{}");
	PinSignIn	result;
	PinError	err;

	credentials.tenant = "a\nb";
	ok(!pin_sign_in_reply(&credentials, &reply, &result, &err), "refused");
	is_str(err.message, "could not sign in to tenant \"a b\"", "the tenant is cleaned");
}

int
main(void)
{
	test_grants();
	test_version_2();
	test_authorize_url();
	test_device_code();
	test_device_answers();
	test_public_client();
	test_hostile_secret();
	test_missing();
	test_success();
	test_bad_success();
	test_words();
	test_statuses();
	test_table();
	test_codes();
	test_detail();
	test_secrets();
	test_tenant_in_message();
	return done_testing();
}
