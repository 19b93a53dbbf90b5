/*-------------------------------------------------------------------------
 *
 * control.c
 *		The control API: log, switches, faults, catalogue, state, clock.
 *
 * For tests and for the curious; it has no counterpart in the real service.
 *
 *-------------------------------------------------------------------------
 */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "text.h"

/* Takes over json. */
static void
send_json(EmuReply *reply, json_t *json)
{
	emu_reply_body(reply, 200, "application/json", json_dumps(json, JSON_INDENT(2)));
	json_decref(json);
}

static void
send_done(EmuReply *reply)
{
	send_json(reply, json_pack("{s:b}", "done", 1));
}

static void
send_error(EmuReply *reply, const char *message)
{
	json_t	   *json = json_pack("{s:s}", "error", message);

	emu_reply_body(reply, 400, "application/json", json_dumps(json, 0));
	json_decref(json);
}

/* The request's JSON, or a new empty object if it has no body; NULL if bad. */
static json_t *
body_json(const EmuRequest *request, EmuReply *reply)
{
	json_error_t error;
	json_t	   *json;

	if (request->body_size == 0)
		return json_object();
	json = json_loads(request->body, 0, &error);
	if (json == NULL)
		send_error(reply, error.text);
	return json;
}

static void
get_log(const EmuRequest *request, EmuReply *reply)
{
	send_json(reply, emu_log_json(request->emu->log));
}

static void
delete_log(const EmuRequest *request, EmuReply *reply)
{
	emu_log_clear(request->emu->log);
	send_done(reply);
}

static void
get_switches(const EmuRequest *request, EmuReply *reply)
{
	send_json(reply, emu_switchboard_json(request->emu->switches));
}

static void
put_switches(const EmuRequest *request, EmuReply *reply)
{
	json_t	   *json = body_json(request, reply);
	char		err[256];

	if (json == NULL)
		return;
	if (emu_switchboard_merge(request->emu->switches, json, err, sizeof err))
		get_switches(request, reply);
	else
		send_error(reply, err);
	json_decref(json);
}

static void
get_faults(const EmuRequest *request, EmuReply *reply)
{
	send_json(reply, emu_faults_json(request->emu->faults));
}

static void
post_faults(const EmuRequest *request, EmuReply *reply)
{
	json_t	   *json = body_json(request, reply);
	char		err[256];

	if (json == NULL)
		return;
	if (emu_faults_install(request->emu->faults, json, err, sizeof err))
		get_faults(request, reply);
	else
		send_error(reply, err);
	json_decref(json);
}

static void
delete_faults(const EmuRequest *request, EmuReply *reply)
{
	emu_faults_clear(request->emu->faults);
	send_done(reply);
}

static void
get_catalog(const EmuRequest *request, EmuReply *reply)
{
	emu_reply_body(reply, 200, "application/json", emu_engine_catalog(request->emu->engine));
}

static void
put_catalog(const EmuRequest *request, EmuReply *reply)
{
	char		err[256];

	if (request->body_size == 0)
		send_error(reply, "expected a catalogue");
	else if (emu_engine_alter(request->emu->engine, request->body, request->body_size,
							  err, sizeof err))
		send_done(reply);
	else
		send_error(reply, err);
}

static void
delete_catalog(const EmuRequest *request, EmuReply *reply)
{
	emu_engine_alter(request->emu->engine, NULL, 0, NULL, 0);
	send_done(reply);
}

static void
post_reset(const EmuRequest *request, EmuReply *reply)
{
	Emulator   *emu = request->emu;

	emu_faults_clear(emu->faults);
	emu_switchboard_reset(emu->switches);
	emu_credentials_reset(emu->credentials);
	emu_tokens_expire(emu->tokens, true);
	emu_throttle_reset(emu->throttle);
	emu_store_reset(emu->store);
	emu_engine_alter(emu->engine, NULL, 0, NULL, 0);
	emu_log_clear(emu->log);
	send_done(reply);
}

