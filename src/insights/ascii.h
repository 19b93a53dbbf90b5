/*-------------------------------------------------------------------------
 *
 * ascii.h
 *		Letters without case, whatever the locale.
 *
 * A backend runs under the locale of its database, and under a Turkish one
 * the C library does not find "ID" and "id" alike.  Protocol words are ASCII,
 * so they are compared as ASCII.
 *
 * Plain C; nothing here fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ASCII_H
#define PIN_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char
pin_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

extern bool pin_ascii_is_blank(char c); /* blank, tab, line end */
extern bool pin_ascii_is_digit(char c);
extern bool pin_ascii_is_letter(char c);

/* True if the texts are the same without case. */
extern bool pin_ascii_equal(const char *a, const char *b);
extern bool pin_ascii_equal_bytes(const char *a, const char *b, size_t len);

/* The same, not minding blanks around either text. */
extern bool pin_ascii_equal_trimmed(const char *a, const char *b);

/* Where needle first occurs in haystack, without case; NULL if nowhere. */
extern const char *pin_ascii_find(const char *haystack, const char *needle);

/* True if text starts with prefix, without case. */
extern bool pin_ascii_starts(const char *text, const char *prefix);

#endif							/* PIN_ASCII_H */
