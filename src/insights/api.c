/*-------------------------------------------------------------------------
 *
 * api.c
 *		The Insights API's datasets, queries and reports.
 *
 * Executions and previews, which need more thought, have files of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/api.h"

#include <stdlib.h>
#include <string.h>

#include "insights/api_request.h"
#include "insights/ascii.h"

/* ---- what all share ---- */

/* A GET with up to two parameters. */
static bool
get(const PinApi *api, const char *path, const char *name1, const char *value1,
	const char *name2, const char *value2, PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	pin_api_url_start(&url, api, path);
	pin_api_url_parameter(&url, name1, value1);
	pin_api_url_parameter(&url, name2, value2);
	return pin_api_request_finish(request, "GET", &url, NULL, err);
}

static bool
post(const PinApi *api, const char *path, const PinJsonField *fields,
	 size_t nfields, PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;
	char	   *body = pin_json_object_text(fields, nfields, err);

	if (body == NULL)
		return false;
	pin_api_url_start(&url, api, path);
	return pin_api_request_finish(request, "POST", &url, body, err);
}

/* DELETE or PUT of one object.  Takes body over, freed on failure too. */
static bool
one(const PinApi *api, const char *method, const char *path, const char *id, char *body,
	const char *what, PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	pin_api_url_start(&url, api, path);
	if (pin_api_url_id(&url, id, what, err))
		return pin_api_request_finish(request, method, &url, body, err);
	free(body);
	return false;
}

/*
 * What we wanted gone is gone, whoever removed it: if it is the service that
 * says so.
 */
static bool
deleted(const PinReply *reply, const char *what, PinError *err)
{
	if (!pin_api_check(reply, what, err) && !pin_api_found_nothing(reply, err))
		return false;
	pin_error_reset(err);
	return true;
}

/*
 * The id of what a POST created.  A failure of the service, or a reply that
 * makes no sense, does not prove that nothing was created.
 */
static bool
created(const PinReply *reply, const char *what, const char *id_name, PinId id,
		PinError *err)
{
	PinJson    *document = pin_api_document(reply, what, err);
	const PinJson *record = pin_json_element(pin_api_records(document), 0);

	id[0] = '\0';
	if (document && !pin_api_read_id(pin_json_member(record, id_name), id))
		pin_error_set(err, PIN_ERROR_REPLY,
					  "could not %s: the service's reply holds no usable id", what);
	pin_json_free(document);
	if (id[0])
		return true;

	if (err->http_status == 0)
		err->http_status = reply->status;
	err->ambiguous = err->kind == PIN_ERROR_SERVICE ||
		err->kind == PIN_ERROR_OUT_OF_MEMORY ||
		err->kind == PIN_ERROR_REPLY || err->kind == PIN_ERROR_REPLY_TOO_LARGE;
	return false;
}

