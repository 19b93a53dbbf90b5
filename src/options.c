/*-------------------------------------------------------------------------
 *
 * options.c
 *		From what is set on server, table and user mapping to a PinOptions.
 *
 * What may be set, and by whom, is the business of option_validator.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "option_value.h"
#include "options.h"
#include "secret_file.h"
#include "service_time.h"
#include "text.h"

/* A table's options over its server's. */
typedef struct OptionSource
{
	List	   *table;			/* options of the foreign table */
	List	   *server;			/* options of its server */
} OptionSource;

/* Value of a table's or else the server's option, or the default. */
static char *
read_text(const OptionSource *source, const char *name,
		  const char *default_value)
{
	char	   *value = pin_option_get(source->table, name);

	if (value == NULL)
		value = pin_option_get(source->server, name);
	if (value == NULL)
		value = unconstify(char *, default_value);
	return value != NULL ? pstrdup(value) : NULL;
}

/*
 * A value that was checked when it was set can only be wrong if the catalogs
 * were written to by hand.
 */
static _Noreturn void
fail_value(const char *name)
{
	elog(ERROR, "option \"%s\" has a value that was never checked", name);
}

static int
read_duration(const OptionSource *source, const char *name, int default_ms)
{
	char	   *value = read_text(source, name, NULL);
	int			ms = default_ms;

	if (value != NULL && !pin_value_duration(value, &ms))
		fail_value(name);
	return ms;
}

static int64
read_age(const OptionSource *source, const char *name, int64 default_ms)
{
	char	   *value = read_text(source, name, NULL);
	int64		ms = default_ms;

	if (value != NULL && !pin_value_age(value, &ms))
		fail_value(name);
	return ms;
}

static int
read_count(const OptionSource *source, const char *name, int default_count)
{
	char	   *value = read_text(source, name, NULL);
	int			count = default_count;

	if (value != NULL && !pin_value_count(value, &count))
		fail_value(name);
	return count;
}

static bool
read_boolean(const OptionSource *source, const char *name, bool default_value)
{
	char	   *value = read_text(source, name, NULL);
	bool		result = default_value;

	if (value != NULL && !parse_bool(value, &result))
		fail_value(name);
	return result;
}

static double
read_cost(const OptionSource *source, const char *name, double default_cost)
{
	char	   *value = read_text(source, name, NULL);
	double		cost = default_cost;

	if (value != NULL && !pin_value_cost(value, &cost))
		fail_value(name);
	return cost;
}

/* -1 if it is not set. */
static double
read_row_count(const OptionSource *source, const char *name)
{
	char	   *value = read_text(source, name, NULL);
	double		count = -1;

	if (value != NULL && !pin_value_row_count(value, &count))
		fail_value(name);
	return count;
}

/* A URL that paths can be appended to: without its trailing slashes. */
static char *
read_url(const OptionSource *source, const char *name,
		 const char *default_url)
{
	char	   *url = read_text(source, name, default_url);

	if (url != NULL)
	{
		size_t		len = strlen(url);

		while (len > 0 && url[len - 1] == '/')
			url[--len] = '\0';
	}
	return url;
}

/* A credential as UTF-8, or NULL. */
static char *
read_credential(List *list, const char *name)
{
	char	   *value = pin_option_get(list, name);
	char	   *utf8 = value != NULL ? pin_text_to_utf8(value) : NULL;

	if (value != NULL && utf8 == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("value of option \"%s\" cannot be expressed in UTF-8",
						name)));
	return utf8;
}

