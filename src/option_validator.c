/*-------------------------------------------------------------------------
 *
 * option_validator.c
 *		What a user may set, checked when it is set.
 *
 * The table of options comes first, the validator follows.
 *
 * The validator is given all options an object will have, not the change.  So
 * an object with an option that only superusers may set can be altered by
 * superusers alone, unless the change drops that option.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/varlena.h"

#include "option_value.h"
#include "options.h"
#include "service_time.h"

/* ----------------------------------------------------------------------
 * The table
 * ----------------------------------------------------------------------
 */

/* Where an option may stand; a set. */
#define ON_SERVER 1
#define ON_TABLE 2
#define ON_COLUMN 4
#define ON_MAPPING 8
#define ON_IMPORT 16

/* Why an option is the superuser's, or NULL. */
#define REDIRECTS "It decides where credentials are sent, and who is trusted with them."
#define READS_FILE "It makes the server read a file of its host."

/* What a value must be, for the messages. */
#define A_LINE "text without control characters"
#define A_URL "an https URL without user name, query and fragment (http only for a loopback address)"
#define A_NAME "up to 256 letters, digits, underscores and parentheses"
#define A_PATH "an absolute path"
#define A_DURATION "an interval such as \"30 seconds\", without months, "
#define AN_AGE "an interval such as \"24 hours\", without months, or 0"
#define A_COST "a number that is zero or more"
#define A_ROW_COUNT "a whole number from 0 to 1000000000"
#define A_BOOLEAN "\"true\" or \"false\""
#define A_SECRET "text that is not empty"

/* Durations, in milliseconds. */
#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

typedef struct PinOption
{
	const char *name;			/* as users write it */
	int			where;			/* set of ON_... */
	bool		(*check) (const char *value);	/* may it have this value? */
	const char *expected;		/* what check accepts, in words */
	const char *superuser_why;	/* NULL: whoever owns the object may set it */
	bool		quotable;		/* may a message repeat its value? */
} PinOption;

static bool is_secret(const char *value);
static bool is_cost(const char *value);
static bool is_connect_timeout(const char *value);
static bool is_request_timeout(const char *value);
static bool is_poll_interval(const char *value);
static bool is_wait_timeout(const char *value);
static bool is_age(const char *value);
static bool is_count(const char *value);
static bool is_row_count(const char *value);
static bool is_time(const char *value);