static void
get_state(const EmuRequest *request, EmuReply *reply)
{
	Emulator   *emu = request->emu;
	json_t	   *state = emu_store_state(emu->store);
	char		now[EMU_TIME_SIZE];

	emu_time_text(emu_now(emu->switches), now);
	json_object_set_new(state, "now", json_string(now));
	json_object_set_new(state, "access_tokens",
						json_integer(emu_tokens_count(emu->tokens, EMU_GRANT_ACCESS)));
	json_object_set_new(state, "refresh_tokens",
						json_integer(emu_tokens_count(emu->tokens, EMU_GRANT_REFRESH)));
	json_object_set_new(state, "device_codes",
						json_integer(emu_tokens_count(emu->tokens, EMU_GRANT_DEVICE)));
	send_json(reply, state);
}

static void
post_clock(const EmuRequest *request, EmuReply *reply)
{
	json_t	   *json = body_json(request, reply);
	json_t	   *seconds = json_object_get(json, "advance_seconds");
	char		now[EMU_TIME_SIZE];

	if (json == NULL)
		return;
	if (json_is_integer(seconds))
	{
		emu_switchboard_advance(request->emu->switches, json_integer_value(seconds));
		emu_time_text(emu_now(request->emu->switches), now);
		send_json(reply, json_pack("{s:s}", "now", now));
	}
	else
		send_error(reply, "expected {\"advance_seconds\": a whole number}");
	json_decref(json);
}

static void
post_device(const EmuRequest *request, EmuReply *reply)
{
	json_t	   *json = body_json(request, reply);
	const char *action = json_string_value(json_object_get(json, "action"));
	bool		decline = emu_same(action, "decline");
	EmuCredentials credentials;

	if (json == NULL)
		return;
	emu_credentials_read(request->emu->credentials, &credentials);
	if (!decline && !emu_same(action, "approve"))
		send_error(reply, "action must be \"approve\" or \"decline\"");
	else if (emu_tokens_decide(request->emu->tokens,
							   json_string_value(json_object_get(json, "user_code")),
							   !decline, credentials.username))
		send_done(reply);
	else
		send_error(reply, "no device waits under that code");
	json_decref(json);
}

static void
post_expire_tokens(const EmuRequest *request, EmuReply *reply)
{
	send_json(reply, json_pack("{s:i}", "expired",
							   emu_tokens_expire(request->emu->tokens, false)));
}

static void
post_secrets(const EmuRequest *request, EmuReply *reply)
{
	json_t	   *json = body_json(request, reply);
	char		err[256];

	if (json == NULL)
		return;
	if (emu_credentials_merge(request->emu->credentials, json, err, sizeof err))
		send_done(reply);
	else
		send_error(reply, err);
	json_decref(json);
}

static const struct
{
	EmuRoute	route;
	const char *method;
	const char *path;
}			routes[] = {
	{{"log", "control", get_log}, "GET", "/log"},
	{{"log", "control", delete_log}, "DELETE", "/log"},
	{{"switches", "control", get_switches}, "GET", "/switches"},
	{{"switches", "control", put_switches}, "PUT", "/switches"},
	{{"faults", "control", get_faults}, "GET", "/faults"},
	{{"faults", "control", post_faults}, "POST", "/faults"},
	{{"faults", "control", delete_faults}, "DELETE", "/faults"},
	{{"catalog", "control", get_catalog}, "GET", "/catalog"},
	{{"catalog", "control", put_catalog}, "PUT", "/catalog"},
	{{"catalog", "control", delete_catalog}, "DELETE", "/catalog"},
	{{"reset", "control", post_reset}, "POST", "/reset"},
	{{"state", "control", get_state}, "GET", "/state"},
	{{"clock", "control", post_clock}, "POST", "/clock"},
	{{"device", "control", post_device}, "POST", "/device"},
	{{"expire-tokens", "control", post_expire_tokens}, "POST", "/expire-tokens"},
	{{"secrets", "control", post_secrets}, "POST", "/secrets"},
};

const EmuRoute *
emu_control_route(const EmuRequest *request)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(routes[i].path, request->path) == 0 &&
			strcmp(routes[i].method, request->method) == 0)
			return &routes[i].route;
	return NULL;
}