/* What stands on the server alone: addresses, time limits, costs. */
static void
read_server(PinOptions *o, const OptionSource *source)
{
	o->tenant = read_text(source, "tenant", NULL);
	o->api_url = read_url(source, "api_url", PIN_DEFAULT_API_URL);
	o->login_url = read_url(source, "login_url", PIN_DEFAULT_LOGIN_URL);
	o->login_v2 = strcmp(read_text(source, "login_version", "v1"), "v2") == 0;
	o->resource = read_text(source, "resource", PIN_DEFAULT_RESOURCE);
	o->ca_file = read_text(source, "ca_file", NULL);
	o->proxy = read_url(source, "proxy", NULL);
	o->proxy_user = read_credential(source->server, "proxy_user");
	o->proxy_password_file = read_text(source, "proxy_password_file", NULL);
	o->connect_timeout_ms = read_duration(source, "connect_timeout",
										  PIN_DEFAULT_CONNECT_TIMEOUT_MS);
	o->request_timeout_ms = read_duration(source, "request_timeout",
										  PIN_DEFAULT_REQUEST_TIMEOUT_MS);
	o->poll_interval_ms = read_duration(source, "poll_interval",
										PIN_DEFAULT_POLL_INTERVAL_MS);
	o->max_concurrent_reports = read_count(source, "max_concurrent_reports",
										   PIN_DEFAULT_MAX_CONCURRENT_REPORTS);
	o->startup_cost = read_cost(source, "fdw_startup_cost",
								PIN_DEFAULT_STARTUP_COST);
	o->tuple_cost = read_cost(source, "fdw_tuple_cost",
							  PIN_DEFAULT_TUPLE_COST);
}

/* What stands on the table, or is overridden there. */
static void
read_table(PinOptions *o, const OptionSource *source)
{
	bool		cmp;

	o->program = read_text(source, "program", "mpn");
	cmp = strcmp(o->program, "cmp") == 0;
	o->api_version = read_text(source, "api_version", cmp ? "v1.1" : "v1");
	o->wait_timeout_ms = read_duration(source, "wait_timeout",
									   PIN_DEFAULT_WAIT_TIMEOUT_MS);
	o->max_age_ms = read_age(source, "max_age", PIN_DEFAULT_MAX_AGE_MS);
	o->stale_ok_ms = read_age(source, "stale_ok", 0);
	o->max_reports_per_hour = read_count(source, "max_reports_per_hour",
										 PIN_DEFAULT_MAX_REPORTS_PER_HOUR);
	o->prefetch = read_boolean(source, "prefetch", true);
	o->fetch_query = strcmp(read_text(source, "fetch", "table"), "query") == 0;
	o->format = strcmp(read_text(source, "format", "csv"), "tsv") == 0 ?
		PIN_FORMAT_TSV : PIN_FORMAT_CSV;
	o->autocommit = read_boolean(source, "autocommit", false);
	o->dataset = read_text(source, "dataset", NULL);
	o->timespan = read_text(source, "timespan", NULL);
	if (o->timespan != NULL)
	{
		for (char *c = o->timespan; *c != '\0'; c++)
			*c = pg_ascii_toupper((unsigned char) *c);
	}
	o->time_column = read_text(source, "time_column", NULL);
	o->report_id = read_text(source, "report_id", NULL);
	o->query_id = read_text(source, "query_id", NULL);
	if (o->query_id != NULL)
		o->fetch_query = false; /* the server's, where it is set */
	o->api_object = read_text(source, "api_object", NULL);
	o->estimated_rows = read_row_count(source, "estimated_rows");
	o->set_null = strcmp(read_text(source, "on_error", "stop"),
						 "set_null") == 0;
}

/* A table's options, as a list, over its server's. */
static PinOptions *
read_options(Oid serverid, List *table_options)
{
	ForeignServer *server = GetForeignServer(serverid);
	OptionSource source = {.table = table_options,.server = server->options};
	PinOptions *o = palloc0(sizeof(PinOptions));

	o->serverid = server->serverid;
	o->server_name = pstrdup(server->servername);
	read_server(o, &source);
	read_table(o, &source);
	return o;
}

PinOptions *
pin_options_plan(Oid foreigntableid)
{
	ForeignTable *table = GetForeignTable(foreigntableid);

	return read_options(table->serverid, table->options);
}

/* Has the user (InvalidOid: everybody) a mapping of its own? */
static bool
has_mapping(const PinOptions *o, Oid userid)
{
	return SearchSysCacheExists2(USERMAPPINGUSERSERVER,
								 ObjectIdGetDatum(userid),
								 ObjectIdGetDatum(o->serverid));
}

