/*-------------------------------------------------------------------------
 *
 * sign_in_request.c
 *		What the tenant's sign-in service is asked.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero */
#include "insights/sign_in.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "insights/text_buffer.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

static bool
given(const char *text)
{
	return text && *text;
}

PinGrant
pin_sign_in_grant(const PinCredentials *credentials)
{
	if (given(credentials->device_code))
		return PIN_GRANT_DEVICE_CODE;
	if (given(credentials->code))
		return PIN_GRANT_AUTHORIZATION_CODE;
	if (given(credentials->refresh_token))
		return PIN_GRANT_REFRESH_TOKEN;
	if (given(credentials->username))
		return PIN_GRANT_PASSWORD;
	return PIN_GRANT_CLIENT_CREDENTIALS;
}

void
pin_sign_in_error(const PinCredentials *credentials, PinErrorKind kind, PinError *err)
{
	PinRemoteText tenant;
	const char *name = given(credentials->tenant) ? credentials->tenant : "";

	pin_error_clean(tenant, sizeof(tenant), name, strlen(name));
	pin_error_set(err, kind, "could not sign in to tenant \"%s\"", tenant);
}

static bool
uses_v2(const PinCredentials *credentials)
{
	PinGrant	grant = pin_sign_in_grant(credentials);

	return credentials->v2 || grant == PIN_GRANT_DEVICE_CODE ||
		grant == PIN_GRANT_AUTHORIZATION_CODE;
}

/* ---- what is missing ---- */

/* The name of what every sign-in needs and nobody gave, or NULL. */
static const char *
missing_address(const PinCredentials *credentials)
{
	if (!given(credentials->login_url))
		return "login_url";
	if (!given(credentials->tenant))
		return "tenant";
	if (!given(credentials->resource))
		return "resource";
	if (!given(credentials->client_id))
		return "client_id";
	return NULL;
}

/* The same for this grant. */
static const char *
missing_option(const PinCredentials *credentials)
{
	PinGrant	grant = pin_sign_in_grant(credentials);
	const char *missing = missing_address(credentials);

	if (missing)
		return missing;
	if (given(credentials->certificate) && !given(credentials->private_key))
		return "private_key_file";
	if (grant == PIN_GRANT_PASSWORD && !given(credentials->password))
		return "password";
	if (grant == PIN_GRANT_CLIENT_CREDENTIALS && !given(credentials->client_secret) &&
		!given(credentials->certificate))
		return "client_secret";
	return NULL;
}

static bool
refuse_missing(const PinCredentials *credentials, const char *missing, PinError *err)
{
	pin_sign_in_error(credentials, PIN_ERROR_SIGN_IN, err);
	pin_error_detail(err, "The option \"%s\" is not set.", missing);
	return false;
}

/* ---- parts of a request ---- */

/* Adds one parameter to a form, or to an address after its "?". */
static void
add_parameter(PinTextBuffer *form, const char *name, const char *value)
{
	if (!given(value))
		return;
	if (form->len > 0 && form->data[form->len - 1] != '?')
		pin_text_buffer_add(form, "&");
	pin_text_buffer_add(form, name);
	pin_text_buffer_add(form, "=");
	pin_text_buffer_add_encoded(form, value);
}

/* The tenant's address of an endpoint, "token"; no parameters yet. */
static void
add_endpoint(PinTextBuffer *url, const PinCredentials *credentials, bool v2,
			 const char *endpoint)
{
	size_t		len = strlen(credentials->login_url);

	while (len > 0 && credentials->login_url[len - 1] == '/')
		len--;
	pin_text_buffer_add_bytes(url, credentials->login_url, len);
	pin_text_buffer_add(url, "/");
	pin_text_buffer_add_encoded(url, credentials->tenant);
	pin_text_buffer_add(url, v2 ? "/oauth2/v2.0/" : "/oauth2/");
	pin_text_buffer_add(url, endpoint);
}

/* In version 2: all that was consented to at the resource. */
static void
add_scope(PinTextBuffer *form, const PinCredentials *credentials, bool user)
{
	PinTextBuffer scope;
	char	   *text;

	pin_text_buffer_init(&scope);
	pin_text_buffer_add(&scope, credentials->resource);
	pin_text_buffer_add(&scope, "/.default");
	if (user)
		pin_text_buffer_add(&scope, " openid profile offline_access");
	text = pin_text_buffer_take(&scope, NULL);
	if (text)
		add_parameter(form, "scope", text);
	else
		form->failed = true;
	free(text);
}

/* What a token of this grant is for. */
static void
add_purpose(PinTextBuffer *form, const PinCredentials *credentials)
{
	PinGrant	grant = pin_sign_in_grant(credentials);
	bool		user = grant != PIN_GRANT_CLIENT_CREDENTIALS;

	if (grant == PIN_GRANT_DEVICE_CODE)
		return;					/* the device code knows */
	if (uses_v2(credentials))
		add_scope(form, credentials, user);
	else if (user)
		add_parameter(form, "scope", "openid");
}

