/*-------------------------------------------------------------------------
 *
 * filter.c
 *		Conditions of a report query, written so that they can be trusted.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"
#include "wire_time.h"

static const char *const operators[] = {
	[PIN_FILTER_EQUAL] = " = ",
	[PIN_FILTER_UNEQUAL] = " != ",
	[PIN_FILTER_LESS] = " < ",
	[PIN_FILTER_LESS_EQUAL] = " <= ",
	[PIN_FILTER_GREATER] = " > ",
	[PIN_FILTER_GREATER_EQUAL] = " >= ",
};

/* ---- numbers and dates ---- */

static bool
is_number(const char *text)
{
	size_t		digits;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	text += digits;
	if (digits > 0 && *text == '.')
	{
		digits = strspn(text + 1, "0123456789");
		text += 1 + digits;
	}
	return digits > 0 && *text == '\0';
}

bool
pin_filter_number(PinTextBuffer *out, const char *column, PinFilterOp op, const char *number)
{
	if (!is_number(number))
		return false;
	pin_text_buffer_add(out, column);
	pin_text_buffer_add(out, operators[op]);
	pin_text_buffer_add(out, number);
	return true;
}

bool
pin_filter_numbers(PinTextBuffer *out, const char *column, bool in,
				   const char *const *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_number(numbers[i]))
			return false;
	if (count == 0)
		return false;
	pin_text_buffer_add(out, column);
	pin_text_buffer_add(out, in ? " IN (" : " NOT IN (");
	for (size_t i = 0; i < count; i++)
	{
		pin_text_buffer_add(out, i == 0 ? "" : ", ");
		pin_text_buffer_add(out, numbers[i]);
	}
	pin_text_buffer_add(out, ")");
	return true;
}

bool
pin_filter_date(PinTextBuffer *out, const char *column, PinFilterOp op,
				int year, int month, int day)
{
	char		date[48];
	PinWireTime time;

	snprintf(date, sizeof(date), "'%04d-%02d-%02d'", year, month, day);
	if (!pin_wire_time_parse(date + 1, strlen(date) - 2, &time))
		return false;
	pin_text_buffer_add(out, column);
	pin_text_buffer_add(out, operators[op]);
	pin_text_buffer_add(out, date);
	return true;
}

/* ---- texts ---- */

/* Is a character proven, wherever in a literal it stands?  Blanks are not. */
static bool
is_proven(char c)
{
	return pin_ascii_is_letter(c) || pin_ascii_is_digit(c) ||
		(c != '\0' && strchr("_-.:/@+&,", c) != NULL);
}

/* A literal made of proven characters, and of % for all others. */
typedef struct Literal
{
	char	   *text;			/* malloc'd, long enough; NULL: no memory */
	size_t		len;			/* bytes so far */
	bool		any;			/* it has a % */
	bool		proven;			/* it has something else */
} Literal;

/* What a literal ends in so far; a blank is nothing to rely on at its start. */
static char
last(const Literal *literal)
{
	return literal->len > 0 ? literal->text[literal->len - 1] : '%';
}

/* A % takes the blank before it along: there it may be at an end, or one of many. */
static void
add_any(Literal *literal)
{
	literal->any = true;
	if (last(literal) == ' ')
		literal->len--;
	if (literal->len == 0 || last(literal) != '%')
		literal->text[literal->len++] = '%';
}

/* Blanks count only one by one and between proven characters. */
static void
add_character(Literal *literal, char c, bool any_case)
{
	bool		proven = is_proven(c) && !(any_case && pin_ascii_is_letter(c));

	if (proven || (c == ' ' && last(literal) != ' ' && last(literal) != '%'))
		literal->text[literal->len++] = c;
	else
		add_any(literal);
	literal->proven = literal->proven || proven;
}

static void
begin(Literal *literal, const char *text)
{
	memset(literal, 0, sizeof(*literal));
	literal->text = malloc(strlen(text) + 2);
}

/* Ends a literal; false if it says nothing. */
static bool
finish(Literal *literal)
{
	if (last(literal) == ' ')
		add_any(literal);
	literal->text[literal->len] = '\0';
	return literal->proven;
}

static void
add_literal(PinTextBuffer *out, const Literal *literal)
{
	pin_text_buffer_add(out, "'");
	pin_text_buffer_add(out, literal->text);
	pin_text_buffer_add(out, "'");
}

/* Out of memory: the buffer remembers it as it does its own. */
static bool
no_memory(PinTextBuffer *out)
{
	out->failed = true;
	return true;
}

static bool
add_condition(PinTextBuffer *out, const char *column, const char *operator, Literal *literal)
{
	bool		useful = finish(literal);

	if (useful)
	{
		pin_text_buffer_add(out, column);
		pin_text_buffer_add(out, operator);
		add_literal(out, literal);
	}
	free(literal->text);
	return useful;
}

static void
add_text(Literal *literal, const char *text)
{
	for (; *text != '\0'; text++)
		add_character(literal, *text, false);
}

bool
pin_filter_text(PinTextBuffer *out, const char *column, const char *text)
{
	Literal		literal;
	size_t		len = strlen(text);

	begin(&literal, text);
	if (literal.text == NULL)
		return no_memory(out);
	add_text(&literal, text);
	return add_condition(out, column,
						 literal.any || (len > 0 && text[len - 1] == ' ') ? " LIKE " : " = ",
						 &literal);
}

/* A text whose literal is the text itself. */
static bool
is_proven_text(const char *text)
{
	size_t		len = strlen(text);

	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == ' ' ? i == 0 || i == len - 1 || text[i - 1] == ' ' : !is_proven(text[i]))
			return false;
	}
	return len > 0;
}

bool
pin_filter_texts(PinTextBuffer *out, const char *column, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_proven_text(texts[i]))
			return false;
	if (count == 0)
		return false;
	pin_text_buffer_add(out, column);
	pin_text_buffer_add(out, " IN (");
	for (size_t i = 0; i < count; i++)
	{
		pin_text_buffer_add(out, i == 0 ? "'" : ", '");
		pin_text_buffer_add(out, texts[i]);
		pin_text_buffer_add(out, "'");
	}
	pin_text_buffer_add(out, ")");
	return true;
}

/*
 * A pattern that ends in a lone escape character is an error to PostgreSQL:
 * it shall be its own.
 */
bool
pin_filter_like(PinTextBuffer *out, const char *column, const char *pattern, bool any_case)
{
	Literal		literal;

	begin(&literal, pattern);
	if (literal.text == NULL)
		return no_memory(out);
	for (; *pattern != '\0'; pattern++)
	{
		if (*pattern == '%' || *pattern == '_')
		{
			add_any(&literal);
			continue;
		}
		if (*pattern == '\\' && *++pattern == '\0')
		{
			free(literal.text);
			return false;
		}
		add_character(&literal, *pattern, any_case);
	}
	return add_condition(out, column, " LIKE ", &literal);
}
