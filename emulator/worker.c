/*-------------------------------------------------------------------------
 *
 * worker.c
 *		Produces report files, two at a time, while the server goes on.
 *
 * Rows go from the engine's cursor through gzip to disk; no file is ever held
 * in memory.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "store_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gzip.h"
#include "text.h"

/* How often a worker with nothing to do looks at the schedule. */
#define LOOK_MS 100

/* What a worker takes out of the store before it lets go of the lock. */
typedef struct Job
{
	EmuExecution *execution;	/* not to be touched without the lock */
	EmuStoredFile file;			/* to be written */
	char		program[8];		/* of the report */
	char	   *text;			/* report query */
	EmuWindow	window;			/* overrides TIMESPAN */
	bool		tsv;			/* delimiter */
	int64_t		rows;			/* written; -1: failed */
	char		error[256];		/* why */
} Job;

/* The oldest execution that waits, marked as being produced. */
static bool
take_job(EmuStore *store, Job *job)
{
	EmuExecution *oldest = NULL;
	EmuReport  *of = NULL;

	for (EmuReport *report = store->reports; report != NULL; report = report->next)
		for (EmuExecution *one = report->executions; one != NULL; one = one->next)
			if (one->stage == EMU_STAGE_WAITING &&
				(oldest == NULL || one->created_ms < oldest->created_ms))
			{
				oldest = one;
				of = report;
			}
	if (oldest == NULL)
		return false;
	memset(job, 0, sizeof *job);
	oldest->stage = EMU_STAGE_PRODUCING;
	job->execution = oldest;
	job->file = oldest->file;
	memcpy(job->program, of->program, sizeof job->program);
	job->text = emu_copy(of->text);
	job->window = of->window;
	job->tsv = of->tsv;
	return true;
}

static void
write_file(Emulator *emu, const EmuQuery *query, const EmuSettings *settings, Job *job)
{
	EmuGzip    *gzip = emu_gzip_create(job->file.path, settings->gzip == 0,
									   &emu->stopping);

	if (gzip == NULL)
	{
		emu_fill(job->error, sizeof job->error, "cannot create the file");
		return;
	}
	job->rows = emu_query_write(emu->engine, query, job->window, &settings->engine,
								job->tsv ? '\t' : ',', emu_gzip_stream(gzip),
								job->error, sizeof job->error);
	if (!emu_gzip_finish(gzip, &job->file.size, job->file.md5) && job->rows >= 0)
	{
		job->rows = -1;
		emu_fill(job->error, sizeof job->error, "cannot write the file");
	}
	job->file.gzip = settings->gzip == 0;
}

static void
produce(Emulator *emu, Job *job)
{
	EmuSettings settings;
	EmuQuery   *query;
	char	   *tag;

	emu_switchboard_read(emu->switches, &settings);
	job->rows = -1;
	query = emu_query_parse(emu->engine, job->program, job->text,
							job->error, sizeof job->error);
	if (query == NULL)
		return;
	write_file(emu, query, &settings, job);
	emu_query_free(query);
	tag = emu_random_text(9);
	snprintf(job->file.etag, sizeof job->file.etag, "\"0x8D%s\"", tag);
	free(tag);
	job->file.modified = emu_now(emu->switches);
}

static void
deliver(Job *job)
{
	EmuExecution *execution = job->execution;

	execution->stage = job->rows >= 0 ? EMU_STAGE_PRODUCED : EMU_STAGE_FAILED;
	execution->rows = job->rows;
	execution->file = job->file;
	memcpy(execution->error, job->error, sizeof execution->error);
	if (execution->orphan)
		emu_execution_remove(execution);
	free(job->text);
}

static void
rest(EmuStore *store)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	if (until.tv_nsec >= 1000000000)
	{
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&store->work, &store->lock, &until);
}

void *
emu_worker(void *argument)
{
	EmuStore   *store = argument;

	pthread_mutex_lock(&store->lock);
	while (!store->stopping)
	{
		Job			job;

		emu_store_advance(store);
		if (!take_job(store, &job))
		{
			rest(store);
			continue;
		}
		pthread_mutex_unlock(&store->lock);
		produce(store->emu, &job);
		pthread_mutex_lock(&store->lock);
		deliver(&job);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}
