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
is_outdated(const PinSnapshot *s, const PinSnapshot *newest)
{
	return s->head.keep_until < GetCurrentTimestamp() ||
		(strcmp(s->head.key, newest->head.key) == 0 &&
		 s->head.as_of <= newest->head.as_of);
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
	if (is_outdated(s, eviction->keep))
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
	if (!pin_cache_is_locked(path))
		pin_cache_remove(path);
}

/*
 * A file on its way to being renamed is young; one that has stayed under its
 * first name was left by a crash.
 */
static void
consider_unrenamed(const char *path, void *arg)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mtime < time(NULL) - SECS_PER_HOUR)
		pin_cache_remove(path);
}

void
pin_evict(const PinSnapshot *keep)
{
	Eviction	eviction = {.keep = keep};
	int64		max = (int64) pin_cache_size_mb * 1024 * 1024;
	ListCell   *lc;

	pin_cache_visit("", PIN_CACHE_PART, consider_leftover, NULL);
	pin_cache_visit("", PIN_CACHE_NEW, consider_unrenamed, NULL);
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
