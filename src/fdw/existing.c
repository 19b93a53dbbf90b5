/*-------------------------------------------------------------------------
 *
 * existing.c
 *		The rows of an existing report, without a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/existing.h"
#include "fdw/header.h"
#include "fdw/report.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "reader/rows.h"
#include "settings.h"
#include "snapshot/flight.h"
#include "text.h"
#include "throw.h"
#include "transport/wait.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The other reports that are under way are tended to after so many rows. */
#define TEND_ROWS 256

struct PinExisting
{
	MemoryContext context;		/* owns everything */
	const PinOptions *options;	/* which name the report */
	PinReportQuery asked;		/* nothing: the report has its query */
	PinResolution *resolution;	/* where its rows come from */
};

/* ---- fetching ---- */

static void
notice_progress(const PinExisting *existing, int64 waited_us)
{
	PinJobState job;
	bool		known = pin_resolve_progress(existing->resolution, &job);

	ereport(NOTICE,
			(errmsg("still waiting for report %s after %d s", existing->options->report_id,
					(int) (waited_us / USECS_PER_SEC)),
			 known && pin_job_is_downloading(&job) ?
			 errdetail("Step: %s; " INT64_FORMAT " bytes so far.", job.phase, job.downloaded) :
			 known && job.said[0] != '\0' ?
			 errdetail("Step: %s; the service says: %s.", job.phase,
					   pin_text_to_server(job.said)) :
			 known ? errdetail("Step: %s.", job.phase) : 0));
}

/* There are ways out that a table has, and a function has not. */
static _Noreturn void
fail(const PinExisting *existing)
{
	PinError	err = *pin_resolve_error(existing->resolution);

	if (err.kind == PIN_ERROR_REPORT_GONE)
		pin_error_hint(&err, "It was deleted, or belongs to another user or program.");
	else if (err.kind == PIN_ERROR_REPORT_STOPPED)
		pin_error_hint(&err, "Resume it, or order another one.");
	pin_throw(&err, existing->options->server_name, NULL);
}

/* What messages call it. */
static char *
report_phrase(const PinExisting *existing)
{
	return psprintf("report %s", existing->options->report_id);
}

static bool
is_here(const PinExisting *existing)
{
	PinResolveStatus status;
	int64		waited;

	pin_flight_advance(existing->resolution);
	status = pin_resolve_status(existing->resolution);
	if (status == PIN_RESOLVE_FAILED)
		fail(existing);
	if (status == PIN_RESOLVE_READY)
		return true;
	waited = pin_flight_notice_due(existing->resolution);
	if (pin_progress && waited > 0)
		notice_progress(existing, waited);
	return false;
}

PinExisting *
pin_existing_fetch(const PinOptions *options, Oid userid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pinsight existing report",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PinExisting *existing = palloc0(sizeof(PinExisting));

	existing->context = context;
	existing->options = options;
	existing->asked.text = "";
	existing->resolution = pin_resolve_start(pin_need_create(options, &existing->asked,
															 InvalidOid, userid));
	while (!is_here(existing))
		pin_wait(pin_flight_fd(), pin_resolve_waits_for(existing->resolution));
	if (pin_resolve_from(existing->resolution) == PIN_ROWS_STALE)
		pin_report_warn_stale(existing->resolution, report_phrase(existing), "");
	MemoryContextSwitchTo(old);
	return existing;
}

void
pin_existing_close(PinExisting *existing)
{
	MemoryContextDelete(existing->context);
}

List *
pin_existing_columns(const PinExisting *existing)
{
	return pin_header_columns(pin_resolve_snapshot(existing->resolution),
							  existing->options->program, existing->options->server_name);
}

/* ---- reading ---- */

static _Noreturn void
throw_missing(const PinExisting *existing, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg("report %s has no column \"%s\"", existing->options->report_id, name),
			 errhint("Use SELECT * FROM pinsight_report_columns(%s, %s) to see the columns that it has.",
					 quote_literal_cstr(existing->options->server_name),
					 quote_literal_cstr(existing->options->report_id))));
}

/* Finds the file's columns; a file without any bytes has neither them nor rows. */
static void
match_columns(const PinExisting *existing, PinRowsSource *source)
{
	List	   *header = pin_header_read(pin_resolve_snapshot(existing->resolution),
										 existing->options->server_name);
	List	   *names = NIL;

	for (int i = 0; i < source->tupdesc->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(source->tupdesc, i)->attname);

		if (header != NIL && pin_header_meant(header, name) == NULL)
			throw_missing(existing, name);
		names = lappend(names, makeString(name));
		source->attnums = lappend_int(source->attnums, i + 1);
		source->needed = bms_add_member(source->needed, i + 1);
	}
	source->names = pin_header_match(header, names);
}

static PinRows *
open_rows(const PinExisting *existing, TupleDesc tupdesc)
{
	const PinSnapshot *snapshot = pin_resolve_snapshot(existing->resolution);
	PinRowsSource source = {0};

	source.fd = snapshot->fd;
	source.offset = snapshot->head.head_size;
	source.size = snapshot->head.data_size;
	source.delimiter = snapshot->head.tsv ? '\t' : ',';
	source.server_name = existing->options->server_name;
	source.what = report_phrase(existing);
	source.tupdesc = tupdesc;
	match_columns(existing, &source);
	return pin_rows_open(&source);
}

void
pin_existing_put_rows(const PinExisting *existing, TupleDesc tupdesc, Tuplestorestate *store)
{
	PinRows    *rows = open_rows(existing, tupdesc);
	Datum	   *values = palloc(sizeof(Datum) * tupdesc->natts);
	bool	   *isnull = palloc(sizeof(bool) * tupdesc->natts);

	while (pin_rows_next(rows, values, isnull))
	{
		CHECK_FOR_INTERRUPTS();
		if (pin_rows_count(rows) % TEND_ROWS == 0)
			pin_flight_tend();
		tuplestore_putvalues(store, tupdesc, values, isnull);
	}
	pin_rows_close(rows);
}
