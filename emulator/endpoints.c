/*-------------------------------------------------------------------------
 *
 * endpoints.c
 *		The twelve endpoints of the Insights API.
 *
 * Every call passes the same gate first: throttling, token, second factor,
 * role, program.  Then its endpoint reads the parameters and asks the store or
 * the engine.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "endpoints.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json_reply.h"
#include "report_order.h"
#include "text.h"

#define AUDIENCE "https://api.partnercenter.microsoft.com"
#define NAME_LIMIT 256

/* The code of a token without the second factor. */
#define MFA_CODE 900421

typedef struct Endpoint
{
	EmuRoute	route;			/* first, so that a route is its endpoint */
	const char *method;			/* HTTP */
	const char *path;			/* after the program; ends in / if an id
								 * follows */
	void		(*call) (EmuCall *call);	/* fills the reply */
} Endpoint;

/* -- parameters -- */

static const char *
parameter(const EmuCall *call, const char *name)
{
	return emu_params_given(call->request->query, name);
}

static bool
flag_parameter(const EmuCall *call, const char *name, bool missing)
{
	const char *text = parameter(call, name);

	if (text == NULL)
		return missing;
	return emu_same(text, "true") || strcmp(text, "1") == 0;
}

/* The request's JSON; NULL, with the reply filled, if there is none. */
static json_t *
body_json(EmuCall *call)
{
	const char *type = emu_request_header(call->request, "Content-Type");
	json_t	   *body;

	if (type == NULL || strcasestr(type, "application/json") == NULL)
	{
		emu_call_error(call, 415, "Unsupported Media Type");
		return NULL;
	}
	body = call->request->body != NULL ? json_loads(call->request->body, 0, NULL) : NULL;
	if (!json_is_object(body))
	{
		json_decref(body);
		emu_call_error(call, 400, "Null or missing value");
		return NULL;
	}
	return body;
}

/* -- datasets and queries -- */

static void
get_datasets(EmuCall *call)
{
	char	   *text = emu_engine_datasets(call->request->emu->engine, call->owner.program,
										   parameter(call, "datasetName"));
	json_t	   *list = text != NULL ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (json_array_size(list) == 0)
	{
		json_decref(list);
		emu_call_error(call, 404, "No item found with given filters.");
	}
	else
		emu_call_values(call, list, "Dataset fetched successfully");
}

/* Trimmed copy; malloc'd, NULL if nothing is left. */
static char *
trimmed(const char *text)
{
	size_t		length;

	if (text == NULL)
		return NULL;
	while (isspace((unsigned char) *text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	return length > 0 ? emu_format("%.*s", (int) length, text) : NULL;
}

static bool
is_plain_name(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char) *name) && !isspace((unsigned char) *name))
			return false;
	return true;
}

/* Checks what a new query says; answers and returns false if it is wrong. */
static bool
query_is_valid(EmuCall *call, const char *name, const char *text)
{
	char		err[512] = "";
	EmuQuery   *query;

	if (name == NULL || text == NULL || *text == '\0')
	{
		emu_call_error(call, 400, "Null or missing value");
		return false;
	}
	if (emu_characters(name) > NAME_LIMIT ||
		(call->settings.plain_query_names && !is_plain_name(name)))
	{
		emu_call_error(call, 400, "Invalid query name");
		return false;
	}
	query = emu_query_parse(call->request->emu->engine, call->owner.program, text,
							err, sizeof err);
	if (query == NULL)
		emu_call_error(call, 400, err);
	emu_query_free(query);
	return query != NULL;
}

static void
create_query(EmuCall *call)
{
	json_t	   *body = body_json(call);
	EmuProblem	problem;
	const char *text;
	char	   *name;
	json_t	   *query;

	if (body == NULL)
		return;
	text = json_string_value(emu_json_get(body, "Query"));
	name = trimmed(json_string_value(emu_json_get(body, "Name")));
	if (query_is_valid(call, name, text))
	{
		query = emu_store_create_query(call->store, call->owner, name,
									   json_string_value(emu_json_get(body, "Description")),
									   text, &problem);
		if (query == NULL)
			emu_call_problem(call, &problem);
		else
			emu_call_value(call, query, "Query created successfully");
	}
	free(name);
	json_decref(body);
}

