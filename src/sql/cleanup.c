/*-------------------------------------------------------------------------
 *
 * cleanup.c
 *		pinsight_cleanup(): deletes what we have left at the service.
 *
 * Sessions sweep by the way, too (see sweep.h); this is for whoever wants it now,
 * and wants to know what was there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "option_value.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "snapshot/sweep.h"
#include "sql/look.h"
#include "sql/row.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_cleanup);

typedef struct Cleanup
{
	const ForeignServer *server;	/* what is cleaned */
	TimestampTz before;			/* what is younger is spared */
	PinRow		row;			/* tells what was deleted */
} Cleanup;

/* ---- sweeping ---- */

/* A row for what was deleted, a warning for what the service keeps. */
static void
tell(const PinSwept *swept, void *arg)
{
	Cleanup    *c = arg;
	const char *id = pin_text_to_server(swept->id);

	if (swept->refusal != NULL)
	{
		pin_warn(swept->refusal, c->server->servername,
				 psprintf("deleting %s %s", swept->kind, id));
		return;
	}
	pin_row_text(&c->row, swept->kind);
	pin_row_text(&c->row, pin_text_to_server(swept->name));
	pin_row_text(&c->row, id);
	pin_row_end(&c->row);
}

/*
 * The server's own program has to answer; another one is a matter of its own,
 * which the mapping may have no right to.
 */
static void
clean_program(Cleanup *c, const char *program, bool own)
{
	PinOptions *options = pin_options_server(c->server->serverid, GetUserId(), program);
	PinSweep   *sweep = pin_sweep_start(options, c->before, tell, c);
	PinSweepStatus status;

	while ((status = pin_sweep_advance(sweep)) == PIN_SWEEP_WAIT)
	{
		pin_wait(pin_sweep_fd(sweep), PIN_WAIT_REPLY);
		pin_sweep_drive(sweep);
	}
	if (status == PIN_SWEEP_FAILED && own)
		pin_throw(pin_sweep_error(sweep), c->server->servername, pin_sweep_doing(sweep));
	if (status == PIN_SWEEP_FAILED)
		pin_warn(pin_sweep_error(sweep), c->server->servername, pin_sweep_doing(sweep));
	pin_sweep_close(sweep);
}

/* ---- programs ---- */

/* Is there anything of the server that is about that program? */
typedef struct ProgramSearch
{
	Oid			serverid;
	const char *program;		/* not the server's own */
	bool		found;			/* a job is, whose table may be gone */
} ProgramSearch;

static bool
is_table_of(Oid relid, Oid serverid, List *options, void *arg)
{
	const ProgramSearch *search = arg;
	char	   *program = pin_option_get(options, "program");

	return serverid == search->serverid && program != NULL &&
		strcmp(program, search->program) == 0;
}

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
is_used(Oid serverid, const char *program)
{
	ProgramSearch search = {.serverid = serverid,.program = program};

	if (pin_look_for_table(is_table_of, &search))
		return true;
	pin_cache_visit("", PIN_CACHE_JOB, search_program, &search);
	return search.found;
}

static void
clean_server(Cleanup *c)
{
	Oid			serverid = c->server->serverid;
	char	   *set = pin_option_get(c->server->options, "program");
	const char *own = set != NULL ? set : "mpn";
	const char *other = strcmp(own, "mpn") == 0 ? "cmp" : "mpn";

	clean_program(c, own, true);
	if (is_used(serverid, other))
		clean_program(c, other, false);
}

/* ---- the function ---- */

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
	ForeignServer *server = pin_look_find_server(NameStr(*PG_GETARG_NAME(0)));
	Cleanup		c = {.server = server};

	c.before = time_before(PG_GETARG_INTERVAL_P(1));
	pin_row_begin(&c.row, fcinfo);
	clean_server(&c);
	return (Datum) 0;
}
