/*-------------------------------------------------------------------------
 *
 * name_words.c
 *		The words a remote name is made of.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/name_words.h"

#include <string.h>

#include "insights/ascii.h"

/* Words with capitals or digits inside; each begins with a capital. */
static const char *const known_words[] = {
	"M365", "O365", "D365", "W365",
	"DevOps", "DevSecOps", "GitHub", "MySQL", "PostgreSQL", "TPid",
	"VMWare", "VMware"
};

#define KNOWN_WORDS (sizeof(known_words) / sizeof(known_words[0]))

static bool
is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_of_word(char c)
{
	return pin_ascii_is_letter(c) || pin_ascii_is_digit(c);
}

/* Length of the known word that text begins with, or 0. */
static size_t
known_word(const char *text)
{
	for (size_t i = 0; i < KNOWN_WORDS; i++)
	{
		size_t		len = strlen(known_words[i]);

		if (strncmp(text, known_words[i], len) == 0)
			return len;
	}
	return 0;
}

/* A small letter after a digit: only the ending of an ordinal stays. */
static bool
small_after_digit(const char *c)
{
	static const char *const endings[] = {"st", "nd", "rd", "th"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strncmp(c, endings[i], 2) == 0 && !is_small(c[2]))
			return false;
	return true;
}

/* Are the small letters from c on "with" or "without", behind a word? */
static bool
is_with(const char *word, const char *c)
{
	size_t		len = strncmp(c, "without", 7) == 0 ? 7 : 4;

	return c - word >= 3 && strncmp(c, "without", len) == 0 && !is_small(c[len]);
}

/* A capital after a digit: one alone stays with digits that began the word. */
static bool
capital_after_digit(const char *word, const char *c)
{
	if (!pin_ascii_is_digit(*word))
		return true;
	if (is_capital(c[1]))
		return !is_small(c[2]);
	return is_of_word(c[1]);
}

/* A capital after another. */
static bool
capital_after_capital(const char *word, const char *c)
{
	if (is_small(c[1]))
		return (c[1] != 's' || is_small(c[2])) && !is_with(word, c + 1);
	return c - word >= 3 && strncmp(c, "ID", 2) == 0 && !is_of_word(c[2]);
}

/* Does a word begin at c, inside what so far is one from word on? */
static bool
begins_word(const char *word, const char *c)
{
	char		before = c[-1];

	if (is_capital(*c))
	{
		if (is_small(before) || known_word(c) > 0)
			return true;
		return is_capital(before) ? capital_after_capital(word, c) :
			capital_after_digit(word, c);
	}
	if (is_small(*c))
	{
		if (pin_ascii_is_digit(before))
			return small_after_digit(c);
		return is_with(word, c);
	}
	return is_small(before);
}

/* Length of the word at the beginning of text, at least 1. */
static size_t
word_length(const char *text)
{
	size_t		len = known_word(text);

	if (len > 0)
		return len;
	for (len = 1; is_of_word(text[len]); len++)
		if (begins_word(text, text + len))
			break;
	return len;
}

size_t
pin_name_words(const char *name, PinNameWord words[PIN_NAME_WORDS_MAX])
{
	size_t		count = 0;

	while (*name && count < PIN_NAME_WORDS_MAX)
	{
		if (!is_of_word(*name))
		{
			name++;
			continue;
		}
		words[count].start = name;
		words[count].len = word_length(name);
		name += words[count].len;
		count++;
	}
	return count;
}

bool
pin_name_word_is(const PinNameWord *word, const char *text)
{
	return strlen(text) == word->len &&
		pin_ascii_equal_bytes(word->start, text, word->len);
}
