/*-------------------------------------------------------------------------
 *
 * need.c
 *		What a scan needs from the service, as a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/query_contains.h"
#include "miscadmin.h"
#include "snapshot/need.h"

/*
 * What the service would see: who signs in, and what is asked.  Secrets that
 * are changed now and then (client secret, password) are left out, so that the
 * report is found again after such a change; a refresh token is the only thing
 * that tells two users of one application apart, and counts by its origin.
 */
static void
hash_for_service(PinNeed *need, const char *format)
{
	const PinOptions *o = need->options;
	PinHash		origin;
	const char *parts[] = {
		o->tenant, o->client_id, o->username, origin,
		o->program, need->query, format
	};

	pin_credential_origin(origin, o);
	pin_hash_parts(need->remote_key, lengthof(parts), parts);
}

/*
 * A report that exists has the rows and the format it has, whatever the table
 * looks like: all tables on it share its snapshots.
 */
static const char *
format_of(const PinOptions *options)
{
	if (options->report_id != NULL)
		return "any";
	return options->format == PIN_FORMAT_TSV ? "tsv" : "csv";
}

/* All that tells one report's rows from another's, as one text. */
static const char *
canonical(const PinOptions *options, const PinReportQuery *asked)
{
	if (options->report_id != NULL)
		return psprintf("REPORT %s", options->report_id);
	if (options->query_id != NULL)
		return psprintf("QUERY %s", options->query_id);
	if (asked->start != NULL)
		return psprintf("%s" PIN_QUERY_WINDOW_WORD "%s %s", asked->text, asked->start, asked->end);
	return asked->text;
}

PinNeed *
pin_need_create(const PinOptions *options, const PinReportQuery *asked, Oid relid, Oid userid)
{
	PinNeed    *need = palloc0(sizeof(PinNeed));
	const char *format = format_of(options);
	char		database[16];
	const char *scope[] = {
		database, need->credential, options->api_url, options->api_version,
		options->program, format
	};
	const char *parts[] = {need->scope, NULL};

	need->query = parts[1] = canonical(options, asked);
	snprintf(database, sizeof(database), "%u", MyDatabaseId);
	need->options = options;
	need->asked = asked;
	need->metrics = asked->metrics && !pin_options_existing(options);
	need->relid = relid;
	need->userid = userid;
	pin_credential_hash(need->credential, options);
	pin_hash_parts(need->scope, lengthof(scope), scope);
	pin_hash_parts(need->key, lengthof(parts), parts);
	hash_for_service(need, format);
	return need;
}

bool
pin_need_is_met(const PinNeed *need, const char *scope, const char *query, bool metrics)
{
	const char *whole = pin_options_existing(need->options) ? NULL : need->asked->whole;

	metrics = metrics || need->metrics;
	return strcmp(scope, need->scope) == 0 &&
		(strcmp(query, need->query) == 0 ||
		 pin_query_contains(query, need->query, metrics) ||
		 (whole != NULL && pin_query_contains(query, whole, metrics)));
}

bool
pin_need_contains(const PinNeed *wide, const PinNeed *narrow)
{
	return pin_need_is_met(narrow, wide->scope, wide->query, wide->metrics);
}

void
pin_need_timed_out(const PinNeed *need, const char *what, const PinError *setback,
				   PinError *err)
{
	int64		ms = need->options->wait_timeout_ms;
	bool		whole = ms % 1000 == 0;

	pin_error_set(err, PIN_ERROR_WAIT_TIMEOUT, "%s was not ready within wait_timeout (%lld %s)",
				  what, (long long) (whole ? ms / 1000 : ms), whole ? "s" : "ms");
	if (setback != NULL && setback->kind != PIN_ERROR_NONE)
		pin_error_detail(err, "The last try failed: %s.", setback->message);
}
