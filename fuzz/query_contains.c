/*-------------------------------------------------------------------------
 *
 * query_contains.c
 *		Fuzzes containment of report queries against brute force.
 *
 * An input is two queries over a small table, the second one often a variation
 * of the first.  Where the first is said to contain the second, the answer to
 * the second is made from the rows of the first, with only the columns they
 * have, and must be what the whole table gives.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>

#include "fuzz.h"
#include "insights/filter.h"
#include "insights/query_contains.h"
#include "insights/query_text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the table ---- */

/*
 * A has numbers, B has texts, the third has dates and the name that most looks
 * like something else.  The last is a metric: the sum of an amount each row has.
 */
enum
{
	NUMBER,
	TEXT,
	DATE,
	METRIC,
	NCOLUMNS
};

static const char *const names[NCOLUMNS][2] = {
	{"A", "a"}, {"B", "b"}, {"Window", "WINDOW"}, {"A(USD)", "a(usd)"}
};

/* Their values, in their order. */
static const double numbers[] = {-2, 1, 1.5, 2, 10};
static const char *const texts[] = {"A", "a", "a, b", "a, d", "c, d", "x AND A WHERE y"};
static const char *const dates[] = {"2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01"};

/* The place of each plain column's value above, and the metric. */
typedef struct Row
{
	int			value[NCOLUMNS];	/* -1: there is none */
} Row;

#define TABLE_ROWS (LENGTH(numbers) * LENGTH(texts) * LENGTH(dates))
#define ROWS_MAX (2 * TABLE_ROWS)

typedef struct Rows
{
	Row			row[ROWS_MAX];
	size_t		count;
} Rows;

/* All combinations, some of them twice. */
static void
fill_table(Rows *rows)
{
	rows->count = 0;
	for (size_t i = 0; i < TABLE_ROWS; i++)
	{
		Row			row;

		row.value[NUMBER] = i % LENGTH(numbers);
		row.value[TEXT] = i / LENGTH(numbers) % LENGTH(texts);
		row.value[DATE] = i / LENGTH(numbers) / LENGTH(texts);
		row.value[METRIC] = i * 7 % 5;
		rows->row[rows->count++] = row;
		if (i % 3 == 0)
			rows->row[rows->count++] = row;
	}
}

/* ---- queries ---- */

typedef enum Kind
{
	COMPARISON,					/* A < 1 */
	LIST,						/* A IN (1, 2) */
	NOT_LIST,					/* A NOT IN (1, 2) */
	PATTERN						/* B LIKE 'a%' */
} Kind;

#define VALUES_MAX 3

typedef struct Condition
{
	int			column;
	Kind		kind;
	PinFilterOp op;				/* of a comparison */
	const char *values[VALUES_MAX];
	size_t		nvalues;
} Condition;

/* Columns to sort by, or to compare. */
typedef struct Keys
{
	int			columns[NCOLUMNS];
	bool		descending[NCOLUMNS];
	size_t		count;
} Keys;

#define CONDITIONS_MAX 3

typedef struct Query
{
	bool		distinct;
	bool		spelling;		/* which of its names a column is called by */
	Keys		columns;		/* all ascending */
	Condition	conditions[CONDITIONS_MAX];
	size_t		nconditions;
	Keys		order;
	int			limit;			/* 0: none */
	const char *timespan;		/* NULL: none */
	const char *start;			/* of the window; NULL: none */
	const char *end;			/* of the window, itself outside */
} Query;

static bool
has_key(const Keys *keys, int column)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->columns[i] == column)
			return true;
	return false;
}

static bool
has_keys(const Keys *all, const Keys *some)
{
	for (size_t i = 0; i < some->count; i++)
		if (!has_key(all, some->columns[i]))
			return false;
	return true;
}

static bool
has_metric(const Query *query)
{
	for (size_t i = 0; i < query->nconditions; i++)
		if (query->conditions[i].column == METRIC)
			return true;
	return has_key(&query->columns, METRIC) || has_key(&query->order, METRIC);
}

