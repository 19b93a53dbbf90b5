/*-------------------------------------------------------------------------
 *
 * json_reply.c
 *		The API's JSON: envelopes, errors in every known shape.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "json_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

json_t *
emu_json_get(json_t *object, const char *key)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(object, name, value)
	{
		if (emu_same(name, key))
			return value;
	}
	return NULL;
}

/* A copy with PascalCase keys; rows: the values' own keys stay. */
static json_t *
pascal(json_t *json, bool rows)
{
	json_t	   *copy;
	json_t	   *value;
	const char *key;
	size_t		i;

	if (json_is_array(json))
	{
		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy, rows ? json_incref(value) : pascal(value, false));
		return copy;
	}
	if (!json_is_object(json))
		return json_incref(json);
	copy = json_object();
	json_object_foreach(json, key, value)
	{
		char	   *name = emu_copy(key);

		name[0] = (char) toupper((unsigned char) name[0]);
		json_object_set_new(copy, name, pascal(value, rows));
		free(name);
	}
	return copy;
}

/* Takes over json and sends it, with BOM or PascalCase keys as set. */
static void
json_send(EmuReply *reply, const EmuSettings *settings, int status, json_t *json,
		  bool rows)
{
	json_t	   *shape = settings->json_pascal ? pascal(json, rows) : json_incref(json);

	/* numbers as most libraries print them: rounded to what a double holds */
	char	   *text = json_dumps(shape, JSON_COMPACT | JSON_REAL_PRECISION(15));
	char	   *body = emu_format("%s%s", settings->json_bom ? BYTE_ORDER_MARK : "",
								  text != NULL ? text : "");

	emu_reply_body(reply, status, JSON_TYPE, body);
	free(text);
	json_decref(shape);
	json_decref(json);
}

static json_t *
message_json(const char *message)
{
	return message != NULL ? json_string(message) : json_null();
}

/* Takes over values and next. */
static json_t *
envelope(const EmuCall *call, json_t *values, json_t *next, int count,
		 const char *message, int status)
{
	json_t	   *json = json_object();
	bool		mpn = strcmp(call->owner.program, "mpn") == 0;

	json_object_set_new(json, "value", values);
	if (mpn || json_is_string(next))
		json_object_set(json, "nextLink", next);
	json_object_set_new(json, "totalCount", json_integer(count));
	json_object_set_new(json, "message", message_json(message));
	json_object_set_new(json, "statusCode", json_integer(status));
	if (mpn)
		json_object_set_new(json, "dataRedacted", json_boolean(call->settings.redacted));
	json_decref(next);
	return json;
}

/* The address of the page that begins at a record; malloc'd. */
static char *
page_link(const EmuCall *call, int64_t at)
{
	const EmuRequest *request = call->request;
	EmuParam   *query = NULL;
	char		token[32];
	static const char *const no_secrets[] = {NULL};
	char	   *text;
	char	   *link;

	snprintf(token, sizeof token, "%lld", (long long) at);
	for (EmuParam *param = request->query; param != NULL; param = param->next)
		if (!emu_same(param->name, "pageToken"))
			emu_params_add(&query, param->name, param->value);
	emu_params_add(&query, "pageToken", token);
	text = emu_params_text(query, no_secrets);
	link = emu_format("%s%.*s?%s",
					  call->settings.relative_next_link ? "" : request->emu->api_url,
					  (int) strcspn(request->uri, "?"), request->uri, text);
	emu_params_free(query);
	free(text);
	return link;
}

void
emu_call_values(EmuCall *call, json_t *values, const char *message)
{
	const char *token = emu_params_given(call->request->query, "pageToken");
	int64_t		first = token != NULL ? strtoll(token, NULL, 10) : 0;
	int64_t		total = (int64_t) json_array_size(values);
	int64_t		size = call->settings.page_size;
	json_t	   *page = values;
	json_t	   *next = json_null();

	if (size > 0)
	{
		page = json_array();
		if (first < 0)
			first = 0;
		for (int64_t i = first; i < total && i < first + size; i++)
			json_array_append(page, json_array_get(values, (size_t) i));
		if (first + size < total)
		{
			char	   *link = page_link(call, first + size);

			next = json_string(link);
			free(link);
		}
		json_decref(values);
	}
	json_send(call->reply, &call->settings, 200,
			  envelope(call, page, next, (int) json_array_size(page), message, 200),
			  false);
}

void
emu_call_value(EmuCall *call, json_t *value, const char *message)
{
	json_t	   *values = json_array();

	json_array_append_new(values, value);
	json_send(call->reply, &call->settings, 200,
			  envelope(call, values, json_null(), 1, message, 200), false);
}

void
emu_call_rows(EmuCall *call, json_t *rows)
{
	json_send(call->reply, &call->settings, 200,
			  envelope(call, rows, json_null(), (int) json_array_size(rows), NULL, 200),
			  true);
}

static json_t *
partnerfd(int code, const char *message)
{
	return json_pack("{s:i, s:s, s:[], s:s}", "code", code, "description", message,
					 "data", "source", "PartnerFD");
}

void
emu_call_error(EmuCall *call, int status, const char *message)
{
	const EmuSettings *settings = &call->settings;
	int			http = settings->error_in_200 ? 200 : status;
	json_t	   *json;

	switch ((EmuErrorStyle) settings->error_style)
	{
		case EMU_ERROR_GATEWAY:
			json = json_pack("{s:i, s:s}", "statusCode", status, "message", message);
			break;
		case EMU_ERROR_PARTNERFD:
			json = partnerfd(status, message);
			break;
		case EMU_ERROR_EMPTY:
			emu_reply_body(call->reply, status, NULL, NULL);
			return;
		default:
			json = envelope(call, json_array(), json_null(), 0, message, status);
			break;
	}
	json_send(call->reply, settings, http, json, false);
}

void
emu_call_problem(EmuCall *call, const EmuProblem *problem)
{
	emu_call_error(call, problem->status, problem->message);
}

void
emu_call_coded_error(EmuCall *call, int status, int code, const char *message)
{
	if (call->settings.error_style == EMU_ERROR_EMPTY)
		emu_reply_body(call->reply, status, NULL, NULL);
	else
		json_send(call->reply, &call->settings,
				  call->settings.error_in_200 ? 200 : status,
				  partnerfd(code, message), false);
}
