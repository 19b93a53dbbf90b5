/*-------------------------------------------------------------------------
 *
 * query_contains.c
 *		Does the answer to one report query contain the answer to another?
 *
 * Only texts of our own are read here, so it is enough to cut them up: names
 * have neither blanks nor quotes, literals have no quotes inside.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/query_contains.h"

#include <stddef.h>
#include <string.h>

#include "insights/ascii.h"

/* A piece of a query text. */
typedef struct Piece
{
	const char *start;
	size_t		len;
} Piece;

/* A query cut into its clauses; those that are not there are empty. */
typedef struct Clauses
{
	bool		distinct;		/* SELECT DISTINCT */
	Piece		columns;		/* a, b */
	Piece		dataset;		/* X */
	Piece		filters;		/* a > 1 AND b = 'c' */
	Piece		order;			/* a ASC, b DESC */
	Piece		limit;			/* 10 */
	Piece		timespan;		/* LIFETIME */
	Piece		window;			/* 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z */
} Clauses;

/* Names and keywords are the same without case, literals are not. */
static bool
same(Piece a, Piece b)
{
	return a.len == b.len && pin_ascii_equal_bytes(a.start, b.start, a.len);
}

static bool
identical(Piece a, Piece b)
{
	return a.len == b.len && memcmp(a.start, b.start, a.len) == 0;
}

static bool
starts(Piece text, const char *word)
{
	size_t		len = strlen(word);

	return text.len >= len && pin_ascii_equal_bytes(text.start, word, len);
}

static bool
is_word(Piece text, const char *word)
{
	return text.len == strlen(word) && starts(text, word);
}

static void
skip(Piece *text, size_t len)
{
	text->start += len;
	text->len -= len;
}

/*
 * How much is left where a word begins outside of quotes; 0: it does not.  Words
 * begin with a blank or a comma, which most places do not have.
 */
static size_t
find(Piece text, const char *word)
{
	bool		quoted = false;

	for (; text.len > 0; skip(&text, 1))
	{
		if (*text.start == '\'')
			quoted = !quoted;
		else if (!quoted && *text.start == *word && starts(text, word))
			break;
	}
	return text.len;
}

/* Takes off what comes before a word, and the word; all if it does not come. */
static Piece
take_until(Piece *text, const char *word)
{
	size_t		rest = find(*text, word);
	Piece		taken = {text->start, text->len - rest};

	skip(text, taken.len);
	if (rest > 0)
		skip(text, strlen(word));
	return taken;
}

/* Cuts the clause that a word begins off the end of a text. */
static Piece
cut_clause(Piece *text, const char *word)
{
	Piece		clause = *text;

	*text = take_until(&clause, word);
	return clause;
}

/* Is a text of the form of another, where 0 stands for each digit? */
static bool
has_form(Piece text, const char *form)
{
	if (text.len != strlen(form))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (form[i] == '0' ? !pin_ascii_is_digit(text.start[i]) : text.start[i] != form[i])
			return false;
	return true;
}

/* The word of a window may be a column's name: it is told by its times. */
static Piece
cut_window(Piece *text)
{
	static const char form[] = PIN_QUERY_WINDOW_WORD "0000-00-00T00:00:00Z 0000-00-00T00:00:00Z";
	Piece		window = *text;

	if (window.len > strlen(form))
		skip(&window, window.len - strlen(form));
	if (has_form(window, form))
	{
		text->len -= window.len;
		skip(&window, strlen(PIN_QUERY_WINDOW_WORD));
	}
	else
		window.len = 0;
	return window;
}

/* From behind, since each clause ends where the next one begins. */
static bool
divide(const char *query, Clauses *clauses)
{
	Piece		text = {query, strlen(query)};

	if (!starts(text, "SELECT "))
		return false;
	skip(&text, strlen("SELECT "));
	clauses->distinct = starts(text, "DISTINCT ");
	if (clauses->distinct)
		skip(&text, strlen("DISTINCT "));
	clauses->window = cut_window(&text);
	clauses->timespan = cut_clause(&text, " TIMESPAN ");
	clauses->limit = cut_clause(&text, " LIMIT ");
	clauses->order = cut_clause(&text, " ORDER BY ");
	clauses->filters = cut_clause(&text, " WHERE ");
	clauses->dataset = cut_clause(&text, " FROM ");
	clauses->columns = text;
	return clauses->dataset.len > 0 && clauses->columns.len > 0;
}

/* ---- columns ---- */

static bool
has_column(Piece list, Piece wanted)
{
	while (list.len > 0)
	{
		if (same(take_until(&list, ", "), wanted))
			return true;
	}
	return false;
}

/* Are all columns of `some` among those of `all`? */
static bool
has_columns(Piece all, Piece some)
{
	while (some.len > 0)
	{
		if (!has_column(all, take_until(&some, ", ")))
			return false;
	}
	return true;
}

/* ---- conditions ---- */

/* A condition in its three words; "NOT IN (1)" is NOT and the rest. */
typedef struct Filter
{
	Piece		column;
	Piece		op;
	Piece		value;
} Filter;

static Filter
divide_filter(Piece text)
{
	Filter		filter;

	filter.column = take_until(&text, " ");
	filter.op = take_until(&text, " ");
	filter.value = text;
	return filter;
}

