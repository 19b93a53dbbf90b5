/*-------------------------------------------------------------------------
 *
 * fault.c
 *		Scripted misbehaviour: which request goes wrong, and how.
 *
 * A removed fault is only marked: requests on other threads may be at work
 * with it.  Their memory goes when the store is closed.
 *
 *-------------------------------------------------------------------------
 */
#include "fault.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct EmuFaults
{
	pthread_mutex_t lock;		/* guards list and counters */
	EmuFault   *first;			/* in order of installation */
};

static const char *const endpoints[] = {
	"token", "devicecode", "authorize", "configuration", "datasets", "create_query",
	"list_queries", "delete_query", "test_query", "create_report",
	"list_reports", "update_report", "delete_report", "pause", "resume",
	"executions", "download", "any", NULL
};

EmuFaults *
emu_faults_open(void)
{
	EmuFaults  *faults = emu_alloc(sizeof *faults);

	pthread_mutex_init(&faults->lock, NULL);
	return faults;
}

static void
fault_free(EmuFault *fault)
{
	json_decref(fault->spec);
	free(fault);
}

void
emu_faults_close(EmuFaults *faults)
{
	if (faults == NULL)
		return;
	while (faults->first != NULL)
	{
		EmuFault   *next = faults->first->next;

		fault_free(faults->first);
		faults->first = next;
	}
	pthread_mutex_destroy(&faults->lock);
	free(faults);
}

static bool
known_endpoint(const char *name)
{
	for (int i = 0; endpoints[i] != NULL; i++)
		if (strcmp(endpoints[i], name) == 0)
			return true;
	return false;
}

static bool
take_number(json_t *value, int64_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = json_integer_value(value);
	return true;
}

static bool
take_flag(json_t *value, bool *flag)
{
	*flag = json_is_true(value);
	return json_is_boolean(value);
}

static bool
take_text(json_t *value, const char **text)
{
	*text = json_string_value(value);
	return *text != NULL;
}

/* A body may be given as text or as any other JSON, which is then sent. */
static bool
take_body(EmuFault *fault, json_t *value)
{
	char	   *text;

	if (take_text(value, &fault->body))
		return true;
	text = json_dumps(value, JSON_COMPACT);
	if (text == NULL)
		return false;
	/* the specification owns the text, as it owns the others */
	json_object_set_new(fault->spec, "body", json_string(text));
	free(text);
	fault->body = json_string_value(json_object_get(fault->spec, "body"));
	return true;
}

static bool
take_wrong_json(EmuFault *fault, json_t *value)
{
	const char *text = json_string_value(value);

	fault->wrong_json = EMU_JSON_BROKEN;
	if (text != NULL && strcmp(text, "shape") == 0)
		fault->wrong_json = EMU_JSON_SHAPE;
	else if (text != NULL && strcmp(text, "broken") != 0)
		return false;
	else if (json_is_false(value))
		fault->wrong_json = EMU_JSON_RIGHT;
	return text != NULL || json_is_boolean(value);
}

static bool
take_status(EmuFault *fault, json_t *value)
{
	fault->status = (int) json_integer_value(value);
	return json_is_integer(value) && fault->status >= 200 &&
		fault->status <= 599;
}

/* Headers are an object of texts. */
static bool
take_headers(EmuFault *fault, json_t *value)
{
	const char *name;
	json_t	   *text;

	if (!json_is_object(value))
		return false;
	json_object_foreach(value, name, text)
	{
		if (!json_is_string(text))
			return false;
	}
	fault->headers = value;
	return true;
}

/* 1: taken, 0: a wrong value, -1: no such member. */
static int
take_member(EmuFault *f, const char *name, json_t *value)
{
	const struct
	{
		const char *name;
		int64_t    *number;
	}			numbers[] = {
		{"nth", &f->nth}, {"times", &f->times}, {"delay_ms", &f->delay_ms},
		{"hang_ms", &f->hang_ms}, {"stall_after", &f->stall_after},
		{"reset_after", &f->reset_after}, {"truncate", &f->truncate},
		{"rate", &f->rate},
	};
	const struct
	{
		const char *name;
		bool	   *flag;
	}			flags[] = {
		{"rst", &f->rst}, {"garble", &f->garble}, {"empty", &f->empty},
		{"header_only", &f->header_only}, {"expired_link", &f->expired_link},
		{"drop_before", &f->drop_before}, {"drop_after", &f->drop_after},
	};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(numbers[i].name, name) == 0)
			return take_number(value, numbers[i].number);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(flags[i].name, name) == 0)
			return take_flag(value, flags[i].flag);
	if (strcmp(name, "endpoint") == 0)
		return take_text(value, &f->endpoint) && known_endpoint(f->endpoint);
	if (strcmp(name, "status") == 0)
		return take_status(f, value);
	if (strcmp(name, "headers") == 0)
		return take_headers(f, value);
	if (strcmp(name, "body") == 0)
		return take_body(f, value);
	if (strcmp(name, "redirect") == 0)
		return take_text(value, &f->redirect);
	if (strcmp(name, "wrong_json") == 0)
		return take_wrong_json(f, value);
	return -1;
}

