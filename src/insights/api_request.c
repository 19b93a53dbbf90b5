/*-------------------------------------------------------------------------
 *
 * api_request.c
 *		What the API's requests have in common: addresses, ids, times, bodies.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/api_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"

/* ---- ids and times ---- */

/*
 * An id must stay one segment of a path whatever decodes it on its way, and
 * one id: the service divides several by semicolons.
 */
static bool
is_id(const char *text, size_t len)
{
	if (len == 0 || len > PIN_ID_MAX || text[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr(";/\\?#%\"'<>&", text[i]))
			return false;
	return true;
}

bool
pin_api_is_id(const char *text)
{
	return is_id(text, strlen(text));
}

bool
pin_api_read_id(const PinJson *value, PinId id)
{
	char	   *text = pin_json_text(value);
	const char *start = text ? text : "";
	size_t		len;
	bool		usable;

	while (pin_ascii_is_blank(*start))
		start++;
	len = strlen(start);
	while (len > 0 && pin_ascii_is_blank(start[len - 1]))
		len--;

	usable = is_id(start, len);
	if (!usable)
		len = 0;
	memcpy(id, start, len);
	id[len] = '\0';
	free(text);
	return usable;
}

bool
pin_api_time_ok(const char *text)
{
	static const char shape[] = "0000-00-00T00:00:00Z";

	if (strlen(text) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '0' ? !pin_ascii_is_digit(text[i]) : text[i] != shape[i])
			return false;
	return true;
}

bool
pin_api_window_ok(const char *start, const char *end, const char *what,
				  PinError *err)
{
	if (start == NULL && end == NULL)
		return true;
	if (start && end && pin_api_time_ok(start) && pin_api_time_ok(end))
		return true;
	pin_error_set(err, PIN_ERROR_BAD_REQUEST,
				  "could not %s: the time window is not well written", what);
	return false;
}

/* ---- addresses ---- */

static size_t
length_without_slash(const char *url)
{
	size_t		len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return len;
}

void
pin_api_url_start(PinTextBuffer *url, const PinApi *api, const char *path)
{
	pin_text_buffer_init(url);
	pin_text_buffer_add_bytes(url, api->api_url, length_without_slash(api->api_url));
	pin_text_buffer_add(url, "/insights/");
	pin_text_buffer_add_encoded(url, api->api_version);
	pin_text_buffer_add(url, "/");
	pin_text_buffer_add_encoded(url, api->program);
	pin_text_buffer_add(url, path);
}

void
pin_api_url_parameter(PinTextBuffer *url, const char *name, const char *value)
{
	bool		first = url->data && strchr(url->data, '?') == NULL;

	if (value == NULL || *value == '\0')
		return;
	pin_text_buffer_add(url, first ? "?" : "&");
	pin_text_buffer_add(url, name);
	pin_text_buffer_add(url, "=");
	pin_text_buffer_add_encoded(url, value);
}

bool
pin_api_url_id(PinTextBuffer *url, const char *id, const char *what, PinError *err)
{
	PinRemoteText text;
	size_t		len = strlen(id);

	if (is_id(id, len))
	{
		pin_text_buffer_add(url, "/");
		pin_text_buffer_add_encoded(url, id);
		return true;
	}
	pin_text_buffer_wipe(url);
	pin_error_clean(text, sizeof(text), id, len);
	pin_error_set(err, PIN_ERROR_BAD_REQUEST,
				  "could not %s: \"%.*s\" is not an id", what, PIN_ID_MAX, text);
	return false;
}

bool
pin_api_request_finish(PinApiRequest *request, const char *method,
					   PinTextBuffer *url, char *body, PinError *err)
{
	request->method = method;
	request->content_type = "application/json";
	request->url = pin_text_buffer_take(url, NULL);
	request->body = body;
	request->body_len = body ? strlen(body) : 0;
	if (request->url)
		return true;
	pin_api_request_free(request);
	pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY,
				  "out of memory, or a request is too long");
	return false;
}

/* ---- pages ---- */

/* Length of scheme, host and port in an absolute address; 0 if it is none. */
static size_t
origin_length(const char *url)
{
	size_t		scheme;

	if (pin_ascii_starts(url, "https://"))
		scheme = strlen("https://");
	else if (pin_ascii_starts(url, "http://"))
		scheme = strlen("http://");
	else
		return 0;
	return scheme + strcspn(url + scheme, "/?#");
}

/*
 * Characters no address of the API has.  A backslash counts as a slash for some
 * readers of addresses, and would lead a relative one to another host.
 */
static bool
is_plain_address(const char *link)
{
	for (; *link; link++)
		if (*link <= ' ' || *link > '~' || strchr("\\#\"<>", *link))
			return false;
	return true;
}

static bool
refuse_link(PinTextBuffer *url, PinError *err)
{
	pin_text_buffer_wipe(url);
	pin_error_set(err, PIN_ERROR_REPLY,
				  "could not read on: the next page is not on the API's host");
	return false;
}

bool
pin_api_next_page(const PinApi *api, const char *next_link,
				  PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;
	size_t		origin = origin_length(api->api_url);
	size_t		linked = origin_length(next_link);

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	pin_text_buffer_init(&url);
	if (origin == 0 || !is_plain_address(next_link))
		return refuse_link(&url, err);

	if (linked > 0)
	{
		if (linked != origin || !pin_ascii_equal_bytes(next_link, api->api_url, origin))
			return refuse_link(&url, err);
	}
	else if (next_link[0] == '/' && next_link[1] != '/')
		pin_text_buffer_add_bytes(&url, api->api_url, origin);
	else if (pin_ascii_is_letter(next_link[0]) &&
			 strcspn(next_link, ":") >= strcspn(next_link, "/?"))
		pin_api_url_start(&url, api, "/");
	else
		return refuse_link(&url, err);

	pin_text_buffer_add(&url, next_link);
	return pin_api_request_finish(request, "GET", &url, NULL, err);
}

/* ---- replies ---- */

const PinJson *
pin_api_records(const PinJson *document)
{
	const PinJson *value = pin_json_member(document, "value");

	return pin_json_is_array(value) ? value : NULL;
}

bool
pin_api_open_list(const PinReply *reply, const char *what, PinJson **document,
				  const PinJson **records, const char **next_link, PinError *err)
{
	const PinJson *value;
	const char *next;

	*records = NULL;
	*next_link = NULL;
	*document = pin_api_document(reply, what, err);
	if (*document == NULL)
	{
		if (!pin_api_found_nothing_perhaps(reply, err))
			return false;
		pin_error_reset(err);
		return true;
	}

	value = pin_json_member(*document, "value");
	*records = pin_api_records(*document);
	if (*records || (value && pin_json_is_null(value)))
	{
		next = pin_json_member_string(*document, "nextLink");
		*next_link = next && *next ? next : NULL;
		return true;
	}

	pin_json_free(*document);
	*document = NULL;
	pin_error_set(err, PIN_ERROR_REPLY,
				  "could not %s: the service's reply holds no list", what);
	err->http_status = reply->status;
	return false;
}
