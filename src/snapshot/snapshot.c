/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *		One execution's rows, kept as a file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "snapshot/cache.h"
#include "snapshot/snapshot.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Rows begin at a multiple of this: a page of any file system. */
#define HEAD_ALIGN 4096
/* Digits of a snapshot's name that are its scope's; the others its key's. */
#define SCOPE_DIGITS 16
/* Longest query text that is believed when a head is read. */
#define QUERY_MAX (1024 * 1024)
/* Whoever has waited for a snapshot has this long to find it. */
#define PICK_UP_US USECS_PER_MINUTE
/* Clocks are set back by so much now and then, and nothing follows from it. */
#define CORRECTION_US USECS_PER_MINUTE
/* Times a sweep may hold the lock of a file that is just being made. */
#define LOCK_TRIES 100

static uint32
checksum(const PinSnapshotHead *head, const char *query)
{
	PinSnapshotHead copy = *head;
	pg_crc32c	crc;

	copy.checksum = 0;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &copy, sizeof(copy));
	COMP_CRC32C(crc, query, head->query_len);
	FIN_CRC32C(crc);
	return crc;
}

static uint32
ranges_checksum(const PinSnapshotHead *head, const PinRecordRange *ranges)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, ranges, head->ranges * sizeof(PinRecordRange));
	FIN_CRC32C(crc);
	return crc;
}

static uint32
head_size(uint32 query_len)
{
	return TYPEALIGN(HEAD_ALIGN, sizeof(PinSnapshotHead) + query_len);
}

/* ---- reading ---- */

/* Reads head and query of an open file; false if they are not to be believed. */
static bool
read_head(PinSnapshot *s)
{
	PinSnapshotHead *head = &s->head;
	struct stat st;

	if (pread(s->fd, head, sizeof(*head), 0) != sizeof(*head) ||
		memcmp(head->magic, PIN_SNAPSHOT_MAGIC, sizeof(head->magic)) != 0 ||
		head->query_len > QUERY_MAX || head->head_size != head_size(head->query_len) ||
		head->ranges > PIN_RECORD_RANGES_MAX)
		return false;

	s->query = palloc(head->query_len + 1);
	s->query[head->query_len] = '\0';
	return pread(s->fd, s->query, head->query_len, sizeof(*head)) == head->query_len &&
		head->checksum == checksum(head, s->query) &&
		fstat(s->fd, &st) == 0 &&
		st.st_size == pin_snapshot_size(head);
}

/* Was a head written by another version of ours? */
static bool
is_of_another_version(const PinSnapshotHead *head)
{
	size_t		len = sizeof(head->magic) - 1;

	return memcmp(head->magic, PIN_SNAPSHOT_MAGIC, len) == 0 &&
		head->magic[len] != PIN_SNAPSHOT_MAGIC[len];
}

static PinSnapshot *
allocate(const char *path)
{
	PinSnapshot *s = palloc0(sizeof(PinSnapshot));

	s->fd = -1;
	s->path = pstrdup(path);
	return s;
}

/* Makes room for a descriptor, with its count of readers. */
static void
reserve(PinSnapshot *s)
{
	s->readers = MemoryContextAlloc(TopMemoryContext, sizeof(int));
	*s->readers = 1;
	if (AcquireExternalFD())
		return;
	pfree(s->readers);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("out of file descriptors for snapshots"),
			 errhint("Raise max_files_per_process, or run fewer foreign scans at once.")));
}

/* The opposite, with or without a descriptor. */
static void
give_back(PinSnapshot *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	pfree(s->readers);
	ReleaseExternalFD();
}

static void
free_closed(PinSnapshot *s)
{
	if (s->query != NULL)
		pfree(s->query);
	pfree(s->path);
	pfree(s);
}

/*
 * The query text is palloc'd while the descriptor is open: on failure it is
 * closed before the error goes on.
 */
