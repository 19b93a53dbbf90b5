/*-------------------------------------------------------------------------
 *
 * snapshot.h
 *		One execution's rows, kept as a file.
 *
 * A snapshot is written once, under another name, and renamed into place when
 * it is whole and on disk; so whoever finds one finds all of it.  Its header
 * block says what it is and has a checksum; its rows are the report file as
 * the service made it, uncompressed.  Behind them stands where some of the rows
 * begin, so that several processes can read a part each.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SNAPSHOT_H
#define PIN_SNAPSHOT_H

#include "datatype/timestamp.h"
#include "insights/api.h"
#include "snapshot/need.h"
#include "snapshot/record_count.h"

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
	uint32		ranges;			/* how many PinRecordRange follow the rows */
	uint32		ranges_checksum;	/* CRC-32C of these */
	bool		regular;		/* the reader finds nothing wrong with the
								 * rows' form */
	bool		metrics;		/* the query selects a metric */
	bool		tsv;			/* fields are divided by tabs */
	PinHash		credential;		/* it was ordered with */
	PinHash		scope;			/* of the need it was made for */
	PinHash		key;			/* that need */
	PinId		report_id;		/* of the report */
	PinId		execution_id;	/* of the execution */
	PinTimeText generated_time; /* in the service's words */
} PinSnapshotHead;

/* All versions begin alike, but for the last byte. */
#define PIN_SNAPSHOT_MAGIC "pinsnap3"

/* Bytes of the whole file. */
static inline int64
pin_snapshot_size(const PinSnapshotHead *head)
{
	return head->head_size + head->data_size + head->ranges * sizeof(PinRecordRange);
}

/* A snapshot that is open for reading. */
typedef struct PinSnapshot
{
	int			fd;				/* for pread; stays valid if the file is
								 * removed */
	int		   *readers;		/* how many snapshots have this descriptor */
	PinSnapshotHead head;		/* verified */
	char	   *query;			/* report query text; palloc'd */
	char	   *path;			/* palloc'd */
	bool		first;			/* only first rows, of a file that has more:
								 * not in the cache, and for one scan */
} PinSnapshot;

/*
 * Opens the youngest snapshot that contains the need and is not older than
 * oldest, nor of a time to come.  NULL if there is none; files that are damaged
 * are removed on the way.  The result is palloc'd; close it with
 * pin_snapshot_close.  Throws when memory or descriptors run out.
 */
extern PinSnapshot *pin_snapshot_find(const PinNeed *need, TimestampTz oldest);

/*
 * Is it of a time to come?  Then the clock was set back since, and how old its rows
 * are nobody can tell.
 */
extern bool pin_snapshot_is_ahead(const PinSnapshotHead *head);

/* Are a snapshot's rows enough for the need?  Reads nothing. */
extern bool pin_snapshot_contains(const PinSnapshot *snapshot, const PinNeed *need);

/*
 * Opens a snapshot by path.  NULL if it is gone or cannot be opened: errno says
 * why; or if it is damaged (then removed): errno is 0.
 */
extern PinSnapshot *pin_snapshot_open(const char *path);

/* Another reader of the same file, through the same descriptor. */
extern PinSnapshot *pin_snapshot_dup(const PinSnapshot *snapshot);

/*
 * The ranges of its rows, whose offsets count from head_size; returns how many.
 * 0: there are none that can be relied on, and the rows have to be read as a
 * whole, from their header on.
 */
extern int	pin_snapshot_ranges(const PinSnapshot *snapshot,
								PinRecordRange ranges[PIN_RECORD_RANGES_MAX]);

/* ---- shared by the processes that work on one statement ---- */

/* All that another process needs to know of an open snapshot. */
typedef struct PinSnapshotShare
{
	PinSnapshotHead head;
	uint64		device;			/* which file it is */
	uint64		inode;
	int			pid;			/* who has it open */
	int			fd;				/* by that number */
	char		path[MAXPGPATH];	/* where it was */
} PinSnapshotShare;

/* Tells of a snapshot, which has to stay open as long as others may join. */
extern void pin_snapshot_share(const PinSnapshot *snapshot, PinSnapshotShare *share);

/*
 * Opens the same file in another process, also if it was removed meanwhile.
 * There is no query text.  Throws if that cannot be done.
 */
extern PinSnapshot *pin_snapshot_join(const PinSnapshotShare *share);

/* Safe in a memory context callback.  NULL is fine. */
extern void pin_snapshot_close(PinSnapshot *snapshot);

/*
 * The same, and frees its memory: a wait looks at many snapshots many times, and
 * a transaction may use many, so nothing may pile up.
 */
extern void pin_snapshot_discard(PinSnapshot *snapshot);

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

/*
 * ---- strangers: snapshots that lack what a need wants; in strangers.c ----
 *
 * A number stands for all that decides about it on the need's side.
 */
extern uint64 pin_stranger_of(const PinNeed *need);

/* Is the snapshot at a path known to lack it? */
extern bool pin_stranger_is_known(uint64 stranger, const char *path);

/* From now on it is, to this session. */
extern void pin_stranger_note(uint64 stranger, const char *path);

/* ---- writing ---- */

/*
 * Creates the file of a snapshot to be, with room for its head, and returns
 * its descriptor (counted with PostgreSQL's); *path is palloc'd.  The file is
 * locked as long as the descriptor is open, so that a sweep can tell it from
 * what a crash has left.  Throws on failure.
 */
extern int	pin_snapshot_create(const PinNeed *need, char **path, int64 *data_offset);

/* Throws that it could not be written, as errno says; if that is 0, the disk is full. */
extern _Noreturn void pin_snapshot_fail_writing(const char *path);

/*
 * Writes the ranges, as many as head says, and the head, makes sure all is on
 * disk and renames the file to what it is from then on: that path, palloc'd.  fd
 * stays open.  Throws on failure.
 */
extern char *pin_snapshot_seal(int fd, const char *path, const PinNeed *need,
							   PinSnapshotHead *head, const PinRecordRange *ranges);

/*
 * Makes the first rows of such a file, described by head, a snapshot of one scan:
 * takes over the descriptor, and removes the file, which goes when that is closed.
 * The caller closes the snapshot.
 */
extern PinSnapshot *pin_snapshot_of_first(int fd, const char *path, const PinNeed *need,
										  const PinSnapshotHead *head);

/* ---- keeping the cache small; in evict.c ---- */

/*
 * Removes what is of no use any more: snapshots past their time or replaced by
 * the newest one (which is spared; NULL: room is made for it), the oldest beyond
 * cache_size, files that a crash has left.  Throws on interrupts and when memory
 * runs out.
 */
extern void pin_evict(const PinSnapshot *newest);

#endif							/* PIN_SNAPSHOT_H */
