/*-------------------------------------------------------------------------
 *
 * store_private.h
 *		The store's objects, shared by the files that implement it.
 *
 * One lock guards them all.  A worker reads its execution's order under the
 * lock, produces the file without it, and takes it again to say so; an
 * execution removed meanwhile is an orphan, which the worker frees.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_STORE_PRIVATE_H
#define EMU_STORE_PRIVATE_H

#include <pthread.h>

#include "store.h"

#define EMU_WORKERS 2
#define EMU_ID_SIZE 64

typedef enum EmuStage
{
	EMU_STAGE_WAITING,			/* no worker has it yet */
	EMU_STAGE_PRODUCING,		/* a worker writes the file */
	EMU_STAGE_PRODUCED,			/* the file is there */
	EMU_STAGE_FAILED			/* there will be none */
} EmuStage;

typedef struct EmuExecution
{
	struct EmuExecution *next;	/* older */
	char		id[EMU_ID_SIZE];	/* executionId */
	EmuStage	stage;			/* how far the file is */
	bool		orphan;			/* removed while a worker had it */
	int			outcome;		/* EmuOutcome, as set when it was made */
	int64_t		created_ms;		/* emulator's clock */
	int64_t		due_ms;			/* not shown as Completed before */
	int64_t		rows;			/* in the file */
	char		error[256];		/* why there is no file */
	EmuStoredFile file;			/* once produced */
} EmuExecution;

typedef struct EmuReport
{
	struct EmuReport *next;		/* in order of creation */
	char		id[EMU_ID_SIZE];	/* reportId */
	char		program[8];		/* owner */
	char		user[256];		/* owner */
	char	   *text;			/* report query */
	json_t	   *shape;			/* the API's object */
	bool		execute_now;	/* runs once */
	bool		paused;			/* by its owner */
	bool		tsv;			/* delimiter of its files */
	time_t		created;		/* for the hourly quota */
	time_t		next_run;		/* of a recurring one */
	int64_t		interval;		/* hours */
	int64_t		count;			/* runs; 0: without end */
	int64_t		runs;			/* so far */
	EmuWindow	window;			/* overrides TIMESPAN */
	EmuExecution *executions;	/* newest first */
} EmuReport;

typedef struct EmuSavedQuery
{
	struct EmuSavedQuery *next; /* in order of creation */
	char		id[EMU_ID_SIZE];	/* queryId */
	char		program[8];		/* owner */
	char		user[256];		/* owner */
	json_t	   *shape;			/* the API's object */
} EmuSavedQuery;

struct EmuStore
{
	Emulator   *emu;			/* whose */
	pthread_mutex_t lock;		/* guards all below */
	pthread_cond_t work;		/* there may be something to produce */
	EmuSavedQuery *queries;		/* of all owners */
	EmuReport  *reports;		/* of all owners */
	char		folder[256];	/* of the files; removed on close */
	bool		stopping;		/* workers must end */
	int			workers;		/* started */
	pthread_t	threads[EMU_WORKERS];	/* the workers */
	time_t		now_times[1024];	/* ExecuteNow orders of the last hour */
	char		now_users[1024][64];	/* and a digest of whose they were */
	int			now_count;		/* entries in both */
};

/* All of these expect the lock to be held, but for the worker. */
extern void emu_store_new_id(EmuStore *store, const char *prefix, char id[EMU_ID_SIZE]);
extern bool emu_owns(EmuOwner owner, const char *program, const char *user);
extern bool emu_in_list(const char *list, const char *text);
extern void emu_problem(EmuProblem *problem, int status, const char *message);
extern char *emu_owner_user(EmuOwner owner);

/* Adds an execution; it will be produced. */
extern void emu_report_execute(EmuStore *store, EmuReport *report, int64_t now_ms);
extern void emu_report_free(EmuReport *report);
extern void emu_execution_remove(EmuExecution *execution);

/* Runs what is due and settles reports that are finished. */
extern void emu_store_advance(EmuStore *store);

/* "Pending", "Running", "Completed" or "Failed". */
extern const char *emu_execution_status(const EmuExecution *execution, int64_t now_ms);

/* Thread: produces files until the store stops. */
extern void *emu_worker(void *store);

#endif							/* EMU_STORE_PRIVATE_H */
