/*-------------------------------------------------------------------------
 *
 * evict.c
 *		Keeps the cache directory small and tidy.
 *
 * Any backend may do this at any time: a file that others still read stays
 * theirs until they close it, and one that vanished meanwhile is as good as
 * removed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "snapshot/job.h"
#include "snapshot/snapshot.h"
#include "snapshot/took.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* A snapshot that may have to go. */
typedef struct Candidate
{
	char	   *path;
	TimestampTz written;
	int64		size;			/* of the whole file */
} Candidate;

typedef struct Eviction
{
	const PinSnapshot *keep;	/* the newest one, spared; NULL: it is to come */
	List	   *candidates;		/* of Candidate */
	int64		total;			/* their size */
} Eviction;

/* Past its time, of a time to come, or replaced by a younger one. */
static bool
is_outdated(const PinSnapshotHead *head, const PinSnapshot *newest)
{
	return head->keep_until < GetCurrentTimestamp() || pin_snapshot_is_ahead(head) ||
		(newest != NULL && strcmp(head->key, newest->head.key) == 0 &&
		 head->as_of <= newest->head.as_of);
}

/* Is a database, server or mapping gone?  Of what others hold we know nothing. */
static bool
was_dropped(Oid database, Oid serverid, Oid umid)
{
	if (database != MyDatabaseId)
		return !pin_cache_database_exists(database);
	return
		(!SearchSysCacheExists1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid)) ||
		 !SearchSysCacheExists1(USERMAPPINGOID, ObjectIdGetDatum(umid)));
}

/*
 * Server or mapping were dropped, or changed: nobody can have these rows any
 * more.
 */
static bool
is_orphan(const PinSnapshotHead *head, const PinSnapshot *newest)
{
	if (newest != NULL && head->database == MyDatabaseId &&
		head->serverid == newest->head.serverid && head->umid == newest->head.umid)
		return strcmp(head->credential, newest->head.credential) != 0;
	return was_dropped(head->database, head->serverid, head->umid);
}

static void
consider_snapshot(const char *path, void *arg)
{
	Eviction   *eviction = arg;
	PinSnapshot *s;
	Candidate  *candidate;

	/* not while it is open: nobody would close it */
	CHECK_FOR_INTERRUPTS();
	s = pin_snapshot_open(path);
	if (s == NULL)
		return;
	pin_snapshot_close(s);
	if (eviction->keep != NULL && strcmp(path, eviction->keep->path) == 0)
	{
		eviction->total += pin_snapshot_size(&s->head);
		return;
	}
	if (is_outdated(&s->head, eviction->keep) || is_orphan(&s->head, eviction->keep))
	{
		pin_snapshot_remove(path);
		return;
	}
	candidate = palloc(sizeof(Candidate));
	candidate->path = pstrdup(path);
	candidate->written = s->head.written;
	candidate->size = pin_snapshot_size(&s->head);
	eviction->candidates = lappend(eviction->candidates, candidate);
	eviction->total += candidate->size;
}

static int
oldest_first(const ListCell *a, const ListCell *b)
{
	TimestampTz left = ((Candidate *) lfirst(a))->written;
	TimestampTz right = ((Candidate *) lfirst(b))->written;

	return left < right ? -1 : left > right;
}

/*
 * What is being written, or worked on, is locked; the rest was left by a
 * crash.
 */
static void
consider_leftover(const char *path, void *arg)
{
	pin_cache_remove_unlocked(path);
}

/* A scan may count itself just when its snapshot is removed. */
static void
consider_hits(const char *path, void *arg)
{
	if (pin_snapshot_hits_are_left(path))
		pin_cache_remove(path);
}

/* Does a job tell nothing to anybody? */
static bool
is_useless(const PinJobState *state)
{
	return was_dropped(state->database, state->serverid, state->umid) ||
		(pin_job_is_blank(state) && state->saved < GetCurrentTimestamp() - USECS_PER_HOUR);
}

static void
consider_job(const char *path, void *arg)
{
	PinJobState state;
	PinJob	   *job;

	if (!pin_job_read(path, &state) || !is_useless(&state))
		return;
	job = pin_job_take_left(path);
	if (job == NULL)
		return;
	if (job->state.saved == state.saved)	/* nobody has taken it up
											 * meanwhile */
		pin_job_forget(job);
	pin_job_release(job);
}

/* A budget counts for an hour, other things for so many days. */
static void
consider_age(const char *path, void *arg)
{
	int			secs = *(const int *) arg;
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mtime < time(NULL) - secs)
		pin_cache_remove(path);
}

/*
 * A file that is about to be renamed has its writer's number in its name: if
 * there is no such process a crash has left it.  Numbers are used again, but
 * not for hours to write one file.
 */
static void
consider_new(const char *path, void *arg)
{
	const char *number = path + strlen(path) - strlen(PIN_CACHE_NEW);

	while (number > path && isdigit((unsigned char) number[-1]))
		number--;
	if (atoi(number) > 0 && kill(atoi(number), 0) != 0 && errno == ESRCH)
		pin_cache_remove(path);
	else
		consider_age(path, arg);
}

void
pin_evict(const PinSnapshot *keep)
{
	Eviction	eviction = {.keep = keep};
	int64		max = (int64) pin_cache_size_mb * 1024 * 1024;
	int			hours = 2 * SECS_PER_HOUR;
	int			season = PIN_TOOK_KEEP_DAYS * SECS_PER_DAY;
	ListCell   *lc;

	pin_cache_visit("", PIN_CACHE_PART, consider_leftover, NULL);
	pin_cache_visit("", PIN_CACHE_JOB, consider_job, NULL);
	pin_cache_visit("", PIN_CACHE_LOCK, consider_leftover, NULL);
	pin_cache_visit("", PIN_CACHE_TURN, consider_leftover, NULL);
	pin_cache_visit("", PIN_CACHE_NEW, consider_new, &hours);
	pin_cache_visit("", PIN_CACHE_BUDGET, consider_age, &hours);
	pin_cache_visit("", PIN_CACHE_TOOK, consider_age, &season);
	pin_cache_visit("", PIN_CACHE_SNAPSHOT, consider_snapshot, &eviction);

	pin_cache_visit("", PIN_CACHE_HITS, consider_hits, NULL);

	list_sort(eviction.candidates, oldest_first);
	foreach(lc, eviction.candidates)
	{
		Candidate  *candidate = lfirst(lc);

		if (eviction.total <= max)
			break;
		pin_snapshot_remove(candidate->path);
		eviction.total -= candidate->size;
	}
}
