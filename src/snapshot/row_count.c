/*-------------------------------------------------------------------------
 *
 * row_count.c
 *		How many rows a table's last report had, kept across sessions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "insights/credential.h"
#include "miscadmin.h"
#include "option_value.h"
#include "settings.h"
#include "snapshot/cache.h"
#include "snapshot/row_count.h"
#include "storage/fd.h"
#include "utils/syscache.h"

/* A hash, a number, and the end of a line. */
#define LINE_MAX_LEN (PIN_HASH_SIZE + 32)

static void
hash_definition(PinHash hash, Oid serverid, const char *query)
{
	const char *parts[2];

	parts[0] = psprintf("%u", serverid);
	parts[1] = query;
	pin_hash_parts(hash, 2, parts);
}

static void
file_name(char *path, Oid relid)
{
	snprintf(path, MAXPGPATH, "%s/%u.%u" PIN_CACHE_ROWS, pin_cache_directory, MyDatabaseId,
			 relid);
}

/* The file's content as text; false if it has none. */
static bool
read_line(Oid relid, char line[LINE_MAX_LEN + 1])
{
	char		path[MAXPGPATH];
	int			fd;
	ssize_t		n;

	file_name(path, relid);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, LINE_MAX_LEN);
	close(fd);
	line[Max(n, 0)] = '\0';
	return n > 0;
}

double
pin_row_count_read(Oid relid, Oid serverid, const char *query)
{
	char		line[LINE_MAX_LEN + 1];
	PinHash		hash;
	double		rows;

	if (!read_line(relid, line))
		return -1;
	hash_definition(hash, serverid, query);
	if (strncmp(line, hash, PIN_HASH_SIZE - 1) != 0 ||
		sscanf(line + PIN_HASH_SIZE - 1, " %lf", &rows) != 1 ||
		!(rows >= 0 && rows <= PIN_ROW_COUNT_MAX))
		return -1;
	return rows;
}

/* Writes a whole file; false if that failed, which errno explains. */
static bool
write_file(const char *path, const char *line)
{
	size_t		len = strlen(line);
	int			fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
						  S_IRUSR | S_IWUSR);
	bool		written;

	if (fd < 0)
		return false;
	written = write(fd, line, len) == (ssize_t) len;
	return close(fd) == 0 && written;
}

/* Does the file count the rows of a table that is no more, as far as we can tell? */
static bool
is_orphan(const char *name)
{
	Oid			database;
	Oid			relid;
	int			end = 0;

	if (sscanf(name, "%u.%u.rows%n", &database, &relid, &end) != 2 ||
		end == 0 || name[end] != '\0')
		return false;
	return database == MyDatabaseId ?
		!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) :
		!pin_cache_database_exists(database);
}

/*
 * Removes the files of dropped tables.  A table that another transaction has
 * just made may lose its file; it gets it again with its next report.
 */
static void
sweep(void)
{
	DIR		   *dir = AllocateDir(pin_cache_directory);
	struct dirent *entry;
	char		path[MAXPGPATH];

	while (dir != NULL && (entry = ReadDirExtended(dir, pin_cache_directory, DEBUG1)) != NULL)
	{
		if (!is_orphan(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", pin_cache_directory, entry->d_name);
		(void) unlink(path);
	}
	if (dir != NULL)
		FreeDir(dir);
}

void
pin_row_count_write(Oid relid, Oid serverid, const char *query, double rows)
{
	char		path[MAXPGPATH];
	char		beside[MAXPGPATH];
	char		line[LINE_MAX_LEN + 1];
	PinHash		hash;

	if (rows == pin_row_count_read(relid, serverid, query))
		return;
	hash_definition(hash, serverid, query);
	file_name(path, relid);
	snprintf(beside, MAXPGPATH, "%s/%u.%d" PIN_CACHE_NEW, pin_cache_directory, relid,
			 MyProcPid);
	snprintf(line, sizeof(line), "%s %.0f\n", hash, Min(rows, PIN_ROW_COUNT_MAX));

	(void) mkdir(pin_cache_directory, S_IRWXU);
	if (access(path, F_OK) != 0)
		sweep();				/* each new file gives room for itself */
	if (write_file(beside, line) && rename(beside, path) == 0)
		return;
	elog(DEBUG1, "pinsight_fdw: could not write file \"%s\": %m", path);
	(void) unlink(beside);
}
