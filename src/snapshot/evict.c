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

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "snapshot/snapshot.h"
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
	const PinSnapshot *keep;	/* the newest one; spared */
	List	   *candidates;		/* of Candidate */
	int64		total;			/* their size */
} Eviction;

/* Past its time, or replaced by a younger one. */
static bool
is_outdated(const PinSnapshotHead *head, const PinSnapshotHead *newest)
{
	return head->keep_until < GetCurrentTimestamp() ||
		(strcmp(head->key, newest->key) == 0 && head->as_of <= newest->as_of);
}

/*
 * Server or mapping were dropped, or changed: nobody can have these rows any
 * more.
 */
static bool
is_orphan(const PinSnapshotHead *head, const PinSnapshotHead *newest)
{
	if (head->database != MyDatabaseId)
		return false;
	if (head->serverid == newest->serverid && head->umid == newest->umid)
		return strcmp(head->credential, newest->credential) != 0;
	return !SearchSysCacheExists1(FOREIGNSERVEROID, ObjectIdGetDatum(head->serverid)) ||
		(OidIsValid(head->umid) &&
		 !SearchSysCacheExists1(USERMAPPINGOID, ObjectIdGetDatum(head->umid)));
}

static void
consider_snapshot(const char *path, void *arg)
{
	Eviction   *eviction = arg;
	PinSnapshot *s = pin_snapshot_open(path);
	Candidate  *candidate;

	CHECK_FOR_INTERRUPTS();
	if (s == NULL)
		return;
	pin_snapshot_close(s);
	if (strcmp(path, eviction->keep->path) == 0)
	{
		eviction->total += s->head.head_size + s->head.data_size;
		return;
	}
	if (is_outdated(&s->head, &eviction->keep->head) ||
		is_orphan(&s->head, &eviction->keep->head))
	{
		pin_cache_remove(path);
		return;
	}
	candidate = palloc(sizeof(Candidate));
	candidate->path = pstrdup(path);
	candidate->written = s->head.written;
	candidate->size = s->head.head_size + s->head.data_size;
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

/* What is being written is locked; the rest was left by a crash. */
static void
consider_leftover(const char *path, void *arg)
{
	pin_cache_remove_unlocked(path);
}

/* A lock is of use while it is held, or while there is a job to be taken. */
static void
consider_lock(const char *path, void *arg)
{
	int			stem = strlen(path) - strlen(PIN_CACHE_LOCK);
	char	   *job = psprintf("%.*s" PIN_CACHE_JOB, stem, path);
	struct stat st;

	if (stat(job, &st) != 0 && errno == ENOENT)
		pin_cache_remove_unlocked(path);
	pfree(job);
}

/*
 * A file on its way to being renamed is young; one that has stayed under its
 * first name was left by a crash.  And a budget counts for an hour.
 */
static void
consider_age(const char *path, void *arg)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mtime < time(NULL) - 2 * SECS_PER_HOUR)
		pin_cache_remove(path);
}

void
pin_evict(const PinSnapshot *keep)
{
	Eviction	eviction = {.keep = keep};
	int64		max = (int64) pin_cache_size_mb * 1024 * 1024;
	ListCell   *lc;

	pin_cache_visit("", PIN_CACHE_PART, consider_leftover, NULL);
	pin_cache_visit("", PIN_CACHE_LOCK, consider_lock, NULL);
	pin_cache_visit("", PIN_CACHE_NEW, consider_age, NULL);
	pin_cache_visit("", PIN_CACHE_BUDGET, consider_age, NULL);
	pin_cache_visit("", PIN_CACHE_SNAPSHOT, consider_snapshot, &eviction);

	list_sort(eviction.candidates, oldest_first);
	foreach(lc, eviction.candidates)
	{
		Candidate  *candidate = lfirst(lc);

		if (eviction.total <= max)
			break;
		pin_cache_remove(candidate->path);
		eviction.total -= candidate->size;
	}
}
