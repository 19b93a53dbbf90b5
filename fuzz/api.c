/*-------------------------------------------------------------------------
 *
 * api.c
 *		Fuzz target: every reader of replies over any status and body.
 *
 * The input is one byte that chooses the HTTP status, and the body.  Whatever
 * it is, each reader must either fail with an error of some kind, or give a
 * result that keeps its header's promises.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "insights/api.h"
#include "insights/record_list.h"
#include "insights/sign_in.h"


static const PinApi api = {"https://api.example", "v1", "mpn"};

static const int statuses[] = {200, 200, 200, 204, 302, 400, 401, 403, 404, 429, 500, 0};

/* An error is there exactly when a reader fails, and has a message. */
static void
check_error(bool success, const PinError *err)
{
	FUZZ_EXPECT(success == (err->kind == PIN_ERROR_NONE));
	FUZZ_EXPECT(success == (err->message[0] == '\0'));
}

/* A page to read on stays with the API. */
static void
check_next(const char *next_link)
{
	PinApiRequest request;
	PinError	err;

	if (next_link == NULL)
		return;
	check_error(pin_api_next_page(&api, next_link, &request, &err), &err);
	if (request.url)
	{
		size_t		origin = strlen(api.api_url);

		FUZZ_EXPECT(strlen(request.url) >= origin);
		FUZZ_EXPECT(strchr("/?", request.url[origin]) != NULL);
	}
	pin_api_request_free(&request);
}

/* An id that was read can be sent. */
static void
check_id(const PinId id)
{
	PinApiRequest request;
	PinError	err;

	FUZZ_EXPECT(pin_api_latest_execution(&api, id, &request, &err));
	pin_api_request_free(&request);
}

/* What was written is the same when it is read, and written, again. */
static void
check_dump(const PinJson *value)
{
	PinError	err;
	char	   *text = pin_json_dump(value);
	PinJson    *again = text == NULL ? NULL : pin_json_parse(text, strlen(text), "it", &err);
	char	   *same = pin_json_dump(again);

	FUZZ_EXPECT(value == NULL || (text != NULL && same != NULL && strcmp(text, same) == 0));
	free(same);
	pin_json_free(again);
	free(text);
}

static void
read_lists(const PinReply *reply)
{
	PinDatasetList datasets;
	PinQueryList queries;
	PinReportList reports;
	PinRecordList list = {.what = "list"};
	PinError	err;

	check_error(pin_api_list_datasets_reply(reply, &datasets, &err), &err);
	for (size_t i = 0; i < datasets.count; i++)
		FUZZ_EXPECT(datasets.items[i].name[0] != '\0');
	pin_api_dataset_list_free(&datasets);

	check_error(pin_api_find_queries_reply(reply, &queries, &err), &err);
	for (size_t i = 0; i < queries.count; i++)
		check_id(queries.items[i].id);
	pin_api_query_named(&queries, "a");
	check_next(queries.next_link);
	pin_api_query_list_free(&queries);

	check_error(pin_api_find_reports_reply(reply, &reports, &err), &err);
	for (size_t i = 0; i < reports.count; i++)
		check_id(reports.items[i].id);
	pin_api_report_named(&reports, "a");
	check_next(reports.next_link);
	pin_api_report_list_free(&reports);

	check_error(pin_api_list_reply(reply, &list, &err), &err);
	check_dump(list.document);
	check_next(list.next_link);
	pin_api_list_free(&list);
}

static void
read_rest(const PinReply *reply)
{
	static const char *const columns[] = {"a", "B"};
	PinExecution execution;
	PinPreview	preview;
	PinError	err;
	PinId		id;
	bool		success;

	success = pin_api_create_report_reply(reply, id, &err);
	check_error(success, &err);
	if (success)
		check_id(id);
	check_error(pin_api_delete_query_reply(reply, &err), &err);

	check_error(pin_api_latest_execution_reply(reply, "r1", &execution, &err), &err);
	FUZZ_EXPECT(execution.secure_link == NULL ||
				execution.status == PIN_EXECUTION_COMPLETED);
	pin_api_execution_free(&execution);

	success = pin_api_preview_reply(reply, columns, 2, &preview, &err);
	check_error(success, &err);
	FUZZ_EXPECT(preview.nrows <= PIN_PREVIEW_ROWS);
	pin_api_preview_free(&preview);
}

static void
read_sign_in(const PinReply *reply)
{
	static const PinCredentials credentials = {
		.tenant = "t",.client_secret = "tops3cret",.password = "hunter2"
	};
	PinSignIn	result;
	PinError	err;
	bool		success = pin_sign_in_reply(&credentials, reply, &result, &err);

	check_error(success, &err);
	FUZZ_EXPECT(success == (result.access_token != NULL));
	for (const char *c = result.access_token; c && *c; c++)
		FUZZ_EXPECT(*c > ' ' && *c <= '~');
	FUZZ_EXPECT(strstr(err.detail, "tops3cret") == NULL);
	FUZZ_EXPECT(strstr(err.detail, "hunter2") == NULL);
	pin_sign_in_free(&result);
}

static void
read_device_code(const PinReply *reply)
{
	static const PinCredentials credentials = {.tenant = "t",.client_secret = "tops3cret"};
	PinDeviceCode code;
	PinError	err;
	bool		success = pin_device_code_reply(&credentials, reply, &code, &err);

	check_error(success, &err);
	FUZZ_EXPECT(success == (code.device_code && code.user_code && code.url));
	FUZZ_EXPECT(!success || (code.interval > 0 && code.expires_in > 0));
	FUZZ_EXPECT(strstr(err.detail, "tops3cret") == NULL);
	pin_device_code_free(&code);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PinReply	reply = {0, NULL, 0, NULL, -1, NULL};

	if (size == 0)
		return 0;
	reply.status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
	reply.body = (const char *) data + 1;
	reply.body_len = size - 1;
	read_lists(&reply);
	read_rest(&reply);
	read_sign_in(&reply);
	read_device_code(&reply);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("0{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"https://h/\","
					"\"interval\":5,\"expires_in\":9,\"access_token\":\"a\",\"id_token\":\"a.e30.c\"}"),
		  FUZZ_SEED("0{\"value\":[{\"queryId\":\"q1\",\"name\":\"a\",\"reportId\":\"r1\",\"reportName\":\"a\","
					"\"datasetName\":\"d\",\"selectableColumns\":[\"a\"],\"a\":1.5,\"B\":null,"
					"\"executionId\":\"e\",\"executionStatus\":\"Completed\",\"reportAccessSecureLink\":"
					"\"https://x/y?sig=a%2B\",\"reportGeneratedTime\":\"2026-01-01T00:00:00Z\"}],"
					"\"nextLink\":\"/insights/v1/mpn/x\",\"statusCode\":200}"),
		  FUZZ_SEED("0{\"value\":[],\"nextLink\":\"https://api.example/x\"}"),
		  FUZZ_SEED("0{\"Value\":null,\"StatusCode\":400,\"Message\":\"Invalid table name\"}"),
		  FUZZ_SEED("0{\"access_token\":\"abc\",\"expires_in\":\"3599\",\"refresh_token\":\"def\"}"),
		  FUZZ_SEED("5{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50076: tops3cret\\r\\nTrace ID: 1\","
					"\"error_codes\":[50076]}"),
		  FUZZ_SEED("9{ \"statusCode\": 429, \"message\": \"Try again in 57 seconds.\" }"),
		  FUZZ_SEED("5<html><head><title>hunter2</title></head></html>"));
