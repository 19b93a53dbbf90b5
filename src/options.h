/*-------------------------------------------------------------------------
 *
 * options.h
 *		What a user may set on a server, a foreign table, a column and a user
 *		mapping, and the typed result.
 *
 * The table in options.c is the one list of options: the validator, the
 * messages about misplaced or misspelt names and the reader below all follow
 * it.  docs/options.md is its manual.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OPTIONS_H
#define PIN_OPTIONS_H

#include "access/attnum.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Defaults, as documented in docs/options.md. */
#define PIN_DEFAULT_API_URL "https://api.partnercenter.microsoft.com"
#define PIN_DEFAULT_LOGIN_URL "https://login.microsoftonline.com"
#define PIN_DEFAULT_RESOURCE "https://api.partnercenter.microsoft.com"
#define PIN_DEFAULT_CONNECT_TIMEOUT_MS (10 * 1000)
#define PIN_DEFAULT_REQUEST_TIMEOUT_MS (100 * 1000)
#define PIN_DEFAULT_POLL_INTERVAL_MS (2 * 1000)
#define PIN_DEFAULT_WAIT_TIMEOUT_MS (15 * 60 * 1000)
#define PIN_DEFAULT_MAX_AGE_MS (INT64CONST(24) * 60 * 60 * 1000)
#define PIN_DEFAULT_MAX_REPORTS_PER_HOUR 5
#define PIN_DEFAULT_MAX_CONCURRENT_REPORTS 50
#define PIN_DEFAULT_STARTUP_COST 10000.0
#define PIN_DEFAULT_TUPLE_COST 0.1

/* How long a refresh token is good for that is not used, by the service's word. */
#define PIN_REFRESH_TOKEN_LIFE_US (90 * USECS_PER_DAY)

/* From when on we say so that it ends, before it does. */
#define PIN_REFRESH_TOKEN_WARN_US (14 * USECS_PER_DAY)

typedef enum PinFormat
{
	PIN_FORMAT_CSV,				/* fields divided by commas */
	PIN_FORMAT_TSV				/* fields divided by tabs */
} PinFormat;

/*
 * Everything one foreign table's scan may want to know.  Strings are in the
 * database encoding except the credentials, which are UTF-8, as they are sent.
 * api_url, login_url and proxy have no trailing slash.
 */
typedef struct PinOptions
{
	Oid			serverid;		/* the table's server */
	Oid			umid;			/* user mapping; InvalidOid from
								 * pin_options_plan */
	char	   *server_name;	/* never NULL */

	/* server */
	char	   *tenant;			/* NULL only from pin_options_plan */
	char	   *program;		/* "mpn" or "cmp"; a table may override it */
	char	   *api_url;		/* never NULL */
	char	   *api_version;	/* never NULL; default depends on program */
	char	   *login_url;		/* never NULL */
	bool		login_v2;		/* version 2 of the token endpoint */
	char	   *resource;		/* never NULL */
	char	   *ca_file;		/* NULL: the system's */
	char	   *proxy;			/* NULL: none */
	char	   *proxy_user;		/* UTF-8; NULL: none */
	char	   *proxy_password_file;	/* NULL: none */
	int			connect_timeout_ms; /* > 0 */
	int			request_timeout_ms; /* > 0 */
	int			poll_interval_ms;	/* > 0; first wait between polls */
	int64		wait_timeout_ms;	/* > 0; a table may override it */
	double		startup_cost;	/* fdw_startup_cost, >= 0 */
	double		tuple_cost;		/* fdw_tuple_cost, >= 0 */
	int64		max_age_ms;		/* >= 0; a table may override it */
	int64		stale_ok_ms;	/* >= 0; 0: never; a table may override it */
	int			max_concurrent_reports; /* > 0 */
	int			max_reports_per_hour;	/* > 0; a table may override it */
	bool		prefetch;		/* a table may override it */
	bool		fetch_query;	/* fetch 'query'; a table may override it */
	bool		autocommit;		/* a table may override it */
	PinFormat	format;			/* a table may override it */

	/*
	 * User mapping; all NULL from pin_options_plan.  Exactly one grant fits:
	 * username and password, or refresh_token, or the application alone, with
	 * its secret or certificate.
	 */
	char	   *client_id;		/* never NULL from pin_options_scan */
	char	   *client_secret;	/* from itself or client_secret_file */
	char	   *certificate;	/* from certificate_file: PEM, not checked */
	char	   *private_key;	/* from private_key_file: PEM, not checked */
	bool		rs256;			/* signature_algorithm 'RS256' */
	char	   *username;		/* set together with password */
	char	   *password;		/* from itself or password_file */
	char	   *refresh_token;	/* from itself or refresh_token_file */
	char	   *refresh_token_origin;	/* see credential.h; NULL: none */
	TimestampTz refresh_token_issued;	/* 0: not known */
	char	   *proxy_password; /* the server's; NULL: none */

	/* table */
	char	   *dataset;		/* NULL: to be found by the table's name */
	char	   *timespan;		/* upper case; NULL: the dataset's widest */
	char	   *time_column;	/* remote name; NULL: as the catalogue says */
	char	   *report_id;		/* existing report to read; NULL: order one */
	char	   *query_id;		/* existing query to order it of; NULL: one of
								 * our own */
	char	   *api_object;		/* objects it shows; NULL: rows of a report */
	double		estimated_rows; /* -1: not set */
	bool		set_null;		/* on_error 'set_null' */
} PinOptions;

