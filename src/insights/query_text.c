/*-------------------------------------------------------------------------
 *
 * query_text.c
 *		The text of a report query.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/query_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"
#include "insights/text_buffer.h"
#include "insights/message.h"

/* Words that would end a clause where a name is meant. */
static const char *const keywords[] = {
	"SELECT", "DISTINCT", "FROM", "WHERE", "AND", "LIKE", "NOT", "IN",
	"ORDER", "BY", "ASC", "DESC", "LIMIT", "TIMESPAN"
};

static size_t
word_length(const char *text)
{
	size_t		len = 0;

	while (pin_ascii_is_letter(text[len]) || pin_ascii_is_digit(text[len]) ||
		   text[len] == '_')
		len++;
	return len;
}

bool
pin_query_name_ok(const char *name)
{
	size_t		len = word_length(name);
	size_t		suffix;

	if (len == 0 || pin_ascii_is_digit(name[0]) || strlen(name) > PIN_QUERY_NAME_MAX)
		return false;
	if (name[len] == '(')
	{
		suffix = word_length(name + len + 1);
		return suffix > 0 && strcmp(name + len + 1 + suffix, ")") == 0;
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (pin_ascii_equal(name, keywords[i]))
			return false;
	return name[len] == '\0';
}

/* Checks a name; what: "column", "dataset" or "timespan". */
static bool
check_name(const char *name, PinErrorKind kind, const char *what, PinError *err)
{
	PinRemoteText text;

	if (pin_query_name_ok(name))
		return true;
	pin_error_clean(text, sizeof(text), name, strlen(name));
	pin_error_set(err, kind, "%s name \"%.*s\" cannot be used in a report query",
				  what, PIN_QUERY_NAME_MAX, text);
	pin_error_detail(err, "Such a name has letters, digits and underscores, and perhaps a "
					 "suffix in parentheses; it is no keyword of the query language.");
	return false;
}

/* True if one of the first n columns has that name too. */
static bool
occurs_before(const char *const *columns, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (pin_ascii_equal(columns[i], name))
			return true;
	return false;
}

/* Writes the list of columns; false with *err filled. */
static bool
add_columns(PinTextBuffer *text, const PinQueryParts *parts, PinError *err)
{
	for (size_t i = 0; i < parts->ncolumns; i++)
	{
		const char *name = parts->columns[i];

		if (!check_name(name, PIN_ERROR_UNKNOWN_COLUMN, "column", err))
			return false;
		if (occurs_before(parts->columns, i, name))
			continue;
		pin_text_buffer_add(text, i == 0 ? " " : ", ");
		pin_text_buffer_add(text, name);

		/* look at the length here, too: this bounds the loops over names */
		if (text->len > PIN_QUERY_TEXT_MAX)
			break;
	}
	return true;
}

/* No further than the longest query, so that it is too long and not no memory. */
static void
add_filters(PinTextBuffer *text, const PinQueryParts *parts)
{
	for (size_t i = 0; i < parts->nfilters && text->len <= PIN_QUERY_TEXT_MAX; i++)
	{
		pin_text_buffer_add(text, i == 0 ? " WHERE " : " AND ");
		pin_text_buffer_add(text, parts->filters[i]);
	}
}

/* A direction is always written: without one the service sorts downwards. */
static bool
add_order(PinTextBuffer *text, const PinQueryParts *parts, PinError *err)
{
	for (size_t i = 0; i < parts->norder; i++)
	{
		if (!check_name(parts->order[i], PIN_ERROR_UNKNOWN_COLUMN, "column", err))
			return false;
		pin_text_buffer_add(text, i == 0 ? " ORDER BY " : ", ");
		pin_text_buffer_add(text, parts->order[i]);
		pin_text_buffer_add(text, parts->descending[i] ? " DESC" : " ASC");
	}
	return true;
}

/* Writes all clauses, in the one order that the service takes. */
static bool
add_clauses(PinTextBuffer *text, const PinQueryParts *parts, PinError *err)
{
	char		limit[32];

	pin_text_buffer_add(text, parts->distinct ? "SELECT DISTINCT" : "SELECT");
	if (!add_columns(text, parts, err))
		return false;
	pin_text_buffer_add(text, " FROM ");
	pin_text_buffer_add(text, parts->dataset);
	add_filters(text, parts);
	if (!add_order(text, parts, err))
		return false;
	if (parts->limit > 0)
	{
		snprintf(limit, sizeof(limit), " LIMIT %lld", parts->limit);
		pin_text_buffer_add(text, limit);
	}
	if (parts->timespan)
	{
		pin_text_buffer_add(text, " TIMESPAN ");
		pin_text_buffer_add(text, parts->timespan);
	}
	return true;
}

char *
pin_query_text(const PinQueryParts *parts, PinError *err)
{
	PinTextBuffer text;
	size_t		len = 0;
	char	   *result;

	pin_error_reset(err);
	if (parts->ncolumns == 0)
	{
		pin_error_set(err, PIN_ERROR_BAD_REQUEST, "a report query needs a column");
		return NULL;
	}
	if (!check_name(parts->dataset, PIN_ERROR_UNKNOWN_DATASET, "dataset", err) ||
		(parts->timespan && !check_name(parts->timespan, PIN_ERROR_BAD_REQUEST, "timespan", err)))
		return NULL;

	pin_text_buffer_init(&text);
	if (!add_clauses(&text, parts, err))
	{
		pin_text_buffer_wipe(&text);
		return NULL;
	}

	result = pin_text_buffer_take(&text, &len);
	if (result == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	else if (len > PIN_QUERY_TEXT_MAX)
	{
		free(result);
		result = NULL;
		pin_error_set(err, PIN_ERROR_BAD_REQUEST, "the report query is too long");
		pin_error_detail(err, "At most %d bytes are sent.", PIN_QUERY_TEXT_MAX);
	}
	return result;
}
