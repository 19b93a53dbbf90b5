/*-------------------------------------------------------------------------
 *
 * cache.c
 *		The cache directory: where snapshots and jobs live as files.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "miscadmin.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "storage/fd.h"
#include "utils/syscache.h"

/* Times a lock file may vanish between being opened and being locked. */
#define LOCK_TRIES 100

int
pin_cache_hint(int code)
{
	switch (code)
	{
		case ENOSPC:
		case EDQUOT:
			return errhint("Free some disk space, or set \"pinsight_fdw.cache_directory\" to a larger file system.");
		case EACCES:
		case EPERM:
		case EROFS:
		case ENOENT:
		case ENOTDIR:
			return errhint("Set \"pinsight_fdw.cache_directory\" to a directory that the server can write to.");
		default:
			return 0;
	}
}

/* Why what is there will not do, or NULL: its files hold a partner's data. */
static const char *
find_fault(const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		return "It is not a directory.";
	if (st->st_uid != geteuid())
		return "It belongs to another user of the operating system.";
	if ((st->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != S_IRWXU)
		return psprintf("Its permissions are %04o.", (unsigned) st->st_mode & 07777);
	return NULL;
}

/*
 * The directory is made on first use, at any time again if somebody removed
 * it.
 */
static void
ensure_directory(void)
{
	struct stat st;
	const char *fault;

	if (stat(pin_cache_directory, &st) != 0)
	{
		if (errno != ENOENT ||
			(mkdir(pin_cache_directory, S_IRWXU) != 0 && errno != EEXIST) ||
			stat(pin_cache_directory, &st) != 0)
		{
			int			saved_errno = errno;

			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not create directory \"%s\": %m", pin_cache_directory),
					 pin_cache_hint(saved_errno)));
		}
	}
	fault = find_fault(&st);
	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" is not a directory of the server's user alone",
						pin_cache_directory),
				 errdetail("%s", fault),
				 errhint("Make it one with permissions 0700, or set \"pinsight_fdw.cache_directory\" to another.")));
}

char *
pin_cache_path(const char *hash, const char *middle, const char *suffix)
{
	ensure_directory();
	return psprintf("%s/%.*s%s%s%s", pin_cache_directory, PIN_CACHE_NAME_DIGITS, hash,
					middle != NULL ? "." : "", middle != NULL ? middle : "", suffix);
}

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t		len = strlen(name);
	size_t		suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

void
pin_cache_visit(const char *prefix, const char *suffix, PinCacheVisit visit, void *arg)
{
	DIR		   *dir = AllocateDir(pin_cache_directory);
	struct dirent *entry;

	if (dir == NULL && errno == ENOENT)
		return;
	if (dir == NULL && (errno == EACCES || errno == ENOTDIR))
		ensure_directory();		/* knows why, and the way out */
	while ((entry = ReadDir(dir, pin_cache_directory)) != NULL)
	{
		if (has_suffix(entry->d_name, suffix) &&
			strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
		{
			char	   *path = psprintf("%s/%s", pin_cache_directory, entry->d_name);

			visit(path, arg);
			pfree(path);
		}
	}
	FreeDir(dir);
}

bool
pin_cache_database_exists(Oid database)
{
	return database == MyDatabaseId ||
		SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
}

void
pin_cache_remove(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not remove file \"%s\": %m", path)));
}

/* Is the open file still the one that its path leads to? */
static bool
still_there(int fd, const char *path)
{
	struct stat by_fd;
	struct stat by_path;

	return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 &&
		by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

/*
 * Locks an open file.  Returns 1 if that worked, 0 if another process has the
 * lock, -1 if the file was removed meanwhile (and then made anew by others).
 */
static int
lock_open_file(int fd, const char *path)
{
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		if (errno == EWOULDBLOCK || errno == EINTR)
			return 0;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not lock file \"%s\": %m", path)));
	}
	return still_there(fd, path) ? 1 : -1;
}

int
pin_cache_lock(const char *path)
{
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("out of file descriptors for the cache directory"),
				 errhint("Raise max_files_per_process, or run fewer foreign scans at once.")));

	for (int i = 0; i < LOCK_TRIES; i++)
	{
		int			fd = BasicOpenFilePerm(path, O_RDWR | O_CREAT | PG_BINARY | O_CLOEXEC,
										   S_IRUSR | S_IWUSR);
		int			locked;

		if (fd < 0)
		{
			int			saved_errno = errno;

			ReleaseExternalFD();
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not open file \"%s\": %m", path),
					 pin_cache_hint(saved_errno)));
		}
		PG_TRY();
		{
			locked = lock_open_file(fd, path);
		}
		PG_CATCH();
		{
			close(fd);
			ReleaseExternalFD();
			PG_RE_THROW();
		}
		PG_END_TRY();
		if (locked > 0)
			return fd;
		close(fd);
		if (locked == 0)
			break;
	}
	ReleaseExternalFD();
	return -1;
}

bool
pin_cache_holds(int fd, const char *path)
{
	return fd >= 0 && still_there(fd, path);
}

void
pin_cache_unlock(int fd, const char *path)
{
	if (fd < 0)
		return;
	if (path != NULL && still_there(fd, path))
		pin_cache_remove(path);
	close(fd);
	ReleaseExternalFD();
}

/*
 * The lock is held until the file is gone, so that nobody can take it for his
 * own in between.
 */
void
pin_cache_remove_unlocked(const char *path)
{
	int			fd = BasicOpenFile(path, O_RDWR | PG_BINARY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && still_there(fd, path))
		pin_cache_remove(path);
	close(fd);
}

bool
pin_cache_is_locked(const char *path)
{
	int			fd = BasicOpenFile(path, O_RDONLY | PG_BINARY | O_CLOEXEC);
	bool		locked;

	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return locked;
}

char *
pin_cache_read(const char *path, size_t max, size_t *len)
{
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	struct stat st;
	char	   *data = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size <= max)
	{
		data = palloc(st.st_size + 1);
		if (read(fd, data, st.st_size) == st.st_size)
		{
			data[st.st_size] = '\0';
			*len = st.st_size;
		}
		else
		{
			pfree(data);
			data = NULL;
		}
	}
	CloseTransientFile(fd);
	return data;
}

static bool
write_whole(int fd, const char *data, size_t len)
{
	errno = 0;
	if (write(fd, data, len) == len)
		return true;
	if (errno == 0)
		errno = ENOSPC;
	return false;
}

/* Writes a new file; false with errno set if that fails. */
static bool
write_beside(const char *beside, const char *data, size_t len)
{
	int			fd = OpenTransientFilePerm(beside, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY,
										   S_IRUSR | S_IWUSR);
	bool		written;
	int			saved_errno;

	if (fd < 0)
		return false;
	written = write_whole(fd, data, len);
	saved_errno = errno;
	if (CloseTransientFile(fd) != 0)
		return false;
	errno = saved_errno;
	return written;
}

bool
pin_cache_try_write(const char *path, const char *data, size_t len)
{
	char	   *beside = psprintf("%s.%d" PIN_CACHE_NEW, path, MyProcPid);
	bool		ok = write_beside(beside, data, len) && rename(beside, path) == 0;
	int			saved_errno = errno;

	if (!ok)
		pin_cache_remove(beside);
	pfree(beside);
	errno = saved_errno;
	return ok;
}

void
pin_cache_write(const char *path, const char *data, size_t len)
{
	int			saved_errno;

	if (pin_cache_try_write(path, data, len))
		return;
	saved_errno = errno;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", path),
			 pin_cache_hint(saved_errno)));
}