/* Returns NULL with a message. */
static EmuFault *
fault_parse(json_t *spec, char *err, size_t errsize)
{
	EmuFault   *fault = emu_alloc(sizeof *fault);
	const char *name;
	json_t	   *value;
	void	   *following;

	fault->spec = json_deep_copy(spec);
	fault->endpoint = "any";
	fault->nth = fault->times = 1;
	fault->hang_ms = fault->stall_after = -1;
	fault->reset_after = fault->truncate = -1;
	json_object_foreach_safe(fault->spec, following, name, value)
	{
		int			taken = take_member(fault, name, value);

		if (taken == 1)
			continue;
		snprintf(err, errsize, taken == 0 ? "fault: wrong value for \"%s\"" :
				 "fault: unknown member \"%s\"", name);
		fault_free(fault);
		return NULL;
	}
	if (fault->nth < 1)
		fault->nth = 1;
	return fault;
}

bool
emu_faults_install(EmuFaults *faults, json_t *spec, char *err, size_t errsize)
{
	EmuFault   *list = NULL;
	EmuFault  **tail = &list;
	size_t		count = json_is_array(spec) ? json_array_size(spec) : 1;
	bool		good = true;

	for (size_t i = 0; good && i < count; i++)
	{
		json_t	   *one = json_is_array(spec) ? json_array_get(spec, i) : spec;

		if (!json_is_object(one))
			snprintf(err, errsize, "fault: expected an object");
		else
			*tail = fault_parse(one, err, errsize);
		good = *tail != NULL;
		if (good)
			tail = &(*tail)->next;
	}
	if (!good)
	{
		while (list != NULL)
		{
			EmuFault   *next = list->next;

			fault_free(list);
			list = next;
		}
		return false;
	}
	pthread_mutex_lock(&faults->lock);
	tail = &faults->first;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = list;
	pthread_mutex_unlock(&faults->lock);
	return true;
}

void
emu_faults_clear(EmuFaults *faults)
{
	pthread_mutex_lock(&faults->lock);
	for (EmuFault *fault = faults->first; fault != NULL; fault = fault->next)
		fault->removed = true;
	pthread_mutex_unlock(&faults->lock);
}

json_t *
emu_faults_json(EmuFaults *faults)
{
	json_t	   *list = json_array();

	pthread_mutex_lock(&faults->lock);
	for (EmuFault *fault = faults->first; fault != NULL; fault = fault->next)
	{
		json_t	   *shape;

		if (fault->removed)
			continue;
		shape = json_deep_copy(fault->spec);
		json_object_set_new(shape, "seen", json_integer(fault->seen));
		json_object_set_new(shape, "applied", json_integer(fault->applied));
		json_array_append_new(list, shape);
	}
	pthread_mutex_unlock(&faults->lock);
	return list;
}

const EmuFault *
emu_faults_take(EmuFaults *faults, const char *endpoint)
{
	EmuFault   *taken = NULL;

	pthread_mutex_lock(&faults->lock);
	for (EmuFault *fault = faults->first; fault != NULL; fault = fault->next)
	{
		if (fault->removed || (strcmp(fault->endpoint, "any") != 0 &&
							   strcmp(fault->endpoint, endpoint) != 0))
			continue;
		fault->seen++;
		if (taken == NULL && fault->seen >= fault->nth &&
			(fault->times == 0 || fault->applied < fault->times))
		{
			taken = fault;
			fault->applied++;
		}
	}
	pthread_mutex_unlock(&faults->lock);
	return taken;
}

bool
emu_fault_replaces(const EmuFault *fault)
{
	return fault != NULL && (fault->status != 0 || fault->body != NULL ||
							 fault->redirect != NULL);
}

bool
emu_fault_touches_body(const EmuFault *fault)
{
	return fault != NULL && (fault->rate > 0 || fault->garble ||
							 fault->stall_after >= 0 ||
							 fault->reset_after >= 0 || fault->truncate >= 0);
}
