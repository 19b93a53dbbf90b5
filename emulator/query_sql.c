/*
 * query_sql.c
 *		From a report query's tree to SQL.
 *
 * SQL holds only names of the catalogue (safe by its reader's check) and our
 * own words; every value of the query is bound.
 *
 * Metrics are computed for every distinct combination of the plain columns
 * selected, so they group, and a filter on one is a HAVING.  Where the columns
 * selected hold the key of the dataset's rows (data.h) each row is a group of
 * its own: then nothing is grouped, which spares sorting millions of rows.
 */
#include "query.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "data.h"

typedef struct Builder
{
	const EmuQuery *query;
	const EmuSwitches *switches;
	EmuSql	   *sql;
	bool		grouped;
} Builder;

static void
bind(Builder *b, const char *value)
{
	b->sql->values[b->sql->nvalues++] = value;
	emu_text_printf(&b->sql->text, "?%d", b->sql->nvalues);
}

static void
add(Builder *b, const char *text)
{
	emu_text_puts(&b->sql->text, text);
}

static void
add_name(Builder *b, const EmuColumn *column)
{
	emu_text_printf(&b->sql->text, "\"%s\"", column->name);
}

/* A boolean in the words the switch asks for. */
static void
add_boolean(Builder *b, const EmuColumn *column)
{
	static const char *const words[][2] = {{"1", "0"}, {"Y", "N"}, {"Yes", "No"}, {"True", "False"}};
	int			format = b->switches->bool_format;

	if (format < 1 || format > 4)
		add_name(b, column);
	else
		emu_text_printf(&b->sql->text, "CASE \"%s\" WHEN '%s' THEN '%s' WHEN '%s' THEN '%s' END",
						column->name, column->wire_true, words[format - 1][0],
						column->wire_false, words[format - 1][1]);
}

/* A date or moment in the form the switch asks for. */
static void
add_moment(Builder *b, const EmuColumn *column)
{
	bool		has_time = column->type == EMU_TIMESTAMPTZ;
	int			format = b->switches->date_format;
	const char *before = "";
	const char *after = "";

	if (format == 3)
	{
		before = "emu_us_date(";
		after = ")";
	}
	else if (format == 1)
	{
		before = has_time ? "rtrim(" : "";
		after = has_time ? ", 'Z')" : " || 'T00:00:00'";
	}
	else if (format == 2 && !has_time)
		after = " || 'T00:00:00Z'";
	add(b, before);
	add_name(b, column);
	add(b, after);
}

static void
add_metric(Builder *b, const EmuColumn *column)
{
	const char *of = column->of->name;

	if (column->metric == EMU_COUNT)
		emu_text_printf(&b->sql->text,
						b->grouped ? "count(DISTINCT \"%s\")" : "(\"%s\" IS NOT NULL)", of);
	else if (column->type == EMU_BIGINT)
		emu_text_printf(&b->sql->text, b->grouped ? "sum(\"%s\")" : "\"%s\"", of);
	else
		emu_text_printf(&b->sql->text, b->grouped ? "emu_sum(\"%s\")" : "\"%s\"", of);
}

/* The value as the report shows it. */
static void
add_value(Builder *b, const EmuColumn *column)
{
	if (column->metric != EMU_PLAIN)
		add_metric(b, column);
	else if (column->type == EMU_BOOLEAN)
		add_boolean(b, column);
	else if (column->type == EMU_DATE || column->type == EMU_TIMESTAMPTZ)
		add_moment(b, column);
	else
		add_name(b, column);
}

/* The value as filters compare it: numbers exactly, texts with or without case. */
static void
add_operand(Builder *b, const EmuColumn *column)
{
	switch (column->type)
	{
		case EMU_BIGINT:
			add(b, "CAST(");
			add_value(b, column);
			add(b, " AS TEXT) COLLATE emu_decimal");
			break;
		case EMU_NUMERIC:
			add_value(b, column);
			add(b, " COLLATE emu_decimal");
			break;
		case EMU_DATE:
		case EMU_TIMESTAMPTZ:
			add_name(b, column);
			break;
		case EMU_BOOLEAN:
			add_boolean(b, column);
			add(b, " COLLATE emu_nocase");
			break;
		case EMU_TEXT:
		case EMU_UUID:
			add_name(b, column);
			add(b, b->switches->case_sensitive ? "" : " COLLATE emu_nocase");
			break;
	}
}

