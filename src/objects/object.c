/*-------------------------------------------------------------------------
 *
 * object.c
 *		The kinds of objects that the service keeps, and what is known of them.
 *
 * Columns have the names of the objects' members, in snake case.  One is
 * called otherwise: "user" without quotes is the session's user in SQL, and
 * who forgot them would get a wrong answer instead of an error.
 *
 *-------------------------------------------------------------------------
 */
#include "objects/object.h"

#include <stddef.h>

#include "insights/ascii.h"
#include "insights/catalog.h"

static const char *const query_types[] = {"userDefined", "system", NULL};
static const char *const report_statuses[] = {"Active", "Paused", "Inactive", NULL};
static const char *const formats[] = {"csv", "tsv", NULL};
static const char *const methods[] = {"GET", "POST", NULL};

/* The service's documents have no word for a run that failed; it may have. */
static const char *const execution_statuses[] = {
	"Pending", "Running", "Paused", "Completed", "Failed", NULL
};

static const PinObjectColumn datasets[] = {
	{"dataset_name", "datasetName", PIN_OBJECT_ID, PIN_USE_PARAMETER, "datasetName", NULL},
	{"selectable_columns", "selectableColumns", PIN_OBJECT_TEXTS, PIN_USE_NONE, NULL, NULL},
	{"available_metrics", "availableMetrics", PIN_OBJECT_TEXTS, PIN_USE_NONE, NULL, NULL},
	{"available_date_ranges", "availableDateRanges", PIN_OBJECT_TEXTS, PIN_USE_NONE, NULL, NULL},
	{"minimum_recurrence_interval", "minimumRecurrenceInterval", PIN_OBJECT_INTEGER, PIN_USE_NONE, NULL, NULL},
	{"raw", NULL, PIN_OBJECT_RAW, PIN_USE_NONE, NULL, NULL},
};

static const PinObjectColumn queries[] = {
	{"query_id", "queryId", PIN_OBJECT_ID, PIN_USE_PARAMETER, "queryId", NULL},
	{"name", "name", PIN_OBJECT_TEXT, PIN_USE_PARAMETER, "queryName", NULL},
	{"description", "description", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"query", "query", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"type", "type", PIN_OBJECT_WORD, PIN_USE_SYSTEM, NULL, query_types},
	{"user_name", "user", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"created_time", "createdTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"modified_time", "modifiedTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"raw", NULL, PIN_OBJECT_RAW, PIN_USE_NONE, NULL, NULL},
};

