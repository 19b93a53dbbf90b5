/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *		The token endpoints: grants, device codes, authorization codes.
 *
 * A sign-in is a row of checks, each of which may refuse with an AADSTS code:
 * tenant, parameters, application, its credential, audience, and then what the
 * grant itself wants.  Only after all of them is a token issued.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aadsts.h"
#include "assertion.h"
#include "text.h"

#define AUDIENCE "https://api.partnercenter.microsoft.com"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"
#define JSON_TYPE "application/json; charset=utf-8"

#define CODE_LIFETIME 600		/* an authorization code's ten minutes */
#define DEVICE_LIFETIME 900		/* a device code's fifteen */

typedef struct SignIn
{
	const EmuRequest *request;	/* as it came in */
	EmuReply   *reply;			/* to be filled */
	Emulator   *emu;			/* whose */
	EmuSettings settings;		/* at the start */
	EmuCredentials credentials; /* at the start */
	EmuParam   *params;			/* the form */
	bool		v2;				/* which endpoint */
	time_t		now;			/* emulator's clock */
	EmuGrant	grant;			/* what is to be issued */
	EmuGrant	source;			/* what it is bought with */
} SignIn;

static bool
refuse(SignIn *sign_in, int code, const char *about)
{
	emu_aadsts_reply(sign_in->request, sign_in->reply, code, about);
	return false;
}

static const char *
given(const SignIn *sign_in, const char *name)
{
	return emu_params_given(sign_in->params, name);
}

/* A parameter that must be there; refuses and returns NULL if it is not. */
static const char *
required(SignIn *sign_in, const char *name)
{
	const char *value = given(sign_in, name);

	if (value == NULL)
		refuse(sign_in, 900144, name);
	return value;
}

/* -- checks common to all grants -- */

static bool
is_tenant(const SignIn *sign_in, const char *name)
{
	return emu_same(name, sign_in->credentials.tenant) ||
		emu_same(name, sign_in->credentials.tenant_id);
}

static bool
check_tenant(SignIn *sign_in)
{
	const char *path = sign_in->request->path + 1;
	char	   *tenant = emu_format("%.*s", (int) strcspn(path, "/"), path);
	bool		good = is_tenant(sign_in, tenant);

	if (emu_same(tenant, "common") || emu_same(tenant, "organizations") ||
		emu_same(tenant, "consumers"))
		refuse(sign_in, 9001023, tenant);
	else if (!good)
		refuse(sign_in, 90002, tenant);
	free(tenant);
	return good;
}

static bool
check_client_id(SignIn *sign_in)
{
	const char *id = required(sign_in, "client_id");

	if (id == NULL)
		return false;
	if (!emu_same(id, sign_in->credentials.client_id))
		return refuse(sign_in, 700016, id);
	emu_fill(sign_in->grant.client, sizeof sign_in->grant.client, id);
	return true;
}

static bool
befalls(const SignIn *sign_in, EmuAadstsScope scope, const char *grant_type)
{
	switch (scope)
	{
		case EMU_AADSTS_ANY:
			return true;
		case EMU_AADSTS_SECRET:
			return given(sign_in, "client_secret") != NULL;
		case EMU_AADSTS_ASSERTION:
			return given(sign_in, "client_assertion") != NULL;
		case EMU_AADSTS_PASSWORD:
			return strcmp(grant_type, "password") == 0;
		case EMU_AADSTS_REFRESH:
			return strcmp(grant_type, "refresh_token") == 0;
		case EMU_AADSTS_USER:
			return strcmp(grant_type, "client_credentials") != 0;
	}
	return false;
}

/* The error that a switch puts in the way. */
static bool
check_switch(SignIn *sign_in, const char *grant_type)
{
	int			code = (int) sign_in->settings.sign_in_error;
	const EmuAadsts *row = emu_aadsts_find(code);

	if (code == 0 || (row != NULL && !befalls(sign_in, row->scope, grant_type)))
		return true;
	return refuse(sign_in, code, sign_in->credentials.client_id);
}

