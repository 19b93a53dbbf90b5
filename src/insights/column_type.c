/*-------------------------------------------------------------------------
 *
 * column_type.c
 *		Which SQL type may hold a column that the catalogue does not know.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/column_type.h"

#include <stdbool.h>
#include <string.h>

#include "insights/ascii.h"
#include "insights/name_words.h"

/* Digits that surely fit a bigint. */
#define BIGINT_DIGITS 18

/* ---- by name ---- */

const char *
pin_type_from_name(const char *remote)
{
	PinNameWord words[PIN_NAME_WORDS_MAX];
	size_t		n = pin_name_words(remote, words);
	const PinNameWord *last = &words[n > 0 ? n - 1 : 0];

	if (n == 0)
		return "text";
	if (n > 1 && pin_name_word_is(&words[0], "Is"))
		return "boolean";
	if (pin_name_word_is(last, "Date") || (n == 1 && pin_name_word_is(last, "Month")))
		return "date";
	if (pin_name_word_is(last, "USD"))
		return "numeric";
	if (pin_name_word_is(last, "Count"))
		return "bigint";
	return "text";
}

/* Is it the name of something that is numbered, but not counted? */
static bool
names_a_key(const char *remote)
{
	static const char *const endings[] = {"Id", "Key", "Code", "Number"};
	PinNameWord words[PIN_NAME_WORDS_MAX];
	size_t		n = pin_name_words(remote, words);

	for (size_t i = 0; n > 0 && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (pin_name_word_is(&words[n - 1], endings[i]))
			return true;
	return false;
}

/* ---- by values ---- */

/*
 * Does text begin with that shape?  "9" stands for a digit, "x" for one of 16,
 * anything else for itself.  Moves behind it.
 */
static bool
take_shape(const char **text, const char *shape)
{
	const char *c = *text;

	for (; *shape; shape++, c++)
	{
		bool		digit = pin_ascii_is_digit(*c);
		char		small = pin_ascii_lower(*c);

		if (*shape == '9' ? !digit :
			*shape == 'x' ? !digit && !(small >= 'a' && small <= 'f') :
			*c != *shape)
			return false;
	}
	*text = c;
	return true;
}

/* How many digits text begins with; moves behind them. */
static size_t
take_digits(const char **text)
{
	size_t		n = 0;

	for (; pin_ascii_is_digit(**text); (*text)++)
		n++;
	return n;
}

static bool
is_uuid(const char *value)
{
	return take_shape(&value, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") && *value == '\0';
}

static bool
is_word_pair(const char *value)
{
	static const char *const words[] = {"True", "False", "Yes", "No", "Y", "N"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (pin_ascii_equal(value, words[i]))
			return true;
	return false;
}

static bool
is_bit(const char *value)
{
	return strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
}

/* 2026-03-01 or 3/1/2026. */
static bool
take_date(const char **value)
{
	const char *c = *value;

	if (take_shape(value, "9999-99-99"))
		return true;
	for (int i = 0; i < 2; i++)
	{
		size_t		digits = take_digits(&c);

		if (digits < 1 || digits > 2 || *c++ != '/')
			return false;
	}
	*value = c;
	return take_shape(value, "9999");
}

/* A time of day, or nothing at all; *midnight is cleared if it is another. */
static bool
take_time(const char **value, bool *midnight)
{
	const char *hour;
	size_t		digits;
	bool		twelve;

	if (**value == '\0')
		return true;
	if (**value != 'T' && **value != ' ')
		return false;
	hour = ++(*value);
	digits = take_digits(value);
	if (digits < 1 || digits > 2 || !take_shape(value, ":99"))
		return false;
	(void) take_shape(value, ":99");
	if (**value == '.')
	{
		(*value)++;
		if (take_digits(value) == 0)
			return false;
	}
	twelve = strncmp(hour, "12:", 3) == 0 && pin_ascii_equal_bytes(*value, " A", 2);
	for (const char *c = twelve ? hour + 3 : hour; c < *value; c++)
		if (*c >= '1' && *c <= '9')
			*midnight = false;
	if (pin_ascii_equal(*value, " AM") || pin_ascii_equal(*value, " PM"))
	{
		if (pin_ascii_equal(*value, " PM"))
			*midnight = false;
		*value += 3;
	}
	if (**value == 'Z')
		(*value)++;
	return true;
}

static bool
is_moment(const char *value, bool *midnight)
{
	return take_date(&value) && take_time(&value, midnight) && *value == '\0';
}

static bool
is_date(const char *value)
{
	bool		midnight = true;

	return is_moment(value, &midnight) && midnight;
}

static bool
is_timestamp(const char *value)
{
	bool		midnight;

	return is_moment(value, &midnight);
}

/* A whole number; moves behind it. */
static bool
take_whole(const char **value, size_t *digits)
{
	const char *c = *value;

	if (*c == '-')
		c++;
	*value = c;
	*digits = take_digits(value);
	return *digits > 0 && (*c != '0' || *digits == 1);
}

static bool
is_bigint(const char *value)
{
	size_t		digits;

	return take_whole(&value, &digits) && *value == '\0' && digits <= BIGINT_DIGITS;
}

static bool
is_numeric(const char *value)
{
	size_t		digits;

	if (!take_whole(&value, &digits))
		return false;
	if (*value == '.')
	{
		value++;
		if (take_digits(&value) == 0)
			return false;
	}
	if (*value == 'e' || *value == 'E')
	{
		value++;
		if (*value == '-' || *value == '+')
			value++;
		if (take_digits(&value) == 0)
			return false;
	}
	return *value == '\0';
}

/* Do all values that are not empty pass?  False if none is there. */
static bool
all_are(const char *const *values, size_t count, bool (*is) (const char *value))
{
	bool		any = false;

	for (size_t i = 0; i < count; i++)
	{
		if (values[i] == NULL || *values[i] == '\0')
			continue;
		if (!is(values[i]))
			return false;
		any = true;
	}
	return any;
}

static bool
is_anything(const char *value)
{
	return *value != '\0';
}

const char *
pin_type_from_values(const char *remote, const char *const *values, size_t count)
{
	const char *by_name = pin_type_from_name(remote);

	if (!all_are(values, count, is_anything))
		return by_name;
	if (all_are(values, count, is_uuid))
		return "uuid";
	if (all_are(values, count, is_word_pair) ||
		(strcmp(by_name, "boolean") == 0 && all_are(values, count, is_bit)))
		return "boolean";
	if (all_are(values, count, is_date))
		return "date";
	if (all_are(values, count, is_timestamp))
		return "timestamptz";
	if (names_a_key(remote))
		return "text";
	if (all_are(values, count, is_bigint))
		return strcmp(by_name, "numeric") == 0 ? by_name : "bigint";
	return all_are(values, count, is_numeric) ? "numeric" : "text";
}
