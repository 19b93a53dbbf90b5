/*-------------------------------------------------------------------------
 *
 * query_contains.c
 *		Does the answer to one report query contain the answer to another?
 *
 *-------------------------------------------------------------------------
 */
#include "insights/query_contains.h"

#include <stddef.h>
#include <string.h>

#include "insights/ascii.h"

#define SELECT_WORD "SELECT "
#define FROM_WORD " FROM "

/* A piece of a query text. */
typedef struct Piece
{
	const char *start;
	size_t		len;
} Piece;

static bool
same(Piece a, Piece b)
{
	return a.len == b.len && pin_ascii_equal_bytes(a.start, b.start, a.len);
}

/* Divides a text into its list of columns and all that follows it. */
static bool
divide(const char *text, Piece *columns, Piece *rest)
{
	const char *from = strstr(text, FROM_WORD);

	if (from == NULL || strncmp(text, SELECT_WORD, strlen(SELECT_WORD)) != 0)
		return false;
	columns->start = text + strlen(SELECT_WORD);
	columns->len = from - columns->start;
	rest->start = from;
	rest->len = strlen(from);
	return true;
}

/* Takes the first name off a list of columns; false if there is none. */
static bool
next_column(Piece *list, Piece *column)
{
	const char *comma;

	if (list->len == 0)
		return false;
	comma = memchr(list->start, ',', list->len);
	column->start = list->start;
	column->len = comma != NULL ? (size_t) (comma - list->start) : list->len;
	list->start += column->len;
	list->len -= column->len;
	while (list->len > 0 && (*list->start == ',' || *list->start == ' '))
	{
		list->start++;
		list->len--;
	}
	return true;
}

static bool
has_column(Piece list, Piece wanted)
{
	Piece		column;

	while (next_column(&list, &column))
	{
		if (same(column, wanted))
			return true;
	}
	return false;
}

/* Are all columns of `some` among those of `all`? */
static bool
has_columns(Piece all, Piece some)
{
	Piece		column;

	while (next_column(&some, &column))
	{
		if (!has_column(all, column))
			return false;
	}
	return true;
}

bool
pin_query_contains(const char *have, const char *need, bool metrics)
{
	Piece		have_columns;
	Piece		have_rest;
	Piece		need_columns;
	Piece		need_rest;

	return divide(have, &have_columns, &have_rest) &&
		divide(need, &need_columns, &need_rest) &&
		same(have_rest, need_rest) &&
		has_columns(have_columns, need_columns) &&
		(!metrics || has_columns(need_columns, have_columns));
}