static bool
check_assertion(SignIn *sign_in, const char *jwt)
{
	const char *type = required(sign_in, "client_assertion_type");
	const char *wrong;

	if (type == NULL)
		return false;
	if (strcmp(type, ASSERTION_TYPE) != 0)
		return refuse(sign_in, 50013, "client_assertion_type is unknown");
	wrong = emu_assertion_check(jwt, &sign_in->credentials, sign_in->emu->api_url);
	return wrong == NULL || refuse(sign_in, 700027, wrong);
}

/* optional: a client without credential may pass, as a public one. */
static bool
check_client(SignIn *sign_in, bool optional)
{
	const char *secret = given(sign_in, "client_secret");
	const char *jwt = given(sign_in, "client_assertion");

	if (jwt != NULL)
		return check_assertion(sign_in, jwt);
	if (secret == NULL)
	{
		sign_in->grant.public_client = true;
		return optional || refuse(sign_in, 7000218, NULL);
	}
	if (strcmp(secret, sign_in->credentials.client_secret) != 0)
		return refuse(sign_in, 7000215, sign_in->credentials.client_id);
	return true;
}

/* Resources a tenant knows; only one of them opens the API. */
static bool
is_resource(const char *text, size_t length)
{
	static const char *const known[] = {
		AUDIENCE, "https://graph.windows.net", "https://graph.microsoft.com", NULL
	};

	while (length > 0 && text[length - 1] == '/')
		length--;
	for (int i = 0; known[i] != NULL; i++)
		if (strlen(known[i]) == length && strncasecmp(known[i], text, length) == 0)
			return true;
	return false;
}

static void
set_audience(SignIn *sign_in, const char *text, size_t length)
{
	while (length > 0 && text[length - 1] == '/')
		length--;
	snprintf(sign_in->grant.audience, sizeof sign_in->grant.audience, "%.*s",
			 (int) length, text);
}

/* One word of a v2 scope; false if it names a resource we do not know. */
static bool
take_scope(SignIn *sign_in, const char *word, size_t length, bool app_only)
{
	static const char *const plain[] = {"openid", "profile", "email", "offline_access", NULL};
	const char *slash = memrchr(word, '/', length);

	for (int i = 0; plain[i] != NULL; i++)
		if (strlen(plain[i]) == length && strncmp(plain[i], word, length) == 0)
		{
			sign_in->grant.offline |= strcmp(plain[i], "offline_access") == 0;
			return true;
		}
	if (slash == NULL || !is_resource(word, (size_t) (slash - word)))
		return false;
	if (app_only && strncmp(slash, "/.default", length - (size_t) (slash - word)) != 0)
		return false;
	set_audience(sign_in, word, (size_t) (slash - word));
	return true;
}

static bool
check_scope(SignIn *sign_in, bool app_only)
{
	const char *scope = required(sign_in, "scope");

	if (scope == NULL)
		return false;
	for (const char *word = scope; *word != '\0';)
	{
		size_t		length = strcspn(word, " ");

		if (length > 0 && !take_scope(sign_in, word, length, app_only))
			return refuse(sign_in, 70011, scope);
		word += length + (word[length] == ' ');
	}
	return sign_in->grant.audience[0] != '\0' || refuse(sign_in, 70011, scope);
}

static bool
check_audience(SignIn *sign_in, bool app_only)
{
	const char *resource = given(sign_in, "resource");

	if (sign_in->v2)
	{
		if (resource != NULL)
			return refuse(sign_in, 901002, NULL);
		return check_scope(sign_in, app_only);
	}
	resource = required(sign_in, "resource");
	if (resource == NULL)
		return false;
	if (!is_resource(resource, strlen(resource)))
		return refuse(sign_in, 500011, resource);
	set_audience(sign_in, resource, strlen(resource));
	return true;
}

/* -- issuing -- */