static void
add_like(Builder *b, const EmuFilter *filter)
{
	add(b, filter->op == EMU_OP_NOT_LIKE ? "NOT emu_like(" : "emu_like(");
	add_value(b, filter->column);
	add(b, ", ");
	bind(b, filter->values[0]);
	emu_text_printf(&b->sql->text, ", %d, %d)", !b->switches->case_sensitive,
					b->switches->like_underscore);
}

static void
add_filter(Builder *b, const EmuFilter *filter)
{
	static const char *const operators[] = {
		[EMU_OP_EQUAL] = " = ",[EMU_OP_UNEQUAL] = " <> ",
		[EMU_OP_LESS] = " < ",[EMU_OP_LESS_EQUAL] = " <= ",
		[EMU_OP_GREATER] = " > ",[EMU_OP_GREATER_EQUAL] = " >= ",
		[EMU_OP_IN] = " IN (",[EMU_OP_NOT_IN] = " NOT IN (",
	};

	if (filter->op == EMU_OP_LIKE || filter->op == EMU_OP_NOT_LIKE)
	{
		add_like(b, filter);
		return;
	}
	add_operand(b, filter->column);
	add(b, operators[filter->op]);
	for (int i = 0; i < filter->nvalues; i++)
	{
		add(b, i ? ", " : "");
		bind(b, filter->values[i]);
	}
	add(b, filter->op == EMU_OP_IN || filter->op == EMU_OP_NOT_IN ? ")" : "");
}

/* Filters on metrics, or all others; each preceded by what joins it on. */
static void
add_filters(Builder *b, bool metrics, const char **joint)
{
	for (int i = 0; i < b->query->nfilters; i++)
	{
		const EmuFilter *filter = &b->query->filters[i];

		if ((b->grouped && filter->column->metric != EMU_PLAIN) != metrics)
			continue;
		add(b, *joint);
		add_filter(b, filter);
		*joint = " AND ";
	}
}

/*
 * Month keys (202603) and date keys (20260301) are texts; a bound is written
 * the same way, so that texts compare as dates do.
 */
static void
add_bound(Builder *b, int which, int day, const char *operator, const char **joint)
{
	const EmuColumn *column = b->query->dataset->time;
	bool		key = column->type == EMU_TEXT;
	char	   *out = b->sql->window[which];
	int			year;
	int			month;
	int			mday;

	emu_days_to_date(day, &year, &month, &mday);
	snprintf(out, sizeof(b->sql->window[0]), key ? "%04d%02d%02d" : "%04d-%02d-%02d",
			 year, month, mday);
	add(b, *joint);
	if (key)
		emu_text_printf(&b->sql->text, "substr(\"%s\" || '01', 1, 8)", column->name);
	else
		add_name(b, column);
	add(b, operator);
	bind(b, out);
	*joint = " AND ";
}

/* The day of a moment; what lies outside the years 1 to 9999 is their end. */
static int
window_day(time_t moment)
{
	const int	earliest = emu_date_to_days(1, 1, 1);
	const int	latest = emu_date_to_days(9999, 12, 30);
	time_t		day = moment / 86400 - (moment % 86400 < 0);

	return day < earliest ? earliest : day > latest ? latest : (int) day;
}

/*
 * First and last day (days since 1970) of the window, as the query's timespan
 * or the override says; false if there is none.  Open ends are INT32_MIN/MAX.
 */
static bool
query_window(const EmuQuery *query, EmuWindow override, int today, int *first, int *last)
{
	const EmuTimespan *span = query->timespan;

	*first = INT_MIN;
	*last = INT_MAX;
	if (query->dataset->time == NULL)
		return false;
	if (override.start != 0 || override.end != 0)
	{
		if (override.start != 0)
			*first = window_day(override.start);
		if (override.end != 0)
			*last = window_day(override.end);
		return true;
	}
	if (span == NULL)
		span = query->dataset->nranges > 0 ? emu_timespan_default() : NULL;
	if (span == NULL || span->unit == EMU_SPAN_ALL)
		return false;
	*first = span->unit == EMU_SPAN_MONTHS ? emu_month_start(today, span->back)
		: today - span->back;
	*last = today - span->end_back;
	return true;
}

