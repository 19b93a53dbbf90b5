/*-------------------------------------------------------------------------
 *
 * ascii.c
 *		Letters without case, whatever the locale.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* strnlen */
#include "insights/ascii.h"

#include <string.h>

bool
pin_ascii_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
pin_ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
pin_ascii_is_letter(char c)
{
	c = pin_ascii_lower(c);
	return c >= 'a' && c <= 'z';
}

bool
pin_ascii_equal_bytes(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (pin_ascii_lower(a[i]) != pin_ascii_lower(b[i]))
			return false;
	return true;
}

bool
pin_ascii_equal(const char *a, const char *b)
{
	while (*a != '\0' && pin_ascii_lower(*a) == pin_ascii_lower(*b))
	{
		a++;
		b++;
	}
	return *a == *b;
}

/* Skips blanks before the text; returns the length without those after it. */
static size_t
trim(const char **text)
{
	size_t		len;

	while (pin_ascii_is_blank(**text))
		(*text)++;
	len = strlen(*text);
	while (len > 0 && pin_ascii_is_blank((*text)[len - 1]))
		len--;
	return len;
}

bool
pin_ascii_equal_trimmed(const char *a, const char *b)
{
	size_t		len = trim(&a);

	return trim(&b) == len && pin_ascii_equal_bytes(a, b, len);
}

bool
pin_ascii_starts(const char *text, const char *prefix)
{
	size_t		len = strlen(prefix);

	return strnlen(text, len) == len && pin_ascii_equal_bytes(text, prefix, len);
}

const char *
pin_ascii_find(const char *haystack, const char *needle)
{
	for (; *haystack; haystack++)
		if (pin_ascii_starts(haystack, needle))
			return haystack;
	return NULL;
}