static const PinOption options[] = {
	/* server */
	{"tenant", ON_SERVER, pin_value_tenant,
	"a domain name or an id: letters, digits, dots and hyphens", NULL, true},
	{"api_url", ON_SERVER, pin_value_url, A_URL, REDIRECTS, false},
	{"api_version", ON_SERVER, pin_value_version,
	"letters, digits and dots, such as \"v1.1\"", NULL, true},
	{"login_url", ON_SERVER, pin_value_url, A_URL, REDIRECTS, false},
	{"login_version", ON_SERVER, pin_value_login_version,
	"\"v1\" or \"v2\"", NULL, true},
	{"resource", ON_SERVER, pin_value_resource,
	"the URI or id of an API", REDIRECTS, true},
	{"ca_file", ON_SERVER, pin_value_path, A_PATH, REDIRECTS, true},
	{"proxy", ON_SERVER, pin_value_proxy,
		"a scheme (http, https, socks5 or socks5h), a host and a port, without a user name",
	REDIRECTS, false},
	{"proxy_user", ON_SERVER, pin_value_line, A_LINE, REDIRECTS, false},
	{"proxy_password_file", ON_SERVER, pin_value_path, A_PATH, READS_FILE, false},
	{"connect_timeout", ON_SERVER, is_connect_timeout,
	A_DURATION "from 1 millisecond to 10 minutes", NULL, true},
	{"request_timeout", ON_SERVER, is_request_timeout,
	A_DURATION "from 1 millisecond to 1 hour", NULL, true},
	{"poll_interval", ON_SERVER, is_poll_interval,
	A_DURATION "from 10 milliseconds to 1 hour", NULL, true},
	{"max_concurrent_reports", ON_SERVER, is_count,
	"a whole number from 1 to 1000", NULL, true},
	{"fdw_startup_cost", ON_SERVER, is_cost, A_COST, NULL, true},
	{"fdw_tuple_cost", ON_SERVER, is_cost, A_COST, NULL, true},

	/* server, or table */
	{"program", ON_SERVER | ON_TABLE, pin_value_program,
	"\"mpn\" or \"cmp\"", NULL, true},
	{"wait_timeout", ON_SERVER | ON_TABLE | ON_IMPORT, is_wait_timeout,
	A_DURATION "from 1 millisecond to 7 days", NULL, true},
	{"max_age", ON_SERVER | ON_TABLE | ON_IMPORT, is_age, AN_AGE, NULL, true},
	{"stale_ok", ON_SERVER | ON_TABLE | ON_IMPORT, is_age, AN_AGE, NULL, true},
	{"fetch", ON_SERVER | ON_TABLE | ON_IMPORT, pin_value_fetch,
	"\"table\" or \"query\"", NULL, true},
	{"prefetch", ON_SERVER | ON_TABLE | ON_IMPORT, pin_value_boolean,
	A_BOOLEAN, NULL, true},
	{"autocommit", ON_SERVER | ON_TABLE, pin_value_boolean, A_BOOLEAN, NULL, true},
	{"max_reports_per_hour", ON_SERVER | ON_TABLE | ON_IMPORT, is_count,
	"a whole number from 1 to 1000", NULL, true},
	{"format", ON_SERVER | ON_TABLE | ON_IMPORT, pin_value_format,
	"\"csv\" or \"tsv\"", NULL, true},

	/* table */
	{"dataset", ON_TABLE, pin_value_name, A_NAME, NULL, true},
	{"timespan", ON_TABLE | ON_IMPORT, pin_value_timespan,
	"letters, digits and underscores, such as \"LAST_6_MONTHS\"", NULL, true},
	{"time_column", ON_TABLE | ON_IMPORT, pin_value_name, A_NAME, NULL, true},
	{"estimated_rows", ON_TABLE | ON_IMPORT, is_row_count, A_ROW_COUNT, NULL, true},
	{"on_error", ON_TABLE | ON_IMPORT, pin_value_on_error,
	"\"stop\" or \"set_null\"", NULL, true},
	{"report_id", ON_TABLE, pin_value_id,
	"the id of a report, as the service writes it", NULL, true},
	{"query_id", ON_TABLE, pin_value_id,
	"the id of a report query, as the service writes it", NULL, true},
	{"api_object", ON_TABLE, pin_value_object,
	"\"datasets\", \"queries\", \"reports\" or \"executions\"", NULL, true},

	/* column */
	{"column_name", ON_COLUMN, pin_value_name, A_NAME, NULL, true},
	{"metric", ON_COLUMN, pin_value_boolean, A_BOOLEAN, NULL, true},
	{"sum_of", ON_COLUMN, pin_value_name, A_NAME, NULL, true},
	{"count_of", ON_COLUMN, pin_value_name, A_NAME, NULL, true},
	{"metadata", ON_COLUMN, pin_value_metadata,
	"\"report_id\", \"execution_id\" or \"generated_time\"", NULL, true},

	/* IMPORT FOREIGN SCHEMA, beside most of a table's */
	{"case", ON_IMPORT, pin_value_case,
	"\"snake\" or \"preserve\"", NULL, true},
	{"prefix", ON_IMPORT, pin_value_prefix,
	"up to 31 letters, digits and underscores", NULL, true},
	{"metrics", ON_IMPORT, pin_value_boolean, A_BOOLEAN, NULL, true},
	{"sample", ON_IMPORT, pin_value_boolean, A_BOOLEAN, NULL, true},
	{"not_null", ON_IMPORT, pin_value_boolean, A_BOOLEAN, NULL, true},

	/* user mapping: a secret may have slipped into any of them */
	{"client_id", ON_MAPPING, pin_value_client_id,
	"the application's id: letters, digits and hyphens", NULL, false},
	{"client_secret", ON_MAPPING, is_secret, A_SECRET, NULL, false},
	{"client_secret_file", ON_MAPPING, pin_value_path, A_PATH,
	READS_FILE, false},
	{"certificate_file", ON_MAPPING, pin_value_path, A_PATH, READS_FILE, false},
	{"private_key_file", ON_MAPPING, pin_value_path, A_PATH, READS_FILE, false},
	{"signature_algorithm", ON_MAPPING, pin_value_signature,
	"\"PS256\" or \"RS256\"", NULL, false},
	{"username", ON_MAPPING, pin_value_line, A_LINE, NULL, false},
	{"password", ON_MAPPING, is_secret, A_SECRET, NULL, false},
	{"password_file", ON_MAPPING, pin_value_path, A_PATH, READS_FILE, false},
	{"refresh_token", ON_MAPPING, is_secret, A_SECRET, NULL, false},
	{"refresh_token_file", ON_MAPPING, pin_value_path, A_PATH,
	READS_FILE, false},
	{"refresh_token_issued", ON_MAPPING, is_time,
	"a time such as \"2026-03-01T12:00:00Z\"", NULL, false},
	{"refresh_token_origin", ON_MAPPING, pin_value_origin,
	"what pinsight_rotate has written there", NULL, false}
};