/* One that a leading zero does not make longer than it is. */
static bool
is_whole_number(Piece text)
{
	if (text.len > 1 && *text.start == '0')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!pin_ascii_is_digit(text.start[i]))
			return false;
	return text.len > 0;
}

static bool
is_date(Piece text)
{
	return has_form(text, "'0000-00-00'");
}

/*
 * Compares two values that order as they read: dates, or whole numbers without
 * a sign.  False if they are no such pair.
 */
static bool
compare(Piece a, Piece b, int *order)
{
	if (!(is_date(a) && is_date(b)) && !(is_whole_number(a) && is_whole_number(b)))
		return false;
	*order = a.len != b.len ? (a.len < b.len ? -1 : 1) : memcmp(a.start, b.start, a.len);
	return true;
}

/* Is `have` a bound that `need` keeps to as well? */
static bool
implies_bound(const Filter *need, const Filter *have)
{
	bool		below = is_word(have->op, "<") || is_word(have->op, "<=");
	bool		above = is_word(have->op, ">") || is_word(have->op, ">=");
	bool		equal = is_word(need->op, "=");
	int			order;

	if (!(below || above) || !(equal || *need->op.start == *have->op.start) ||
		!compare(need->value, have->value, &order))
		return false;
	if (order == 0)
		return have->op.len == 2 || (!equal && need->op.len == 1);
	return below ? order < 0 : order > 0;
}

/* "(1, 2)" without its parentheses; a value alone stays what it is. */
static Piece
list_of(Piece value)
{
	if (value.len >= 2 && *value.start == '(')
		return (Piece)
	{
		value.start + 1, value.len - 2
	};
	return value;
}

static bool
has_value(Piece list, Piece wanted)
{
	while (list.len > 0)
	{
		if (identical(take_until(&list, ", "), wanted))
			return true;
	}
	return false;
}

/* Is `have` a list that has all values of `need`? */
static bool
implies_list(const Filter *need, const Filter *have)
{
	Piece		some = list_of(need->value);

	if (!is_word(have->op, "IN") || !(is_word(need->op, "IN") || is_word(need->op, "=")))
		return false;
	while (some.len > 0)
	{
		if (!has_value(list_of(have->value), take_until(&some, ", ")))
			return false;
	}
	return true;
}

/* Does every row that fulfills `need` fulfill `have`? */
static bool
implies(Piece need_text, Piece have_text)
{
	Filter		need = divide_filter(need_text);
	Filter		have = divide_filter(have_text);

	return same(need.column, have.column) &&
		((same(need.op, have.op) && identical(need.value, have.value)) ||
		 implies_bound(&need, &have) || implies_list(&need, &have));
}

static bool
any_implies(Piece filters, Piece have)
{
	while (filters.len > 0)
	{
		if (implies(take_until(&filters, " AND "), have))
			return true;
	}
	return false;
}

/* Is each condition of `have` one that `need` has, or a weaker one? */
static bool
is_weaker(Piece have, Piece need)
{
	while (have.len > 0)
	{
		if (!any_implies(need, take_until(&have, " AND ")))
			return false;
	}
	return true;
}

/* Was each condition of `need` applied to the rows of `have`, or can it be? */
static bool
can_filter(const Clauses *have, Piece need)
{
	while (need.len > 0)
	{
		Piece		filter = take_until(&need, " AND ");

		if (!has_column(have->columns, divide_filter(filter).column) &&
			!any_implies(have->filters, filter))
			return false;
	}
	return true;
}

/* ---- order ---- */

/* Are the rows of `have` in the order of `need`, or can they be sorted? */
static bool
can_order(const Clauses *have, Piece need)
{
	if (same(have->order, need))
		return true;
	while (need.len > 0)
	{
		Piece		item = take_until(&need, ", ");

		if (!has_column(have->columns, take_until(&item, " ")))
			return false;
	}
	return true;
}

/* ---- windows ---- */

/*
 * A window replaces the timespan, so only the widest timespan has them all.
 * Windows are texts of one form, so they order as times do.
 */
static bool
is_as_wide(const Clauses *have, const Clauses *need)
{
	Piece		have_end = have->window;
	Piece		need_end = need->window;
	Piece		have_start = take_until(&have_end, " ");
	Piece		need_start = take_until(&need_end, " ");

	if (have->window.len == 0)
		return need->window.len == 0 || is_word(have->timespan, "LIFETIME");
	return need->window.len > 0 &&
		memcmp(have_start.start, need_start.start, have_start.len) <= 0 &&
		memcmp(have_end.start, need_end.start, have_end.len) >= 0;
}

bool
pin_query_contains(const char *have_text, const char *need_text, bool metrics)
{
	Clauses		have;
	Clauses		need;

	return divide(have_text, &have) && divide(need_text, &need) &&
		have.limit.len == 0 &&
		(need.distinct || !have.distinct) &&
		same(have.dataset, need.dataset) &&
		same(have.timespan, need.timespan) &&
		has_columns(have.columns, need.columns) &&
		(!metrics || has_columns(need.columns, have.columns)) &&
		is_weaker(have.filters, need.filters) &&
		can_filter(&have, need.filters) &&
		can_order(&have, need.order) &&
		is_as_wide(&have, &need);
}