/*
 * Half-open, so that a day's moments (2026-03-01T10:00:00Z sorts behind
 * 2026-03-01) belong to it.
 */
static void
add_window(Builder *b, EmuWindow override, int today, const char **joint)
{
	int			first;
	int			last;

	if (!query_window(b->query, override, today, &first, &last))
		return;
	if (first != INT_MIN)
		add_bound(b, 0, first, " >= ", joint);
	if (last != INT_MAX)
		add_bound(b, 1, b->switches->window_end_exclusive ? last : last + 1, " < ", joint);
}

/* Is every row a group of its own? */
static bool
selects_row_key(const EmuQuery *query)
{
	const EmuColumn *key = emu_data_key(query->dataset);
	bool		has_key = false;
	bool		has_time = false;

	for (int i = 0; i < query->nselect; i++)
	{
		has_key |= query->select[i].column == key;
		has_time |= query->select[i].column == query->dataset->time;
	}
	return key != NULL && has_key && has_time;
}

static void
add_select(Builder *b)
{
	add(b, "SELECT ");
	for (int i = 0; i < b->query->nselect; i++)
	{
		add(b, i ? ", " : "");
		add_value(b, b->query->select[i].column);
	}
	emu_text_printf(&b->sql->text, " FROM \"%s\"", b->query->dataset->table);
}

/*
 * Groups by the stored values.  Ids come first: they differ most, so sorting
 * rarely looks at what follows.
 */
static void
add_group(Builder *b)
{
	const char *joint = " GROUP BY ";

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < b->query->nselect; i++)
		{
			const EmuColumn *column = b->query->select[i].column;

			if (column->metric != EMU_PLAIN || (column->type == EMU_UUID) != (pass == 0))
				continue;
			add(b, joint);
			add_name(b, column);
			joint = ", ";
		}
	}
}

/* Ties are broken by the rows' own order, so that a result never varies. */
static void
add_order(Builder *b)
{
	const char *joint = " ORDER BY ";

	for (int i = 0; i < b->query->norder; i++)
	{
		const EmuOrderItem *item = &b->query->order[i];

		add(b, joint);
		if (item->column->type == EMU_BIGINT)
			add_value(b, item->column);
		else
			add_operand(b, item->column);
		add(b, item->ascending ? " ASC" : " DESC");
		add(b, b->switches->nulls_first ? " NULLS FIRST" : " NULLS LAST");
		joint = ", ";
	}
	if (!b->grouped)
		emu_text_printf(&b->sql->text, "%srowid", joint);
	else if (b->query->norder > 0)
		add(b, ", min(rowid)");
}

static void
add_limit(Builder *b, int64_t cap)
{
	int64_t		limit = b->query->limit;

	if (cap > 0 && (limit == 0 || limit > cap))
		limit = cap;
	if (limit > 0)
		emu_text_printf(&b->sql->text, " LIMIT %lld", (long long) limit);
}

static bool
allocate_values(Builder *b)
{
	size_t		n = 2;			/* the window's bounds */

	for (int i = 0; i < b->query->nfilters; i++)
		n += (size_t) b->query->filters[i].nvalues;
	b->sql->values = calloc(n, sizeof(char *));
	return b->sql->values != NULL;
}

bool
emu_query_sql(const EmuQuery *query, EmuWindow override, const EmuSwitches *switches,
			  int today, int64_t limit, EmuSql *sql)
{
	Builder		b = {.query = query,.switches = switches,.sql = sql};
	const char *joint = " WHERE ";

	memset(sql, 0, sizeof(*sql));
	if (!allocate_values(&b))
		return false;
	b.grouped = query->distinct || query->has_metric;
	if (query->has_metric && selects_row_key(query))
		b.grouped = false;
	add_select(&b);
	add_window(&b, override, today, &joint);
	add_filters(&b, false, &joint);
	if (b.grouped)
	{
		add_group(&b);
		joint = " HAVING ";
		add_filters(&b, true, &joint);
	}
	add_order(&b);
	add_limit(&b, limit);
	return !sql->text.failed;
}

void
emu_sql_free(EmuSql *sql)
{
	free(sql->text.data);
	free(sql->values);
	memset(sql, 0, sizeof(*sql));
}
