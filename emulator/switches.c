/*-------------------------------------------------------------------------
 *
 * switches.c
 *		What may be set while the emulator runs, and the clock it lives by.
 *
 * One table describes every switch: its name, its place in EmuSettings, what
 * it accepts, and its default.  Everything else works from the table.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "switches.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct EmuSwitchboard
{
	pthread_mutex_t lock;		/* guards both */
	EmuSettings now;			/* as set */
	EmuSettings start;			/* what reset returns to */
};

typedef enum Kind
{
	FLAG,						/* bool */
	NUMBER,						/* int64_t */
	DECIMAL,					/* double */
	CHOICE						/* int, the index of a name */
} Kind;

typedef struct Switch
{
	const char *name;			/* as users write it */
	Kind		kind;			/* type of the member */
	size_t		place;			/* offset in EmuSettings */
	double		initial;		/* default, whatever the kind */
	double		low;			/* smallest value of a number */
	const char *choices;		/* names joined by |, for CHOICE */
} Switch;

#define PLACE(member) offsetof(EmuSettings, member)
#define ENGINE_FLAG(member) {#member, FLAG, PLACE(engine.member), 0, 0, NULL}
#define FLAG_OF(member, initial) {#member, FLAG, PLACE(member), initial, 0, NULL}
#define NUMBER_OF(member, initial, low) \
	{#member, NUMBER, PLACE(member), initial, low, NULL}
#define CHOICE_OF(member, choices) {#member, CHOICE, PLACE(member), 0, 0, choices}

static const Switch switches[] = {
	{"report_delay", DECIMAL, PLACE(report_delay), 2, 0, NULL},
	NUMBER_OF(clock_offset, 0, -3e9),
	NUMBER_OF(token_lifetime, 3600, 0),
	NUMBER_OF(refresh_lifetime, 7776000, 0),
	NUMBER_OF(page_size, 0, 0),
	NUMBER_OF(preview_rows, 100, 0),
	NUMBER_OF(throttle, 0, 0),
	NUMBER_OF(quota_reports, 50, 0),
	NUMBER_OF(quota_execute_now, 5, 0),
	NUMBER_OF(quota_queries, 100, 0),
	NUMBER_OF(sign_in_error, 0, 0),
	NUMBER_OF(device_interval, 5, 0),
	FLAG_OF(mfa_required, 0),
	FLAG_OF(mpn_app_only, 1),
	FLAG_OF(error_in_200, 0),
	FLAG_OF(json_bom, 0),
	FLAG_OF(json_pascal, 0),
	FLAG_OF(redacted, 0),
	FLAG_OF(plain_query_names, 0),
	FLAG_OF(relative_next_link, 0),
	FLAG_OF(expiry_time, 0),
	FLAG_OF(content_encoding, 1),
	FLAG_OF(content_md5, 1),
	FLAG_OF(content_length, 1),
	FLAG_OF(refuse_used_query, 0),
	CHOICE_OF(error_style, "envelope|gateway|partnerfd|empty"),
	CHOICE_OF(not_ready, "pending|404|empty"),
	CHOICE_OF(ids, "uuid|text"),
	CHOICE_OF(role, "erv|none"),
	CHOICE_OF(gzip, "stored|off"),
	CHOICE_OF(execution_outcome, "complete|stuck|failed"),
	CHOICE_OF(finished_report, "inactive|active"),
	CHOICE_OF(refresh_rotation, "on|revoke|off"),
	CHOICE_OF(token_programs, "both|mpn|cmp"),
	ENGINE_FLAG(case_sensitive),
	ENGINE_FLAG(nulls_first),
	ENGINE_FLAG(like_underscore),
	ENGINE_FLAG(window_end_exclusive),
	ENGINE_FLAG(csv_bom),
	ENGINE_FLAG(csv_crlf),
	ENGINE_FLAG(csv_quote_all),
	ENGINE_FLAG(csv_no_final_newline),
	ENGINE_FLAG(csv_no_header_when_empty),
	ENGINE_FLAG(csv_header_lower),
	ENGINE_FLAG(csv_shuffle_columns),
	ENGINE_FLAG(csv_extra_column),
	ENGINE_FLAG(null_literal),
	{"date_format", CHOICE, PLACE(engine.date_format), 0, 0,
	"date|datetime|datetime_z|us"},
	{"bool_format", CHOICE, PLACE(engine.bool_format), 0, 0,
	"catalog|01|yn|yesno|truefalse"},
};

#define SWITCHES (sizeof switches / sizeof switches[0])

static const Switch *
find_switch(const char *name)
{
	for (size_t i = 0; i < SWITCHES; i++)
		if (emu_same(switches[i].name, name))
			return &switches[i];
	return NULL;
}

static void
store_value(EmuSettings *settings, const Switch *sw, double value)
{
	char	   *member = (char *) settings + sw->place;

	switch (sw->kind)
	{
		case FLAG:
			*(bool *) member = value != 0;
			break;
		case NUMBER:
			*(int64_t *) member = (int64_t) value;
			break;
		case DECIMAL:
			*(double *) member = value;
			break;
		case CHOICE:
			*(int *) member = (int) value;
			break;
	}
}

/* The index of a name among choices joined by |; -1 if it is none. */
static int
choice_index(const char *choices, const char *name)
{
	size_t		length = strlen(name);

	for (int i = 0;; i++)
	{
		size_t		size = strcspn(choices, "|");

		if (size == length && strncasecmp(choices, name, size) == 0)
			return i;
		if (choices[size] == '\0')
			return -1;
		choices += size + 1;
	}
}

static int
choice_count(const char *choices)
{
	int			count = 1;

	for (; *choices != '\0'; choices++)
		count += *choices == '|';
	return count;
}

static bool
parse_flag(const char *text, double *value)
{
	static const char *const yes[] = {"true", "on", "yes", "1", NULL};
	static const char *const no[] = {"false", "off", "no", "0", NULL};

	for (int i = 0; yes[i] != NULL; i++)
	{
		*value = emu_same(text, yes[i]);
		if (*value != 0 || emu_same(text, no[i]))
			return true;
	}
	return false;
}

static bool
parse_number(const Switch *sw, const char *text, double *value)
{
	char	   *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !isfinite(*value) ||
		*value < sw->low || *value > 1e15)
		return false;
	return sw->kind == DECIMAL || *value == floor(*value);
}

