/*-------------------------------------------------------------------------
 *
 * cleanup.c
 *		pinsight_cleanup(): deletes what we have left at the service.
 *
 * A scan deletes its report and query as soon as their rows are safe.  What is
 * left was abandoned: its scan was cancelled and never repeated, or it could not
 * reach the service, or the cache directory was lost.  That is what this finds,
 * by the jobs that nobody works on any more and by the names of remote objects.
 *
 * Whoever looks for a report while it is being deleted here orders it anew, as
 * when anybody else deletes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "compat.h"
#include "foreign/foreign.h"
#include "insights/ascii.h"
#include "option_value.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "sql/inventory.h"
#include "sql/look.h"
#include "sql/row.h"
#include "text.h"
#include "throw.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_cleanup);

typedef struct Cleanup
{
	Oid			serverid;		/* what is cleaned */
	TimestampTz before;			/* what is younger is spared */
	PinRow		row;			/* tells what was deleted */
	PinOptions *options;		/* of the program that is being cleaned */
	PinAsker   *asker;			/* likewise */
} Cleanup;

/* Which object of the service. */
typedef enum Kind
{
	REPORT,
	QUERY
} Kind;

/* ---- deleting ---- */

static bool
read_deleted_report(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_delete_report_reply(reply, err);
}

static bool
read_deleted_query(const PinReply *reply, void *arg, PinError *err)
{
	return pin_api_delete_query_reply(reply, err);
}

/*
 * Deletes one object and tells so.  False, with a warning, if the service will
 * not have it deleted, which shall not keep the others.
 */
static bool
delete_object(Cleanup *c, Kind kind, const char *name, const char *id)
{
	const PinApi *api = pin_ask_api(c->asker);
	const char *word = kind == REPORT ? "report" : "query";
	PinApiRequest request;
	PinError	err;
	bool		ok = kind == REPORT ? pin_api_delete_report(api, id, &request, &err) :
	pin_api_delete_query(api, id, &request, &err);

	ok = ok && pin_ask(c->asker, &request, kind == REPORT ? read_deleted_report :
					   read_deleted_query, NULL, &err);
	if (!ok)
	{
		char	   *context = psprintf("deleting %s %s", word, pin_text_to_server(id));

		if (err.kind != PIN_ERROR_BAD_REQUEST)
			pin_throw(&err, c->options->server_name, context);
		pin_warn(&err, c->options->server_name, context);
		return false;
	}
	pin_row_text(&c->row, word);
	pin_row_text(&c->row, pin_text_to_server(name));
	pin_row_text(&c->row, pin_text_to_server(id));
	pin_row_end(&c->row);
	return true;
}

/* ---- jobs that nobody works on ---- */

static bool
is_abandoned(const Cleanup *c, const PinJobState *state)
{
	return state->database == MyDatabaseId && state->serverid == c->serverid &&
		state->umid == c->options->umid && state->saved <= c->before &&
		strcmp(state->program, c->options->program) == 0;
}

/* True if nothing of the job is left that we know of. */
static bool
delete_objects_of(Cleanup *c, const PinJobState *state)
{
	if (state->report_id[0] != '\0' &&
		!delete_object(c, REPORT, state->name, state->report_id))
		return false;
	return state->query_id[0] == '\0' ||
		delete_object(c, QUERY, state->name, state->query_id);
}

/* Meanwhile nobody can take up the job: we have its lock. */
static void
clean_job(const char *path, void *arg)
{
	Cleanup    *c = arg;
	PinJobState state;
	PinJob	   *job;

	CHECK_FOR_INTERRUPTS();
	if (!pin_job_read(path, &state) || !is_abandoned(c, &state))
		return;
	job = pin_job_take_left(path);
	if (job == NULL)
		return;
	PG_TRY();
	{
		if (is_abandoned(c, &job->state) && delete_objects_of(c, &job->state))
			pin_job_forget(job);
	}
	PG_FINALLY();
	{
		pin_job_release(job);
	}
	PG_END_TRY();
}

/* ---- objects that no job knows ---- */

/* Is there a job that uses the object? */
typedef struct Search
{
	const PinRemoteObject *object;	/* looked for */
	bool		found;			/* it is used */
} Search;

static void
search_job(const char *path, void *arg)
{
	Search	   *search = arg;
	const char *id = search->object->id;
	PinJobState state;

	if (!search->found && pin_job_read(path, &state))
		search->found = strcmp(state.report_id, id) == 0 || strcmp(state.query_id, id) == 0 ||
			pin_ascii_equal_trimmed(state.name, search->object->name);
}

