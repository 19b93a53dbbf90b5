/*-------------------------------------------------------------------------
 *
 * executions.c
 *		The store's executions: when they run, what they show, who lists them.
 *
 * An execution's life as clients see it is a matter of the clock and of the
 * file: Pending for the first half of its delay, Running until the delay is
 * over and the file is there, then Completed.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "store_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "text.h"

#define HOUR 3600

/* The service lists executions of the last 90 days. */
#define LISTED_MS ((int64_t) 90 * 24 * HOUR * 1000)

/*
 * When the clock jumps over more runs of a report than this, only the last
 * ones happen: a jump of a year should not produce 2190 files.
 */
#define CATCH_UP 32

const char *
emu_execution_status(const EmuExecution *execution, int64_t now_ms)
{
	int64_t		half = execution->created_ms +
	(execution->due_ms - execution->created_ms) / 2;

	if (now_ms >= execution->due_ms)
	{
		if (execution->outcome == EMU_OUTCOME_FAILED)
			return "Failed";
		if (execution->stage == EMU_STAGE_PRODUCED &&
			execution->outcome == EMU_OUTCOME_COMPLETE)
			return "Completed";
	}
	return execution->stage == EMU_STAGE_WAITING || now_ms < half ?
		"Pending" : "Running";
}

void
emu_report_execute(EmuStore *store, EmuReport *report, int64_t now_ms)
{
	EmuExecution *execution = emu_alloc(sizeof *execution);
	EmuSettings settings;

	emu_switchboard_read(store->emu->switches, &settings);
	emu_store_new_id(store, "exe", execution->id);
	execution->created_ms = now_ms;
	execution->due_ms = now_ms + (int64_t) (settings.report_delay * 1000);
	execution->outcome = settings.execution_outcome;
	snprintf(execution->file.path, sizeof execution->file.path, "%s/%s.%s",
			 store->folder, execution->id, report->tsv ? "tsv" : "csv");
	execution->next = report->executions;
	report->executions = execution;
	report->runs++;
	pthread_cond_signal(&store->work);
}

void
emu_execution_remove(EmuExecution *execution)
{
	if (execution->stage == EMU_STAGE_PRODUCING)
	{
		execution->orphan = true;
		return;
	}
	unlink(execution->file.path);
	free(execution);
}

/* Starts the runs that have come due. */
static void
run_due(EmuStore *store, EmuReport *report, time_t now)
{
	int64_t		step = report->interval * HOUR;
	int64_t		due;

	if (report->execute_now || now < report->next_run || step <= 0)
		return;
	due = (now - report->next_run) / step + 1;
	if (report->count > 0 && due > report->count - report->runs)
		due = report->count - report->runs;
	if (due <= 0)
		return;
	if (due > CATCH_UP && !report->paused)
	{
		report->runs += due - CATCH_UP;
		report->next_run += (due - CATCH_UP) * step;
		due = CATCH_UP;
	}
	for (; due > 0 && !report->paused; due--)
	{
		emu_report_execute(store, report, (int64_t) report->next_run * 1000);
		report->next_run += step;
	}
	/* a paused report lets its runs pass */
	report->next_run += due * step;
}

/* A report that will never run again becomes Inactive. */
static void
settle(EmuReport *report, const EmuSettings *settings, int64_t now_ms)
{
	const char *status;

	if (report->paused || report->executions == NULL)
		return;
	if (report->execute_now && settings->finished_report != 0)
		return;
	if (!report->execute_now && (report->count == 0 || report->runs < report->count))
		return;
	status = emu_execution_status(report->executions, now_ms);
	if (strcmp(status, "Completed") == 0 || strcmp(status, "Failed") == 0)
		json_object_set_new(report->shape, "reportStatus", json_string("Inactive"));
}

static void
drop_old(EmuReport *report, int64_t now_ms)
{
	EmuExecution **link = &report->executions;

	while (*link != NULL)
	{
		EmuExecution *execution = *link;

		if (execution->created_ms >= now_ms - LISTED_MS)
			link = &execution->next;
		else
		{
			*link = execution->next;
			emu_execution_remove(execution);
		}
	}
}

void
emu_store_advance(EmuStore *store)
{
	int64_t		now_ms = emu_now_ms(store->emu->switches);
	EmuSettings settings;

	emu_switchboard_read(store->emu->switches, &settings);
	for (EmuReport *report = store->reports; report != NULL; report = report->next)
	{
		run_due(store, report, (time_t) (now_ms / 1000));
		settle(report, &settings, now_ms);
		drop_old(report, now_ms);
	}
}

static const char *
file_name(const EmuExecution *execution)
{
	return strrchr(execution->file.path, '/') + 1;
}