/* An unsigned identity token; malloc'd. */
static char *
identity_token(const SignIn *sign_in)
{
	const EmuGrant *grant = &sign_in->grant;
	char	   *claims = emu_format("{\"aud\":\"%s\",\"iss\":\"%s/%s/\",\"iat\":%lld,"
									"\"exp\":%lld,\"upn\":\"%s\",\"tid\":\"%s\"}",
									grant->client, sign_in->emu->api_url,
									sign_in->credentials.tenant_id,
									(long long) sign_in->now,
									(long long) sign_in->now + 3600, grant->user,
									sign_in->credentials.tenant_id);
	char	   *body = emu_base64(claims, strlen(claims), true);
	static const char plain[] = "{\"typ\":\"JWT\",\"alg\":\"none\"}";
	char	   *header = emu_base64(plain, sizeof plain - 1, true);
	char	   *token = emu_format("%s.%s.", header, body);

	free(claims);
	free(body);
	free(header);
	return token;
}

static void
add_number(json_t *json, const char *key, int64_t number, bool as_text)
{
	char		text[32];

	snprintf(text, sizeof text, "%lld", (long long) number);
	json_object_set_new(json, key, as_text ? json_string(text) : json_integer(number));
}

/* May this sign-in come with a refresh token? */
static bool
wants_refresh_token(const SignIn *sign_in)
{
	if (sign_in->grant.user[0] == '\0')
		return false;
	if (sign_in->source.kind == EMU_GRANT_REFRESH && sign_in->source.value[0] != '\0')
		return sign_in->settings.refresh_rotation != EMU_ROTATION_OFF;
	return !sign_in->v2 || sign_in->grant.offline;
}

static void
add_refresh_token(SignIn *sign_in, json_t *json)
{
	EmuGrant	refresh = sign_in->grant;

	refresh.kind = EMU_GRANT_REFRESH;
	refresh.expires = sign_in->now + (time_t) sign_in->settings.refresh_lifetime;
	emu_tokens_issue(sign_in->emu->tokens, &refresh, sign_in->now);
	json_object_set_new(json, "refresh_token", json_string(refresh.value));
}

static void
add_identity_token(const SignIn *sign_in, json_t *json)
{
	const char *scope = given(sign_in, "scope");
	char	   *token;

	if (sign_in->grant.user[0] == '\0' || scope == NULL || strstr(scope, "openid") == NULL)
		return;
	token = identity_token(sign_in);
	json_object_set_new(json, "id_token", json_string(token));
	free(token);
}

static bool
issue(SignIn *sign_in)
{
	EmuGrant   *grant = &sign_in->grant;
	int64_t		lifetime = sign_in->settings.token_lifetime;
	bool		v1 = !sign_in->v2;
	json_t	   *json = json_object();

	grant->kind = EMU_GRANT_ACCESS;
	grant->programs = sign_in->settings.token_programs;
	grant->expires = sign_in->now + (time_t) lifetime;
	emu_tokens_issue(sign_in->emu->tokens, grant, sign_in->now);
	json_object_set_new(json, "token_type", json_string("Bearer"));
	if (grant->user[0] != '\0')
		json_object_set_new(json, "scope",
							json_string(v1 ? "user_impersonation" :
										AUDIENCE "/user_impersonation"));
	add_number(json, "expires_in", lifetime, v1);
	add_number(json, "ext_expires_in", lifetime, v1);
	if (v1)
	{
		add_number(json, "expires_on", grant->expires, true);
		add_number(json, "not_before", sign_in->now - 300, true);
		json_object_set_new(json, "resource", json_string(grant->audience));
	}
	json_object_set_new(json, "access_token", json_string(grant->value));
	if (wants_refresh_token(sign_in))
		add_refresh_token(sign_in, json);
	add_identity_token(sign_in, json);
	emu_reply_body(sign_in->reply, 200, JSON_TYPE, json_dumps(json, JSON_COMPACT));
	json_decref(json);
	return true;
}

static void
set_user(SignIn *sign_in, const char *user, bool mfa)
{
	emu_fill(sign_in->grant.user, sizeof sign_in->grant.user, user);
	sign_in->grant.mfa = mfa;
}

/* -- the grants -- */

static bool
grant_password(SignIn *sign_in)
{
	const char *user = required(sign_in, "username");
	const char *password = user != NULL ? required(sign_in, "password") : NULL;

	if (password == NULL || !check_client(sign_in, false) ||
		!check_audience(sign_in, false))
		return false;
	if (!emu_same(user, sign_in->credentials.username))
		return refuse(sign_in, 50034, user);
	if (strcmp(password, sign_in->credentials.password) != 0)
		return refuse(sign_in, 50126, NULL);
	set_user(sign_in, sign_in->credentials.username, false);
	sign_in->grant.by_password = true;
	return issue(sign_in);
}

