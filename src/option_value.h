/*-------------------------------------------------------------------------
 *
 * option_value.h
 *		Is this text an acceptable value, and what does it mean?
 *
 * One predicate for each kind of value.  They decide and never throw: the
 * caller knows the option's name and what to say.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OPTION_VALUE_H
#define PIN_OPTION_VALUE_H

#include "nodes/pg_list.h"

/* Longest URL and longest name, bytes. */
#define PIN_URL_MAX 2048
#define PIN_NAME_MAX 256

/* Longest prefix of imported tables' names, bytes. */
#define PIN_PREFIX_MAX 31

/* Most rows a table may be said to have. */
#define PIN_ROW_COUNT_MAX 1e9

/* Longest duration: a week, which is far from where an int ends. */
#define PIN_DURATION_MAX_MS (7 * 24 * 60 * 60 * 1000)

/* Value of an option of the list of DefElems, not copied, or NULL. */
extern char *pin_option_get(List *list, const char *name);

/* Not empty, no control characters. */
extern bool pin_value_line(const char *value);

/* Letters, digits, dots and hyphens, a letter or digit at both ends. */
extern bool pin_value_tenant(const char *value);

/* Letters, digits and dots, a letter or digit at both ends. */
extern bool pin_value_version(const char *value);

/* Letters, digits and hyphens. */
extern bool pin_value_client_id(const char *value);

/* An id of the service's, which can stand in an address; not only UUIDs. */
extern bool pin_value_id(const char *value);

/* Two hashes in hexadecimal, with a colon between them. */
extern bool pin_value_origin(const char *value);

/* Letters, digits, underscores and parentheses. */
extern bool pin_value_name(const char *value);

/* Letters, digits and underscores. */
extern bool pin_value_timespan(const char *value);

/*
 * https with a host, or http with a loopback host; no user info, query or
 * fragment.
 */
extern bool pin_value_url(const char *value);

/* Scheme, host, port: http, https, socks5, socks5h; no user info, no path. */
extern bool pin_value_proxy(const char *value);

/* An identifier of an API: printable ASCII without blanks. */
extern bool pin_value_resource(const char *value);

/* An absolute path. */
extern bool pin_value_path(const char *value);

/*
 * "datasets", "queries", "reports" or "executions"; "mpn" or "cmp"; "csv" or "tsv"; "stop" or "set_null"; "table" or "query";
 * "v1" or "v2"; "PS256" or "RS256".
 */
extern bool pin_value_object(const char *value);
extern bool pin_value_program(const char *value);
extern bool pin_value_format(const char *value);
extern bool pin_value_on_error(const char *value);
extern bool pin_value_fetch(const char *value);
extern bool pin_value_login_version(const char *value);
extern bool pin_value_signature(const char *value);

/*
 * "snake" or "preserve"; "report_id", "execution_id" or "generated_time"; what
 * PostgreSQL takes for a boolean.
 */
extern bool pin_value_case(const char *value);
extern bool pin_value_metadata(const char *value);
extern bool pin_value_boolean(const char *value);

/* Up to 31 letters, digits and underscores, perhaps none. */
extern bool pin_value_prefix(const char *value);

/* A whole number of rows that a report may have. */
extern bool pin_value_row_count(const char *value, double *count);

/*
 * A PostgreSQL interval without months and years, of 1 to PIN_DURATION_MAX_MS
 * milliseconds: what is smaller is cut off.
 */
extern bool pin_value_duration(const char *value, int *ms);

/*
 * The same, but of 0 to PIN_AGE_MAX_MS milliseconds; "0" alone will do.
 */
#define PIN_AGE_MAX_MS (INT64CONST(3660) * 24 * 60 * 60 * 1000)
extern bool pin_value_age(const char *value, int64 *ms);

/* A whole number from 1 to 1000. */
extern bool pin_value_count(const char *value, int *count);

/* A number that is zero or more. */
extern bool pin_value_cost(const char *value, double *cost);

#endif							/* PIN_OPTION_VALUE_H */