static const PinObjectColumn reports[] = {
	{"report_id", "reportId", PIN_OBJECT_ID, PIN_USE_PARAMETER, "reportId", NULL},
	{"report_name", "reportName", PIN_OBJECT_TEXT, PIN_USE_PARAMETER, "reportName", NULL},
	{"description", "description", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"query_id", "queryId", PIN_OBJECT_ID, PIN_USE_PARAMETER, "queryId", NULL},
	{"query", "query", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"user_name", "user", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"created_time", "createdTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"modified_time", "modifiedTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"execute_now", "executeNow", PIN_OBJECT_BOOLEAN, PIN_USE_NONE, NULL, NULL},
	{"query_start_time", "queryStartTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"query_end_time", "queryEndTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"start_time", "startTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"report_status", "reportStatus", PIN_OBJECT_WORD, PIN_USE_NONE, NULL, report_statuses},
	{"recurrence_interval", "recurrenceInterval", PIN_OBJECT_INTEGER, PIN_USE_NONE, NULL, NULL},
	{"recurrence_count", "recurrenceCount", PIN_OBJECT_INTEGER, PIN_USE_NONE, NULL, NULL},
	{"callback_url", "callbackUrl", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"callback_method", "callbackMethod", PIN_OBJECT_WORD, PIN_USE_NONE, NULL, methods},
	{"format", "format", PIN_OBJECT_WORD, PIN_USE_NONE, NULL, formats},
	{"raw", NULL, PIN_OBJECT_RAW, PIN_USE_NONE, NULL, NULL},
};

static const PinObjectColumn executions[] = {
	{"execution_id", "executionId", PIN_OBJECT_ID, PIN_USE_SEVERAL, "executionId", NULL},
	{"report_id", "reportId", PIN_OBJECT_ID, PIN_USE_PATH, NULL, NULL},
	{"execution_status", "executionStatus", PIN_OBJECT_WORD, PIN_USE_SEVERAL, "executionStatus", execution_statuses},
	{"latest", NULL, PIN_OBJECT_LATEST, PIN_USE_LATEST, "getLatestExecution", NULL},
	{"report_generated_time", "reportGeneratedTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"report_access_secure_link", "reportAccessSecureLink", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"report_expiry_time", "reportExpiryTime", PIN_OBJECT_TIME, PIN_USE_NONE, NULL, NULL},
	{"report_location", "reportLocation", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"recurrence_interval", "recurrenceInterval", PIN_OBJECT_INTEGER, PIN_USE_NONE, NULL, NULL},
	{"recurrence_count", "recurrenceCount", PIN_OBJECT_INTEGER, PIN_USE_NONE, NULL, NULL},
	{"callback_url", "callbackUrl", PIN_OBJECT_TEXT, PIN_USE_NONE, NULL, NULL},
	{"callback_method", "callbackMethod", PIN_OBJECT_WORD, PIN_USE_NONE, NULL, methods},
	{"format", "format", PIN_OBJECT_WORD, PIN_USE_NONE, NULL, formats},
	{"raw", NULL, PIN_OBJECT_RAW, PIN_USE_NONE, NULL, NULL},
};

#define COLUMNS(columns) columns, sizeof(columns) / sizeof(columns[0])

const PinObject pin_objects[PIN_OBJECT_KINDS] = {
	{PIN_DATASETS, "datasets", "list datasets", "/ScheduledDataset", COLUMNS(datasets), 20},
	{PIN_QUERIES, "queries", "list queries", "/ScheduledQueries", COLUMNS(queries), 50},
	{PIN_REPORTS, "reports", "list reports", "/ScheduledReport", COLUMNS(reports), 50},
	{PIN_EXECUTIONS, "executions", "list executions", "/ScheduledReport/execution", COLUMNS(executions), 500},
};

const PinObject *
pin_object_find(const char *name)
{
	for (int i = 0; i < PIN_OBJECT_KINDS; i++)
		if (pin_ascii_equal(pin_objects[i].name, name))
			return &pin_objects[i];
	return NULL;
}

const PinObjectColumn *
pin_object_column(const PinObject *object, const char *name)
{
	for (int i = 0; i < object->ncolumns; i++)
	{
		const PinObjectColumn *column = &object->columns[i];

		if (pin_catalog_same_name(column->name, name) ||
			(column->key && pin_catalog_same_name(column->key, name)))
			return column;
	}
	return NULL;
}

const char *
pin_object_sql_type(const PinObjectColumn *column)
{
	switch (column->type)
	{
		case PIN_OBJECT_ID:
		case PIN_OBJECT_TEXT:
		case PIN_OBJECT_WORD:
			return "text";
		case PIN_OBJECT_INTEGER:
			return "integer";
		case PIN_OBJECT_BOOLEAN:
		case PIN_OBJECT_LATEST:
			return "boolean";
		case PIN_OBJECT_TIME:
			return "timestamptz";
		case PIN_OBJECT_TEXTS:
			return "text[]";
		case PIN_OBJECT_RAW:
			return "jsonb";
	}
	return "text";
}

const char *
pin_object_word(const PinObjectColumn *column, const char *word)
{
	for (const char *const *known = column->words; known && *known; known++)
		if (pin_ascii_equal_trimmed(*known, word))
			return *known;
	return word;
}