static bool
read_head_safely(PinSnapshot *s)
{
	bool		ok;

	PG_TRY();
	{
		ok = read_head(s);
	}
	PG_CATCH();
	{
		give_back(s);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return ok;
}

PinSnapshot *
pin_snapshot_open(const char *path)
{
	PinSnapshot *s = allocate(path);
	bool		useless = true;
	int			reason = 0;

	reserve(s);
	s->fd = BasicOpenFile(path, O_RDONLY | PG_BINARY | O_CLOEXEC);
	if (s->fd < 0)
	{
		reason = errno;
		useless = reason == EACCES || reason == EPERM;
	}
	else if (read_head_safely(s))
		return s;

	give_back(s);
	if (useless)
	{
		ereport(LOG,
				(is_of_another_version(&s->head) ?
				 errmsg("removing snapshot \"%s\" of another version", path) :
				 errmsg("removing damaged snapshot \"%s\"", path)));
		pin_snapshot_remove(path);
	}
	free_closed(s);
	errno = reason;
	return NULL;
}

void
pin_snapshot_remove(const char *path)
{
	pin_cache_remove(path);
	pin_snapshot_forget_hits(path);
}

PinSnapshot *
pin_snapshot_dup(const PinSnapshot *snapshot)
{
	PinSnapshot *s = allocate(snapshot->path);

	s->query = pstrdup(snapshot->query);
	s->head = snapshot->head;
	s->first = snapshot->first;
	s->readers = snapshot->readers;
	(*s->readers)++;
	s->fd = snapshot->fd;
	return s;
}

/* ---- ranges ---- */

int
pin_snapshot_ranges(const PinSnapshot *s, PinRecordRange ranges[PIN_RECORD_RANGES_MAX])
{
	size_t		len = s->head.ranges * sizeof(PinRecordRange);

	if (!s->head.regular ||
		pread(s->fd, ranges, len, s->head.head_size + s->head.data_size) != len ||
		ranges_checksum(&s->head, ranges) != s->head.ranges_checksum)
		return 0;
	return s->head.ranges;
}

/* ---- sharing ---- */

void
pin_snapshot_share(const PinSnapshot *s, PinSnapshotShare *share)
{
	struct stat st;

	if (fstat(s->fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat snapshot \"%s\": %m", s->path)));
	share->head = s->head;
	share->device = st.st_dev;
	share->inode = st.st_ino;
	share->pid = MyProcPid;
	share->fd = s->fd;
	strlcpy(share->path, s->path, sizeof(share->path));
}

/* Opens a path, if that file is there; -1 with errno set if not. */
static int
open_shared(const PinSnapshotShare *share, const char *path)
{
	int			fd = BasicOpenFile(path, O_RDONLY | PG_BINARY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == share->device && st.st_ino == share->inode)
		return fd;
	close(fd);
	errno = ENOENT;
	return -1;
}

/*
 * One that was removed lives on as long as it is open, and the kernel still
 * shows it among the files of the process that has it open.
 */
PinSnapshot *
pin_snapshot_join(const PinSnapshotShare *share)
{
	PinSnapshot *s = allocate(share->path);
	char		open_file[64];

	s->head = share->head;
	snprintf(open_file, sizeof(open_file), "/proc/%d/fd/%d", share->pid, share->fd);
	reserve(s);
	s->fd = open_shared(share, share->path);
	if (s->fd < 0)
		s->fd = open_shared(share, open_file);
	if (s->fd >= 0)
		return s;
	give_back(s);
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open snapshot \"%s\" in a parallel worker: %m", share->path),
			 errhint("Run the query again; if that does not help, set max_parallel_workers_per_gather to 0.")));
}

void
pin_snapshot_close(PinSnapshot *s)
{
	if (s == NULL || s->fd < 0)
		return;
	if (--*s->readers == 0)
		give_back(s);
	s->fd = -1;
}

void
pin_snapshot_discard(PinSnapshot *s)
{
	if (s == NULL)
		return;
	pin_snapshot_close(s);
	free_closed(s);
}

/* Looking for the youngest. */
typedef struct Search
{
	const PinNeed *need;		/* what it shall contain */
	uint64		stranger;		/* what it does not; see strangers.c */
	TimestampTz oldest;			/* that is of use */
	PinSnapshot *best;			/* so far; NULL: none */
} Search;

bool
pin_snapshot_contains(const PinSnapshot *s, const PinNeed *need)
{
	return pin_need_is_met(need, s->head.scope, s->query, s->head.metrics);
}

bool
pin_snapshot_is_ahead(const PinSnapshotHead *head)
{
	return head->as_of > GetCurrentTimestamp() + CORRECTION_US;
}

static void
consider(const char *path, void *arg)
{
	Search	   *search = arg;
	PinSnapshot *s;
	bool		contains;

	if (pin_stranger_is_known(search->stranger, path))
		return;
	s = pin_snapshot_open(path);
	if (s == NULL)
		return;
	contains = pin_snapshot_contains(s, search->need);
	if (contains && s->head.as_of >= search->oldest && !pin_snapshot_is_ahead(&s->head) &&
		(search->best == NULL || s->head.as_of > search->best->head.as_of))
	{
		pin_snapshot_discard(search->best);
		search->best = s;
	}
	else
		pin_snapshot_discard(s);
	if (!contains)
		pin_stranger_note(search->stranger, path);
}