/*
 * Ours, old enough, and in no job of any database.  A report that is made again
 * and again was asked for by somebody, who will also end it.
 */
static bool
is_orphan(const Cleanup *c, const PinRemoteObject *object)
{
	Search		search = {.object = object};

	if (!pin_job_is_name(object->name) || object->recurring || object->created > c->before)
		return false;
	pin_cache_visit("", PIN_CACHE_JOB, search_job, &search);
	return !search.found;
}

static bool
is_used(const PinRemoteObject *query, List *reports)
{
	ListCell   *lc;

	foreach(lc, reports)
	{
		if (strcmp(((PinRemoteObject *) lfirst(lc))->query_id, query->id) == 0)
			return true;
	}
	return false;
}

/* Reports before queries, and no query that a report still uses. */
static void
clean_orphans(Cleanup *c, List *reports, List *queries)
{
	List	   *kept = NIL;
	ListCell   *lc;

	foreach(lc, reports)
	{
		PinRemoteObject *report = lfirst(lc);

		if (!is_orphan(c, report) || !delete_object(c, REPORT, report->name, report->id))
			kept = lappend(kept, report);
	}
	foreach(lc, queries)
	{
		PinRemoteObject *query = lfirst(lc);

		if (!is_used(query, kept) && is_orphan(c, query))
			(void) delete_object(c, QUERY, query->name, query->id);
	}
}

/* ---- programs ---- */

/* Is a foreign table of the server about that program? */
static bool
has_table_of(Oid serverid, const char *program)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	bool		found = false;
	HeapTuple	tuple;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_table table = (Form_pg_foreign_table) GETSTRUCT(tuple);

		found = table->ftserver == serverid &&
			strcmp(pin_options_plan(table->ftrelid)->program, program) == 0;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* Is a job of the server about that program, whose table may be gone? */
typedef struct ProgramSearch
{
	Oid			serverid;
	const char *program;
	bool		found;			/* yes */
} ProgramSearch;

static void
search_program(const char *path, void *arg)
{
	ProgramSearch *search = arg;
	PinJobState state;

	if (!search->found && pin_job_read(path, &state))
		search->found = state.database == MyDatabaseId &&
			state.serverid == search->serverid &&
			strcmp(state.program, search->program) == 0;
}

static bool
has_job_of(Oid serverid, const char *program)
{
	ProgramSearch search = {.serverid = serverid,.program = program};

	pin_cache_visit("", PIN_CACHE_JOB, search_program, &search);
	return search.found;
}

/*
 * The server's own program has to answer; another one is a matter of its own,
 * which the mapping may have no right to.
 */
static void
clean_program(Cleanup *c, const char *program, bool own)
{
	List	   *reports;
	List	   *queries;
	PinError	err;

	c->options = pin_options_server(c->serverid, GetUserId(), program);
	c->asker = pin_ask_open(c->options);
	pin_cache_visit("", PIN_CACHE_JOB, clean_job, c);
	if (pin_inventory_reports(c->asker, &reports, &err) &&
		pin_inventory_queries(c->asker, &queries, &err))
		clean_orphans(c, reports, queries);
	else if (own)
		pin_throw(&err, c->options->server_name, psprintf("program \"%s\"", program));
	else
		pin_warn(&err, c->options->server_name, psprintf("program \"%s\"", program));
	pin_ask_close(c->asker);
}

static void
clean_server(Cleanup *c, const ForeignServer *server)
{
	char	   *set = pin_option_get(server->options, "program");
	const char *own = set != NULL ? set : "mpn";
	const char *other = strcmp(own, "mpn") == 0 ? "cmp" : "mpn";

	clean_program(c, own, true);
	if (has_table_of(c->serverid, other) || has_job_of(c->serverid, other))
		clean_program(c, other, false);
}

/* ---- the function ---- */

/* Throws unless the caller may use the server. */
static ForeignServer *
find_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	allowed = pin_server_usage(server->serverid);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_FOREIGN_SERVER, name);
	pin_look_check_server(server->serverid);
	return server;
}

/* What was made before that time is old. */
static TimestampTz
time_before(Interval *older_than)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																 TimestampTzGetDatum(now),
																 IntervalPGetDatum(older_than)));

	if (before > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than cannot be negative")));
	return before;
}

Datum
pinsight_cleanup(PG_FUNCTION_ARGS)
{
	ForeignServer *server = find_server(NameStr(*PG_GETARG_NAME(0)));
	Cleanup		c = {.serverid = server->serverid};

	c.before = time_before(PG_GETARG_INTERVAL_P(1));
	pin_row_begin(&c.row, fcinfo);
	clean_server(&c, server);
	return (Datum) 0;
}
