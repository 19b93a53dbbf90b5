/*-------------------------------------------------------------------------
 *
 * job.c
 *		The registry: what is known of an acquisition, whoever works on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "utils/timestamp.h"

void
pin_job_name(char name[PIN_JOB_NAME_SIZE], const PinNeed *need)
{
	snprintf(name, PIN_JOB_NAME_SIZE, "pinsight %.16s", need->remote_key);
}

static uint32
checksum(const PinJobState *state)
{
	PinJobState copy;
	pg_crc32c	crc;

	memcpy(&copy, state, sizeof(copy));
	copy.checksum = 0;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &copy, sizeof(copy));
	FIN_CRC32C(crc);
	return crc;
}

bool
pin_job_read(const char *path, PinJobState *state)
{
	size_t		len = 0;
	char	   *data = pin_cache_read(path, sizeof(*state), &len);
	bool		ok = data != NULL && len == sizeof(*state);

	if (ok)
	{
		memcpy(state, data, sizeof(*state));
		ok = memcmp(state->magic, PIN_JOB_MAGIC, sizeof(state->magic)) == 0 &&
			state->checksum == checksum(state);
	}
	if (data != NULL)
		pfree(data);
	return ok;
}

/*
 * A job nobody has begun.  Another cluster, or we before the cache directory
 * was lost, may have ordered the report: so it is looked for before anything
 * is created.
 */
static void
begin(PinJobState *state, const PinNeed *need)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->magic, PIN_JOB_MAGIC, sizeof(state->magic));
	strlcpy(state->key, need->key, sizeof(state->key));
	state->query_tried = true;
	state->report_tried = true;
	state->begun = GetCurrentTimestamp();
	state->database = MyDatabaseId;
	state->serverid = need->options->serverid;
	state->umid = need->options->umid;
	state->userid = need->userid;
	state->relid = need->relid;
}

PinJob *
pin_job_take(const PinNeed *need)
{
	PinJob	   *job = palloc0(sizeof(PinJob));

	job->lock_path = pin_cache_path(need->key, NULL, PIN_CACHE_LOCK);
	job->path = pin_cache_path(need->key, NULL, PIN_CACHE_JOB);
	job->lock = pin_cache_lock(job->lock_path);
	if (job->lock < 0)
	{
		pfree(job);
		return NULL;
	}
	PG_TRY();
	{
		job->resumed = pin_job_read(job->path, &job->state) &&
			strcmp(job->state.key, need->key) == 0;
		if (!job->resumed)
			begin(&job->state, need);
	}
	PG_CATCH();
	{
		pin_job_release(job);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return job;
}

void
pin_job_save(PinJob *job)
{
	job->state.pid = MyProcPid;
	job->state.saved = GetCurrentTimestamp();
	job->state.checksum = checksum(&job->state);
	pin_cache_write(job->path, (const char *) &job->state, sizeof(job->state));
}

void
pin_job_reset(PinJob *job)
{
	job->state.query_id[0] = job->state.report_id[0] = '\0';
	job->state.query_tried = job->state.report_tried = false;
	job->state.ordered = job->state.not_before = 0;
	job->state.said[0] = '\0';
}

void
pin_job_release(PinJob *job)
{
	if (job == NULL || job->lock < 0)
		return;
	pin_cache_unlock(job->lock, NULL);
	job->lock = -1;
}

void
pin_job_forget(PinJob *job)
{
	if (job->lock < 0)
		return;
	pin_cache_remove(job->path);
	pin_cache_unlock(job->lock, job->lock_path);
	job->lock = -1;
}
