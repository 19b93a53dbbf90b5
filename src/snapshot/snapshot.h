/*-------------------------------------------------------------------------
 *
 * snapshot.h
 *		One execution's rows, kept as a file.
 *
 * A snapshot is written once, under another name, and renamed into place when
 * it is whole and on disk; so whoever finds one finds all of it.  Its header
 * block says what it is and has a checksum; its rows are the report file as
 * the service made it, uncompressed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SNAPSHOT_H
#define PIN_SNAPSHOT_H

#include "datatype/timestamp.h"
#include "insights/api.h"
#include "snapshot/need.h"

/* Everything a snapshot says of itself; all of fixed size but the query. */
typedef struct PinSnapshotHead
{
	char		magic[8];		/* PIN_SNAPSHOT_MAGIC */
	uint32		checksum;		/* CRC-32C of the head (this field 0) and the
								 * query text */
	uint32		head_size;		/* where the rows begin */
	int64		data_size;		/* bytes of rows */
	int64		rows;			/* how many */
	TimestampTz as_of;			/* the rows are not older than this */
	TimestampTz written;		/* when it was sealed */
	TimestampTz keep_until;		/* of no use to its table after this */
	Oid			database;		/* where it was written from */
	Oid			serverid;		/* foreign server */
	Oid			umid;			/* user mapping */
	Oid			userid;			/* role that ordered it */
	Oid			relid;			/* foreign table it was ordered for */
	uint32		query_len;		/* bytes of query text after this struct */
	bool		metrics;		/* the query selects a metric */
	bool		tsv;			/* fields are divided by tabs */
	PinHash		credential;		/* it was ordered with */
	PinHash		scope;			/* of the need it was made for */
	PinHash		key;			/* that need */
	PinId		report_id;		/* of the report */
	PinId		execution_id;	/* of the execution */
	PinTimeText generated_time; /* in the service's words */
} PinSnapshotHead;

#define PIN_SNAPSHOT_MAGIC "pinsnap2"

/* A snapshot that is open for reading. */
typedef struct PinSnapshot
{
	int			fd;				/* for pread; stays valid if the file is
								 * removed */
	int		   *readers;		/* how many snapshots have this descriptor */
	PinSnapshotHead head;		/* verified */
	char	   *query;			/* report query text; palloc'd */
	char	   *path;			/* palloc'd */
} PinSnapshot;

/*
 * Opens the youngest snapshot that contains the need and is not older than
 * oldest.  NULL if there is none; files that are damaged are removed on the
 * way.  The result is palloc'd; close it with pin_snapshot_close.  Throws when
 * memory or descriptors run out.
 */
extern PinSnapshot *pin_snapshot_find(const PinNeed *need, TimestampTz oldest);

/* Are a snapshot's rows enough for the need?  Reads nothing. */
extern bool pin_snapshot_contains(const PinSnapshot *snapshot, const PinNeed *need);

/* Opens a snapshot by path.  NULL if it is gone or damaged (then removed). */
extern PinSnapshot *pin_snapshot_open(const char *path);

/* Another reader of the same file, through the same descriptor. */
extern PinSnapshot *pin_snapshot_dup(const PinSnapshot *snapshot);

/* Safe in a memory context callback.  NULL is fine. */
extern void pin_snapshot_close(PinSnapshot *snapshot);

/* Removes the snapshot at a path, and what is counted of it.  Never throws. */
extern void pin_snapshot_remove(const char *path);

/* ---- hits: scans that have read a snapshot which was there; in hits.c ---- */

/* Another one.  Never throws; what cannot be counted is not. */
extern void pin_snapshot_hit(const PinSnapshot *snapshot);

/* How many there were, of the snapshot at a path. */
extern int64 pin_snapshot_hits(const char *path);

/* Forgets them, with the snapshot at a path.  Never throws. */
extern void pin_snapshot_forget_hits(const char *path);

/* Is the snapshot gone whose hits are counted at that path? */
extern bool pin_snapshot_hits_are_left(const char *hits_path);

/* ---- writing ---- */

/*
 * Creates the file of a snapshot to be, with room for its head, and returns
 * its descriptor (counted with PostgreSQL's); *path is palloc'd.  The file is
 * locked as long as the descriptor is open, so that a sweep can tell it from
 * what a crash has left.  Throws on failure.
 */
extern int	pin_snapshot_create(const PinNeed *need, char **path, int64 *data_offset);

/*
 * Writes the head, makes sure all is on disk and renames the file to what it
 * is from then on: that path, palloc'd.  fd stays open.  Throws on failure.
 */
extern char *pin_snapshot_seal(int fd, const char *path, const PinNeed *need,
							   PinSnapshotHead *head);

/* ---- keeping the cache small; in evict.c ---- */

/*
 * Removes what is of no use any more: snapshots past their time or replaced by
 * the newest one (which is spared), the oldest beyond cache_size, files that a
 * crash has left.  Throws on interrupts and when memory runs out.
 */
extern void pin_evict(const PinSnapshot *newest);

#endif							/* PIN_SNAPSHOT_H */