/* A choice is written by its name or by its number. */
static bool
parse_choice(const Switch *sw, const char *text, double *value)
{
	char	   *end;
	int			index = choice_index(sw->choices, text);

	if (index < 0)
	{
		long		number = strtol(text, &end, 10);

		if (end == text || *end != '\0' || number < 0 ||
			number >= choice_count(sw->choices))
			return false;
		index = (int) number;
	}
	*value = index;
	return true;
}

static bool
set_text(EmuSettings *settings, const char *name, const char *text,
		 char *err, size_t errsize)
{
	const Switch *sw = find_switch(name);
	double		value = 0;
	bool		good;

	if (sw == NULL)
	{
		snprintf(err, errsize, "unknown switch \"%s\"", name);
		return false;
	}
	if (sw->kind == FLAG)
		good = parse_flag(text, &value);
	else if (sw->kind == CHOICE)
		good = parse_choice(sw, text, &value);
	else
		good = parse_number(sw, text, &value);
	if (!good)
		snprintf(err, errsize, "switch \"%s\" cannot be \"%s\"", name, text);
	else
		store_value(settings, sw, value);
	return good;
}

EmuSwitchboard *
emu_switchboard_open(void)
{
	EmuSwitchboard *board = emu_alloc(sizeof *board);

	pthread_mutex_init(&board->lock, NULL);
	for (size_t i = 0; i < SWITCHES; i++)
		store_value(&board->now, &switches[i], switches[i].initial);
	board->start = board->now;
	return board;
}

void
emu_switchboard_close(EmuSwitchboard *board)
{
	if (board == NULL)
		return;
	pthread_mutex_destroy(&board->lock);
	free(board);
}

void
emu_switchboard_set_start(EmuSwitchboard *board)
{
	pthread_mutex_lock(&board->lock);
	board->start = board->now;
	pthread_mutex_unlock(&board->lock);
}

void
emu_switchboard_reset(EmuSwitchboard *board)
{
	pthread_mutex_lock(&board->lock);
	board->now = board->start;
	pthread_mutex_unlock(&board->lock);
}

void
emu_switchboard_read(EmuSwitchboard *board, EmuSettings *settings)
{
	pthread_mutex_lock(&board->lock);
	*settings = board->now;
	pthread_mutex_unlock(&board->lock);
}

