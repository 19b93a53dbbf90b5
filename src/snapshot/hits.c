/*-------------------------------------------------------------------------
 *
 * hits.c
 *		How many scans a snapshot has saved a report.
 *
 * A snapshot is never written to once it is sealed, so its hits are counted in
 * a file of their own beside it, a byte each: to append one takes no lock, and
 * the file's size is the number.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/cache.h"
#include "snapshot/snapshot.h"
#include "storage/fd.h"

/* The path with another suffix; false if it does not end with the one it has. */
static bool
other_suffix(char other[MAXPGPATH], const char *path, const char *from, const char *to)
{
	int			stem = (int) strlen(path) - (int) strlen(from);

	return stem > 0 && strcmp(path + stem, from) == 0 &&
		snprintf(other, MAXPGPATH, "%.*s%s", stem, path, to) < MAXPGPATH;
}

/* One that was removed, and is still being read, counts no more. */
void
pin_snapshot_hit(const PinSnapshot *snapshot)
{
	char		path[MAXPGPATH];
	int			fd;

	if (!other_suffix(path, snapshot->path, PIN_CACHE_SNAPSHOT, PIN_CACHE_HITS) ||
		access(snapshot->path, F_OK) != 0)
		return;
	fd = BasicOpenFilePerm(path, O_WRONLY | O_APPEND | O_CREAT | PG_BINARY | O_CLOEXEC,
						   S_IRUSR | S_IWUSR);
	if (fd < 0 || write(fd, "+", 1) != 1)
		elog(DEBUG1, "pinsight_fdw: could not write file \"%s\": %m", path);
	if (fd >= 0)
		close(fd);
}

int64
pin_snapshot_hits(const char *snapshot_path)
{
	char		path[MAXPGPATH];
	struct stat st;

	return other_suffix(path, snapshot_path, PIN_CACHE_SNAPSHOT, PIN_CACHE_HITS) &&
		stat(path, &st) == 0 ? st.st_size : 0;
}

void
pin_snapshot_forget_hits(const char *snapshot_path)
{
	char		path[MAXPGPATH];

	if (other_suffix(path, snapshot_path, PIN_CACHE_SNAPSHOT, PIN_CACHE_HITS))
		pin_cache_remove(path);
}

bool
pin_snapshot_hits_are_left(const char *hits_path)
{
	char		path[MAXPGPATH];

	return other_suffix(path, hits_path, PIN_CACHE_HITS, PIN_CACHE_SNAPSHOT) &&
		access(path, F_OK) != 0 && errno == ENOENT;
}