/*
 * Are the rows those of a report or query that exists at the service, whatever
 * the table looks like?
 */
static inline bool
pin_options_existing(const PinOptions *options)
{
	return options->report_id != NULL || options->query_id != NULL;
}

/* What a column is filled from, if not from the report file. */
typedef enum PinMetadata
{
	PIN_METADATA_NONE,			/* from the file */
	PIN_METADATA_REPORT_ID,		/* the report's id */
	PIN_METADATA_EXECUTION_ID,	/* its execution's id */
	PIN_METADATA_GENERATED_TIME /* when the file was made */
} PinMetadata;

/* The options of a column. */
typedef struct PinColumnOptions
{
	char	   *name;			/* column_name; NULL: not set */
	bool		metric;			/* metric 'true' */
	char	   *sum_of;			/* it is the sum of that; NULL: not set */
	char	   *count_of;		/* it counts the different ones of that */
	PinMetadata metadata;		/* metadata */
} PinColumnOptions;

/*
 * Options of a foreign table and its server, for planning and EXPLAIN: no user
 * mapping is looked up, no file is opened, nothing has to be complete.
 * Allocated in the current memory context.
 */
extern PinOptions *pin_options_plan(Oid foreigntableid);

/*
 * The same with the user mapping of userid and its secrets, read from files
 * where the mapping says so.  Throws an error that names what is missing or
 * unreadable, never the content of a secret.
 */
extern PinOptions *pin_options_scan(Oid foreigntableid, Oid userid);

/*
 * The same for EXPLAIN, which shall not fail for a user who only looks at a
 * plan: NULL where anything is missing or unreadable.
 */
extern PinOptions *pin_options_prospect(Oid foreigntableid, Oid userid);

/*
 * Likewise for a server and one of its programs (NULL: its own), without a table
 * (whose options then have their defaults).
 */
extern PinOptions *pin_options_server(Oid serverid, Oid userid, const char *program);

/*
 * The same for somebody who is about to sign in: what the own mapping of userid
 * says of the application, if anything (umid InvalidOid: there is no mapping).
 * The mapping for everybody is not looked at.
 */
extern PinOptions *pin_options_login(Oid serverid, Oid userid);

/*
 * The server alone, for looking whether it can be reached: nothing has to be
 * complete, and of files only the proxy's password is read.
 */
extern PinOptions *pin_options_place(Oid serverid);

/* The options of a column, in the current memory context. */
extern PinColumnOptions pin_options_column(Oid relid, AttrNumber attnum);

/*
 * Checks the options of IMPORT FOREIGN SCHEMA, a list of DefElem: some are its
 * own, the others will stand on every table.  Throws as the validator does.
 */
extern void pin_options_check_import(List *list);

#endif							/* PIN_OPTIONS_H */
