/*-------------------------------------------------------------------------
 *
 * job.c
 *		The registry: what is known of an acquisition, whoever works on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ascii.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "utils/timestamp.h"

#define NAME_START "pinsight "
#define NAME_DIGITS 16

/*
 * That nothing was found by its name is believed for so long: then another
 * cluster may have ordered the report.
 */
#define BLANK_US USECS_PER_MINUTE

void
pin_job_name(char name[PIN_JOB_NAME_SIZE], const PinNeed *need)
{
	snprintf(name, PIN_JOB_NAME_SIZE, NAME_START "%.*s", NAME_DIGITS, need->remote_key);
}

bool
pin_job_is_name(const char *name)
{
	size_t		len;

	while (pin_ascii_is_blank(*name))
		name++;
	len = strlen(name);
	while (len > 0 && pin_ascii_is_blank(name[len - 1]))
		len--;
	if (len != strlen(NAME_START) + NAME_DIGITS || !pin_ascii_starts(name, NAME_START))
		return false;
	return strspn(name + strlen(NAME_START), "0123456789abcdefABCDEF") == NAME_DIGITS;
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
 * is created.  A query that the table names is nobody's to create.
 */
static void
begin(PinJobState *state, const PinNeed *need)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->magic, PIN_JOB_MAGIC, sizeof(state->magic));
	strlcpy(state->key, need->key, sizeof(state->key));
	pin_job_name(state->name, need);
	strlcpy(state->program, need->options->program, sizeof(state->program));
	state->query_tried = need->options->query_id == NULL;
	state->report_tried = true;
	state->begun = GetCurrentTimestamp();
	state->database = MyDatabaseId;
	state->serverid = need->options->serverid;
	state->umid = need->options->umid;
	state->userid = need->userid;
	state->relid = need->relid;
}

/* In a memory context callback: throws nothing, waits for nothing. */
static void
let_go(void *job)
{
	pin_job_release(job);
}

/* Locks a job; NULL if another backend has it. */
static PinJob *
lock_job(const char *key)
{
	PinJob	   *job = palloc0(sizeof(PinJob));

	job->lock_path = pin_cache_path(key, NULL, PIN_CACHE_LOCK);
	job->path = pin_cache_path(key, NULL, PIN_CACHE_JOB);
	job->lock = pin_cache_lock(job->lock_path);
	if (job->lock >= 0)
	{
		job->callback.func = let_go;
		job->callback.arg = job;
		MemoryContextRegisterResetCallback(CurrentMemoryContext, &job->callback);
		return job;
	}
	pfree(job->lock_path);		/* whoever waits for it tries often */
	pfree(job->path);
	pfree(job);
	return NULL;
}

/*
 * If the clock was set back since, times are to come that have been.  Then what
 * was sent has just been sent, and when the report was not ready is unknown.
 */
static void
correct_times(PinJobState *state)
{
	TimestampTz now = GetCurrentTimestamp();

	state->begun = Min(state->begun, now);
	state->create_sent = Min(state->create_sent, now);
	if (state->not_before > now)
		state->not_before = 0;
}

/* Reads what was left of a locked job; true if there is something. */
static bool
pick_up(PinJob *job, const char *key)
{
	job->resumed = pin_job_read(job->path, &job->state) &&
		strcmp(job->state.key, key) == 0;
	if (job->resumed)
		correct_times(&job->state);
	return job->resumed;
}

PinJob *
pin_job_take(const PinNeed *need)
{
	PinJob	   *job = lock_job(need->key);

	if (job == NULL)
		return NULL;
	if (!pick_up(job, need->key) ||
		(pin_job_is_blank(&job->state) &&
		 job->state.begun < GetCurrentTimestamp() - BLANK_US))
	{
		job->resumed = false;
		begin(&job->state, need);
	}
	job->state.downloaded = job->state.rows = 0;	/* a download begins anew */
	return job;
}

PinJob *
pin_job_take_left(const char *path)
{
	PinJobState state;
	PinJob	   *job;

	if (!pin_job_read(path, &state))
		return NULL;
	job = lock_job(state.key);
	if (job == NULL || pick_up(job, state.key))
		return job;
	pin_job_release(job);
	return NULL;
}