/* Room for the list's items; never NULL but when memory ran out. */
static void *
allocate_items(const PinJson *records, size_t size, PinError *err)
{
	size_t		n = pin_json_count(records);
	void	   *items = calloc(n > 0 ? n : 1, size);

	if (items == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return items;
}

/* True if a was created after b; what has no time is oldest. */
static bool
is_newer(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") > 0;
}

/* In characters, whose later bytes in UTF-8 are 10xxxxxx. */
static bool
is_too_long(const char *name)
{
	size_t		length = 0;

	for (; *name; name++)
		length += ((unsigned char) *name & 0xC0) != 0x80;
	return length > PIN_REMOTE_NAME_MAX;
}

/* Checks what may be sent as a query's or report's name. */
static bool
check_name(const char *name, const char *what, PinError *err)
{
	const char *reason = NULL;

	if (*name == '\0')
		reason = "the name is empty";
	else if (is_too_long(name))
		reason = "the name is too long";
	else if (strchr(name, ';'))
		reason = "the name holds a semicolon";
	if (reason)
		pin_error_set(err, PIN_ERROR_BAD_REQUEST, "could not %s: %s", what, reason);
	return reason == NULL;
}

/* ---- datasets ---- */

static const PinJson *
array_member(const PinJson *object, const char *name)
{
	const PinJson *value = pin_json_member(object, name);

	return pin_json_is_array(value) ? value : NULL;
}

/* A member that counts something; otherwise where it makes no sense. */
static int
read_count(const PinJson *record, const char *name, int otherwise)
{
	int64_t		count = pin_json_member_integer(record, name, otherwise);

	return count >= 0 && count <= 100000 ? (int) count : otherwise;
}

static bool
read_dataset(const PinJson *record, PinRemoteDataset *dataset)
{
	dataset->name = pin_json_member_string(record, "datasetName");
	dataset->columns = array_member(record, "selectableColumns");
	dataset->metrics = array_member(record, "availableMetrics");
	dataset->date_ranges = array_member(record, "availableDateRanges");
	dataset->minimum_recurrence_hours = read_count(record, "minimumRecurrenceInterval", -1);
	return dataset->name && *dataset->name;
}

bool
pin_api_list_datasets(const PinApi *api, const char *name,
					  PinApiRequest *request, PinError *err)
{
	return get(api, "/ScheduledDataset", "datasetName", name, "", NULL,
			   request, err);
}

bool
pin_api_list_datasets_reply(const PinReply *reply, PinDatasetList *result,
							PinError *err)
{
	const PinJson *records;

	memset(result, 0, sizeof(*result));
	if (!pin_api_open_list(reply, "list datasets", &result->document, &records,
						   &result->next_link, err))
		return false;
	result->items = allocate_items(records, sizeof(*result->items), err);
	if (result->items == NULL)
	{
		pin_api_dataset_list_free(result);
		return false;
	}
	for (size_t i = 0; i < pin_json_count(records); i++)
		if (read_dataset(pin_json_element(records, i), &result->items[result->count]))
			result->count++;
	return true;
}

void
pin_api_dataset_list_free(PinDatasetList *list)
{
	free(list->items);
	pin_json_free(list->document);
	memset(list, 0, sizeof(*list));
}

/* ---- queries ---- */

bool
pin_api_create_query(const PinApi *api, const char *name,
					 const char *description, const char *text,
					 PinApiRequest *request, PinError *err)
{
	const PinJsonField fields[] = {
		PIN_JSON_FIELD_STRING("Name", name),
		PIN_JSON_FIELD_STRING("Description", description),
		PIN_JSON_FIELD_STRING("Query", text),
	};

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	return check_name(name, "create query", err) &&
		post(api, "/ScheduledQueries", fields, 3, request, err);
}

bool
pin_api_create_query_reply(const PinReply *reply, PinId id, PinError *err)
{
	return created(reply, "create query", "queryId", id, err);
}

bool
pin_api_find_queries(const PinApi *api, const char *name,
					 PinApiRequest *request, PinError *err)
{
	return get(api, "/ScheduledQueries", "queryName", name,
			   "includeSystemQueries", "false", request, err);
}

static bool
read_query(const PinJson *record, PinRemoteQuery *query)
{
	query->name = pin_json_member_string(record, "name");
	query->created_time = pin_json_member_string(record, "createdTime");
	return pin_api_read_id(pin_json_member(record, "queryId"), query->id);
}

bool
pin_api_find_queries_reply(const PinReply *reply, PinQueryList *result,
						   PinError *err)
{
	const PinJson *records;

	memset(result, 0, sizeof(*result));
	if (!pin_api_open_list(reply, "look for queries", &result->document, &records,
						   &result->next_link, err))
		return false;
	result->items = allocate_items(records, sizeof(*result->items), err);
	if (result->items == NULL)
	{
		pin_api_query_list_free(result);
		return false;
	}
	for (size_t i = 0; i < pin_json_count(records); i++)
		if (read_query(pin_json_element(records, i), &result->items[result->count]))
			result->count++;
	return true;
}

const PinRemoteQuery *
pin_api_query_named(const PinQueryList *list, const char *name)
{
	const PinRemoteQuery *found = NULL;

	for (size_t i = 0; i < list->count; i++)
	{
		const PinRemoteQuery *query = &list->items[i];

		if (query->name && pin_ascii_equal_trimmed(query->name, name) &&
			(found == NULL || is_newer(query->created_time, found->created_time)))
			found = query;
	}
	return found;
}

void
pin_api_query_list_free(PinQueryList *list)
{
	free(list->items);
	pin_json_free(list->document);
	memset(list, 0, sizeof(*list));
}

bool
pin_api_delete_query(const PinApi *api, const char *query_id,
					 PinApiRequest *request, PinError *err)
{
	return one(api, "DELETE", "/ScheduledQueries", query_id, NULL, "delete query", request, err);
}

bool
pin_api_delete_query_reply(const PinReply *reply, PinError *err)
{
	return deleted(reply, "delete query", err);
}

/* ---- reports ---- */

static bool
check_start(const char *time, const char *what, PinError *err)
{
	if (time == NULL || pin_api_time_ok(time))
		return true;
	pin_error_set(err, PIN_ERROR_BAD_REQUEST,
				  "could not %s: its start time is not well written", what);
	return false;
}

/* A report's fields; those that only recur come last. */
#define REPORT_FIELDS 12

/* How many of them an order has. */
static size_t
count_fields(const PinReportOrder *order)
{
	if (order->start_time == NULL)
		return REPORT_FIELDS - 2;
	return order->recurrence_count > 0 ? REPORT_FIELDS : REPORT_FIELDS - 1;
}

bool
pin_api_create_report(const PinApi *api, const PinReportOrder *order,
					  PinApiRequest *request, PinError *err)
{
	const PinJsonField fields[REPORT_FIELDS] = {
		PIN_JSON_FIELD_STRING("ReportName", order->name),
		PIN_JSON_FIELD_STRING("Description", order->description),
		PIN_JSON_FIELD_STRING("QueryId", order->query_id),
		PIN_JSON_FIELD_STRING("StartTime", order->start_time),
		PIN_JSON_FIELD_BOOLEAN("ExecuteNow", order->start_time == NULL),
		PIN_JSON_FIELD_STRING("QueryStartTime", order->query_start),
		PIN_JSON_FIELD_STRING("QueryEndTime", order->query_end),
		PIN_JSON_FIELD_STRING("Format", order->format),
		PIN_JSON_FIELD_STRING("CallbackUrl", order->callback_url),
		PIN_JSON_FIELD_STRING("CallbackMethod", order->callback_method),
		PIN_JSON_FIELD_INTEGER("RecurrenceInterval", order->recurrence_hours),
		PIN_JSON_FIELD_INTEGER("RecurrenceCount", order->recurrence_count),
	};

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	return check_name(order->name, "create report", err) &&
		pin_api_window_ok(order->query_start, order->query_end,
						  "create report", err) &&
		check_start(order->start_time, "create report", err) &&
		post(api, "/ScheduledReport", fields, count_fields(order), request, err);
}

bool
pin_api_create_report_reply(const PinReply *reply, PinId id, PinError *err)
{
	return created(reply, "create report", "reportId", id, err);
}

bool
pin_api_find_reports(const PinApi *api, const char *name, const char *report_id,
					 PinApiRequest *request, PinError *err)
{
	return get(api, "/ScheduledReport", "reportName", name,
			   "reportId", report_id, request, err);
}

static bool
read_report(const PinJson *record, PinRemoteReport *report)
{
	pin_api_read_id(pin_json_member(record, "queryId"), report->query_id);
	report->name = pin_json_member_string(record, "reportName");
	report->status = pin_json_member_string(record, "reportStatus");
	report->format = pin_json_member_string(record, "format");
	report->created_time = pin_json_member_string(record, "createdTime");
	report->start_time = pin_json_member_string(record, "startTime");
	report->recurrence_hours = read_count(record, "recurrenceInterval", -1);
	report->recurrence_count = read_count(record, "recurrenceCount", 0);
	report->execute_now = false;
	pin_json_boolean(pin_json_member(record, "executeNow"), &report->execute_now);
	return pin_api_read_id(pin_json_member(record, "reportId"), report->id);
}

bool
pin_api_find_reports_reply(const PinReply *reply, PinReportList *result,
						   PinError *err)
{
	const PinJson *records;

	memset(result, 0, sizeof(*result));
	if (!pin_api_open_list(reply, "look for reports", &result->document, &records,
						   &result->next_link, err))
		return false;
	result->items = allocate_items(records, sizeof(*result->items), err);
	if (result->items == NULL)
	{
		pin_api_report_list_free(result);
		return false;
	}
	for (size_t i = 0; i < pin_json_count(records); i++)
		if (read_report(pin_json_element(records, i), &result->items[result->count]))
			result->count++;
	return true;
}

const PinRemoteReport *
pin_api_report_named(const PinReportList *list, const char *name)
{
	const PinRemoteReport *found = NULL;

	for (size_t i = 0; i < list->count; i++)
	{
		const PinRemoteReport *report = &list->items[i];

		if (report->name && pin_ascii_equal_trimmed(report->name, name) &&
			(found == NULL || is_newer(report->created_time, found->created_time)))
			found = report;
	}
	return found;
}

const PinRemoteReport *
pin_api_report_with_id(const PinReportList *list, const char *report_id)
{
	for (size_t i = 0; i < list->count; i++)
		if (pin_ascii_equal_trimmed(list->items[i].id, report_id))
			return &list->items[i];
	return NULL;
}

void
pin_api_report_list_free(PinReportList *list)
{
	free(list->items);
	pin_json_free(list->document);
	memset(list, 0, sizeof(*list));
}

bool
pin_api_delete_report(const PinApi *api, const char *report_id,
					  PinApiRequest *request, PinError *err)
{
	return one(api, "DELETE", "/ScheduledReport", report_id, NULL, "delete report", request, err);
}

bool
pin_api_delete_report_reply(const PinReply *reply, PinError *err)
{
	return deleted(reply, "delete report", err);
}

/* ---- reports: changed ---- */

/* Checks a reply about a report that was there a moment ago. */
static bool
changed(const PinReply *reply, const char *what, PinError *err)
{
	if (pin_api_check(reply, what, err))
		return true;
	if (pin_api_found_nothing(reply, err))
		pin_error_hint(err, "It may have been deleted meanwhile.");
	return false;
}

bool
pin_api_update_report(const PinApi *api, const char *report_id,
					  const PinReportOrder *order, PinApiRequest *request, PinError *err)
{
	const PinJsonField fields[] = {
		PIN_JSON_FIELD_STRING("ReportName", order->name),
		PIN_JSON_FIELD_STRING("Description", order->description),
		PIN_JSON_FIELD_STRING("StartTime", order->start_time),
		PIN_JSON_FIELD_STRING("Format", order->format),
		PIN_JSON_FIELD_STRING("CallbackUrl", order->callback_url),
		PIN_JSON_FIELD_STRING("CallbackMethod", order->callback_method),
		PIN_JSON_FIELD_INTEGER("RecurrenceInterval", order->recurrence_hours),
		PIN_JSON_FIELD_INTEGER("RecurrenceCount", order->recurrence_count),
	};
	size_t		nfields = sizeof(fields) / sizeof(fields[0]);
	char	   *body;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	if (!check_name(order->name, "change report", err) ||
		!check_start(order->start_time, "change report", err))
		return false;
	body = pin_json_object_text(fields, order->recurrence_count > 0 ? nfields : nfields - 1,
								err);
	return body != NULL &&
		one(api, "PUT", "/ScheduledReport", report_id, body, "change report", request, err);
}

bool
pin_api_update_report_reply(const PinReply *reply, PinError *err)
{
	return changed(reply, "change report", err);
}

bool
pin_api_pause_report(const PinApi *api, const char *report_id, PinApiRequest *request,
					 PinError *err)
{
	return one(api, "PUT", "/ScheduledReport/pause", report_id, NULL, "pause report", request,
			   err);
}

bool
pin_api_pause_report_reply(const PinReply *reply, PinError *err)
{
	return changed(reply, "pause report", err);
}

bool
pin_api_resume_report(const PinApi *api, const char *report_id, PinApiRequest *request,
					  PinError *err)
{
	return one(api, "PUT", "/ScheduledReport/resume", report_id, NULL, "resume report", request,
			   err);
}

bool
pin_api_resume_report_reply(const PinReply *reply, PinError *err)
{
	return changed(reply, "resume report", err);
}
