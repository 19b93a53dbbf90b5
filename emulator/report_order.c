/*-------------------------------------------------------------------------
 *
 * report_order.c
 *		Reads and checks the body of a report's creation or update.
 *
 * One function a rule; the first rule broken names the problem.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "report_order.h"

#include <string.h>

#include "json_reply.h"
#include "text.h"

#define NAME_LIMIT 256
#define SHORTEST_INTERVAL 4
#define LONGEST_INTERVAL 2160
#define INVALID "Invalid report parameters for creation - "
#define TIME_FORMAT " should follow format: yyyy-MM-ddTHH:mm:ssZ"

static bool
refuse(EmuProblem *problem, int status, const char *message)
{
	problem->status = status;
	emu_fill(problem->message, sizeof problem->message, message);
	return false;
}

/* A text member; NULL if absent, null or no text. */
static const char *
text_of(json_t *body, const char *key)
{
	return json_string_value(emu_json_get(body, key));
}

static bool
read_names(json_t *body, bool update, EmuOrder *order, EmuProblem *problem)
{
	order->name = text_of(body, "ReportName");
	order->description = text_of(body, "Description");
	order->query_id = text_of(body, "QueryId");
	if (order->name == NULL || *order->name == '\0')
		return refuse(problem, 400, "Null or missing value");
	if (!update && (order->query_id == NULL || *order->query_id == '\0'))
		return refuse(problem, 400, "Invalid QueryId");
	if (strchr(order->name, ';') != NULL)
		return refuse(problem, 400, INVALID "Invalid character (;) in ReportName");
	if (emu_characters(order->name) > NAME_LIMIT || emu_characters(order->description) > NAME_LIMIT)
		return refuse(problem, 400, INVALID
					  "Limit ReportName and Description length to 256 characters or less");
	return true;
}

static bool
read_execute_now(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	json_t	   *value = emu_json_get(body, "ExecuteNow");
	const char *text = json_string_value(value);

	order->execute_now = json_is_true(value) || emu_same(text, "true");
	if (value == NULL || json_is_null(value) || json_is_boolean(value) ||
		order->execute_now || emu_same(text, "false"))
		return true;
	return refuse(problem, 400, "Invalid report parameters");
}

static bool
read_recurrence(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	json_t	   *interval = emu_json_get(body, "RecurrenceInterval");
	json_t	   *count = emu_json_get(body, "RecurrenceCount");

	order->interval = json_integer_value(interval);
	order->count = json_integer_value(count);
	if (order->interval < SHORTEST_INTERVAL || order->interval > LONGEST_INTERVAL)
		return refuse(problem, 400, "Recurrence Interval must be between 4 and 2160");
	if (count != NULL && !json_is_null(count) &&
		(!json_is_integer(count) || order->count <= 0))
		return refuse(problem, 400, INVALID
					  "Recurrence count has to be a positive integer value");
	return true;
}

static bool
read_start(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	if (!emu_time_parse(text_of(body, "StartTime"), &order->start))
		return refuse(problem, 400, INVALID "StartTime" TIME_FORMAT);
	return true;
}

/* A date that cannot be read is the service's one documented 500. */
static bool
read_window(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	const char *start = text_of(body, "QueryStartTime");
	const char *end = text_of(body, "QueryEndTime");
	char		id[EMU_UUID_SIZE];

	if (start == NULL && end == NULL)
		return true;
	if (!emu_time_parse(start, &order->window.start) ||
		!emu_time_parse(end, &order->window.end))
	{
		emu_uuid(id);
		problem->status = 500;
		snprintf(problem->message, sizeof problem->message, "Internal error encountered "
				 "while creating report. Correlation ID <%s>", id);
		return false;
	}
	if (order->window.end <= order->window.start)
		return refuse(problem, 400, INVALID "EndTime should be greater than StartTime");
	return true;
}

static bool
read_format(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	const char *format = text_of(body, "Format");

	order->tsv = emu_same(format, "tsv");
	if (format != NULL && !order->tsv && !emu_same(format, "csv"))
		return refuse(problem, 400, INVALID "Report format should be csv/tsv");
	return true;
}

static bool
read_callback(json_t *body, EmuOrder *order, EmuProblem *problem)
{
	const char *method = text_of(body, "CallbackMethod");

	order->callback_url = text_of(body, "CallbackUrl");
	order->callback_method = order->callback_url != NULL ? "POST" : NULL;
	if (emu_same(method, "GET"))
		order->callback_method = "GET";
	else if (method != NULL && !emu_same(method, "POST"))
		return refuse(problem, 400, INVALID "CallbackMethod can only be GET or POST");
	return true;
}

bool
emu_report_order_read(json_t *body, bool update, EmuOrder *order, EmuProblem *problem)
{
	memset(order, 0, sizeof *order);
	if (!json_is_object(body))
		return refuse(problem, 400, "Invalid report parameters");
	if (!read_names(body, update, order, problem) ||
		!read_format(body, order, problem) ||
		!read_callback(body, order, problem))
		return false;
	if (!update && !read_execute_now(body, order, problem))
		return false;
	if (order->execute_now)
		return read_window(body, order, problem);
	return read_start(body, order, problem) && read_recurrence(body, order, problem);
}