/* The registered refresh token stands for the user, with MFA, for ever. */
static bool
find_refresh_token(SignIn *sign_in, const char *value)
{
	EmuGrant   *source = &sign_in->source;

	if (strcmp(value, sign_in->credentials.refresh_token) == 0)
	{
		source->kind = EMU_GRANT_REFRESH;
		emu_fill(source->value, sizeof source->value, value);
		emu_fill(source->user, sizeof source->user, sign_in->credentials.username);
		source->mfa = true;
		source->expires = sign_in->now + 1;
		return true;
	}
	return emu_tokens_find(sign_in->emu->tokens, EMU_GRANT_REFRESH, value, source);
}

static bool
grant_refresh_token(SignIn *sign_in)
{
	const char *value = required(sign_in, "refresh_token");
	EmuGrant   *source = &sign_in->source;

	if (value == NULL)
		return false;
	if (!find_refresh_token(sign_in, value))
		return refuse(sign_in, 70000, NULL);
	if (!check_client(sign_in, source->public_client) || !check_audience(sign_in, false))
		return false;
	if (source->used)
		return refuse(sign_in, 50173, NULL);
	if (source->expires <= sign_in->now)
		return refuse(sign_in, 700082, NULL);
	if (sign_in->settings.refresh_rotation == EMU_ROTATION_REVOKE)
		emu_tokens_use_up(sign_in->emu->tokens, EMU_GRANT_REFRESH, value);
	set_user(sign_in, source->user, source->mfa);
	sign_in->grant.public_client = source->public_client;
	sign_in->grant.by_password = source->by_password;
	return issue(sign_in);
}

static bool
grant_client_credentials(SignIn *sign_in)
{
	return check_client(sign_in, false) && check_audience(sign_in, true) &&
		issue(sign_in);
}

static bool
grant_authorization_code(SignIn *sign_in)
{
	const char *code = required(sign_in, "code");
	const char *redirect = code != NULL ? required(sign_in, "redirect_uri") : NULL;
	EmuGrant   *source = &sign_in->source;

	if (redirect == NULL || !check_client(sign_in, false) ||
		!check_audience(sign_in, false))
		return false;
	if (!emu_tokens_find(sign_in->emu->tokens, EMU_GRANT_CODE, code, source) ||
		strcmp(source->redirect, redirect) != 0)
		return refuse(sign_in, 70000, NULL);
	if (source->used)
		return refuse(sign_in, 54005, NULL);
	if (source->expires <= sign_in->now)
		return refuse(sign_in, 70008, NULL);
	emu_tokens_use_up(sign_in->emu->tokens, EMU_GRANT_CODE, code);
	set_user(sign_in, source->user, true);
	return issue(sign_in);
}

static bool
grant_device_code(SignIn *sign_in)
{
	const char *code = required(sign_in, "device_code");
	EmuGrant   *source = &sign_in->source;

	if (code == NULL || !check_client(sign_in, true))
		return false;
	if (!emu_tokens_find(sign_in->emu->tokens, EMU_GRANT_DEVICE, code, source) ||
		source->used)
		return refuse(sign_in, 70018, NULL);
	if (source->expires <= sign_in->now)
		return refuse(sign_in, 70019, NULL);
	if (source->device == EMU_DEVICE_PENDING)
		return refuse(sign_in, 70016, NULL);
	if (source->device == EMU_DEVICE_DECLINED)
		return refuse(sign_in, 70020, NULL);
	emu_tokens_use_up(sign_in->emu->tokens, EMU_GRANT_DEVICE, code);
	emu_fill(sign_in->grant.audience, sizeof sign_in->grant.audience, source->audience);
	sign_in->grant.offline = source->offline;
	set_user(sign_in, source->user, true);
	return issue(sign_in);
}