/* ---- making one up ---- */

static size_t
choose(uint64_t *state, size_t bound)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % bound;
}

/* A number as literal, in some of its spellings. */
static const char *
choose_number(uint64_t *state)
{
	static const char *const literals[] = {
		"-10", "-2", "-1", "0", "1", "1.0", "1.5", "2", "007", "9", "10", "30"
	};

	return literals[choose(state, LENGTH(literals))];
}

static const char *
choose_value(uint64_t *state, int column)
{
	switch (column)
	{
		case TEXT:
			return texts[choose(state, LENGTH(texts))];
		case DATE:
			return dates[choose(state, LENGTH(dates))];
		default:
			return choose_number(state);
	}
}

static Condition
choose_condition(uint64_t *state)
{
	static const char *const patterns[] = {"a%", "%d", "x AND%", "A", "%WHERE%"};
	Condition	condition = {.column = choose(state, NCOLUMNS),.nvalues = 1};
	size_t		kind = choose(state, 5);

	condition.values[0] = choose_value(state, condition.column);
	if (condition.column != TEXT)
		condition.op = choose(state, PIN_FILTER_GREATER_EQUAL + 1);
	if (kind < 3 || condition.column == DATE)
		return condition;
	if (condition.column == TEXT && kind == 3)
	{
		condition.kind = PATTERN;
		condition.values[0] = patterns[choose(state, LENGTH(patterns))];
		return condition;
	}
	condition.kind = kind == 3 ? NOT_LIST : LIST;
	condition.nvalues = 1 + choose(state, VALUES_MAX);
	for (size_t i = 1; i < condition.nvalues; i++)
		condition.values[i] = choose_value(state, condition.column);
	return condition;
}

static void
choose_columns(uint64_t *state, Keys *columns)
{
	columns->count = 0;
	for (size_t n = 1 + choose(state, NCOLUMNS); n > 0; n--)
	{
		int			column = choose(state, NCOLUMNS);

		if (!has_key(columns, column))
			columns->columns[columns->count++] = column;
	}
}

static void
choose_order(uint64_t *state, Keys *order)
{
	choose_columns(state, order);
	for (size_t i = 0; i < order->count; i++)
		order->descending[i] = choose(state, 2);
}

/* Changes what a condition says of its column. */
static void
change_condition(uint64_t *state, Condition *condition)
{
	if (condition->kind == PATTERN)
		return;
	if (condition->column != TEXT && choose(state, 3) == 0)
		condition->op = choose(state, PIN_FILTER_GREATER_EQUAL + 1);
	else if (condition->column != DATE && condition->op == PIN_FILTER_EQUAL &&
			 choose(state, 3) == 0)
		condition->kind = condition->kind == LIST && condition->nvalues == 1 ? COMPARISON : LIST;
	else
		condition->values[choose(state, condition->nvalues)] =
			choose_value(state, condition->column);
}

static void
change_conditions(uint64_t *state, Query *query)
{
	size_t		which = choose(state, CONDITIONS_MAX);

	if (which >= query->nconditions && query->nconditions < CONDITIONS_MAX)
		query->conditions[query->nconditions++] = choose_condition(state);
	else if (choose(state, 4) == 0)
		query->conditions[which] = query->conditions[--query->nconditions];
	else
		change_condition(state, &query->conditions[which]);
}

static void
change_window(uint64_t *state, Query *query)
{
	size_t		start = choose(state, LENGTH(dates));

	query->start = start == 0 ? NULL : dates[start - 1];
	query->end = dates[start + choose(state, LENGTH(dates) - start)];
}

/* Changes one part of a query, most often its conditions. */
static void
change(uint64_t *state, Query *query)
{
	static const char *const timespans[] = {NULL, "LIFETIME", "LAST_MONTH"};

	switch (choose(state, 14))
	{
		case 0:
			query->distinct = !query->distinct;
			break;
		case 1:
			choose_columns(state, &query->columns);
			break;
		case 2:
			query->spelling = !query->spelling;
			break;
		case 3:
			choose_order(state, &query->order);
			break;
		case 4:
			query->limit = choose(state, 3);
			break;
		case 5:
			query->timespan = timespans[choose(state, LENGTH(timespans))];
			break;
		case 6:
			change_window(state, query);
			break;
		default:
			change_conditions(state, query);
	}
}

