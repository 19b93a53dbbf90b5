/*-------------------------------------------------------------------------
 *
 * execution.c
 *		The state of a report's latest execution, and where its file is.
 *
 * The service is asked without a filter on the state, and has been seen to
 * answer before the first completion in three ways: 404, an empty list, and an
 * execution that is pending.  All three mean "not yet".
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* strdup */
#include "insights/api.h"

#include <stdlib.h>
#include <string.h>

#include "insights/api_request.h"
#include "insights/ascii.h"

static const char what[] = "read the report's execution";

/* Longest link to a file we follow, bytes. */
#define LINK_MAX (16 * 1024)

bool
pin_api_latest_execution(const PinApi *api, const char *report_id,
						 PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	pin_api_url_start(&url, api, "/ScheduledReport/execution");
	if (!pin_api_url_id(&url, report_id, what, err))
		return false;
	return pin_api_request_finish(request, "GET", &url, NULL, err);
}

static PinExecutionStatus
status_of(const char *word)
{
	static const struct
	{
		const char *word;
		PinExecutionStatus status;
	}			words[] = {
		{"Completed", PIN_EXECUTION_COMPLETED},
		{"Running", PIN_EXECUTION_RUNNING},
		{"Pending", PIN_EXECUTION_PENDING},
		{"Paused", PIN_EXECUTION_PAUSED},
		{"Failed", PIN_EXECUTION_FAILED},
		{"Error", PIN_EXECUTION_FAILED},
		{"Cancelled", PIN_EXECUTION_FAILED},
		{"Canceled", PIN_EXECUTION_FAILED},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (pin_ascii_equal_trimmed(word, words[i].word))
			return words[i].status;
	return PIN_EXECUTION_UNKNOWN;
}

static const char *
string_or_empty(const PinJson *record, const char *name)
{
	const char *text = pin_json_member_string(record, name);

	while (text && pin_ascii_is_blank(*text))
		text++;
	return text ? text : "";
}

/* True if a is the better answer than b (which may be NULL). */
static bool
is_better(const PinJson *a, const PinJson *b)
{
	PinExecutionStatus status_a = status_of(string_or_empty(a, "executionStatus"));
	PinExecutionStatus status_b;
	bool		link_a = *string_or_empty(a, "reportAccessSecureLink") != '\0';
	bool		link_b;

	if (b == NULL)
		return true;
	status_b = status_of(string_or_empty(b, "executionStatus"));
	link_b = *string_or_empty(b, "reportAccessSecureLink") != '\0';
	if (status_a != status_b)
		return status_a > status_b;
	if (status_a == PIN_EXECUTION_COMPLETED && link_a != link_b)
		return link_a;
	return strcmp(string_or_empty(a, "reportGeneratedTime"),
				  string_or_empty(b, "reportGeneratedTime")) > 0;
}

/* The record that answers best; NULL if none is of this report. */
static const PinJson *
pick(const PinJson *records, const char *report_id)
{
	const PinJson *best = NULL;

	for (size_t i = 0; i < pin_json_count(records); i++)
	{
		const PinJson *record = pin_json_element(records, i);
		const char *owner = string_or_empty(record, "reportId");

		if (!pin_json_is_object(record) ||
			(*owner && !pin_ascii_equal_trimmed(owner, report_id)))
			continue;
		if (is_better(record, best))
			best = record;
	}
	return best;
}

/* Copies the link; false with *err filled if it is nothing to call. */
static bool
read_link(const PinJson *record, PinExecution *result, PinError *err)
{
	const char *link = string_or_empty(record, "reportAccessSecureLink");
	size_t		len = strlen(link);
	bool		usable;

	while (len > 0 && pin_ascii_is_blank(link[len - 1]))
		len--;
	if (len == 0)
		return true;

	usable = len <= LINK_MAX &&
		(pin_ascii_starts(link, "https://") || pin_ascii_starts(link, "http://"));
	for (size_t i = 0; i < len && usable; i++)
		usable = link[i] > ' ' && link[i] <= '~';
	if (!usable)
	{
		pin_error_set(err, PIN_ERROR_REPLY,
					  "could not %s: the link to its file is unusable", what);
		return false;
	}
	result->secure_link = strndup(link, len);
	if (result->secure_link == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return result->secure_link != NULL;
}

static bool
read_execution(const PinJson *record, PinExecution *result, PinError *err)
{
	const char *status = string_or_empty(record, "executionStatus");
	const char *generated = string_or_empty(record, "reportGeneratedTime");
	const char *expiry = string_or_empty(record, "reportExpiryTime");
	const char *format = string_or_empty(record, "format");

	result->status = status_of(status);
	pin_error_clean(result->status_text, sizeof(result->status_text),
					status, strlen(status));
	pin_error_clean(result->generated_time, sizeof(result->generated_time),
					generated, strlen(generated));
	pin_error_clean(result->expiry_time, sizeof(result->expiry_time),
					expiry, strlen(expiry));
	pin_error_clean(result->format, sizeof(result->format), format, strlen(format));
	for (char *c = result->format; *c; c++)
		*c = pin_ascii_lower(*c);
	pin_api_read_id(pin_json_member(record, "executionId"), result->execution_id);
	return result->status != PIN_EXECUTION_COMPLETED ||
		read_link(record, result, err);
}

/*
 * A 404 says "has not run yet" in one known sentence.  With other words, or
 * none, the report itself may be gone: the caller decides by asking for it.
 */
static bool
read_absence(PinExecution *result, PinError *err)
{
	if (err->kind != PIN_ERROR_NOT_FOUND)
		return false;
	result->status = PIN_EXECUTION_NONE;
	result->maybe_gone = pin_ascii_find(err->detail, "no executions") == NULL;
	pin_error_reset(err);
	return true;
}

bool
pin_api_latest_execution_reply(const PinReply *reply, const char *report_id,
							   PinExecution *result, PinError *err)
{
	PinJson    *document;
	const PinJson *record;
	const PinJson *value;
	bool		done = true;

	memset(result, 0, sizeof(*result));
	document = pin_api_document(reply, what, err);
	if (document == NULL)
		return read_absence(result, err);

	value = pin_json_member(document, "value");
	record = pick(pin_api_records(document), report_id);
	if (record)
		done = read_execution(record, result, err);
	else if (!pin_json_is_array(value) && !(value && pin_json_is_null(value)))
	{
		pin_error_set(err, PIN_ERROR_REPLY,
					  "could not %s: the service's reply holds no list", what);
		done = false;
	}
	if (!done)
	{
		err->http_status = reply->status;
		pin_api_execution_free(result);
	}
	pin_json_free(document);
	return done;
}

void
pin_api_execution_free(PinExecution *execution)
{
	free(execution->secure_link);
	memset(execution, 0, sizeof(*execution));
}