/* Appends the system queries that pass the filters. */
static void
add_system_queries(EmuCall *call, json_t *list)
{
	const char *id = parameter(call, "queryId");
	const char *name = parameter(call, "queryName");
	char	   *text = emu_engine_system_queries(call->request->emu->engine,
												 call->owner.program);
	json_t	   *queries = text != NULL ? json_loads(text, 0, NULL) : NULL;
	size_t		i;
	json_t	   *query;

	json_array_foreach(queries, i, query)
	{
		if ((id == NULL ||
			 emu_same(id, json_string_value(json_object_get(query, "queryId")))) &&
			(name == NULL ||
			 emu_same(name, json_string_value(json_object_get(query, "name")))))
			json_array_append(list, query);
	}
	json_decref(queries);
	free(text);
}

static void
list_queries(EmuCall *call)
{
	bool		only_system = flag_parameter(call, "includeOnlySystemQueries", false);
	json_t	   *list;

	if (only_system)
		list = json_array();
	else
		list = emu_store_list_queries(call->store, call->owner, parameter(call, "queryId"),
									  parameter(call, "queryName"));
	if (only_system || flag_parameter(call, "includeSystemQueries", true))
		add_system_queries(call, list);
	if (json_array_size(list) == 0)
	{
		json_decref(list);
		emu_call_error(call, 404, "No item found with given filters.");
	}
	else
		emu_call_values(call, list, "Queries fetched successfully");
}