PinSnapshot *
pin_snapshot_find(const PinNeed *need, TimestampTz oldest)
{
	Search		search = {.need = need,.stranger = pin_stranger_of(need),.oldest = oldest};
	char		prefix[SCOPE_DIGITS + 1];

	strlcpy(prefix, need->scope, sizeof(prefix));

	PG_TRY();
	{
		pin_cache_visit(prefix, PIN_CACHE_SNAPSHOT, consider, &search);
	}
	PG_CATCH();
	{
		pin_snapshot_close(search.best);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return search.best;
}

/* ---- writing ---- */

_Noreturn void
pin_snapshot_fail_writing(const char *path)
{
	int			saved_errno;

	if (errno == 0)
		errno = ENOSPC;
	saved_errno = errno;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write snapshot \"%s\": %m", path),
			 pin_cache_hint(saved_errno)));
}

/* The name is ours alone, so only a sweep can have the lock, for an instant. */
static int
lock_part(const char *path)
{
	for (int i = 0; i < LOCK_TRIES; i++)
	{
		int			fd = pin_cache_lock(path);

		if (fd >= 0)
			return fd;
		pg_usleep(1000);
	}
	elog(ERROR, "file \"%s\" is locked by another process", path);
}

/*
 * Removes what a process with our number has left.  A file that is empty is left
 * alone: one that was truncated some file systems write out when it is closed.
 */
static bool
make_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_size == 0 || ftruncate(fd, 0) == 0);
}

int
pin_snapshot_create(const PinNeed *need, char **path, int64 *data_offset)
{
	char		pid[16];
	int			fd;

	snprintf(pid, sizeof(pid), "%d", MyProcPid);
	*path = pin_cache_path(need->key, pid, PIN_CACHE_PART);
	*data_offset = head_size(strlen(need->query));
	fd = lock_part(*path);
	if (!make_empty(fd))
	{
		pin_cache_unlock(fd, NULL);
		pin_snapshot_fail_writing(*path);
	}
	return fd;
}

char *
pin_snapshot_seal(int fd, const char *path, const PinNeed *need, PinSnapshotHead *head,
				  const PinRecordRange *ranges)
{
	size_t		ranges_len = head->ranges * sizeof(PinRecordRange);
	char		name[PIN_HASH_SIZE];
	char		time[20];
	char	   *final;

	memcpy(head->magic, PIN_SNAPSHOT_MAGIC, sizeof(head->magic));
	head->written = GetCurrentTimestamp();
	head->keep_until = Max(head->keep_until, head->written + PICK_UP_US);
	head->database = MyDatabaseId;
	head->serverid = need->options->serverid;
	head->umid = need->options->umid;
	head->userid = need->userid;
	head->relid = need->relid;
	head->query_len = strlen(need->query);
	head->head_size = head_size(head->query_len);
	head->metrics = need->metrics;
	strlcpy(head->credential, need->credential, sizeof(head->credential));
	strlcpy(head->scope, need->scope, sizeof(head->scope));
	strlcpy(head->key, need->key, sizeof(head->key));
	head->ranges_checksum = ranges_checksum(head, ranges);
	head->checksum = checksum(head, need->query);

	errno = 0;
	if (pwrite(fd, ranges, ranges_len, head->head_size + head->data_size) != ranges_len ||
		pwrite(fd, head, sizeof(*head), 0) != sizeof(*head) ||
		pwrite(fd, need->query, head->query_len, sizeof(*head)) != head->query_len ||
		pg_fsync(fd) != 0)
		pin_snapshot_fail_writing(path);

	snprintf(time, sizeof(time), "%016llx", (unsigned long long) head->as_of);
	snprintf(name, sizeof(name), "%.*s%s", SCOPE_DIGITS, need->scope, need->key);
	final = pin_cache_path(name, time, PIN_CACHE_SNAPSHOT);
	(void) durable_rename(path, final, ERROR);
	return final;
}

PinSnapshot *
pin_snapshot_of_first(int fd, const char *path, const PinNeed *need, const PinSnapshotHead *head)
{
	PinSnapshot *s = allocate(path);

	s->head = *head;
	s->head.head_size = head_size(strlen(need->query));
	s->query = pstrdup(need->query);
	s->first = true;
	s->readers = MemoryContextAlloc(TopMemoryContext, sizeof(int));
	*s->readers = 1;
	s->fd = fd;
	pin_cache_remove(path);
	return s;
}
