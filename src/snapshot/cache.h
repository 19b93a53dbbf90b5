/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The cache directory: where snapshots and jobs live as files.
 *
 * One flat directory, readable by the server's user only.  A file's name is
 * half of the hash of what it belongs to, and a suffix:
 *
 *	KEY.TIME.snapshot	a report's rows, whole and sealed; here KEY begins with
 *						the need's scope, so that all of a scope are found
 *	KEY.TIME.hits		a byte for each scan that has read that snapshot
 *	KEY.PID.part		one that is being written
 *	KEY.job				what is known of an acquisition
 *	KEY.lock			held by the backend that works on that job
 *	KEY.budget			reports a credential has ordered lately
 *	KEY.NUMBER.turn		one that a credential has under way, or wants to order
 *	KEY.took			how long a table's last report took
 *	DATABASE.TABLE.rows	how many rows a foreign table had last
 *	....PID.new			one of the small ones, about to be renamed
 *
 * Nothing here needs shared memory: a file appears whole (rename) or not at
 * all, and a lock ends with the process that holds it (flock).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CACHE_H
#define PIN_CACHE_H

#include "insights/credential.h"

#define PIN_CACHE_SNAPSHOT ".snapshot"
#define PIN_CACHE_HITS ".hits"
#define PIN_CACHE_PART ".part"
#define PIN_CACHE_JOB ".job"
#define PIN_CACHE_LOCK ".lock"
#define PIN_CACHE_BUDGET ".budget"
#define PIN_CACHE_TURN ".turn"
#define PIN_CACHE_TOOK ".took"
#define PIN_CACHE_NEW ".new"
#define PIN_CACHE_ROWS ".rows"

/* Hexadecimal digits of a hash that a file's name begins with. */
#define PIN_CACHE_NAME_DIGITS 32

/*
 * The way out of a failure of the file system's, by its errno, as a part of an
 * ereport.
 */
extern int	pin_cache_hint(int code);

/*
 * Path of a file: hash, optional middle part, suffix.  palloc'd.  Creates the
 * directory where it is missing; throws if that fails or if it is not the
 * server's alone.
 */
extern char *pin_cache_path(const char *hash, const char *middle, const char *suffix);

/*
 * Calls visit for every file whose name begins with prefix and ends with
 * suffix, with its path, which is freed afterwards.  A directory that does not
 * exist is empty.  visit may remove files and may throw.
 */
typedef void (*PinCacheVisit) (const char *path, void *arg);
extern void pin_cache_visit(const char *prefix, const char *suffix, PinCacheVisit visit,
							void *arg);

/* Is the database still there whose files are about to be looked at? */
extern bool pin_cache_database_exists(Oid database);

/* Removes a file; one that is gone already is fine.  Never throws. */
extern void pin_cache_remove(const char *path);

/*
 * Opens and locks a file, creating it.  The descriptor is counted with
 * PostgreSQL's; -1: somebody else holds the lock.  Throws on other failures.
 */
extern int	pin_cache_lock(const char *path);

/*
 * Does the lock still count?  Not if its file was removed: then another
 * backend can have one, too.
 */
extern bool pin_cache_holds(int fd, const char *path);

/*
 * Unlocks and closes; removes the file first if path is not NULL and still
 * leads to it.
 */
extern void pin_cache_unlock(int fd, const char *path);

/* Removes a file unless somebody has locked it.  Never throws. */
extern void pin_cache_remove_unlocked(const char *path);

/* Is the file locked by anybody? A file that is not there is not. */
extern bool pin_cache_is_locked(const char *path);

/*
 * Reads a small file whole; palloc'd and terminated, NULL if there is none (or
 * it cannot be read or is larger than max).
 */
extern char *pin_cache_read(const char *path, size_t max, size_t *len);

/*
 * Writes a small file beside its place and renames it there.  Throws on failure.
 *
 * Not synced: what a crash of the whole machine takes away here can be found out
 * from the service again.
 */
extern void pin_cache_write(const char *path, const char *data, size_t len);

/*
 * The same where no statement shall end for it: false with errno set on failure.
 * Throws when memory or descriptors run out.
 */
extern bool pin_cache_try_write(const char *path, const char *data, size_t len);

#endif							/* PIN_CACHE_H */