/*
 * Keeps to what is promised of all queries: groups can only be sorted by what
 * they have, and a query with a window selects its column.
 */
static void
make_proper(Query *query)
{
	if (query->start && !has_key(&query->columns, DATE))
		query->columns.columns[query->columns.count++] = DATE;
	if ((query->distinct || has_metric(query)) && !has_keys(&query->columns, &query->order))
		query->order.count = 0;
}

static Query
choose_query(uint64_t *state, const Query *base, size_t changes)
{
	Query		query = *base;

	if (query.columns.count == 0)
		choose_columns(state, &query.columns);
	for (; changes > 0; changes--)
		change(state, &query);
	make_proper(&query);
	return query;
}

/* ---- its text ---- */

static char *
condition_text(const Condition *condition, const char *name)
{
	PinTextBuffer out = {0};
	const char *value = condition->values[0];
	int			year;
	int			month;
	int			day;
	bool		written;
	char	   *text;

	if (condition->kind == PATTERN)
		written = pin_filter_like(&out, name, value, false);
	else if (condition->kind != COMPARISON && condition->column != TEXT)
		written = pin_filter_numbers(&out, name, condition->kind == LIST,
									 condition->values, condition->nvalues);
	else if (condition->kind != COMPARISON)
		written = pin_filter_texts(&out, name, condition->values, condition->nvalues);
	else if (condition->column == TEXT)
		written = pin_filter_text(&out, name, value);
	else if (condition->column == DATE)
		written = sscanf(value, "%d-%d-%d", &year, &month, &day) == 3 &&
			pin_filter_date(&out, name, condition->op, year, month, day);
	else
		written = pin_filter_number(&out, name, condition->op, value);
	text = pin_text_buffer_take(&out, NULL);
	FUZZ_EXPECT(written && text != NULL);
	return text;
}

static void
name_keys(const Keys *keys, bool spelling, const char *out[NCOLUMNS])
{
	for (size_t i = 0; i < keys->count; i++)
		out[i] = names[keys->columns[i]][spelling];
}

/* The text, with its window behind it; the caller frees it. */
static char *
query_text(const Query *query)
{
	const char *columns[NCOLUMNS];
	const char *order[NCOLUMNS];
	char	   *conditions[CONDITIONS_MAX];
	PinQueryParts parts = {
		.dataset = "X",.columns = columns,.ncolumns = query->columns.count,
		.distinct = query->distinct,.filters = (const char *const *) conditions,
		.nfilters = query->nconditions,.order = order,.descending = query->order.descending,
		.norder = query->order.count,.limit = query->limit,.timespan = query->timespan
	};
	PinTextBuffer out = {0};
	PinError	error;
	char	   *text;

	name_keys(&query->columns, query->spelling, columns);
	name_keys(&query->order, query->spelling, order);
	for (size_t i = 0; i < query->nconditions; i++)
		conditions[i] = condition_text(&query->conditions[i],
									   names[query->conditions[i].column][query->spelling]);
	text = pin_query_text(&parts, &error);
	FUZZ_EXPECT(text != NULL);
	pin_text_buffer_add(&out, text);
	free(text);
	for (size_t i = 0; i < query->nconditions; i++)
		free(conditions[i]);
	if (query->start)
	{
		pin_text_buffer_add(&out, PIN_QUERY_WINDOW_WORD);
		pin_text_buffer_add(&out, query->start);
		pin_text_buffer_add(&out, "T00:00:00Z ");
		pin_text_buffer_add(&out, query->end);
		pin_text_buffer_add(&out, "T00:00:00Z");
	}
	text = pin_text_buffer_take(&out, NULL);
	FUZZ_EXPECT(text != NULL);
	return text;
}

