/*-------------------------------------------------------------------------
 *
 * store.h
 *		What users have made: queries, reports, executions and their files.
 *
 * Everything belongs to an owner (program and user) and is invisible to any
 * other.  Objects are handed out as JSON of the API's shape, one new reference
 * each.  Failures fill an EmuProblem with the API's status and words.
 *
 * Two worker threads produce report files; nothing here waits for them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_STORE_H
#define EMU_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "emulator.h"

typedef struct EmuStore EmuStore;

typedef struct EmuOwner
{
	const char *program;		/* "mpn" or "cmp" */
	const char *user;			/* of the token; the client id without one */
} EmuOwner;

typedef struct EmuProblem
{
	int			status;			/* HTTP status */
	char		message[512];	/* in the API's words */
} EmuProblem;

/* A report order whose single values have been checked. */
typedef struct EmuOrder
{
	const char *name;			/* ReportName */
	const char *description;	/* or NULL */
	const char *query_id;		/* QueryId; not for updates */
	bool		execute_now;	/* run once, at once */
	time_t		start;			/* first run of the others */
	int64_t		interval;		/* hours */
	int64_t		count;			/* runs; 0: without end */
	bool		tsv;			/* rather than csv */
	const char *callback_url;	/* or NULL */
	const char *callback_method;	/* "GET" or "POST" */
	EmuWindow	window;			/* QueryStartTime, QueryEndTime */
} EmuOrder;

/* What a list of executions is asked for. */
typedef struct EmuExecutionFilter
{
	const char *report_ids;		/* joined by ; */
	const char *execution_ids;	/* joined by ;, NULL: any */
	const char *statuses;		/* joined by ;, NULL: the default */
	bool		latest;			/* the newest of each report only */
	bool		expired_links;	/* a fault wants dead links */
} EmuExecutionFilter;

typedef struct EmuStoredFile
{
	char		path[512];		/* on disk */
	uint64_t	size;			/* bytes stored */
	char		md5[25];		/* of them, base64 */
	char		etag[40];		/* quoted */
	bool		gzip;			/* stored as gzip */
	time_t		modified;		/* when it was complete */
} EmuStoredFile;

/* NULL with a message.  Starts the workers. */
extern EmuStore *emu_store_open(Emulator *emu, char *err, size_t errsize);

/* Stops the workers and removes every file. */
extern void emu_store_close(EmuStore *store);

/* Forgets everything and removes every file. */
extern void emu_store_reset(EmuStore *store);

/* All that is stored, for the control port. */
extern json_t *emu_store_state(EmuStore *store);

/* -- queries -- */

extern json_t *emu_store_create_query(EmuStore *store, EmuOwner owner, const char *name,
									  const char *description, const char *text,
									  EmuProblem *problem);

/* The owner's queries; id and name may be NULL.  Never fails. */
extern json_t *emu_store_list_queries(EmuStore *store, EmuOwner owner,
									  const char *id, const char *name);
extern json_t *emu_store_delete_query(EmuStore *store, EmuOwner owner, const char *id,
									  EmuProblem *problem);

/* The text of one of the owner's or the system's queries; malloc'd or NULL. */
extern char *emu_store_query_text(EmuStore *store, EmuOwner owner, const char *id);

/* -- reports -- */

extern json_t *emu_store_create_report(EmuStore *store, EmuOwner owner,
									   const EmuOrder *order, EmuProblem *problem);
extern json_t *emu_store_list_reports(EmuStore *store, EmuOwner owner, const char *id,
									  const char *name, const char *query_id);
extern json_t *emu_store_update_report(EmuStore *store, EmuOwner owner, const char *id,
									   const EmuOrder *order, EmuProblem *problem);
extern json_t *emu_store_delete_report(EmuStore *store, EmuOwner owner, const char *id,
									   EmuProblem *problem);
extern json_t *emu_store_pause_report(EmuStore *store, EmuOwner owner, const char *id,
									  bool pause, EmuProblem *problem);

/* -- executions -- */

/* The matching executions, newest first. */
extern json_t *emu_store_list_executions(EmuStore *store, EmuOwner owner,
										 const EmuExecutionFilter *filter,
										 EmuProblem *problem);

/* Looks a finished file up by the name its links use. */
extern bool emu_store_find_file(EmuStore *store, const char *name, EmuStoredFile *file);

#endif							/* EMU_STORE_H */
