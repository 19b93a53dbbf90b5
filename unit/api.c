/*-------------------------------------------------------------------------
 *
 * api.c
 *		Unit test of the Insights API: requests, replies, errors.
 *
 * Covers src/insights/api.c, api_error.c, api_request.c, execution.c,
 * preview.c, record_list.c, buffer.c and message.c.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/api.h"
#include "insights/api_request.h"
#include "insights/record_list.h"
#include "insights/text_buffer.h"
#include "tap.h"

#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define BASE "https://api.partnercenter.microsoft.com/insights/v1/mpn"

static const PinApi mpn = {"https://api.partnercenter.microsoft.com", "v1", "mpn"};
static const PinApi local = {"http://127.0.0.1:8080/", "v1.1", "cmp"};

static PinReply
reply_of(int status, const char *body)
{
	PinReply	reply = {status, body, strlen(body), NULL, -1, NULL};

	return reply;
}

/* ---- requests ---- */

/* Passes if the request is as expected, and frees it. */
static void
is_request(bool built, PinApiRequest *request, const char *method, const char *url,
		   const char *body)
{
	ok(built, "built: %s", url);
	is_str(request->method, method, "method");
	is_str(request->url, url, "url");
	is_str(request->content_type, "application/json", "content type");
	is_str(request->body, body, "body");
	is_int(request->body_len, body ? strlen(body) : 0, "body's length");
	pin_api_request_free(request);
}