static void
add_grant(PinTextBuffer *form, const PinCredentials *credentials)
{
	switch (pin_sign_in_grant(credentials))
	{
		case PIN_GRANT_DEVICE_CODE:
			add_parameter(form, "grant_type", DEVICE_GRANT);
			add_parameter(form, "device_code", credentials->device_code);
			break;
		case PIN_GRANT_AUTHORIZATION_CODE:
			add_parameter(form, "grant_type", "authorization_code");
			add_parameter(form, "code", credentials->code);
			add_parameter(form, "redirect_uri", credentials->redirect_uri);
			add_parameter(form, "code_verifier", credentials->code_verifier);
			break;
		case PIN_GRANT_REFRESH_TOKEN:
			add_parameter(form, "grant_type", "refresh_token");
			add_parameter(form, "refresh_token", credentials->refresh_token);
			break;
		case PIN_GRANT_PASSWORD:
			add_parameter(form, "grant_type", "password");
			add_parameter(form, "username", credentials->username);
			add_parameter(form, "password", credentials->password);
			break;
		case PIN_GRANT_CLIENT_CREDENTIALS:
			add_parameter(form, "grant_type", "client_credentials");
			break;
	}
	add_purpose(form, credentials);
}

/* The secret, or an assertion for the endpoint url.  False with *err. */
static bool
add_proof(PinTextBuffer *form, const PinCredentials *credentials, const char *url,
		  PinError *err)
{
	char	   *assertion;

	if (!given(credentials->certificate))
	{
		add_parameter(form, "client_secret", credentials->client_secret);
		return true;
	}
	assertion = pin_assertion_create(credentials->certificate, credentials->private_key,
									 credentials->signature, credentials->client_id,
									 url, time(NULL), err);
	if (assertion == NULL)
		return false;
	add_parameter(form, "client_assertion_type", ASSERTION_TYPE);
	add_parameter(form, "client_assertion", assertion);
	explicit_bzero(assertion, strlen(assertion));
	free(assertion);
	return true;
}

/* A form for an address that was built; takes over both. */
static bool
finish(PinApiRequest *request, PinTextBuffer *form, char *url, PinError *err)
{
	request->method = "POST";
	request->content_type = "application/x-www-form-urlencoded";
	request->body = pin_text_buffer_take(form, &request->body_len);
	request->url = url;
	if (request->body && request->url)
		return true;
	pin_api_request_free(request);
	pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY,
				  "out of memory, or an option is too long");
	return false;
}

static char *
endpoint_url(const PinCredentials *credentials, bool v2, const char *endpoint)
{
	PinTextBuffer url;

	pin_text_buffer_init(&url);
	add_endpoint(&url, credentials, v2, endpoint);
	return pin_text_buffer_take(&url, NULL);
}

/* ---- requests ---- */

bool
pin_sign_in_request(const PinCredentials *credentials, PinApiRequest *request,
					PinError *err)
{
	const char *missing = missing_option(credentials);
	bool		v2 = uses_v2(credentials);
	PinTextBuffer form;
	char	   *url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	if (missing)
		return refuse_missing(credentials, missing, err);

	url = endpoint_url(credentials, v2, "token");
	pin_text_buffer_init(&form);
	if (!v2)
		add_parameter(&form, "resource", credentials->resource);
	add_parameter(&form, "client_id", credentials->client_id);
	if (url && !add_proof(&form, credentials, url, err))
	{
		pin_text_buffer_wipe(&form);
		free(url);
		return false;
	}
	add_grant(&form, credentials);
	return finish(request, &form, url, err);
}

bool
pin_device_code_request(const PinCredentials *credentials, PinApiRequest *request,
						PinError *err)
{
	const char *missing = missing_address(credentials);
	PinTextBuffer form;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	if (missing)
		return refuse_missing(credentials, missing, err);
	pin_text_buffer_init(&form);
	add_parameter(&form, "client_id", credentials->client_id);
	add_scope(&form, credentials, true);
	return finish(request, &form, endpoint_url(credentials, true, "devicecode"), err);
}

char *
pin_authorize_url(const PinCredentials *credentials, const char *state,
				  const char *challenge, PinError *err)
{
	const char *missing = missing_address(credentials);
	PinTextBuffer buffer;
	char	   *url;

	pin_error_reset(err);
	if (missing)
	{
		refuse_missing(credentials, missing, err);
		return NULL;
	}
	pin_text_buffer_init(&buffer);
	add_endpoint(&buffer, credentials, true, "authorize");
	pin_text_buffer_add(&buffer, "?");
	add_parameter(&buffer, "client_id", credentials->client_id);
	add_parameter(&buffer, "response_type", "code");
	add_parameter(&buffer, "redirect_uri", credentials->redirect_uri);
	add_parameter(&buffer, "response_mode", "query");
	add_scope(&buffer, credentials, true);
	add_parameter(&buffer, "state", state);
	add_parameter(&buffer, "code_challenge", challenge);
	add_parameter(&buffer, "code_challenge_method", "S256");
	add_parameter(&buffer, "prompt", "select_account");
	url = pin_text_buffer_take(&buffer, NULL);
	if (url == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY,
					  "out of memory, or an option is too long");
	return url;
}
