/*-------------------------------------------------------------------------
 *
 * jobs.c
 *		pinsight_jobs(): the reports under way, whoever waits for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "sql/look.h"
#include "sql/row.h"
#include "text.h"

PG_FUNCTION_INFO_V1(pinsight_jobs);

static void
put_job(PinRow *row, const PinJobState *job)
{
	bool		taken = pin_job_is_taken(job);

	pin_row_name(row, pin_look_server(job->serverid));
	pin_row_oid(row, pin_look_table(job->relid, job->serverid));
	pin_row_name(row, pin_look_role(job->userid));
	pin_row_text(row, job->phase);
	pin_row_text(row, pin_text_to_server(job->said));
	pin_row_age(row, job->begun);
	pin_row_int32(row, job->polls);
	pin_row_time(row, taken ? job->next_poll : 0);
	pin_row_int64(row, job->downloaded);
	pin_row_int64(row, job->rows);
	pin_row_text(row, pin_text_to_server(job->report_id));
	pin_row_text(row, pin_text_to_server(job->query_id));
	if (taken)
		pin_row_int32(row, job->pid);
	else
		pin_row_null(row);
	pin_row_time(row, job->begun);
	pin_row_end(row);
}

/* A job that ended meanwhile has no state any more. */
static void
visit_job(const char *path, void *arg)
{
	PinJobState job;

	CHECK_FOR_INTERRUPTS();
	if (pin_job_read(path, &job) && job.database == MyDatabaseId &&
		pin_look_allowed(job.userid))
		put_job(arg, &job);
}

Datum
pinsight_jobs(PG_FUNCTION_ARGS)
{
	PinRow		row;

	pin_row_begin(&row, fcinfo);
	pin_cache_visit("", PIN_CACHE_JOB, visit_job, &row);
	return (Datum) 0;
}
