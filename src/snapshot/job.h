/*-------------------------------------------------------------------------
 *
 * job.h
 *		The registry: what is known of an acquisition, whoever works on it.
 *
 * A report that was ordered is dear.  Its remote identity therefore lives in a
 * file, not in the scan that ordered it, which a cancel, a crash or a restart
 * may end at any instant.  Whoever holds the job's lock works on it; all others
 * with the same need wait for its snapshot, or take over when the lock is free.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_JOB_H
#define PIN_JOB_H

#include "datatype/timestamp.h"
#include "insights/api.h"
#include "snapshot/need.h"

/*
 * Name of the remote query and report: "pinsight" and 16 hex digits of the
 * need.  The same from any session and cluster; letters, digits and blanks
 * only, since nothing else is proven safe.
 */
#define PIN_JOB_NAME_SIZE 32
extern void pin_job_name(char name[PIN_JOB_NAME_SIZE], const PinNeed *need);

/* Is this such a name, as the service gives it back? */
extern bool pin_job_is_name(const char *name);

/* What lasts.  Written whole, with a checksum, at every step. */
typedef struct PinJobState
{
	char		magic[8];		/* PIN_JOB_MAGIC */
	uint32		checksum;		/* CRC-32C of the struct, this field 0 */
	PinHash		key;			/* the need it serves */
	char		name[PIN_JOB_NAME_SIZE];	/* of its remote objects */
	char		program[8];		/* "mpn" or "cmp": where they are */
	PinId		query_id;		/* empty: none known */
	PinId		report_id;		/* empty: none known */
	bool		query_tried;	/* there may be one, by our name */
	bool		report_tried;	/* likewise */
	bool		namesake;		/* one by our name is too old, but stays */
	TimestampTz begun;			/* when the job was begun */
	TimestampTz create_sent;	/* the last create; 0: none */
	TimestampTz not_before;		/* the report was not ready then; 0: unknown */
	TimestampTz saved;			/* when this was written */
	TimestampTz next_poll;		/* 0: none is planned */
	TimestampTz failing_since;	/* the service cannot be asked; 0: it can */
	Oid			database;		/* who asks, for those who look on */
	Oid			serverid;
	Oid			umid;
	Oid			userid;
	Oid			relid;
	int			pid;			/* of the backend that works or worked on it */
	int			polls;			/* since it was begun */
	int64		downloaded;		/* bytes */
	int64		rows;			/* in these */
	char		phase[24];		/* step, in a word or two */
	char		said[64];		/* the execution's state in the service's word */
} PinJobState;

#define PIN_JOB_MAGIC "pinjob03"

/* The phase of a job that was left since its scan needed no more. */
#define PIN_JOB_FIRST_ROWS "first rows read"

/* The phase of one whose report is made. */
#define PIN_JOB_DOWNLOADING "downloading"

/* A job we hold the lock of. */
typedef struct PinJob
{
	PinJobState state;			/* change, then pin_job_save */
	bool		resumed;		/* an earlier scan began it */
	int			lock;			/* descriptor of the lock file; -1: let go */
	char	   *lock_path;		/* palloc'd */
	char	   *path;			/* of the state; palloc'd */
	MemoryContextCallback callback; /* lets go of it, if nobody else has */
} PinJob;

/*
 * Takes the need's job: as it was left, or a new one.  NULL if another backend
 * has it.  In the current context, whose end lets go of it as pin_job_release()
 * does.  Throws when files cannot be used.
 */
extern PinJob *pin_job_take(const PinNeed *need);

/*
 * Takes the job whose state is at a path, as it was left.  NULL if another
 * backend has it or it is gone.  Otherwise as above.
 */
extern PinJob *pin_job_take_left(const char *path);

/* Is it the report's file that is waited for? */
extern bool pin_job_is_downloading(const PinJobState *state);

/* Is nothing of the job at the service? */
extern bool pin_job_is_blank(const PinJobState *state);

/*
 * Makes the state last.  Throws on failure, and if another backend has the job
 * because the cache directory was removed meanwhile.
 */
extern void pin_job_save(PinJob *job);

/*
 * The same of a state that needs not last: what was saved before names all that
 * may be at the service, and maybe more.  No statement ends for it.
 */
extern void pin_job_note(PinJob *job);

/*
 * How far the download is: for those who look on, not for whoever resumes, so
 * now and then is enough.
 */
extern void pin_job_note_download(PinJob *job, int64 downloaded, int64 rows);

/* Likewise: do requests fail, one after the other? */
extern void pin_job_note_failing(PinJob *job, bool failing);

/* Lets go of the job, which stays for the next one.  Safe in a callback. */
extern void pin_job_release(PinJob *job);

/* Lets go of the job and removes it: nothing remote is left. */
extern void pin_job_forget(PinJob *job);

/*
 * Forgets the remote objects.  A report that is still named was too old and could
 * not be deleted, which the state remembers.
 */
extern void pin_job_reset(PinJob *job);

/* Reads the state at a path; false if there is none that can be believed. */
extern bool pin_job_read(const char *path, PinJobState *state);

/*
 * Reads the state of the need's job; false if it has none.  Only looks, whether
 * there is a cache directory or not.
 */
extern bool pin_job_find(const PinNeed *need, PinJobState *state);

/* Does a backend work on the job, now? */
extern bool pin_job_is_taken(const PinJobState *state);

#endif							/* PIN_JOB_H */