/* The objects that may have options. */
typedef struct PinContext
{
	Oid			catalog;		/* what the validator is called with */
	int			where;			/* one of ON_... */
	const char *name;			/* "server" */
} PinContext;

static const PinContext contexts[] = {
	{ForeignServerRelationId, ON_SERVER, "server"},
	{ForeignTableRelationId, ON_TABLE, "foreign table"},
	{AttributeRelationId, ON_COLUMN, "column"},
	{UserMappingRelationId, ON_MAPPING, "user mapping"},
	{ForeignDataWrapperRelationId, 0, "foreign-data wrapper"},
	{InvalidOid, ON_IMPORT, "foreign schema"}
};

static bool
is_secret(const char *value)
{
	return value[0] != '\0';
}

static bool
is_cost(const char *value)
{
	double		cost;

	return pin_value_cost(value, &cost);
}

static bool
is_duration(const char *value, int min, int max)
{
	int			ms;

	return pin_value_duration(value, &ms) && ms >= min && ms <= max;
}

static bool
is_connect_timeout(const char *value)
{
	return is_duration(value, 1, 10 * MINUTE);
}

static bool
is_request_timeout(const char *value)
{
	return is_duration(value, 1, HOUR);
}

/* Less than 10 ms would be an attack on the service. */
static bool
is_poll_interval(const char *value)
{
	return is_duration(value, 10, HOUR);
}

static bool
is_wait_timeout(const char *value)
{
	return is_duration(value, 1, PIN_DURATION_MAX_MS);
}

static bool
is_age(const char *value)
{
	int64		ms;

	return pin_value_age(value, &ms);
}

static bool
is_count(const char *value)
{
	int			count;

	return pin_value_count(value, &count);
}

static bool
is_row_count(const char *value)
{
	double		count;

	return pin_value_row_count(value, &count);
}

static bool
is_time(const char *value)
{
	return pin_service_time(value) != 0;
}

static const PinOption *
find_option(const char *name)
{
	for (int i = 0; i < lengthof(options); i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

static const PinContext *
find_context(Oid catalog)
{
	for (int i = 0; i < lengthof(contexts); i++)
	{
		if (contexts[i].catalog == catalog)
			return &contexts[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("objects of catalog %u have no options", catalog)));
}

/* ----------------------------------------------------------------------
 * The validator
 * ----------------------------------------------------------------------
 */

PG_FUNCTION_INFO_V1(pinsight_fdw_validator);

/*
 * Statements that set options may hold secrets, even misplaced or misspelt
 * ones; none of them goes to the log on behalf of an error of ours.
 */
static int
hide_statement(void)
{
	errhidestmt(true);
	return errhidecontext(true);
}

/*
 * The option valid in context whose name is closest to name, or NULL if none
 * is close.  Edit distance by the server's own function, present in every
 * version.
 */
static const char *
closest_name(const PinContext *context, const char *name)
{
	const char *closest = NULL;
	int			len = strlen(name);
	int			limit = Min(len / 2, 4);

	if (len >= NAMEDATALEN)
		return NULL;
	for (int i = 0; i < lengthof(options); i++)
	{
		const char *candidate = options[i].name;
		int			distance;

		if ((options[i].where & context->where) == 0)
			continue;
		distance = varstr_levenshtein_less_equal(name, len, candidate,
												 strlen(candidate), 1, 1, 1,
												 limit, true);
		if (distance <= limit)
		{
			closest = candidate;
			limit = distance - 1;
		}
	}
	return closest;
}

/* The names of the options valid in context, with commas. */
static char *
valid_names(const PinContext *context)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(options); i++)
	{
		if ((options[i].where & context->where) != 0)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 options[i].name);
	}
	return names.data;
}