/* ---- its meaning ---- */

/* % is all that is special in a pattern here. */
static bool
matches(const char *text, const char *pattern, bool folded)
{
	if (*pattern == '%')
		return matches(text, pattern + 1, folded) || (*text && matches(text + 1, pattern, folded));
	if (*text == '\0' || *pattern == '\0')
		return *text == *pattern;
	return (folded ? strncasecmp(text, pattern, 1) : strncmp(text, pattern, 1)) == 0 &&
		matches(text + 1, pattern + 1, folded);
}

/* Less than, equal to or greater than 0, as a row's value is to a literal. */
static int
compare_value(const Row *row, int column, const char *literal, bool folded)
{
	int			value = row->value[column];
	double		number;

	if (column == TEXT)
		return folded ? strcasecmp(texts[value], literal) : strcmp(texts[value], literal);
	if (column == DATE)
		return strcmp(dates[value], literal);
	number = column == METRIC ? value : numbers[value];
	return number < strtod(literal, NULL) ? -1 : number > strtod(literal, NULL);
}

static bool
satisfies(const Row *row, const Condition *condition, bool folded)
{
	int			order = compare_value(row, condition->column, condition->values[0], folded);
	bool		listed = false;

	for (size_t i = 0; i < condition->nvalues; i++)
		listed = listed || compare_value(row, condition->column, condition->values[i], folded) == 0;
	switch (condition->kind)
	{
		case LIST:
			return listed;
		case NOT_LIST:
			return !listed;
		case PATTERN:
			return matches(texts[row->value[TEXT]], condition->values[0], folded);
		case COMPARISON:
			break;
	}
	switch (condition->op)
	{
		case PIN_FILTER_EQUAL:
			return order == 0;
		case PIN_FILTER_UNEQUAL:
			return order != 0;
		case PIN_FILTER_LESS:
			return order < 0;
		case PIN_FILTER_LESS_EQUAL:
			return order <= 0;
		case PIN_FILTER_GREATER:
			return order > 0;
		case PIN_FILTER_GREATER_EQUAL:
			return order >= 0;
	}
	return false;
}

/* Leaves the rows that satisfy the conditions on the given columns. */
static void
filter_rows(Rows *rows, const Query *query, const Keys *columns, bool folded)
{
	size_t		kept = 0;

	for (size_t i = 0; i < rows->count; i++)
	{
		bool		keep = true;

		for (size_t j = 0; j < query->nconditions; j++)
			if (has_key(columns, query->conditions[j].column))
				keep = keep && satisfies(&rows->row[i], &query->conditions[j], folded);
		if (keep)
			rows->row[kept++] = rows->row[i];
	}
	rows->count = kept;
}

/* Leaves the rows between two days; NULL: there is no such bound. */
static void
cut_rows(Rows *rows, const char *start, const char *end)
{
	size_t		kept = 0;

	for (size_t i = 0; i < rows->count; i++)
	{
		const char *date = dates[rows->row[i].value[DATE] >= 0 ? rows->row[i].value[DATE] : 0];

		if ((start == NULL || strcmp(date, start) >= 0) && (end == NULL || strcmp(date, end) < 0))
			rows->row[kept++] = rows->row[i];
	}
	rows->count = kept;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const Keys *keys = arg;

	for (size_t i = 0; i < keys->count; i++)
	{
		int			x = ((const Row *) a)->value[keys->columns[i]];
		int			y = ((const Row *) b)->value[keys->columns[i]];

		if (x != y)
			return (x < y) != keys->descending[i] ? -1 : 1;
	}
	return 0;
}

static void
sort_rows(Rows *rows, const Keys *keys)
{
	if (keys->count > 0)
		qsort_r(rows->row, rows->count, sizeof(Row), compare_rows, (void *) keys);
}