static void
delete_query(EmuCall *call)
{
	EmuProblem	problem;
	json_t	   *query = emu_store_delete_query(call->store, call->owner, call->argument,
											   &problem);

	if (query == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_value(call, query, "Query deleted successfully");
}

/* The window of a preview; false if a date cannot be read. */
static bool
preview_window(const EmuCall *call, EmuWindow *window)
{
	const char *start = parameter(call, "startTime");
	const char *end = parameter(call, "endTime");

	memset(window, 0, sizeof *window);
	if (strcmp(call->owner.program, "mpn") != 0 || (start == NULL && end == NULL))
		return true;
	return emu_time_parse(start, &window->start) && emu_time_parse(end, &window->end) &&
		window->start < window->end;
}

/*
 * Rows as JSON.  A whole number that is too large for the library makes it take
 * all numbers for floating point, as a service would that computes with doubles.
 */
static json_t *
load_rows(const char *text)
{
	json_error_t error;
	json_t	   *rows = json_loads(text, 0, &error);

	if (rows == NULL && json_error_code(&error) == json_error_numeric_overflow)
		rows = json_loads(text, JSON_DECODE_INT_AS_REAL, NULL);
	return rows;
}

static void
preview(EmuCall *call, const char *text, EmuWindow window)
{
	EmuEngine  *engine = call->request->emu->engine;
	char		err[512] = "";
	EmuQuery   *query = emu_query_parse(engine, call->owner.program, text, err, sizeof err);
	char	   *rows = NULL;
	json_t	   *list;

	if (query != NULL)
		rows = emu_query_preview(engine, query, window, &call->settings.engine,
								 (int) call->settings.preview_rows, err, sizeof err);
	emu_query_free(query);
	list = rows != NULL ? load_rows(rows) : NULL;
	free(rows);
	if (query == NULL)
		emu_call_error(call, 400, err);
	else if (list == NULL)
		emu_call_error(call, 500, "Service unavailable");
	else
		emu_call_rows(call, list);
}

static void
test_query(EmuCall *call)
{
	const char *given = parameter(call, "exportQuery");
	const char *id = parameter(call, "queryId");
	char	   *text;
	EmuWindow	window;

	if ((given == NULL) == (id == NULL))
	{
		emu_call_error(call, 400, "Null or missing value");
		return;
	}
	if (!preview_window(call, &window))
	{
		emu_call_error(call, 400, "Invalid report parameters");
		return;
	}
	text = given != NULL ? emu_copy(given) :
		emu_store_query_text(call->store, call->owner, id);
	if (text == NULL)
		emu_call_error(call, 400, "Invalid QueryId");
	else
		preview(call, text, window);
	free(text);
}

/* -- reports -- */

static void
create_report(EmuCall *call)
{
	json_t	   *body = body_json(call);
	EmuOrder	order;
	EmuProblem	problem;
	json_t	   *report = NULL;

	if (body == NULL)
		return;
	if (emu_report_order_read(body, false, &order, &problem))
		report = emu_store_create_report(call->store, call->owner, &order, &problem);
	if (report == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_value(call, report, "Report created successfully");
	json_decref(body);
}

static void
list_reports(EmuCall *call)
{
	json_t	   *list = emu_store_list_reports(call->store, call->owner,
											  parameter(call, "reportId"),
											  parameter(call, "reportName"),
											  parameter(call, "queryId"));

	if (json_array_size(list) == 0)
	{
		json_decref(list);
		emu_call_error(call, 404, "No item found with given filters.");
	}
	else
		emu_call_values(call, list, "Reports fetched successfully");
}

static void
update_report(EmuCall *call)
{
	json_t	   *body = body_json(call);
	EmuOrder	order;
	EmuProblem	problem;
	json_t	   *report = NULL;

	if (body == NULL)
		return;
	if (emu_report_order_read(body, true, &order, &problem))
		report = emu_store_update_report(call->store, call->owner, call->argument,
										 &order, &problem);
	if (report == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_value(call, report, "Report updated successfully");
	json_decref(body);
}

static void
delete_report(EmuCall *call)
{
	EmuProblem	problem;
	json_t	   *report = emu_store_delete_report(call->store, call->owner, call->argument,
												 &problem);

	if (report == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_value(call, report, "Report deleted successfully");
}

static void
pause_or_resume(EmuCall *call, bool pause)
{
	EmuProblem	problem;
	json_t	   *report = emu_store_pause_report(call->store, call->owner, call->argument,
												pause, &problem);

	if (report == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_value(call, report, pause ? "Report paused successfully" :
					   "Report resumed successfully");
}

static void
pause_report(EmuCall *call)
{
	pause_or_resume(call, true);
}

static void
resume_report(EmuCall *call)
{
	pause_or_resume(call, false);
}

static void
list_executions(EmuCall *call)
{
	const EmuFault *fault = call->request->fault;
	EmuExecutionFilter filter = {
		.report_ids = call->argument,
		.execution_ids = parameter(call, "executionId"),
		.statuses = parameter(call, "executionStatus"),
		.latest = flag_parameter(call, "getLatestExecution", true),
		.expired_links = fault != NULL && fault->expired_link
	};
	EmuProblem	problem;
	json_t	   *list = emu_store_list_executions(call->store, call->owner, &filter,
												 &problem);

	if (list == NULL)
		emu_call_problem(call, &problem);
	else
		emu_call_values(call, list, NULL);
}

/* -- the gate -- */

static bool
is_program_open(const EmuCall *call)
{
	bool		mpn = strcmp(call->owner.program, "mpn") == 0;

	if (mpn && call->token.user[0] == '\0' && !call->settings.mpn_app_only)
		return false;
	return call->token.programs == EMU_PROGRAMS_BOTH ||
		(call->token.programs == EMU_PROGRAMS_MPN) == mpn;
}

/* The token text of a request, or NULL. */
static const char *
presented_token(const EmuCall *call)
{
	const char *header = emu_request_header(call->request, "Authorization");

	if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	if (header == NULL && strcasestr(call->request->path, "/ScheduledReport") != NULL)
		return emu_request_header(call->request, "X-AadUserTicket");
	return NULL;
}

/* Answers 401 and returns false unless the request carries a live token. */
static bool
has_token(EmuCall *call)
{
	Emulator   *emu = call->request->emu;
	const char *text = presented_token(call);

	if (text == NULL || !emu_tokens_find(emu->tokens, EMU_GRANT_ACCESS, text, &call->token) ||
		call->token.expires <= emu_now(emu->switches) ||
		strcmp(call->token.audience, AUDIENCE) != 0)
	{
		emu_reply_header(call->reply, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
		emu_call_error(call, 401, "Unauthorized");
		return false;
	}
	emu_fill(call->user, sizeof call->user, call->token.user[0] != '\0' ?
			 call->token.user : call->token.client);
	call->owner.user = call->user;
	return true;
}

/* The second factor: demanded by a switch, told when asked for. */
static bool
has_second_factor(EmuCall *call)
{
	const char *validate = emu_request_header(call->request, "ValidateMfa");
	bool		is_user = call->token.user[0] != '\0';

	if (is_user && emu_same(validate, "true"))
		emu_reply_header(call->reply, "isMfaCompliant", call->token.mfa ? "true" : "false");
	if (!is_user || call->token.mfa || !call->settings.mfa_required)
		return true;
	emu_reply_header(call->reply, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
	emu_call_coded_error(call, 401, MFA_CODE, "MFA required");
	return false;
}

static bool
is_throttled(EmuCall *call)
{
	Emulator   *emu = call->request->emu;
	int			seconds = emu_throttle_count(emu->throttle, call->settings.throttle,
											 emu_now_ms(emu->switches));
	char		text[16];

	if (seconds == 0)
		return false;
	snprintf(text, sizeof text, "%d", seconds);
	emu_reply_header(call->reply, "Retry-After", text);
	emu_reply_body(call->reply, 429, "application/json",
				   emu_format("{ \"statusCode\": 429, \"message\": \"Rate limit is "
							  "exceeded. Try again in %d seconds.\" }", seconds));
	return true;
}

/* Partner Center gives a caller's ids back, or makes some. */
static void
echo_ids(const EmuCall *call)
{
	static const char *const names[] = {"ms-correlationid", "ms-requestid"};

	for (int i = 0; i < 2; i++)
	{
		const char *given = emu_request_header(call->request, names[i]);
		char		id[EMU_UUID_SIZE];

		emu_uuid(id);
		emu_reply_header(call->reply, names[i], given != NULL ? given : id);
	}
}

static bool
passes_gate(EmuCall *call)
{
	if (is_throttled(call) || !has_token(call) || !has_second_factor(call))
		return false;
	if (is_program_open(call) &&
		(call->settings.role == EMU_ROLE_ERV || call->token.user[0] == '\0'))
		return true;
	emu_call_error(call, 403, "Forbidden");
	return false;
}

/* -- routes -- */

static void serve(const EmuRequest *request, EmuReply *reply);

#define ROUTE(name) {name, "api", serve}

/* A path with an id stands after the longer paths it would swallow. */
static const Endpoint endpoints[] = {
	{ROUTE("datasets"), "GET", "ScheduledDataset", get_datasets},
	{ROUTE("create_query"), "POST", "ScheduledQueries", create_query},
	{ROUTE("list_queries"), "GET", "ScheduledQueries", list_queries},
	{ROUTE("test_query"), "GET", "ScheduledQueries/testQueryResult", test_query},
	{ROUTE("delete_query"), "DELETE", "ScheduledQueries/", delete_query},
	{ROUTE("create_report"), "POST", "ScheduledReport", create_report},
	{ROUTE("list_reports"), "GET", "ScheduledReport", list_reports},
	{ROUTE("pause"), "PUT", "ScheduledReport/pause/", pause_report},
	{ROUTE("resume"), "PUT", "ScheduledReport/resume/", resume_report},
	{ROUTE("executions"), "GET", "ScheduledReport/execution/", list_executions},
	{ROUTE("update_report"), "PUT", "ScheduledReport/", update_report},
	{ROUTE("delete_report"), "DELETE", "ScheduledReport/", delete_report},
};

static const struct
{
	const char *prefix;
	const char *program;
}			bases[] = {
	{"/insights/v1/mpn/", "mpn"},
	{"/insights/v1/cmp/", "cmp"},
	{"/insights/v1.1/cmp/", "cmp"},
};

/* The path after the program, and the program; NULL if it is not ours. */
static const char *
after_base(const char *path, const char **program)
{
	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
	{
		size_t		length = strlen(bases[i].prefix);

		if (strncasecmp(path, bases[i].prefix, length) == 0)
		{
			*program = bases[i].program;
			return path + length;
		}
	}
	return NULL;
}

/* Does the path fit, and which id does it end in? */
static bool
path_fits(const char *pattern, const char *path, const char **argument)
{
	size_t		length = strlen(pattern);

	*argument = NULL;
	if (pattern[length - 1] != '/')
		return strcasecmp(pattern, path) == 0;
	if (strncasecmp(pattern, path, length) != 0)
		return false;
	*argument = path + length;
	return **argument != '\0' && strchr(*argument, '/') == NULL;
}

static const Endpoint *
find_endpoint(const EmuRequest *request, const char **program, const char **argument)
{
	const char *path = after_base(request->path, program);

	for (size_t i = 0; path != NULL && i < sizeof endpoints / sizeof endpoints[0]; i++)
		if (strcmp(endpoints[i].method, request->method) == 0 &&
			path_fits(endpoints[i].path, path, argument))
			return &endpoints[i];
	return NULL;
}

static void
serve(const EmuRequest *request, EmuReply *reply)
{
	EmuCall    *call = emu_alloc(sizeof *call);
	const Endpoint *endpoint;

	call->request = request;
	call->reply = reply;
	call->store = request->emu->store;
	emu_switchboard_read(request->emu->switches, &call->settings);
	endpoint = find_endpoint(request, &call->owner.program, &call->argument);
	echo_ids(call);
	if (passes_gate(call))
		endpoint->call(call);
	free(call);
}

const EmuRoute *
emu_endpoints_route(const EmuRequest *request)
{
	const char *program;
	const char *argument;
	const Endpoint *endpoint = find_endpoint(request, &program, &argument);

	return endpoint != NULL ? &endpoint->route : NULL;
}