bool
emu_switchboard_set(EmuSwitchboard *board, const char *assignment,
					char *err, size_t errsize)
{
	const char *equal = strchr(assignment, '=');
	char	   *name;
	bool		good;

	if (equal == NULL)
	{
		snprintf(err, errsize, "expected name=value, not \"%s\"", assignment);
		return false;
	}
	name = emu_format("%.*s", (int) (equal - assignment), assignment);
	pthread_mutex_lock(&board->lock);
	good = set_text(&board->now, name, equal + 1, err, errsize);
	pthread_mutex_unlock(&board->lock);
	free(name);
	return good;
}

/* The text of a scalar; NULL for anything else. */
static char *
scalar_text(json_t *value)
{
	if (json_is_string(value))
		return emu_copy(json_string_value(value));
	if (json_is_boolean(value))
		return emu_copy(json_is_true(value) ? "true" : "false");
	if (json_is_number(value))
		return json_dumps(value, JSON_ENCODE_ANY);
	return NULL;
}

bool
emu_switchboard_merge(EmuSwitchboard *board, json_t *object,
					  char *err, size_t errsize)
{
	EmuSettings next;
	const char *name;
	json_t	   *value;
	bool		good = true;

	if (!json_is_object(object))
	{
		snprintf(err, errsize, "expected a JSON object of switches");
		return false;
	}
	pthread_mutex_lock(&board->lock);
	next = board->now;
	json_object_foreach(object, name, value)
	{
		char	   *text = scalar_text(value);

		if (good)
			good = set_text(&next, name, text ? text : "", err, errsize);
		free(text);
	}
	if (good)
		board->now = next;
	pthread_mutex_unlock(&board->lock);
	return good;
}

/* One choice's name; malloc'd. */
static char *
choice_name(const char *choices, int index)
{
	while (index-- > 0)
		choices += strcspn(choices, "|") + 1;
	return emu_format("%.*s", (int) strcspn(choices, "|"), choices);
}

static json_t *
switch_json(const EmuSettings *settings, const Switch *sw)
{
	const char *member = (const char *) settings + sw->place;
	char	   *name;
	json_t	   *value;

	switch (sw->kind)
	{
		case FLAG:
			return json_boolean(*(const bool *) member);
		case NUMBER:
			return json_integer(*(const int64_t *) member);
		case DECIMAL:
			return json_real(*(const double *) member);
		case CHOICE:
			break;
	}
	name = choice_name(sw->choices, *(const int *) member);
	value = json_string(name);
	free(name);
	return value;
}

json_t *
emu_switchboard_json(EmuSwitchboard *board)
{
	EmuSettings settings;
	json_t	   *object = json_object();

	emu_switchboard_read(board, &settings);
	for (size_t i = 0; i < SWITCHES; i++)
		json_object_set_new(object, switches[i].name,
							switch_json(&settings, &switches[i]));
	return object;
}

void
emu_switchboard_advance(EmuSwitchboard *board, int64_t seconds)
{
	pthread_mutex_lock(&board->lock);
	board->now.clock_offset += seconds;
	pthread_mutex_unlock(&board->lock);
}

int64_t
emu_now_ms(EmuSwitchboard *board)
{
	struct timespec real;
	int64_t		offset;

	clock_gettime(CLOCK_REALTIME, &real);
	pthread_mutex_lock(&board->lock);
	offset = board->now.clock_offset;
	pthread_mutex_unlock(&board->lock);
	return ((int64_t) real.tv_sec + offset) * 1000 + real.tv_nsec / 1000000;
}

time_t
emu_now(EmuSwitchboard *board)
{
	return (time_t) (emu_now_ms(board) / 1000);
}

void
emu_switches_print(FILE *out)
{
	for (size_t i = 0; i < SWITCHES; i++)
	{
		const Switch *sw = &switches[i];

		if (sw->kind == CHOICE)
			fprintf(out, "  %-26s %s\n", sw->name, sw->choices);
		else if (sw->kind == FLAG)
			fprintf(out, "  %-26s %s\n", sw->name,
					sw->initial != 0 ? "on|off" : "off|on");
		else
			fprintf(out, "  %-26s a number, %g\n", sw->name, sw->initial);
	}
}
