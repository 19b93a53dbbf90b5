/*-------------------------------------------------------------------------
 *
 * request_log.c
 *		What was asked, as tests want to look at it.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "request_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "text.h"

struct EmuRequestLog
{
	pthread_mutex_t lock;		/* guards all below */
	pthread_cond_t finished;	/* a request is over */
	json_t	   *entries;		/* array, oldest first */
	uint64_t	first;			/* number of the oldest */
	uint64_t	next;			/* number of the next */
	int			open;			/* requests in entries not yet over */
};

EmuRequestLog *
emu_log_open(void)
{
	EmuRequestLog *log = emu_alloc(sizeof *log);

	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->finished, NULL);
	log->entries = json_array();
	log->first = log->next = 1;
	return log;
}

void
emu_log_close(EmuRequestLog *log)
{
	if (log == NULL)
		return;
	json_decref(log->entries);
	pthread_cond_destroy(&log->finished);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

static bool
is_open(json_t *entry)
{
	return json_is_false(json_object_get(entry, "done"));
}

/* Drops the oldest tenth, so that dropping stays rare. */
static void
make_room(EmuRequestLog *log)
{
	size_t		drop = EMU_LOG_ENTRIES / 10;

	for (size_t i = 0; i < drop; i++)
		log->open -= is_open(json_array_get(log->entries, i));
	for (size_t i = drop; i < json_array_size(log->entries); i++)
		json_array_set(log->entries, i - drop, json_array_get(log->entries, i));
	while (json_array_size(log->entries) > EMU_LOG_ENTRIES - drop)
		json_array_remove(log->entries, json_array_size(log->entries) - 1);
	log->first += drop;
}

uint64_t
emu_log_add(EmuRequestLog *log, json_t *entry)
{
	uint64_t	seq;

	pthread_mutex_lock(&log->lock);
	if (json_array_size(log->entries) >= EMU_LOG_ENTRIES)
		make_room(log);
	seq = log->next++;
	json_object_set_new(entry, "seq", json_integer((json_int_t) seq));
	json_object_set_new(entry, "done", json_false());
	json_array_append_new(log->entries, entry);
	log->open++;
	pthread_mutex_unlock(&log->lock);
	return seq;
}

static json_t *
find_entry(EmuRequestLog *log, uint64_t seq)
{
	if (seq < log->first)
		return NULL;
	return json_array_get(log->entries, (size_t) (seq - log->first));
}

void
emu_log_amend(EmuRequestLog *log, uint64_t seq, json_t *more)
{
	json_t	   *entry;

	pthread_mutex_lock(&log->lock);
	entry = find_entry(log, seq);
	if (entry != NULL)
		json_object_update(entry, more);
	json_decref(more);
	pthread_mutex_unlock(&log->lock);
}

void
emu_log_finish(EmuRequestLog *log, uint64_t seq, int64_t bytes, bool aborted)
{
	json_t	   *entry;

	pthread_mutex_lock(&log->lock);
	entry = find_entry(log, seq);
	if (entry != NULL && is_open(entry))
	{
		json_object_set_new(entry, "bytes_sent", json_integer(bytes));
		json_object_set_new(entry, "aborted", json_boolean(aborted));
		json_object_set_new(entry, "done", json_true());
		log->open--;
		pthread_cond_broadcast(&log->finished);
	}
	pthread_mutex_unlock(&log->lock);
}

json_t *
emu_log_json(EmuRequestLog *log)
{
	struct timespec until;
	json_t	   *copy;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 300000000;
	if (until.tv_nsec >= 1000000000)
	{
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&log->lock);
	while (log->open > 0)
		if (pthread_cond_timedwait(&log->finished, &log->lock, &until) == ETIMEDOUT)
			break;
	copy = json_deep_copy(log->entries);
	pthread_mutex_unlock(&log->lock);
	return copy;
}

void
emu_log_clear(EmuRequestLog *log)
{
	pthread_mutex_lock(&log->lock);
	json_array_clear(log->entries);
	log->first = log->next;
	log->open = 0;
	pthread_mutex_unlock(&log->lock);
}