static const struct
{
	const char *name;
	bool		(*run) (SignIn *sign_in);
}			grants[] = {
	{"password", grant_password},
	{"refresh_token", grant_refresh_token},
	{"client_credentials", grant_client_credentials},
	{"authorization_code", grant_authorization_code},
	{DEVICE_GRANT, grant_device_code},
};

/* -- the routes -- */

static SignIn *
sign_in_begin(const EmuRequest *request, EmuReply *reply)
{
	SignIn	   *sign_in = emu_alloc(sizeof *sign_in);

	sign_in->request = request;
	sign_in->reply = reply;
	sign_in->emu = request->emu;
	sign_in->v2 = strcasestr(request->path, "/oauth2/v2.0/") != NULL;
	sign_in->now = emu_now(request->emu->switches);
	emu_switchboard_read(request->emu->switches, &sign_in->settings);
	emu_credentials_read(request->emu->credentials, &sign_in->credentials);
	sign_in->params = emu_params_parse(request->body != NULL ? request->body : "",
									   request->body_size);
	emu_reply_header(reply, "Cache-Control", "no-store, no-cache");
	emu_reply_header(reply, "Pragma", "no-cache");
	return sign_in;
}

static void
sign_in_end(SignIn *sign_in)
{
	emu_params_free(sign_in->params);
	free(sign_in);
}

static bool
run_grant(SignIn *sign_in)
{
	const char *type = required(sign_in, "grant_type");

	if (type == NULL || !check_client_id(sign_in) || !check_switch(sign_in, type))
		return false;
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++)
		if (strcmp(grants[i].name, type) == 0)
			return grants[i].run(sign_in);
	return refuse(sign_in, 70003, type);
}

static bool
is_form(const EmuRequest *request)
{
	const char *type = emu_request_header(request, "Content-Type");

	return type != NULL && strcasestr(type, "x-www-form-urlencoded") != NULL;
}

static void
serve_token(const EmuRequest *request, EmuReply *reply)
{
	SignIn	   *sign_in = sign_in_begin(request, reply);

	if (!is_form(request))
		refuse(sign_in, 9002313, NULL);
	else if (check_tenant(sign_in))
		run_grant(sign_in);
	sign_in_end(sign_in);
}

static void
start_device(SignIn *sign_in)
{
	EmuGrant   *grant = &sign_in->grant;
	char	   *page = emu_format("%s/devicelogin", sign_in->emu->api_url);
	char	   *message;
	json_t	   *json;

	grant->kind = EMU_GRANT_DEVICE;
	grant->expires = sign_in->now + DEVICE_LIFETIME;
	emu_tokens_issue(sign_in->emu->tokens, grant, sign_in->now);
	message = emu_format("To sign in, open %s and enter the code %s.", page,
						 grant->user_code);
	json = json_pack("{s:s, s:s, s:s, s:i, s:I, s:s}", "user_code", grant->user_code,
					 "device_code", grant->value, "verification_uri", page,
					 "expires_in", DEVICE_LIFETIME,
					 "interval", (json_int_t) sign_in->settings.device_interval,
					 "message", message);
	emu_reply_body(sign_in->reply, 200, JSON_TYPE, json_dumps(json, JSON_COMPACT));
	json_decref(json);
	free(message);
	free(page);
}

static void
serve_device_code(const EmuRequest *request, EmuReply *reply)
{
	SignIn	   *sign_in = sign_in_begin(request, reply);

	if (!is_form(request))
		refuse(sign_in, 9002313, NULL);
	else if (check_tenant(sign_in) && check_client_id(sign_in) &&
			 check_switch(sign_in, DEVICE_GRANT) && check_audience(sign_in, false))
		start_device(sign_in);
	sign_in_end(sign_in);
}

/* The page a user opens to approve a device. */
static void
serve_device_page(const EmuRequest *request, EmuReply *reply)
{
	const char *code = emu_params_given(request->query, "user_code");
	EmuCredentials credentials;
	const char *text = "";

	emu_credentials_read(request->emu->credentials, &credentials);
	if (code != NULL)
		text = emu_tokens_decide(request->emu->tokens, code, true, credentials.username) ?
			"<p>You are signed in. You may close this page.</p>" :
			"<p>That code is not waiting for anybody.</p>";
	emu_reply_body(reply, 200, "text/html; charset=utf-8",
				   emu_format("<!DOCTYPE html><title>Sign in</title>%s"
							  "<form><input name=user_code><button>Sign in</button></form>\n",
							  text));
}