/* Adds what a completed execution tells: its link and its times. */
static void
shape_completed(EmuStore *store, const EmuExecution *execution, bool expired_link,
				json_t *shape)
{
	EmuSettings settings;
	char		text[EMU_TIME_SIZE];
	time_t		expires;
	char	   *link;
	int64_t		completed = execution->due_ms / 1000;

	emu_switchboard_read(store->emu->switches, &settings);
	expires = emu_now(store->emu->switches) + (expired_link ? -HOUR : HOUR);
	link = emu_blob_link(store->emu, file_name(execution), expires);
	json_object_set_new(shape, "reportAccessSecureLink", json_string(link));
	free(link);
	if (settings.expiry_time)
	{
		emu_time_text(expires, text);
		json_object_set_new(shape, "reportExpiryTime", json_string(text));
	}
	if (completed < execution->file.modified)
		completed = execution->file.modified;
	emu_time_text((time_t) completed, text);
	json_object_set_new(shape, "reportGeneratedTime", json_string(text));
}

static json_t *
execution_shape(EmuStore *store, const EmuReport *report, const EmuExecution *execution,
				bool expired_link)
{
	const char *status = emu_execution_status(execution,
											  emu_now_ms(store->emu->switches));
	json_t	   *shape = json_object();
	static const char *const inherited[] = {
		"recurrenceInterval", "recurrenceCount", "callbackUrl", "callbackMethod",
		"format", NULL
	};

	json_object_set_new(shape, "executionId", json_string(execution->id));
	json_object_set_new(shape, "reportId", json_string(report->id));
	for (int i = 0; inherited[i] != NULL; i++)
	{
		json_t	   *value = json_object_get(report->shape, inherited[i]);

		if (value != NULL)
			json_object_set(shape, inherited[i], value);
	}
	json_object_set_new(shape, "executionStatus", json_string(status));
	if (strcmp(report->program, "mpn") == 0)
		json_object_set_new(shape, "reportLocation", json_null());
	json_object_set_new(shape, "reportAccessSecureLink", json_null());
	json_object_set_new(shape, "reportExpiryTime", json_null());
	json_object_set_new(shape, "reportGeneratedTime", json_null());
	if (strcmp(status, "Completed") == 0)
		shape_completed(store, execution, expired_link, shape);
	return shape;
}

/* Appends a report's matching executions to list. */
static void
list_report(EmuStore *store, const EmuReport *report, const EmuExecutionFilter *filter,
			const char *statuses, json_t *list)
{
	int64_t		now_ms = emu_now_ms(store->emu->switches);

	for (EmuExecution *one = report->executions; one != NULL; one = one->next)
	{
		if (filter->execution_ids != NULL && !emu_in_list(filter->execution_ids, one->id))
			continue;
		if (statuses != NULL &&
			!emu_in_list(statuses, emu_execution_status(one, now_ms)))
			continue;
		json_array_append_new(list, execution_shape(store, report, one,
													filter->expired_links));
		if (filter->latest)
			return;
	}
}

static int
list_matching(EmuStore *store, EmuOwner owner, const EmuExecutionFilter *filter,
			  const char *statuses, json_t *list)
{
	int			reports = 0;

	for (EmuReport *report = store->reports; report != NULL; report = report->next)
	{
		if (!emu_owns(owner, report->program, report->user) ||
			!emu_in_list(filter->report_ids, report->id))
			continue;
		list_report(store, report, filter, statuses, list);
		reports++;
	}
	return reports;
}

json_t *
emu_store_list_executions(EmuStore *store, EmuOwner owner,
						  const EmuExecutionFilter *filter, EmuProblem *problem)
{
	EmuSettings settings;
	json_t	   *list = json_array();
	int			reports;

	emu_switchboard_read(store->emu->switches, &settings);
	pthread_mutex_lock(&store->lock);
	emu_store_advance(store);
	reports = list_matching(store, owner, filter,
							filter->statuses ? filter->statuses : "Completed", list);
	/* nothing completed: the documents disagree about what comes then */
	if (json_array_size(list) == 0 && filter->statuses == NULL &&
		settings.not_ready == EMU_NOT_READY_PENDING)
		list_matching(store, owner, filter, NULL, list);
	pthread_mutex_unlock(&store->lock);
	if (json_array_size(list) > 0 ||
		(reports > 0 && settings.not_ready == EMU_NOT_READY_EMPTY))
		return list;
	json_decref(list);
	emu_problem(problem, 404, "There are no executions that have occurred for the given "
				"filter conditions. Double check the reportId or executionId and retry "
				"the API after the report's scheduled execution time");
	return NULL;
}

bool
emu_store_find_file(EmuStore *store, const char *name, EmuStoredFile *file)
{
	bool		found = false;

	pthread_mutex_lock(&store->lock);
	for (EmuReport *report = store->reports; report != NULL && !found; report = report->next)
		for (EmuExecution *one = report->executions; one != NULL && !found; one = one->next)
		{
			found = one->stage == EMU_STAGE_PRODUCED && strcmp(file_name(one), name) == 0;
			if (found)
				*file = one->file;
		}
	pthread_mutex_unlock(&store->lock);
	return found;
}