/*
 * The mapping of the user, or else the one for everybody.  Unlike
 * GetUserMapping alone, the error says how to get one.
 */
static UserMapping *
get_mapping(const PinOptions *o, Oid userid)
{
	const char *user;

	if (has_mapping(o, userid) || has_mapping(o, InvalidOid))
		return GetUserMapping(userid, o->serverid);

	user = GetUserNameFromId(userid, false);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("server \"%s\" has no user mapping for \"%s\"",
					o->server_name, user),
			 errhint("Use CREATE USER MAPPING FOR %s SERVER %s OPTIONS (client_id ..., ...), or CALL pinsight_login(%s, client_id => ...).",
					 quote_identifier(user),
					 quote_identifier(o->server_name),
					 quote_literal_cstr(o->server_name))));
}

/*
 * Throws for an option that has to be there by now.  um->userid is who asked;
 * the mapping found may be the one for everybody.
 */
static _Noreturn void
fail_missing(const PinOptions *o, const UserMapping *um, const char *name,
			 const char *why)
{
	bool		own = has_mapping(o, um->userid);
	const char *user = own ? GetUserNameFromId(um->userid, false) : "public";

	ereport(ERROR,
			(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
			 errmsg("user mapping for \"%s\" on server \"%s\" has no %s",
					user, o->server_name, name),
			 errdetail("%s", why),
			 errhint("Use ALTER USER MAPPING FOR %s SERVER %s OPTIONS (ADD %s ...).",
					 own ? quote_identifier(user) : user,
					 quote_identifier(o->server_name), name)));
}

static void
require_tenant(const PinOptions *o)
{
	if (o->tenant == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("server \"%s\" has no tenant", o->server_name),
				 errhint("Use ALTER SERVER %s OPTIONS (ADD tenant 'your-company.onmicrosoft.com').",
						 quote_identifier(o->server_name))));
}

/*
 * Reads a secret of the mapping, from its option or from the file, or NULL.
 * False, once that is reported with elevel, if the file cannot be used.
 */
static bool
read_secret(List *mapping, const char *name, const char *file_name, int elevel,
			char **secret)
{
	char	   *path = pin_option_get(mapping, file_name);

	if (path == NULL)
	{
		*secret = read_credential(mapping, name);
		return true;
	}
	*secret = pin_secret_file_read(file_name, path, elevel);
	return *secret != NULL;
}

/* Reads the certificate and its key, if there are any; false as above. */
static bool
read_certificate(PinOptions *o, List *mapping, int elevel)
{
	char	   *path = pin_option_get(mapping, "certificate_file");
	char	   *algorithm = pin_option_get(mapping, "signature_algorithm");

	o->rs256 = algorithm != NULL && strcmp(algorithm, "RS256") == 0;
	if (path == NULL)
		return true;
	o->certificate = pin_public_file_read("certificate_file", path, elevel);
	return o->certificate != NULL &&
		read_secret(mapping, "private_key", "private_key_file", elevel, &o->private_key);
}

/* What is in a file is as old as the file. */
static TimestampTz
read_issued(List *mapping)
{
	char	   *issued = pin_option_get(mapping, "refresh_token_issued");
	char	   *path = pin_option_get(mapping, "refresh_token_file");

	if (issued != NULL)
		return pin_service_time(issued);
	return path != NULL ? pin_file_time(path) : 0;
}

/* The server's, but nothing that planning would look at; false as above. */
static bool
read_proxy_password(PinOptions *o, int elevel)
{
	if (o->proxy_password_file == NULL)
		return true;
	o->proxy_password = pin_secret_file_read("proxy_password_file",
											 o->proxy_password_file, elevel);
	return o->proxy_password != NULL;
}

/* Which application signs in, and how it proves itself; false as above. */
static bool
read_application(PinOptions *o, const UserMapping *um, int elevel)
{
	o->umid = um->umid;
	o->client_id = read_credential(um->options, "client_id");
	return read_secret(um->options, "client_secret", "client_secret_file",
					   elevel, &o->client_secret) &&
		read_certificate(o, um->options, elevel) &&
		read_proxy_password(o, elevel);
}