/* The user is always willing: sends the browser back with a code. */
static void
send_code(SignIn *sign_in, const char *redirect)
{
	EmuGrant   *grant = &sign_in->grant;
	const char *state = given(sign_in, "state");
	char	   *state_encoded = state != NULL ? emu_percent_encode(state) : NULL;
	char	   *location;

	grant->kind = EMU_GRANT_CODE;
	grant->expires = sign_in->now + CODE_LIFETIME;
	emu_fill(grant->redirect, sizeof grant->redirect, redirect);
	set_user(sign_in, sign_in->credentials.username, true);
	emu_tokens_issue(sign_in->emu->tokens, grant, sign_in->now);
	location = emu_format("%s%scode=%s%s%s", redirect,
						  strchr(redirect, '?') != NULL ? "&" : "?", grant->value,
						  state != NULL ? "&state=" : "",
						  state != NULL ? state_encoded : "");
	emu_reply_header(sign_in->reply, "Location", location);
	emu_reply_body(sign_in->reply, 302, NULL, NULL);
	free(state_encoded);
	free(location);
}

static void
serve_authorize(const EmuRequest *request, EmuReply *reply)
{
	SignIn	   *sign_in = sign_in_begin(request, reply);
	const char *redirect;
	const char *type;

	/* here the parameters come in the address */
	emu_params_free(sign_in->params);
	sign_in->params = NULL;
	for (EmuParam *param = request->query; param != NULL; param = param->next)
		emu_params_add(&sign_in->params, param->name, param->value);
	if (check_tenant(sign_in) && check_client_id(sign_in) &&
		(type = required(sign_in, "response_type")) != NULL &&
		(redirect = required(sign_in, "redirect_uri")) != NULL)
	{
		if (strcmp(type, "code") != 0)
			refuse(sign_in, 9002313, NULL);
		else
			send_code(sign_in, redirect);
	}
	sign_in_end(sign_in);
}

/* What a tenant tells everybody about itself; enough to see that it exists. */
static void
serve_configuration(const EmuRequest *request, EmuReply *reply)
{
	SignIn	   *sign_in = sign_in_begin(request, reply);

	if (check_tenant(sign_in))
		emu_reply_body(reply, 200, "application/json",
					   emu_format("{\"issuer\": \"%s\", \"token_endpoint\": "
								  "\"%s/%s/oauth2/token\"}", request->emu->api_url,
								  request->emu->api_url, sign_in->credentials.tenant));
	sign_in_end(sign_in);
}

static const struct
{
	EmuRoute	route;
	const char *method;
	const char *path;			/* after the tenant */
}			routes[] = {
	{{"token", "login", serve_token}, "POST", "/oauth2/token"},
	{{"token", "login", serve_token}, "POST", "/oauth2/v2.0/token"},
	{{"devicecode", "login", serve_device_code}, "POST", "/oauth2/devicecode"},
	{{"devicecode", "login", serve_device_code}, "POST", "/oauth2/v2.0/devicecode"},
	{{"authorize", "login", serve_authorize}, "GET", "/oauth2/authorize"},
	{{"authorize", "login", serve_authorize}, "GET", "/oauth2/v2.0/authorize"},
	{{"configuration", "login", serve_configuration}, "GET", "/.well-known/openid-configuration"},
};

const EmuRoute *
emu_sign_in_route(const EmuRequest *request)
{
	static const EmuRoute page = {"devicelogin", "login", serve_device_page};
	const char *after;

	if (strcmp(request->path, "/devicelogin") == 0)
		return &page;
	if (request->path[0] != '/')
		return NULL;
	after = strchr(request->path + 1, '/');
	for (size_t i = 0; after != NULL && i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(routes[i].method, request->method) == 0 &&
			strcasecmp(routes[i].path, after) == 0)
			return &routes[i].route;
	return NULL;
}