static _Noreturn void
refuse_unknown(const PinContext *context, const char *name)
{
	const char *closest = closest_name(context, name);
	char	   *names = valid_names(context);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\" for a %s", name, context->name),
			 closest != NULL ?
			 errhint("Perhaps you meant the option \"%s\".", closest) :
			 names[0] != '\0' ?
			 errhint("Valid options here are: %s.", names) :
			 errhint("There are no valid options here."),
			 hide_statement()));
}

/* The option exists, but elsewhere: say where. */
static _Noreturn void
refuse_misplaced(const PinContext *context, const PinOption *option)
{
	StringInfoData places;

	initStringInfo(&places);
	for (int i = 0; i < lengthof(contexts); i++)
	{
		if ((option->where & contexts[i].where) != 0)
			appendStringInfo(&places, "%sa %s",
							 places.len > 0 ? " or " : "", contexts[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("option \"%s\" does not belong to a %s",
					option->name, context->name),
			 option->where == ON_MAPPING ?
			 errhint("Credentials belong to the user mapping: everybody can read the options of servers and tables.") :
			 errhint("It is an option of %s.", places.data),
			 hide_statement()));
}

static _Noreturn void
refuse_user(const PinContext *context, const PinOption *option)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("only superusers may set the option \"%s\"", option->name),
			 errdetail("%s", option->superuser_why),
			 errhint("Likewise, a %s that has it can be altered by superusers only.",
					 context->name),
			 hide_statement()));
}

static _Noreturn void
refuse_value(const PinOption *option, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 option->quotable ?
			 errmsg("invalid value for option \"%s\": \"%s\"",
					option->name, value) :
			 errmsg("invalid value for option \"%s\"", option->name),
			 errhint("The value must be %s.", option->expected),
			 hide_statement()));
}

static void
check_option(const PinContext *context, DefElem *def)
{
	const PinOption *option = find_option(def->defname);
	char	   *value;

	if (option == NULL)
		refuse_unknown(context, def->defname);
	if ((option->where & context->where) == 0)
		refuse_misplaced(context, option);
	if (option->superuser_why != NULL && !superuser())
		refuse_user(context, option);
	value = defGetString(def);
	if (!option->check(value))
		refuse_value(option, value);
}

void
pin_options_check_import(List *list)
{
	const PinContext *context = find_context(InvalidOid);
	ListCell   *lc;

	foreach(lc, list)
		check_option(context, lfirst_node(DefElem, lc));
}

static _Noreturn void
refuse_pair(const char *one, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
			 errmsg("options \"%s\" and \"%s\" exclude each other",
					one, other),
			 hide_statement()));
}

static _Noreturn void
refuse_half(const char *present, const char *missing, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
			 errmsg("option \"%s\" needs the option \"%s\"",
					present, missing),
			 errhint("%s", hint),
			 hide_statement()));
}

/*
 * The name under which a mapping gives a secret, itself or in a file; NULL if
 * it does not, an error if it does both.
 */
static const char *
secret_option(List *mapping, const char *name, const char *file_name)
{
	bool		plain = pin_option_get(mapping, name) != NULL;
	bool		in_file = pin_option_get(mapping, file_name) != NULL;

	if (plain && in_file)
		refuse_pair(name, file_name);
	return plain ? name : in_file ? file_name : NULL;
}

/* Is the option given?  Then the other one has to be, too. */
static bool
needs(List *list, const char *name, const char *other)
{
	if (pin_option_get(list, name) == NULL)
		return false;
	if (pin_option_get(list, other) == NULL)
		refuse_half(name, other, "Set both in the same command.");
	return true;
}