/* One row for all that have the same values in columns; nothing else is left. */
static void
group_rows(Rows *rows, const Keys *columns, bool sum)
{
	Keys		keys = {.count = 0};
	size_t		groups = 0;

	for (size_t i = 0; i < columns->count; i++)
		if (columns->columns[i] != METRIC || !sum)
			keys.columns[keys.count++] = columns->columns[i];
	sort_rows(rows, &keys);
	for (size_t i = 0; i < rows->count; i++)
	{
		Row			row = rows->row[i];

		for (int column = 0; column < METRIC; column++)
			if (!has_key(&keys, column))
				row.value[column] = -1;
		if (groups == 0 || compare_rows(&row, &rows->row[groups - 1], &keys) != 0)
			rows->row[groups++] = row;
		else if (sum)
			rows->row[groups - 1].value[METRIC] += row.value[METRIC];
	}
	rows->count = groups;
}

/* What the service makes of the table. */
static void
answer(Rows *rows, const Query *query, bool folded)
{
	const Keys	plain = {.columns = {NUMBER, TEXT, DATE},.count = 3};
	const Keys	metric = {.columns = {METRIC},.count = 1};

	fill_table(rows);
	if (query->start)
		cut_rows(rows, query->start, query->end);
	else if (query->timespan && strcmp(query->timespan, "LAST_MONTH") == 0)
		cut_rows(rows, "2026-02-01", NULL);
	filter_rows(rows, query, &plain, folded);
	if (has_metric(query))
	{
		group_rows(rows, &query->columns, true);
		filter_rows(rows, query, &metric, folded);
	}
	if (query->distinct)
		group_rows(rows, &query->columns, false);
	sort_rows(rows, &query->order);
	if (query->limit > 0 && rows->count > query->limit)
		rows->count = query->limit;
}

/* ---- containment ---- */

/*
 * Makes the answer to need from that to have, as far as its columns go; all but
 * the limit, which is right if the order is.
 */
static void
derive(Rows *rows, const Query *have, const Query *need, bool folded)
{
	answer(rows, have, folded);
	filter_rows(rows, need, &have->columns, folded);
	if (need->start)
		cut_rows(rows, need->start, need->end);
	if (has_keys(&have->columns, &need->order))
		sort_rows(rows, &need->order);
	for (size_t i = 1; i < rows->count; i++)
		FUZZ_EXPECT(compare_rows(&rows->row[i - 1], &rows->row[i], (void *) &need->order) <= 0);
	if (need->distinct)
		group_rows(rows, &need->columns, false);
}

static void
check_contained(const Query *have, const Query *need, bool folded)
{
	static Rows derived;
	static Rows expected;
	Query		whole = *need;

	whole.limit = 0;
	FUZZ_EXPECT(has_keys(&have->columns, &need->columns));
	derive(&derived, have, need, folded);
	answer(&expected, &whole, folded);
	FUZZ_EXPECT(derived.count == expected.count);
	sort_rows(&derived, &need->columns);
	sort_rows(&expected, &need->columns);
	for (size_t i = 0; i < expected.count; i++)
		FUZZ_EXPECT(compare_rows(&derived.row[i], &expected.row[i], (void *) &need->columns) == 0);
}

static void
check_pair(const Query *have, const Query *need, bool folded)
{
	char	   *have_text = query_text(have);
	char	   *need_text = query_text(need);

	if (pin_query_contains(have_text, need_text, has_metric(have) || has_metric(need)))
		check_contained(have, need, folded);
	FUZZ_EXPECT(pin_query_contains(need_text, need_text, has_metric(need)) == (need->limit == 0));
	free(have_text);
	free(need_text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Query none = {.distinct = false};
	uint64_t	state = size;
	Query		have;
	Query		need;
	bool		folded;

	for (size_t i = 0; i < size; i++)
		state = (state ^ data[i]) * 1099511628211;
	folded = choose(&state, 2);
	have = choose_query(&state, &none, choose(&state, 8));
	need = choose_query(&state, choose(&state, 8) == 0 ? &none : &have, choose(&state, 5));
	check_pair(&have, &need, folded);
	check_pair(&need, &have, folded);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("two queries"), FUZZ_SEED("over a small table"));
