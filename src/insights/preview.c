/*-------------------------------------------------------------------------
 *
 * preview.c
 *		A query's first rows, at once.
 *
 * The preview sends values as JSON, in objects keyed by column name.  How it
 * sends null is not documented: as null, or by leaving the member out.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/api.h"

#include <stdlib.h>
#include <string.h>

#include "insights/api_request.h"

static const char what[] = "preview the query";

/* The query travels in the address, and gateways bound that, bytes. */
#define PREVIEW_URL_MAX 8192

/* A preview of a text or an id. */
static bool
ask(const PinApi *api, const char *name, const char *value, const char *query_start,
	const char *query_end, PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	if (!pin_api_window_ok(query_start, query_end, what, err))
		return false;

	pin_api_url_start(&url, api, "/ScheduledQueries/testQueryResult");
	pin_api_url_parameter(&url, name, value);
	pin_api_url_parameter(&url, "startTime", query_start);
	pin_api_url_parameter(&url, "endTime", query_end);
	if (url.len > PREVIEW_URL_MAX)
	{
		pin_text_buffer_wipe(&url);
		pin_error_set(err, PIN_ERROR_BAD_REQUEST,
					  "could not %s: it is too long for that", what);
		pin_error_hint(err, "Insert it into the table \"queries\" of foreign schema \"api\", "
					   "and preview it by its query_id.");
		return false;
	}
	return pin_api_request_finish(request, "GET", &url, NULL, err);
}

bool
pin_api_preview(const PinApi *api, const char *text, const char *query_start,
				const char *query_end, PinApiRequest *request, PinError *err)
{
	return ask(api, "exportQuery", text, query_start, query_end, request, err);
}

bool
pin_api_preview_query(const PinApi *api, const char *query_id, const char *query_start,
					  const char *query_end, PinApiRequest *request, PinError *err)
{
	return ask(api, "queryId", query_id, query_start, query_end, request, err);
}

static bool
refuse(const PinReply *reply, PinError *err, const char *reason)
{
	pin_error_set(err, PIN_ERROR_REPLY, "could not %s: %s", what, reason);
	err->http_status = reply->status;
	return false;
}

/* Reads one cell; *seen is set where the column is there, if only as null. */
static bool
read_cell(const PinJson *record, const char *column, char **cell, bool *seen,
		  const PinReply *reply, PinError *err)
{
	const PinJson *value = pin_json_member(record, column);

	if (value)
		*seen = true;
	if (pin_json_is_null(value))
		return true;
	if (pin_json_fraction(value) != NULL)
		*cell = strdup(pin_json_fraction(value));
	else if (pin_json_is_array(value) || pin_json_is_object(value))
		return refuse(reply, err, "a value is not a plain one");
	else
		*cell = pin_json_text(value);
	if (*cell == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return *cell != NULL;
}

static bool
is_string_or_null(const PinJson *value)
{
	return pin_json_is_null(value) || pin_json_string(value) != NULL;
}

/* Reads one column of all rows. */
static bool
read_column(const PinJson *records, const char *const *columns, size_t column,
			PinPreview *result, const PinReply *reply, PinError *err)
{
	bool		seen = result->nrows == 0;

	result->strings[column] = true;
	for (size_t row = 0; row < result->nrows; row++)
	{
		const PinJson *record = pin_json_element(records, row);

		if (!pin_json_is_object(record))
			return refuse(reply, err, "a row is not an object");
		if (!is_string_or_null(pin_json_member(record, columns[column])))
			result->strings[column] = false;
		if (!read_cell(record, columns[column],
					   &result->values[row * result->ncolumns + column],
					   &seen, reply, err))
			return false;
	}
	return seen || refuse(reply, err, "a column is missing in the rows");
}

/* The reply's document, in which fractions keep their digits. */
static PinJson *
read_document(const PinReply *reply, PinError *err)
{
	PinReply	kept = *reply;
	char	   *text = pin_json_keep_fractions(reply->body, reply->body_len, &kept.body_len);
	PinJson    *document = NULL;

	kept.body = text;
	if (text == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	else
		document = pin_api_document(&kept, what, err);
	free(text);
	return document;
}

bool
pin_api_preview_rows_reply(const PinReply *reply, PinError *err)
{
	PinJson    *document = read_document(reply, err);
	const PinJson *records = pin_api_records(document);
	bool		proper = records != NULL;

	if (document == NULL)
		(void) pin_api_found_nothing(reply, err);	/* else a hint says so */
	else if (records == NULL)
		refuse(reply, err, "the service's reply holds no list");
	for (size_t row = 0; proper && row < pin_json_count(records); row++)
		proper = pin_json_is_object(pin_json_element(records, row)) ||
			refuse(reply, err, "a row is not an object");
	pin_json_free(document);
	return proper;
}

bool
pin_api_preview_reply(const PinReply *reply, const char *const *columns,
					  size_t ncolumns, PinPreview *result, PinError *err)
{
	PinJson    *document;
	const PinJson *records;
	bool		done = true;

	memset(result, 0, sizeof(*result));
	document = read_document(reply, err);
	if (document == NULL)
		return false;
	records = pin_api_records(document);
	if (records == NULL)
	{
		pin_json_free(document);
		return refuse(reply, err, "the service's reply holds no list");
	}

	result->ncolumns = ncolumns;
	result->nrows = pin_json_count(records);
	if (result->nrows > PIN_PREVIEW_ROWS)
		result->nrows = PIN_PREVIEW_ROWS;
	result->values = calloc(result->nrows * ncolumns + 1, sizeof(char *));
	result->strings = calloc(ncolumns + 1, sizeof(bool));
	if (result->values == NULL || result->strings == NULL)
	{
		result->nrows = 0;
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		done = false;
	}
	for (size_t i = 0; i < ncolumns && done; i++)
		done = read_column(records, columns, i, result, reply, err);

	pin_json_free(document);
	if (!done)
		pin_api_preview_free(result);
	return done;
}

void
pin_api_preview_free(PinPreview *preview)
{
	for (size_t i = 0; i < preview->nrows * preview->ncolumns; i++)
		free(preview->values[i]);
	free(preview->values);
	free(preview->strings);
	memset(preview, 0, sizeof(*preview));
}