/* Looking for a need's job. */
typedef struct Search
{
	const PinNeed *need;		/* whose it is */
	PinJobState *state;			/* of it, if it was found */
	bool		found;
} Search;

static void
consider(const char *path, void *arg)
{
	Search	   *search = arg;

	search->found = search->found ||
		(pin_job_read(path, search->state) &&
		 strcmp(search->state->key, search->need->key) == 0);
}

bool
pin_job_find(const PinNeed *need, PinJobState *state)
{
	Search		search = {.need = need,.state = state};
	char		prefix[PIN_CACHE_NAME_DIGITS + 1];

	strlcpy(prefix, need->key, sizeof(prefix));
	pin_cache_visit(prefix, PIN_CACHE_JOB, consider, &search);
	return search.found;
}

bool
pin_job_is_taken(const PinJobState *state)
{
	return pin_cache_is_locked(pin_cache_path(state->key, NULL, PIN_CACHE_LOCK));
}

bool
pin_job_is_downloading(const PinJobState *state)
{
	return strcmp(state->phase, PIN_JOB_DOWNLOADING) == 0;
}

bool
pin_job_is_blank(const PinJobState *state)
{
	return !state->query_tried && !state->report_tried &&
		state->query_id[0] == '\0' && state->report_id[0] == '\0';
}

/*
 * If somebody has removed the cache directory, or cleared it, our lock counts
 * no more: we take another one, unless another backend was faster.
 */
static void
keep_lock(PinJob *job)
{
	int			lock;

	if (pin_cache_holds(job->lock, job->lock_path))
		return;
	pfree(pin_cache_path(job->state.key, NULL, PIN_CACHE_LOCK));	/* makes the directory */
	lock = pin_cache_lock(job->lock_path);
	if (lock < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lock file \"%s\" was removed, and another session has taken over",
						job->lock_path),
				 errhint("Run the query again to share that session's report.")));
	pin_cache_unlock(job->lock, NULL);
	job->lock = lock;
}

static void
sign(PinJobState *state)
{
	state->pid = MyProcPid;
	state->saved = GetCurrentTimestamp();
	state->checksum = checksum(state);
}

void
pin_job_save(PinJob *job)
{
	keep_lock(job);
	sign(&job->state);
	pin_cache_write(job->path, (const char *) &job->state, sizeof(job->state));
}

void
pin_job_note(PinJob *job)
{
	sign(&job->state);
	if (pin_cache_holds(job->lock, job->lock_path) &&
		!pin_cache_try_write(job->path, (const char *) &job->state, sizeof(job->state)))
		elog(DEBUG1, "pinsight_fdw: could not write file \"%s\": %m", job->path);
}

void
pin_job_note_download(PinJob *job, int64 downloaded, int64 rows)
{
	job->state.downloaded = downloaded;
	job->state.rows = rows;
	if (GetCurrentTimestamp() - job->state.saved >= USECS_PER_SEC)
		pin_job_note(job);
}

void
pin_job_note_failing(PinJob *job, bool failing)
{
	if (failing == (job->state.failing_since != 0))
		return;
	job->state.failing_since = failing ? GetCurrentTimestamp() : 0;
	pin_job_note(job);
}

void
pin_job_reset(PinJob *job)
{
	job->state.namesake = job->state.report_id[0] != '\0';
	job->state.query_id[0] = job->state.report_id[0] = '\0';
	job->state.query_tried = job->state.report_tried = false;
	job->state.not_before = 0;
	job->state.said[0] = '\0';
}

void
pin_job_release(PinJob *job)
{
	if (job == NULL || job->lock < 0)
		return;
	pin_cache_unlock(job->lock, job->lock_path);
	job->lock = -1;
}

void
pin_job_forget(PinJob *job)
{
	if (job->lock < 0)
		return;
	if (pin_cache_holds(job->lock, job->lock_path))
		pin_cache_remove(job->path);
	pin_cache_unlock(job->lock, job->lock_path);
	job->lock = -1;
}