static void
test_requests(void)
{
	PinReportOrder order = {
		.name = "pinsight 1f",.query_id = "ec8366a4-1",.format = "csv"
	};
	PinApiRequest r;
	PinError	err;
	bool		built;

	built = pin_api_list_datasets(&mpn, NULL, &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledDataset", NULL);
	built = pin_api_list_datasets(&mpn, "AzureUsage", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledDataset?datasetName=AzureUsage", NULL);

	built = pin_api_create_query(&mpn, "pinsight 1f", "a \"b\"", "SELECT a FROM X", &r, &err);
	is_request(built, &r, "POST", BASE "/ScheduledQueries",
			   "{\"Name\":\"pinsight 1f\",\"Description\":\"a \\\"b\\\"\",\"Query\":\"SELECT a FROM X\"}");
	built = pin_api_find_queries(&mpn, "pinsight 1f&x=", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledQueries?queryName=pinsight%201f%26x%3D"
			   "&includeSystemQueries=false", NULL);
	built = pin_api_find_queries(&mpn, NULL, &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledQueries?includeSystemQueries=false", NULL);
	built = pin_api_delete_query(&mpn, "q9df4939-073f", &r, &err);
	is_request(built, &r, "DELETE", BASE "/ScheduledQueries/q9df4939-073f", NULL);

	built = pin_api_create_report(&mpn, &order, &r, &err);
	is_request(built, &r, "POST", BASE "/ScheduledReport",
			   "{\"ReportName\":\"pinsight 1f\",\"QueryId\":\"ec8366a4-1\",\"ExecuteNow\":true,"
			   "\"Format\":\"csv\"}");
	order.query_start = "2026-01-01T00:00:00Z";
	order.query_end = "2026-02-01T00:00:00Z";
	order.description = "d";
	order.format = "tsv";
	built = pin_api_create_report(&local, &order, &r, &err);
	is_request(built, &r, "POST", "http://127.0.0.1:8080/insights/v1.1/cmp/ScheduledReport",
			   "{\"ReportName\":\"pinsight 1f\",\"Description\":\"d\",\"QueryId\":\"ec8366a4-1\","
			   "\"ExecuteNow\":true,\"QueryStartTime\":\"2026-01-01T00:00:00Z\","
			   "\"QueryEndTime\":\"2026-02-01T00:00:00Z\",\"Format\":\"tsv\"}");
	order = (PinReportOrder)
	{
		.name = "pinsight schedule 1f",.query_id = "q1",.format = "csv",
			.start_time = "2026-03-01T04:05:00Z",.recurrence_hours = 24
	};
	built = pin_api_create_report(&mpn, &order, &r, &err);
	is_request(built, &r, "POST", BASE "/ScheduledReport",
			   "{\"ReportName\":\"pinsight schedule 1f\",\"QueryId\":\"q1\","
			   "\"StartTime\":\"2026-03-01T04:05:00Z\",\"ExecuteNow\":false,"
			   "\"Format\":\"csv\",\"RecurrenceInterval\":24}");
	order.description = "d";
	order.recurrence_count = 7;
	order.callback_url = "https://example.com/hook";
	order.callback_method = "GET";
	built = pin_api_create_report(&mpn, &order, &r, &err);
	is_request(built, &r, "POST", BASE "/ScheduledReport",
			   "{\"ReportName\":\"pinsight schedule 1f\",\"Description\":\"d\",\"QueryId\":\"q1\","
			   "\"StartTime\":\"2026-03-01T04:05:00Z\",\"ExecuteNow\":false,\"Format\":\"csv\","
			   "\"CallbackUrl\":\"https://example.com/hook\",\"CallbackMethod\":\"GET\","
			   "\"RecurrenceInterval\":24,\"RecurrenceCount\":7}");
	built = pin_api_update_report(&mpn, "r1", &order, &r, &err);
	is_request(built, &r, "PUT", BASE "/ScheduledReport/r1",
			   "{\"ReportName\":\"pinsight schedule 1f\",\"Description\":\"d\","
			   "\"StartTime\":\"2026-03-01T04:05:00Z\",\"Format\":\"csv\","
			   "\"CallbackUrl\":\"https://example.com/hook\",\"CallbackMethod\":\"GET\","
			   "\"RecurrenceInterval\":24,\"RecurrenceCount\":7}");
	order.recurrence_count = 0;
	order.description = order.format = order.callback_url = order.callback_method = NULL;
	built = pin_api_update_report(&mpn, "r1", &order, &r, &err);
	is_request(built, &r, "PUT", BASE "/ScheduledReport/r1",
			   "{\"ReportName\":\"pinsight schedule 1f\","
			   "\"StartTime\":\"2026-03-01T04:05:00Z\",\"RecurrenceInterval\":24}");
	built = pin_api_pause_report(&mpn, "r{1", &r, &err);
	is_request(built, &r, "PUT", BASE "/ScheduledReport/pause/r%7B1", NULL);
	built = pin_api_resume_report(&mpn, "r1", &r, &err);
	is_request(built, &r, "PUT", BASE "/ScheduledReport/resume/r1", NULL);

	built = pin_api_find_reports(&mpn, "pinsight 1f", NULL, &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport?reportName=pinsight%201f", NULL);
	built = pin_api_find_reports(&mpn, NULL, "r/1", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport?reportId=r%2F1", NULL);
	built = pin_api_find_reports(&mpn, NULL, NULL, &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport", NULL);
	built = pin_api_delete_report(&mpn, "r1", &r, &err);
	is_request(built, &r, "DELETE", BASE "/ScheduledReport/r1", NULL);

	built = pin_api_latest_execution(&mpn, "r{1}", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport/execution/r%7B1%7D", NULL);

	built = pin_api_preview(&mpn, "SELECT a, b FROM X", NULL, NULL, &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledQueries/testQueryResult?exportQuery="
			   "SELECT%20a%2C%20b%20FROM%20X", NULL);
	built = pin_api_preview(&mpn, "S", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledQueries/testQueryResult?exportQuery=S"
			   "&startTime=2026-01-01T00%3A00%3A00Z&endTime=2026-02-01T00%3A00%3A00Z", NULL);
	built = pin_api_preview_query(&mpn, "a-1", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
								  &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledQueries/testQueryResult?queryId=a-1"
			   "&startTime=2026-01-01T00%3A00%3A00Z&endTime=2026-02-01T00%3A00%3A00Z", NULL);
}

static void
is_refused(bool built, const PinApiRequest *request, const PinError *err, const char *name)
{
	ok(!built, "refused: %s", name);
	is_int(err->kind, PIN_ERROR_BAD_REQUEST, "its kind");
	ok(request->url == NULL && request->body == NULL, "no request");
}

static void
test_refused_requests(void)
{
	static const char *const bad_ids[] = {
		"", ".", "..", "../x", "a/b", "a;b", "a?b", "a#b", "a%2Fb", "a b", "a\\b",
		"a\nb", "\xC3\xA4", "a\"b", "a&b"
	};
	static const char *const bad_times[] = {
		"", "2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:0xZ",
		"2026-01-01T00:00:00Zx"
	};
	char		long_id[PIN_ID_MAX + 2];
	char		long_name[PIN_REMOTE_NAME_MAX + 2];
	char		long_text[5000];
	PinReportOrder order = {.name = "n",.query_id = "q",.format = "csv"};
	PinApiRequest r;
	PinError	err;
	bool		built;

	for (size_t i = 0; i < LENGTH(bad_ids); i++)
	{
		built = pin_api_delete_report(&mpn, bad_ids[i], &r, &err);
		is_refused(built, &r, &err, "id in a path");
		built = pin_api_update_report(&mpn, bad_ids[i], &order, &r, &err);
		is_refused(built, &r, &err, "id of what is changed");
		built = pin_api_pause_report(&mpn, bad_ids[i], &r, &err);
		is_refused(built, &r, &err, "id of what is paused");
	}
	memset(long_id, 'a', sizeof(long_id));
	long_id[PIN_ID_MAX + 1] = '\0';
	built = pin_api_latest_execution(&mpn, long_id, &r, &err);
	is_refused(built, &r, &err, "id too long");
	long_id[PIN_ID_MAX] = '\0';
	built = pin_api_latest_execution(&mpn, long_id, &r, &err);
	ok(built, "the longest id");
	pin_api_request_free(&r);

	for (size_t i = 0; i < LENGTH(bad_times); i++)
	{
		order.query_start = bad_times[i];
		order.query_end = "2026-02-01T00:00:00Z";
		built = pin_api_create_report(&mpn, &order, &r, &err);
		is_refused(built, &r, &err, "time");
		built = pin_api_preview(&mpn, "S", order.query_end, bad_times[i], &r, &err);
		is_refused(built, &r, &err, "time of a preview");
		order.query_start = order.query_end = NULL;
		order.start_time = bad_times[i];
		built = pin_api_create_report(&mpn, &order, &r, &err);
		is_refused(built, &r, &err, "start time");
		built = pin_api_update_report(&mpn, "r1", &order, &r, &err);
		is_refused(built, &r, &err, "start time of a change");
		order.start_time = NULL;
	}
	order.query_start = "2026-02-01T00:00:00Z";
	order.query_end = NULL;
	built = pin_api_create_report(&mpn, &order, &r, &err);
	is_refused(built, &r, &err, "half a window");
	order.query_start = NULL;

	built = pin_api_create_query(&mpn, "", NULL, "S", &r, &err);
	is_refused(built, &r, &err, "empty name");
	built = pin_api_create_query(&mpn, "a;b", NULL, "S", &r, &err);
	is_refused(built, &r, &err, "semicolon in a name");
	memset(long_name, 'n', sizeof(long_name));
	long_name[PIN_REMOTE_NAME_MAX + 1] = '\0';
	order.name = long_name;
	built = pin_api_create_report(&mpn, &order, &r, &err);
	is_refused(built, &r, &err, "name too long");
	for (size_t i = 0; i < PIN_REMOTE_NAME_MAX; i += 2)
		memcpy(&long_name[i], "\xC3\xA4", 2);
	long_name[0] = long_name[1] = 'n';
	built = pin_api_update_report(&mpn, "r1", &order, &r, &err);
	ok(built, "characters count, not bytes");
	pin_api_request_free(&r);
	built = pin_api_create_query(&mpn, "n", NULL, "\xFF", &r, &err);
	is_refused(built, &r, &err, "text that is not UTF-8");

	memset(long_text, ' ', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	built = pin_api_preview(&mpn, long_text, NULL, NULL, &r, &err);
	is_refused(built, &r, &err, "preview of a long query");
}

static void
test_next_page(void)
{
	static const struct
	{
		const char *link;
		const char *url;		/* NULL: refused */
	}			cases[] = {
		{BASE "/ScheduledReport?page=2", BASE "/ScheduledReport?page=2"},
		{"HTTPS://API.partnercenter.microsoft.com/x",
		"HTTPS://API.partnercenter.microsoft.com/x"},
		{"/insights/v1/mpn/ScheduledReport?p=2",
		"https://api.partnercenter.microsoft.com/insights/v1/mpn/ScheduledReport?p=2"},
		{"ScheduledReport?p=2&u=a:b", BASE "/ScheduledReport?p=2&u=a:b"},
		{"https://evil.example/x", NULL},
		{"https://api.partnercenter.microsoft.com.evil.example/x", NULL},
		{"https://api.partnercenter.microsoft.com@evil.example/x", NULL},
		{"https://api.partnercenter.microsoft.com:444/x", NULL},
		{"https://api.partnercenter.microsoft.com:443/x", NULL},
		{"http://api.partnercenter.microsoft.com/x", NULL},
		{"//evil.example/x", NULL},
		{"/\\evil.example/x", NULL},
		{"\\\\evil.example", NULL},
		{"file:///etc/passwd", NULL},
		{"javascript:1", NULL},
		{"", NULL},
		{"?p=2", NULL},
		{"../x", NULL},
		{"https://api.partnercenter.microsoft.com/a b", NULL},
		{"https://api.partnercenter.microsoft.com/\r\nX: y", NULL},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		PinApiRequest r;
		PinError	err;
		bool		built = pin_api_next_page(&mpn, cases[i].link, &r, &err);

		if (cases[i].url)
			is_request(built, &r, "GET", cases[i].url, NULL);
		else
		{
			ok(!built, "refused: case %zu", i);
			is_int(err.kind, PIN_ERROR_REPLY, "its kind");
			ok(r.url == NULL, "no request");
		}
	}
}

static void
test_buffer(void)
{
	PinTextBuffer buffer;
	char	   *text;
	size_t		len;
	static char big[PIN_TEXT_BUFFER_MAX + 1];

	pin_text_buffer_init(&buffer);
	text = pin_text_buffer_take(&buffer, &len);
	is_str(text, "", "an empty buffer is an empty text");
	is_int(len, 0, "its length");
	free(text);

	memset(big, 'a', PIN_TEXT_BUFFER_MAX);
	pin_text_buffer_add(&buffer, big);
	ok(pin_text_buffer_take(&buffer, NULL) == NULL, "too long a text fails");
	pin_text_buffer_add(&buffer, "a");
	pin_text_buffer_add_bytes(&buffer, big, PIN_TEXT_BUFFER_MAX - 2);
	ok(!buffer.failed, "just below");
	pin_text_buffer_add(&buffer, "a");
	ok(buffer.failed, "and over");
	pin_text_buffer_add(&buffer, "");
	ok(pin_text_buffer_take(&buffer, NULL) == NULL, "failure is not forgotten");
	ok(!buffer.failed && buffer.data == NULL, "until the buffer is taken");
}

/* ---- errors ---- */

typedef struct ErrorCase
{
	int			status;			/* HTTP status */
	const char *body;
	PinErrorKind kind;			/* PIN_ERROR_NONE: success */
	int			counts;			/* status that counts */
	const char *detail;			/* part of the detail */
} ErrorCase;

static const ErrorCase error_cases[] = {
	{200, "{\"value\":[],\"statusCode\":200}", PIN_ERROR_NONE, 0, ""},
	{200, "{\"Value\":[],\"TotalCount\":0,\"Message\":\"\",\"StatusCode\":0}", PIN_ERROR_NONE, 0, ""},
	{200, "", PIN_ERROR_NONE, 0, ""},
	{204, "", PIN_ERROR_NONE, 0, ""},
	{200, "\r\n", PIN_ERROR_NONE, 0, ""},

	/* the same error in three wrappings */
	{400, "{\"value\":null,\"message\":\"Invalid table name\",\"statusCode\":400}",
	PIN_ERROR_UNKNOWN_DATASET, 400, "answered: Invalid table name"},
	{200, "{\"value\":null,\"message\":\"Invalid table name\",\"statusCode\":400}",
	PIN_ERROR_UNKNOWN_DATASET, 400, "answered: Invalid table name"},
	{200, "\xEF\xBB\xBF{\"Value\":null,\" Message \":\"Invalid table name\",\"StatusCode\":\"400\"}",
	PIN_ERROR_UNKNOWN_DATASET, 400, "answered: Invalid table name"},
	{400, "Invalid table name", PIN_ERROR_UNKNOWN_DATASET, 400, "answered: Invalid table name"},
	{400, "\"Invalid table name\"", PIN_ERROR_UNKNOWN_DATASET, 400, "answered: Invalid table name"},

	{400, "{\"message\":\"Incorrect column name\"}", PIN_ERROR_UNKNOWN_COLUMN, 400, "column"},
	{400, "{\"message\":\"Null or missing value\"}", PIN_ERROR_BAD_REQUEST, 400, "Null or"},
	{400, "{\"message\":\"Invalid QueryId\"}", PIN_ERROR_REPORT_GONE, 400, "QueryId"},
	{400, "{\"message\":\"Recurrence Interval must be between 4 and 2160\"}",
	PIN_ERROR_BAD_REQUEST, 400, "2160"},
	{400, "{\"message\":\"Number of queries exceeded. Delete few queries before creating new queries\"}",
	PIN_ERROR_QUOTA, 400, "Number of queries"},
	{400, "{\"message\":\"User has exceeded its report creation quota of 50 active reports\"}",
	PIN_ERROR_QUOTA, 400, "50 active"},
	{200, "{\"message\":\"User has exceeded its ExecuteNow report creation quota of 5 reports/60 mins\","
	"\"statusCode\":400}", PIN_ERROR_ORDER_QUOTA, 400, "ExecuteNow"},

	{401, "", PIN_ERROR_UNAUTHORIZED, 401, "HTTP status 401"},
	{401, "{\"message\":\"Unauthorized\"}", PIN_ERROR_UNAUTHORIZED, 401, "Unauthorized"},
	{200, "{\"statusCode\":401}", PIN_ERROR_UNAUTHORIZED, 401, "HTTP status 401"},
	{401, "{\"code\":900421,\"description\":\"x\",\"data\":[],\"source\":\"PartnerFD\"}",
	PIN_ERROR_MFA, 401, "answered: x"},
	{401, "{\"code\":\"900421\"}", PIN_ERROR_MFA, 401, "code 900421"},
	{401, "Unauthorized - MFA required", PIN_ERROR_MFA, 401, "MFA"},
	{403, "{\"error\":{\"code\":\"900421\",\"message\":\"nope\"}}", PIN_ERROR_MFA, 403, "nope"},
	{403, "", PIN_ERROR_FORBIDDEN, 403, "HTTP status 403"},
	{403, "{\"code\":\"Forbidden\",\"description\":\"No role\",\"source\":\"PartnerFD\"}",
	PIN_ERROR_FORBIDDEN, 403, "No role"},
	{403, "{\"statusCode\":403,\"message\":\"Out of call volume quota.\"}", PIN_ERROR_QUOTA, 403, "Out of"},
	{404, "{\"statusCode\":404,\"message\":\"Resource not found\"}", PIN_ERROR_NOT_FOUND, 404, "Resource"},
	{404, "", PIN_ERROR_NOT_FOUND, 404, "404"},
	{200, "{\"StatusCode\":404,\"Message\":\"No item found with given filters.\"}",
	PIN_ERROR_NOT_FOUND, 404, "No item"},
	{408, "", PIN_ERROR_SERVICE, 408, "408"},
	{413, "", PIN_ERROR_BAD_REQUEST, 413, "413"},
	{429, "{ \"statusCode\": 429, \"message\": \"Rate limit is exceeded. Try again in 57 seconds.\" }",
	PIN_ERROR_THROTTLED, 429, "57 seconds"},
	{500, "{\"message\":\"Internal error encountered while creating report. Correlation ID <>\"}",
	PIN_ERROR_SERVICE, 500, "Internal error"},
	{503, "Service unavailable", PIN_ERROR_SERVICE, 503, "Service unavailable"},
	{200, "{\"statusCode\":500}", PIN_ERROR_SERVICE, 500, "500"},
	{502, "<html><head>\r\n<TITLE>502 Bad\tGateway</TITLE></head><body>secret</body></html>",
	PIN_ERROR_SERVICE, 502, "answered: 502 Bad Gateway"},
	{504, "<html><body>no title</body></html>", PIN_ERROR_SERVICE, 504, "HTTP status 504"},
	{400, "{\"type\":\"t\",\"title\":\"One or more validation errors\",\"status\":400}",
	PIN_ERROR_BAD_REQUEST, 400, "validation"},

	{302, "<html>", PIN_ERROR_REDIRECT, 302, "302"},
	{307, "", PIN_ERROR_REDIRECT, 307, "307"},
	{100, "", PIN_ERROR_REPLY, 100, "100"},
	{0, "", PIN_ERROR_REPLY, 0, "0"},
	{999, "", PIN_ERROR_REPLY, 999, "999"},

	/* what looks like an error and is none, and the reverse */
	{400, "{\"statusCode\":200,\"message\":\"fine\"}", PIN_ERROR_BAD_REQUEST, 400, "fine"},
	{200, "{\"statusCode\":99999999999999999999}", PIN_ERROR_NONE, 0, ""},
	{200, "{\"statusCode\":\"x\",\"message\":[1]}", PIN_ERROR_NONE, 0, ""},
	{200, "{\"statusCode\":40", PIN_ERROR_REPLY, 200, "not JSON"},
	{200, "<html>portal</html>", PIN_ERROR_REPLY, 200, "not JSON"},
	{400, "{\"statusCode\":40", PIN_ERROR_BAD_REQUEST, 400, "answered: {"},
	{500, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", PIN_ERROR_SERVICE, 500, "[["},
	{500, "\x1B[31m\x01red\xFF", PIN_ERROR_SERVICE, 500, "answered:"},
};

static void
test_errors(void)
{
	for (size_t i = 0; i < LENGTH(error_cases); i++)
	{
		const ErrorCase *c = &error_cases[i];
		PinReply	reply = reply_of(c->status, c->body);
		PinError	err;
		bool		success = pin_api_check(&reply, "create report", &err);

		ok(success == (c->kind == PIN_ERROR_NONE), "%d %.60s", c->status,
		   c->body[0] == '\x1B' ? "(control characters)" : c->body);
		is_int(err.kind, c->kind, "kind");
		is_int(err.http_status, c->counts, "status");
		has_str(err.detail, c->detail, "detail");
		for (const char *p = err.detail; *p; p++)
			if ((unsigned char) *p < ' ')
				ok(false, "the detail has a control character");
		if (!success && strstr(err.detail, "not JSON") == NULL)
			has_str(err.message, "could not create report: ", "message");
		ok(strstr(err.detail, "secret") == NULL, "no more of a page than its title");
	}
}

static void
test_error_extras(void)
{
	PinReply	reply = reply_of(401, "");
	PinError	err;
	char		big[5000];

	reply.www_authenticate = "Bearer error=\"invalid_token\"";
	ok(!pin_api_check(&reply, "x", &err), "an invalid token");
	is_int(err.kind, PIN_ERROR_UNAUTHORIZED, "may have expired");
	has_str(err.hint, "multifactor", "or lack MFA, says the hint");
	reply.www_authenticate = "Bearer error=\"invalid_token\", error_description=\"MFA required\"";
	ok(!pin_api_check(&reply, "x", &err), "an invalid token for want of MFA");
	is_int(err.kind, PIN_ERROR_MFA, "is known by the header");
	has_str(err.hint, "pinsight_login", "hint");

	reply = reply_of(429, "Try again in 57 seconds");
	ok(!pin_api_check(&reply, "x", &err), "throttled");
	is_int(err.retry_after_ms, 57000, "the wait is in the words");
	reply.retry_after_ms = 2000;
	ok(!pin_api_check(&reply, "x", &err), "throttled, with header");
	is_int(err.retry_after_ms, 2000, "the header goes first");
	reply = reply_of(429, "Try again in 99999999999999999999 seconds");
	ok(!pin_api_check(&reply, "x", &err), "throttled for ever");
	is_int(err.retry_after_ms, 86400000, "a day at most");
	reply = reply_of(429, "Try again in a moment");
	ok(!pin_api_check(&reply, "x", &err), "throttled vaguely");
	is_int(err.retry_after_ms, -1, "no wait is known");
	reply = reply_of(429, "Try again in 5 apples");
	ok(!pin_api_check(&reply, "x", &err), "throttled strangely");
	is_int(err.retry_after_ms, -1, "no wait is known");

	memset(big, 'x', sizeof(big));
	reply = reply_of(500, "");
	reply.body = big;
	reply.body_len = sizeof(big);
	ok(!pin_api_check(&reply, "x", &err), "a long text, not terminated");
	ok(strlen(err.detail) < PIN_REMOTE_TEXT_MAX + 50, "is cut");
	reply.body = NULL;
	ok(!pin_api_check(&reply, "x", &err), "no body at all");
}

/* ---- datasets ---- */

static void
test_datasets(void)
{
	PinReply	reply = reply_of(200,
								 "{\"value\":[{\"datasetName\":\"OfficeUsage\",\"selectableColumns\":[\"a\",\"b\"],"
								 "\"availableMetrics\":[\"m\"],\"availableDateRanges\":[\"LAST_MONTH\"],"
								 "\"minimumRecurrenceInterval\":24},"
								 "{\"DatasetName \":\"Profile\",\"SelectableColumns\":null,\"availableMetrics\":7},"
								 "{\"selectableColumns\":[]}, 7, null],"
								 "\"nextLink\":null,\"totalCount\":2,\"message\":\"Dataset fetched successfully\","
								 "\"statusCode\":200,\"dataRedacted\":false}");
	PinDatasetList list;
	PinError	err;

	ok(pin_api_list_datasets_reply(&reply, &list, &err), "datasets");
	is_int(list.count, 2, "those with a name");
	is_str(list.items[0].name, "OfficeUsage", "name");
	is_int(pin_json_count(list.items[0].columns), 2, "columns");
	is_str(pin_json_string(pin_json_element(list.items[0].columns, 1)), "b", "a column");
	is_int(pin_json_count(list.items[0].metrics), 1, "metrics");
	is_int(pin_json_count(list.items[0].date_ranges), 1, "ranges");
	is_int(list.items[0].minimum_recurrence_hours, 24, "recurrence");
	is_str(list.items[1].name, "Profile", "PascalCase with a stray blank");
	ok(list.items[1].columns == NULL && list.items[1].metrics == NULL &&
	   list.items[1].date_ranges == NULL, "what is no list is missing");
	is_int(list.items[1].minimum_recurrence_hours, -1, "so is what was not sent");
	ok(list.next_link == NULL, "one page");
	pin_api_dataset_list_free(&list);
	pin_api_dataset_list_free(&list);
}

/* ---- creating and deleting ---- */

static void
check_created(int status, const char *body, const char *expected, PinErrorKind kind,
			  bool ambiguous)
{
	PinReply	reply = reply_of(status, body);
	PinError	err;
	PinId		id;

	ok(pin_api_create_report_reply(&reply, id, &err) == (expected != NULL), "%d %.60s", status, body);
	is_str(id, expected ? expected : "", "id");
	is_int(err.kind, kind, "kind");
	ok(err.ambiguous == ambiguous, "%s", ambiguous ? "it may exist" : "no doubt");
}

static void
test_created(void)
{
	PinReply	reply = reply_of(200, "{\"value\":[{\"queryId\":\"78be43f2\",\"name\":\"n\"}],"
								 "\"message\":\"Query created successfully\",\"statusCode\":200}");
	PinError	err;
	PinId		id;
	char		body[300];

	ok(pin_api_create_query_reply(&reply, id, &err), "a query is created");
	is_str(id, "78be43f2", "its id");

	check_created(200, "{\"value\":[{\"reportId\":\"72fa95ab\"}],\"statusCode\":200}", "72fa95ab",
				  PIN_ERROR_NONE, false);
	check_created(200, "{\"Value\":[{\"ReportId\":\" q9df4939-v2c \"}]}", "q9df4939-v2c",
				  PIN_ERROR_NONE, false);
	check_created(200, "{\"value\":[{\"reportId\":142344300}]}", "142344300", PIN_ERROR_NONE, false);
	check_created(200, "{\"value\":[{\"reportId\":\"../x\"}]}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":[{\"reportId\":\"\"}]}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":[{\"reportId\":null}]}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":[{\"reportId\":{}}]}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":[]}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":7}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{}", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "", NULL, PIN_ERROR_REPLY, true);
	check_created(200, "{\"value\":[{\"repo", NULL, PIN_ERROR_REPLY, true);
	check_created(500, "", NULL, PIN_ERROR_SERVICE, true);
	check_created(504, "<html>", NULL, PIN_ERROR_SERVICE, true);
	check_created(200, "{\"statusCode\":500}", NULL, PIN_ERROR_SERVICE, true);
	check_created(400, "{\"message\":\"Invalid QueryId\"}", NULL, PIN_ERROR_REPORT_GONE, false);
	check_created(429, "", NULL, PIN_ERROR_THROTTLED, false);
	check_created(401, "", NULL, PIN_ERROR_UNAUTHORIZED, false);
	check_created(302, "", NULL, PIN_ERROR_REDIRECT, false);

	strcpy(body, "{\"value\":[{\"reportId\":\"");
	for (int i = 0; i <= PIN_ID_MAX; i++)
		strcat(body, "a");
	strcat(body, "\"}]}");
	check_created(200, body, NULL, PIN_ERROR_REPLY, true);
}

/* Replies with status 404 that are no word of the service's. */
static const char *const strangers[] = {
	"", "<html><title>Not Found</title></html>", "\"no\"",
	"{\"statusCode\": 404, \"message\": \"Resource not found\"}", "default backend - 404",
};

static void
test_deleted(void)
{
	PinReply	reply = reply_of(200, "{\"value\":[{\"queryId\":\"1\"}],\"statusCode\":200}");
	PinError	err;

	ok(pin_api_delete_query_reply(&reply, &err), "deleted");
	reply = reply_of(204, "");
	ok(pin_api_delete_report_reply(&reply, &err), "deleted without a word");
	reply = reply_of(404, "{\"message\":\"No item found with given filters.\"}");
	ok(pin_api_delete_report_reply(&reply, &err), "gone already");
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
	{
		reply = reply_of(404, strangers[i]);
		ok(!pin_api_delete_query_reply(&reply, &err), "not gone if it is another's word");
		is_int(err.kind, PIN_ERROR_NOT_FOUND, "its kind");
		has_str(err.hint, "api_url", "hint");
	}
	reply = reply_of(200, "{\"statusCode\":403}");
	ok(!pin_api_delete_query_reply(&reply, &err), "not allowed");
	is_int(err.kind, PIN_ERROR_FORBIDDEN, "its kind");
	has_str(err.message, "could not delete query", "message");
}

static void
test_changed(void)
{
	PinReply	reply = reply_of(200, "{\"value\":[{\"reportId\":\"1\"}],\"statusCode\":200}");
	PinError	err;

	ok(pin_api_update_report_reply(&reply, &err), "changed");
	ok(pin_api_pause_report_reply(&reply, &err), "paused");
	reply = reply_of(204, "");
	ok(pin_api_resume_report_reply(&reply, &err), "resumed without a word");
	reply = reply_of(404, "{\"message\":\"No item found with given filters.\"}");
	ok(!pin_api_pause_report_reply(&reply, &err), "gone");
	is_int(err.kind, PIN_ERROR_NOT_FOUND, "its kind");
	has_str(err.message, "could not pause report", "message");
	has_str(err.hint, "deleted meanwhile", "hint");
	reply = reply_of(404, strangers[1]);
	ok(!pin_api_pause_report_reply(&reply, &err), "another's word");
	has_str(err.hint, "api_url", "hint");
	reply = reply_of(200, "{\"statusCode\":400,\"message\":\"Invalid report parameters\"}");
	ok(!pin_api_resume_report_reply(&reply, &err), "refused");
	has_str(err.detail, "Invalid report parameters", "in the service's words");
}

/* ---- finding ---- */

static void
test_find_queries(void)
{
	PinReply	reply = reply_of(200,
								 "{\"value\":["
								 "{\"queryId\":\"1\",\"name\":\"pinsight ab\",\"createdTime\":\"2026-01-01T00:00:00Z\"},"
								 "{\"queryId\":\"2\",\"name\":\" PINSIGHT A \",\"createdTime\":\"2026-01-02T00:00:00Z\","
								 "\"query\":\"SELECT\",\"type\":\"userDefined\"},"
								 "{\"queryId\":\"3\",\"name\":\"pinsight a\",\"createdTime\":\"2026-01-01T00:00:00Z\"},"
								 "{\"queryId\":\"4\",\"name\":\"pinsight a\",\"createdTime\":null},"
								 "{\"queryId\":\"a/b\",\"name\":\"pinsight a\",\"createdTime\":\"2027\"},"
								 "{\"queryId\":\"5\"}],\"nextLink\":\"/next\"}");
	PinQueryList list;
	PinError	err;

	ok(pin_api_find_queries_reply(&reply, &list, &err), "queries");
	is_int(list.count, 5, "those with a usable id");
	is_str(pin_api_query_named(&list, "pinsight a")->id, "2", "the newest of that name");
	is_str(pin_api_query_named(&list, "pinsight ab")->id, "1", "another");
	ok(pin_api_query_named(&list, "pinsight") == NULL, "a prefix is no match");
	is_str(list.next_link, "/next", "the next page");
	pin_api_query_list_free(&list);
	pin_api_query_list_free(&list);
}

static void
finds_nothing(int status, const char *body)
{
	PinReply	reply = reply_of(status, body);
	PinReportList reports;
	PinQueryList queries;
	PinDatasetList datasets;
	PinError	err;

	ok(pin_api_find_reports_reply(&reply, &reports, &err), "reports: %d %.60s", status, body);
	is_int(reports.count, 0, "none");
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	ok(pin_api_report_named(&reports, "x") == NULL, "not by name");
	ok(pin_api_report_with_id(&reports, "x") == NULL, "not by id");
	pin_api_report_list_free(&reports);

	ok(pin_api_find_queries_reply(&reply, &queries, &err), "queries: %d %.60s", status, body);
	is_int(queries.count, 0, "none");
	ok(pin_api_query_named(&queries, "x") == NULL, "not by name");
	pin_api_query_list_free(&queries);

	ok(pin_api_list_datasets_reply(&reply, &datasets, &err), "datasets: %d %.60s", status, body);
	is_int(datasets.count, 0, "none");
	pin_api_dataset_list_free(&datasets);
}

static void
list_fails(int status, const char *body, PinErrorKind kind)
{
	PinReply	reply = reply_of(status, body);
	PinReportList reports;
	PinError	err;

	ok(!pin_api_find_reports_reply(&reply, &reports, &err), "%d %.60s", status, body);
	is_int(err.kind, kind, "kind");
	ok(reports.items == NULL && reports.document == NULL && reports.next_link == NULL,
	   "nothing is left in the list");
}

static void
test_find_reports(void)
{
	PinReply	reply = reply_of(200,
								 "{\"value\":[{\"reportId\":\"R1\",\"reportName\":\"n\",\"queryId\":\"q\",\"query\":\"SELECT\","
								 "\"createdTime\":\"2021-01-06T05:38:34\",\"executeNow\":true,\"reportStatus\":\"Active\","
								 "\"format\":\"csv\"},"
								 "{\"ReportId\":\"r2\",\"ReportName\":\"n\",\"CreatedTime\":\"2021-01-06T05:38:35\","
								 "\"executeNow\":\"False\",\"queryId\":null,\"startTime\":\"2021-01-07T00:00:00Z\","
								 "\"recurrenceInterval\":24,\" RecurrenceCount\":5}]}");
	PinReportList list;
	const PinRemoteReport *report;
	PinError	err;

	ok(pin_api_find_reports_reply(&reply, &list, &err), "reports");
	is_int(list.count, 2, "both");
	report = pin_api_report_with_id(&list, "r1");
	is_str(report->id, "R1", "by id, without case");
	is_str(report->query_id, "q", "query");
	is_str(report->status, "Active", "status");
	is_str(report->format, "csv", "format");
	ok(report->execute_now, "execute now");
	ok(report->start_time == NULL, "no start");
	is_int(report->recurrence_hours, -1, "no interval");
	is_int(report->recurrence_count, 0, "no count");
	report = pin_api_report_named(&list, "N");
	is_str(report->id, "r2", "by name the newest");
	is_str(report->query_id, "", "no query");
	ok(!report->execute_now, "not execute now");
	is_str(report->start_time, "2021-01-07T00:00:00Z", "start");
	is_int(report->recurrence_hours, 24, "interval");
	is_int(report->recurrence_count, 5, "count");
	pin_api_report_list_free(&list);
	pin_api_report_list_free(&list);

	finds_nothing(404, "{\"message\":\"No item found with given filters.\",\"statusCode\":404}");
	finds_nothing(404, "");
	finds_nothing(200, "{\"statusCode\":404}");
	finds_nothing(200, "{\"value\":[]}");
	finds_nothing(200, "{\"Value\":null}");
	finds_nothing(200, "{\"value\":[null,1,\"x\",[],{}]}");
	list_fails(404, strangers[1], PIN_ERROR_NOT_FOUND);
	list_fails(404, strangers[3], PIN_ERROR_NOT_FOUND);
	list_fails(404, strangers[4], PIN_ERROR_NOT_FOUND);
	list_fails(200, "{}", PIN_ERROR_REPLY);
	list_fails(200, "[]", PIN_ERROR_REPLY);
	list_fails(200, "", PIN_ERROR_REPLY);
	list_fails(200, "{\"value\":\"x\",\"nextLink\":\"/y\"}", PIN_ERROR_REPLY);
	list_fails(200, "{\"value\":[{\"reportId\":\"R1\"}", PIN_ERROR_REPLY);
	list_fails(500, "", PIN_ERROR_SERVICE);
	list_fails(401, "", PIN_ERROR_UNAUTHORIZED);
}

/* ---- executions ---- */

#define LINK "https://x.blob.core.windows.net/c/b?sv=1&sig=a%2Bb%3D"

static void
check_execution(int status, const char *body, PinExecutionStatus expected,
				bool maybe_gone, const char *id, const char *link)
{
	PinReply	reply = reply_of(status, body);
	PinExecution execution;
	PinError	err;

	ok(pin_api_latest_execution_reply(&reply, "r1", &execution, &err), "%d %.60s", status, body);
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	is_int(execution.status, expected, "status");
	ok(execution.maybe_gone == maybe_gone, "%s", maybe_gone ? "maybe gone" : "not gone");
	is_str(execution.execution_id, id, "id");
	is_str(execution.secure_link, link, "link");
	pin_api_execution_free(&execution);
	pin_api_execution_free(&execution);
}

static void
test_execution_absent(void)
{
	static const char not_yet[] =
	"{\"message\":\"There are no executions that have occurred for the given filter "
	"conditions. Double check the reportId or executionId\",\"statusCode\":404}";

	check_execution(404, not_yet, PIN_EXECUTION_NONE, false, "", NULL);
	check_execution(200, not_yet, PIN_EXECUTION_NONE, false, "", NULL);
	check_execution(404, "{\"message\":\"No item found with given filters.\"}",
					PIN_EXECUTION_NONE, true, "", NULL);
	check_execution(404, "", PIN_EXECUTION_NONE, true, "", NULL);
	check_execution(200, "{\"value\":[]}", PIN_EXECUTION_NONE, false, "", NULL);
	check_execution(200, "{\"value\":null,\"statusCode\":200}", PIN_EXECUTION_NONE, false, "", NULL);
	check_execution(200, "{\"value\":[{\"reportId\":\"other\",\"executionStatus\":\"Completed\"}]}",
					PIN_EXECUTION_NONE, false, "", NULL);
}

static void
test_execution_states(void)
{
	static const struct
	{
		const char *word;
		PinExecutionStatus status;
	}			words[] = {
		{"Pending", PIN_EXECUTION_PENDING}, {"running", PIN_EXECUTION_RUNNING},
		{" Paused ", PIN_EXECUTION_PAUSED}, {"COMPLETED", PIN_EXECUTION_COMPLETED},
		{"Failed", PIN_EXECUTION_FAILED}, {"Cancelled", PIN_EXECUTION_FAILED},
		{"Throttling", PIN_EXECUTION_UNKNOWN}, {"", PIN_EXECUTION_UNKNOWN},
	};
	char		body[200];

	for (size_t i = 0; i < LENGTH(words); i++)
	{
		snprintf(body, sizeof(body), "{\"value\":[{\"executionId\":\"e\",\"reportId\":\"R1\","
				 "\"executionStatus\":\"%s\",\"reportAccessSecureLink\":null}]}", words[i].word);
		check_execution(200, body, words[i].status, false, "e", NULL);
	}
	check_execution(200, "{\"Value\":[{\"ExecutionId\":\"e\",\"ExecutionStatus\":\"Pending\"}]}",
					PIN_EXECUTION_PENDING, false, "e", NULL);
	check_execution(200, "{\"value\":[{\"executionStatus\":7}]}", PIN_EXECUTION_UNKNOWN, false, "", NULL);

	/* a link before the end is none yet */
	check_execution(200, "{\"value\":[{\"executionId\":\"e\",\"executionStatus\":\"Running\","
					"\"reportAccessSecureLink\":\"" LINK "\"}]}", PIN_EXECUTION_RUNNING, false, "e", NULL);
}

static void
test_execution_complete(void)
{
	PinReply	reply = reply_of(200,
								 "{\"value\":[{\"executionId\":\"a0bd78ad\",\"reportId\":\"r1\",\"recurrenceInterval\":720,"
								 "\"recurrenceCount\":2,\"callbackUrl\":null,\"callbackMethod\":null,\"format\":\"CSV\","
								 "\"executionStatus\":\"Completed\",\"reportLocation\":null,"
								 "\"reportAccessSecureLink\":\" " LINK " \",\"reportExpiryTime\":null,"
								 "\"reportGeneratedTime\":\"2021-01-13T14:40:46Z\"}],\"nextLink\":null,\"totalCount\":1,"
								 "\"message\":null,\"statusCode\":200,\"dataRedacted\":false}");
	PinExecution execution;
	PinError	err;

	ok(pin_api_latest_execution_reply(&reply, "r1", &execution, &err), "completed");
	is_int(execution.status, PIN_EXECUTION_COMPLETED, "status");
	is_str(execution.status_text, "Completed", "the service's word");
	is_str(execution.secure_link, LINK, "the link, not encoded again");
	is_str(execution.generated_time, "2021-01-13T14:40:46Z", "generated");
	is_str(execution.expiry_time, "", "expiry not sent");
	is_str(execution.format, "csv", "format in lower case");
	pin_api_execution_free(&execution);
}

static void
test_execution_choice(void)
{
	check_execution(200, "{\"value\":["
					"{\"executionId\":\"1\",\"executionStatus\":\"Running\"},"
					"{\"executionId\":\"2\",\"executionStatus\":\"Completed\",\"reportAccessSecureLink\":\"" LINK "1\","
					"\"reportGeneratedTime\":\"2026-01-02T00:00:00Z\"},"
					"{\"executionId\":\"3\",\"executionStatus\":\"Completed\",\"reportAccessSecureLink\":\"" LINK "2\","
					"\"reportGeneratedTime\":\"2026-01-03T00:00:00Z\"},"
					"{\"executionId\":\"4\",\"executionStatus\":\"Completed\",\"reportAccessSecureLink\":\"" LINK "3\","
					"\"reportGeneratedTime\":\"2026-01-01T00:00:00Z\"},"
					"{\"executionId\":\"5\",\"executionStatus\":\"Completed\",\"reportAccessSecureLink\":null,"
					"\"reportGeneratedTime\":\"2026-01-09T00:00:00Z\"}]}",
					PIN_EXECUTION_COMPLETED, false, "3", LINK "2");
	check_execution(200, "{\"value\":["
					"{\"executionId\":\"1\",\"executionStatus\":\"Failed\"},"
					"{\"executionId\":\"2\",\"executionStatus\":\"Pending\"},"
					"{\"executionId\":\"3\",\"executionStatus\":\"Running\"},"
					"{\"executionId\":\"4\",\"executionStatus\":\"Paused\"}]}",
					PIN_EXECUTION_RUNNING, false, "3", NULL);
	check_execution(200, "{\"value\":[7, null,"
					"{\"executionId\":\"1\",\"executionStatus\":\"Failed\"},"
					"{\"executionId\":\"2\",\"executionStatus\":\"Odd\"}]}",
					PIN_EXECUTION_UNKNOWN, false, "2", NULL);
	check_execution(200, "{\"value\":["
					"{\"executionId\":\"1\",\"reportId\":\"other\",\"executionStatus\":\"Completed\","
					"\"reportAccessSecureLink\":\"" LINK "\"},"
					"{\"executionId\":\"2\",\"reportId\":\" R1\",\"executionStatus\":\"Pending\"}]}",
					PIN_EXECUTION_PENDING, false, "2", NULL);
}

static void
execution_fails(int status, const char *body, PinErrorKind kind)
{
	PinReply	reply = reply_of(status, body);
	PinExecution execution;
	PinError	err;

	ok(!pin_api_latest_execution_reply(&reply, "r1", &execution, &err), "%d %.70s", status, body);
	is_int(err.kind, kind, "kind");
	ok(err.http_status != 0, "status");
	ok(execution.secure_link == NULL && execution.status == PIN_EXECUTION_NONE, "empty result");
	ok(strstr(err.message, "sig=") == NULL && strstr(err.detail, "sig=") == NULL,
	   "no signature in the error");
}

static void
test_execution_failures(void)
{
	execution_fails(200, "{}", PIN_ERROR_REPLY);
	execution_fails(200, "{\"value\":{}}", PIN_ERROR_REPLY);
	execution_fails(200, "{\"value\":[", PIN_ERROR_REPLY);
	execution_fails(401, "", PIN_ERROR_UNAUTHORIZED);
	execution_fails(200, "{\"statusCode\":429}", PIN_ERROR_THROTTLED);
	execution_fails(503, "", PIN_ERROR_SERVICE);
	execution_fails(200, "{\"value\":[{\"executionStatus\":\"Completed\","
					"\"reportAccessSecureLink\":\"ftp://x/?sig=1\"}]}", PIN_ERROR_REPLY);
	execution_fails(200, "{\"value\":[{\"executionStatus\":\"Completed\","
					"\"reportAccessSecureLink\":\"https://x/?sig=1\\r\\nX: y\"}]}", PIN_ERROR_REPLY);
	execution_fails(200, "{\"value\":[{\"executionStatus\":\"Completed\","
					"\"reportAccessSecureLink\":\"https://x/a b?sig=1\"}]}", PIN_ERROR_REPLY);
}

/* ---- previews ---- */

static const char *const preview_columns[] = {"Name", "Seats", "Month"};

static void
test_preview(void)
{
	PinReply	reply = reply_of(200,
								 "{\"value\":[{\"Name\":\"a\",\"Seats\":12,\"Month\":null},"
								 "{\"name\":\"\",\"seats\":\"13\"},"
								 "{\"Month\":\"2026-01-01\",\"Seats\":null,\"extra\":[1]}],"
								 "\"totalCount\":3,\"message\":null,\"statusCode\":200}");
	PinPreview	preview;
	PinError	err;

	ok(pin_api_preview_reply(&reply, preview_columns, 3, &preview, &err), "a preview");
	is_int(preview.nrows, 3, "rows");
	is_int(preview.ncolumns, 3, "columns");
	is_str(preview.values[0], "a", "text");
	is_str(preview.values[1], "12", "number");
	is_str(preview.values[2], NULL, "null");
	is_str(preview.values[3], "", "empty text is no null");
	is_str(preview.values[4], "13", "number as text, name in other case");
	is_str(preview.values[5], NULL, "missing in this row");
	is_str(preview.values[6], NULL, "missing there");
	is_str(preview.values[8], "2026-01-01", "but not here");
	ok(preview.strings[0] && !preview.strings[1] && preview.strings[2], "which are strings");
	pin_api_preview_free(&preview);
	pin_api_preview_free(&preview);

	reply = reply_of(200, "{\"value\":[{\"Name\":true,\"Seats\":1.10,\"Month\":0}]}");
	ok(pin_api_preview_reply(&reply, preview_columns, 3, &preview, &err), "other types");
	is_str(preview.values[0], "true", "boolean");
	is_str(preview.values[1], "1.10", "a fraction keeps its digits");
	pin_api_preview_free(&preview);

	reply = reply_of(200, "{\"value\":[]}");
	ok(pin_api_preview_reply(&reply, preview_columns, 3, &preview, &err), "no rows");
	is_int(preview.nrows, 0, "none");
	pin_api_preview_free(&preview);
}

static void
preview_fails(int status, const char *body, PinErrorKind kind)
{
	PinReply	reply = reply_of(status, body);
	PinPreview	preview;
	PinError	err;

	ok(!pin_api_preview_reply(&reply, preview_columns, 3, &preview, &err), "%d %.70s", status, body);
	is_int(err.kind, kind, "kind");
	ok(preview.values == NULL && preview.nrows == 0, "empty result");
}

/* Only whether there are rows, for whoever reads them himself. */
static void
preview_rows(int status, const char *body, PinErrorKind kind)
{
	PinReply	reply = reply_of(status, body);
	PinError	err;
	bool		proper = pin_api_preview_rows_reply(&reply, &err);

	ok(proper == (kind == PIN_ERROR_NONE), "%d %.70s", status, body);
	if (!proper)
		is_int(err.kind, kind, "kind");
}

static void
test_preview_rows(void)
{
	preview_rows(200, "{\"value\":[{\"a\":1e999,\"b\":[1,{}]},{}]}", PIN_ERROR_NONE);
	preview_rows(200, "\xEF\xBB\xBF{\" Value\":[{\"a\":100000000000000000000}]}", PIN_ERROR_NONE);
	preview_rows(200, "{\"value\":[]}", PIN_ERROR_NONE);
	preview_rows(200, "{\"value\":[{},7]}", PIN_ERROR_REPLY);
	preview_rows(200, "{\"value\":[1.5]}", PIN_ERROR_REPLY);
	preview_rows(200, "{\"value\":{}}", PIN_ERROR_REPLY);
	preview_rows(200, "{\"value\":null}", PIN_ERROR_REPLY);
	preview_rows(200, "[{}]", PIN_ERROR_REPLY);
	preview_rows(200, "<html>", PIN_ERROR_REPLY);
	preview_rows(200, "{\"value\":[{\"a\":\"\\u0000\"}]}", PIN_ERROR_REPLY);
	preview_rows(200, "{\"statusCode\":400,\"message\":\"Invalid table name\"}", PIN_ERROR_UNKNOWN_DATASET);
	preview_rows(503, "", PIN_ERROR_SERVICE);
}

static void
test_preview_failures(void)
{
	char	   *body = malloc(200 * 60);
	PinReply	reply;
	PinPreview	preview;
	PinError	err;

	preview_fails(200, "{\"value\":[{\"Name\":\"a\",\"Seats\":1}]}", PIN_ERROR_REPLY);
	preview_fails(200, "{\"value\":[{\"Name\":[],\"Seats\":1,\"Month\":1}]}", PIN_ERROR_REPLY);
	preview_fails(200, "{\"value\":[{\"Name\":1,\"Seats\":{},\"Month\":1}]}", PIN_ERROR_REPLY);
	preview_fails(200, "{\"value\":[7]}", PIN_ERROR_REPLY);
	preview_fails(200, "{\"value\":null}", PIN_ERROR_REPLY);
	preview_fails(200, "{}", PIN_ERROR_REPLY);
	preview_fails(404, "", PIN_ERROR_NOT_FOUND);
	preview_fails(400, "{\"message\":\"Incorrect column name\"}", PIN_ERROR_UNKNOWN_COLUMN);

	strcpy(body, "{\"value\":[");
	for (int i = 0; i < 150; i++)
		sprintf(body + strlen(body), "%s{\"Name\":\"n%d\",\"Seats\":1,\"Month\":2}", i ? "," : "", i);
	strcat(body, "]}");
	reply = reply_of(200, body);
	ok(pin_api_preview_reply(&reply, preview_columns, 3, &preview, &err), "too many rows");
	is_int(preview.nrows, PIN_PREVIEW_ROWS, "are cut");
	is_str(preview.values[99 * 3], "n99", "at the end");
	pin_api_preview_free(&preview);
	free(body);
}

/* ---- lists of anything ---- */

static void
test_list_request(void)
{
	const PinParameter parameters[] = {
		{"executionStatus", "Pending;Running"}, {"executionId", NULL}, {"a", ""}, {"b", "1 & 2"}
	};
	PinApiRequest r;
	PinError	err;
	bool		built;

	built = pin_api_list(&mpn, "/ScheduledReport", NULL, NULL, 0, "list reports", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport", NULL);
	built = pin_api_list(&mpn, "/ScheduledReport/execution", "r-1", parameters, 4,
						 "list executions", &r, &err);
	is_request(built, &r, "GET", BASE "/ScheduledReport/execution/r-1"
			   "?executionStatus=Pending%3BRunning&b=1%20%26%202", NULL);
	ok(!pin_api_list(&mpn, "/ScheduledReport/execution", "a/b", NULL, 0, "list executions", &r, &err),
	   "an id that is none");
	is_str(err.message, "could not list executions: \"a/b\" is not an id", "message");
	ok(pin_api_is_id("q9df4939-073f") && !pin_api_is_id("") && !pin_api_is_id("a;b"), "ids");
}

static void
test_list_reply(void)
{
	PinRecordList list = {.what = "list reports"};
	PinError	err;
	PinReply	reply = reply_of(200, "{\"Value\": [{\"a\": 1}, 2], \"NextLink\": \"/x\"}");

	ok(pin_api_list_reply(&reply, &list, &err), "a page");
	is_int(pin_json_count(list.records), 2, "records");
	is_str(list.next_link, "/x", "next page");
	reply = reply_of(404, "{\"message\": \"No item found with given filters.\"}");
	ok(pin_api_list_reply(&reply, &list, &err), "nothing found is success");
	ok(list.document == NULL && list.records == NULL && list.next_link == NULL, "and empty");
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
	{
		reply = reply_of(404, strangers[i]);
		ok(!pin_api_list_reply(&reply, &list, &err), "but not if it is another's word");
		is_int(err.kind, PIN_ERROR_NOT_FOUND, "kind");
		has_str(err.hint, "api_url", "hint");
	}
	reply = reply_of(200, "{\"value\": null}");
	ok(pin_api_list_reply(&reply, &list, &err) && list.document != NULL && list.records == NULL, "null");
	reply = reply_of(200, "{\"value\": \"none\"}");
	ok(!pin_api_list_reply(&reply, &list, &err), "no list");
	is_int(err.kind, PIN_ERROR_REPLY, "kind");
	has_str(err.message, "could not list reports", "message");
	reply = reply_of(403, "{}");
	ok(!pin_api_list_reply(&reply, &list, &err), "refused");
	is_int(err.kind, PIN_ERROR_FORBIDDEN, "kind");
	pin_api_list_free(&list);
	pin_api_list_free(&list);
}

int
main(void)
{
	test_list_request();
	test_list_reply();
	test_buffer();
	test_requests();
	test_refused_requests();
	test_next_page();
	test_errors();
	test_error_extras();
	test_datasets();
	test_created();
	test_deleted();
	test_changed();
	test_find_queries();
	test_find_reports();
	test_execution_absent();
	test_execution_states();
	test_execution_complete();
	test_execution_choice();
	test_execution_failures();
	test_preview();
	test_preview_rows();
	test_preview_failures();
	return done_testing();
}