/* Completes options with a mapping; false if a file cannot be used. */
static bool
read_mapping(PinOptions *o, const UserMapping *um, int elevel)
{
	o->username = read_credential(um->options, "username");
	o->refresh_token_origin = read_credential(um->options, "refresh_token_origin");
	o->refresh_token_issued = read_issued(um->options);
	return read_application(o, um, elevel) &&
		read_secret(um->options, "password", "password_file",
					elevel, &o->password) &&
		read_secret(um->options, "refresh_token", "refresh_token_file",
					elevel, &o->refresh_token);
}

static bool
has_secret(const PinOptions *o)
{
	return o->client_secret != NULL || o->certificate != NULL ||
		o->password != NULL || o->refresh_token != NULL;
}

/* Completes options with the user's mapping. */
static PinOptions *
add_credentials(PinOptions *o, Oid userid)
{
	UserMapping *um;

	require_tenant(o);
	um = get_mapping(o, userid);
	(void) read_mapping(o, um, ERROR);
	if (o->client_id == NULL)
		fail_missing(o, um, "client_id",
					 "Every sign-in names the application it is made for.");
	if (!has_secret(o))
		fail_missing(o, um, "client_secret",
					 "Without username and password or a refresh_token the application signs in by itself, with its secret or certificate.");
	return o;
}

PinOptions *
pin_options_prospect(Oid foreigntableid, Oid userid)
{
	PinOptions *o = pin_options_plan(foreigntableid);

	if (o->tenant == NULL || !(has_mapping(o, userid) || has_mapping(o, InvalidOid)) ||
		!read_mapping(o, GetUserMapping(userid, o->serverid), DEBUG1) ||
		o->client_id == NULL || !has_secret(o))
		return NULL;
	return o;
}

PinOptions *
pin_options_scan(Oid foreigntableid, Oid userid)
{
	return add_credentials(pin_options_plan(foreigntableid), userid);
}

PinOptions *
pin_options_server(Oid serverid, Oid userid, const char *program)
{
	List	   *table = NIL;

	if (program != NULL)
		table = list_make1(makeDefElem("program", (Node *) makeString(pstrdup(program)), -1));
	return add_credentials(read_options(serverid, table), userid);
}

PinOptions *
pin_options_login(Oid serverid, Oid userid)
{
	PinOptions *o = read_options(serverid, NIL);

	require_tenant(o);
	if (has_mapping(o, userid))
		(void) read_application(o, GetUserMapping(userid, serverid), ERROR);
	else
		(void) read_proxy_password(o, ERROR);
	return o;
}

PinOptions *
pin_options_place(Oid serverid)
{
	PinOptions *o = read_options(serverid, NIL);

	(void) read_proxy_password(o, ERROR);
	return o;
}

static PinMetadata
metadata_of(const char *value)
{
	if (value == NULL)
		return PIN_METADATA_NONE;
	if (strcmp(value, "report_id") == 0)
		return PIN_METADATA_REPORT_ID;
	if (strcmp(value, "execution_id") == 0)
		return PIN_METADATA_EXECUTION_ID;
	if (strcmp(value, "generated_time") == 0)
		return PIN_METADATA_GENERATED_TIME;
	fail_value("metadata");
}

PinColumnOptions
pin_options_column(Oid relid, AttrNumber attnum)
{
	List	   *list = GetForeignColumnOptions(relid, attnum);
	char	   *name = pin_option_get(list, "column_name");
	char	   *metric = pin_option_get(list, "metric");
	char	   *sum_of = pin_option_get(list, "sum_of");
	char	   *count_of = pin_option_get(list, "count_of");
	PinColumnOptions column = {0};

	column.name = name != NULL ? pstrdup(name) : NULL;
	column.sum_of = sum_of != NULL ? pstrdup(sum_of) : NULL;
	column.count_of = count_of != NULL ? pstrdup(count_of) : NULL;
	column.metadata = metadata_of(pin_option_get(list, "metadata"));
	if (metric != NULL && !parse_bool(metric, &column.metric))
		fail_value("metric");
	return column;
}
