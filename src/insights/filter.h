/*-------------------------------------------------------------------------
 *
 * filter.h
 *		Conditions of a report query, written so that they can be trusted.
 *
 * What the service does with a quote, a backslash, a letter outside of ASCII
 * or a blank at the end of a literal is not documented.  A literal therefore
 * holds proven characters only: letters, digits, _ - . : / @ + & , which the
 * service's own examples or its grammar have, and single blanks between them.
 * Where a text has others, % of LIKE stands for them: that finds more rows,
 * never fewer, and whoever asks looks at the rows once more anyway.
 *
 * All functions add one condition, "Name = 'value'", to a text.  They return
 * false, and add nothing, where no condition can be written that surely finds
 * all rows.  Column names must be those that pin_query_name_ok accepts.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_FILTER_H
#define PIN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "insights/text_buffer.h"

typedef enum PinFilterOp
{
	PIN_FILTER_EQUAL,
	PIN_FILTER_UNEQUAL,
	PIN_FILTER_LESS,
	PIN_FILTER_LESS_EQUAL,
	PIN_FILTER_GREATER,
	PIN_FILTER_GREATER_EQUAL
} PinFilterOp;

/* "A > -1.5"; number: digits, perhaps a sign before and a fraction behind. */
extern bool pin_filter_number(PinTextBuffer *out, const char *column, PinFilterOp op,
							  const char *number);

/* "A IN (1, 2)", or NOT IN.  False for an empty list, too. */
extern bool pin_filter_numbers(PinTextBuffer *out, const char *column, bool in,
							   const char *const *numbers, size_t count);

/*
 * "A >= '2026-03-01'", the one form of a date that examples have.  False for a
 * day there is not, and for years outside of 1 to 9999.
 */
extern bool pin_filter_date(PinTextBuffer *out, const char *column, PinFilterOp op,
							int year, int month, int day);

/* "A = 'text'", or with LIKE where the text has unproven characters. */
extern bool pin_filter_text(PinTextBuffer *out, const char *column, const char *text);

/* "A IN ('a', 'b')": false if any of the texts has an unproven character. */
extern bool pin_filter_texts(PinTextBuffer *out, const char *column,
							 const char *const *texts, size_t count);

/*
 * "A LIKE 'a%'" for a pattern of PostgreSQL's LIKE, with its escapes.  As _ may
 * or may not be special to the service, % stands for it.  any_case: for ILIKE,
 * where % stands for each letter, since the service may mind case.
 */
extern bool pin_filter_like(PinTextBuffer *out, const char *column, const char *pattern,
							bool any_case);

#endif							/* PIN_FILTER_H */