/* An application proves itself in one way. */
static void
check_proof(List *mapping)
{
	const char *secret = secret_option(mapping, "client_secret", "client_secret_file");

	if (needs(mapping, "certificate_file", "private_key_file") && secret != NULL)
		refuse_pair("certificate_file", secret);
	(void) needs(mapping, "private_key_file", "certificate_file");
	(void) needs(mapping, "signature_algorithm", "certificate_file");
}

static void
check_server(List *server)
{
	(void) needs(server, "proxy_user", "proxy");
	(void) needs(server, "proxy_password_file", "proxy_user");
}

/* A mapping must leave no doubt about the grant it stands for. */
static void
check_mapping(List *mapping)
{
	const char *password;
	const char *refresh_token;
	bool		username = pin_option_get(mapping, "username") != NULL;

	check_proof(mapping);
	password = secret_option(mapping, "password", "password_file");
	refresh_token = secret_option(mapping, "refresh_token",
								  "refresh_token_file");
	if (username && refresh_token != NULL)
		refuse_pair("username", refresh_token);
	if (password != NULL && refresh_token != NULL)
		refuse_pair(password, refresh_token);
	if (username && password == NULL)
		refuse_half("username", "password",
					"Set password or password_file in the same command.");
	if (password != NULL && !username)
		refuse_half(password, "username",
					"Set username in the same command.");
}

/* A query that exists has rows of its own, which the table does not choose. */
static void
check_query_id(List *table)
{
	char	   *fetch = pin_option_get(table, "fetch");

	if (pin_option_get(table, "query_id") == NULL)
		return;
	if (pin_option_get(table, "report_id") != NULL)
		refuse_pair("query_id", "report_id");
	if (pin_option_get(table, "timespan") != NULL)
		refuse_pair("query_id", "timespan");
	if (pin_option_get(table, "time_column") != NULL)
		refuse_pair("query_id", "time_column");
	if (fetch != NULL && strcmp(fetch, "query") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("option \"fetch\" cannot be \"query\" where \"query_id\" is set"),
				 errdetail("The report of a query that exists has the rows and columns of that query."),
				 hide_statement()));
}

/* A table of the service's objects has no report, and so nothing about one. */
static void
check_object(List *table)
{
	static const char *const of_reports[] = {
		"dataset", "timespan", "time_column", "report_id", "query_id", "format", "fetch",
		"prefetch", "max_age", "stale_ok", "wait_timeout", "max_reports_per_hour"
	};

	(void) needs(table, "autocommit", "api_object");
	if (pin_option_get(table, "api_object") == NULL)
		return;
	for (int i = 0; i < lengthof(of_reports); i++)
	{
		if (pin_option_get(table, of_reports[i]) != NULL)
			refuse_pair("api_object", of_reports[i]);
	}
}

/* What a table stands for excludes some of what else it could say. */
static void
check_table(List *table)
{
	check_query_id(table);
	check_object(table);
}

/* A column is of the report, or about its execution. */
static void
check_column(List *column)
{
	if (pin_option_get(column, "sum_of") != NULL && pin_option_get(column, "count_of") != NULL)
		refuse_pair("sum_of", "count_of");
	if (pin_option_get(column, "metadata") == NULL)
		return;
	if (pin_option_get(column, "column_name") != NULL)
		refuse_pair("metadata", "column_name");
	if (pin_option_get(column, "metric") != NULL)
		refuse_pair("metadata", "metric");
	if (pin_option_get(column, "sum_of") != NULL)
		refuse_pair("metadata", "sum_of");
	if (pin_option_get(column, "count_of") != NULL)
		refuse_pair("metadata", "count_of");
}

Datum
pinsight_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *list = untransformRelOptions(PG_GETARG_DATUM(0));
	const PinContext *context = find_context(PG_GETARG_OID(1));
	ListCell   *lc;

	foreach(lc, list)
		check_option(context, lfirst_node(DefElem, lc));
	if (context->where == ON_SERVER)
		check_server(list);
	if (context->where == ON_TABLE)
		check_table(list);
	if (context->where == ON_MAPPING)
		check_mapping(list);
	if (context->where == ON_COLUMN)
		check_column(list);
	PG_RETURN_VOID();
}
