/*
 * engine_functions.c
 *		Collations and functions for SQLite.
 *
 * Case is folded by C.UTF-8's towlower, so that "ÅRHUS" equals "århus"; where
 * that locale is missing only ASCII is folded.
 */
#define _GNU_SOURCE
#include "engine_functions.h"

#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wctype.h>

#include "decimal.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t utf8_locale;	/* 0 where there is none; lives for ever */

static void
open_locale(void)
{
	utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
}

static unsigned
fold(unsigned c)
{
	if (c < 128)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	return utf8_locale ? (unsigned) towlower_l((wint_t) c, utf8_locale) : c;
}

/* Cuts one character off; a byte that is no UTF-8 stands for itself. */
static unsigned
next_character(const unsigned char **p, const unsigned char *end)
{
	const unsigned char *s = *p;
	int			more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
	unsigned	c = more == 0 ? s[0] : s[0] & (0x3fu >> more);

	if (end - s <= more)
		more = 0;
	for (int i = 1; i <= more; i++)
		c = c << 6 | (s[i] & 0x3fu);
	*p = s + 1 + more;
	return c;
}

static int
compare_nocase(void *unused, int alength, const void *a, int blength, const void *b)
{
	const unsigned char *p = a;
	const unsigned char *q = b;
	const unsigned char *pend = p + alength;
	const unsigned char *qend = q + blength;

	(void) unused;
	while (p < pend && q < qend)
	{
		unsigned	c = fold(next_character(&p, pend));
		unsigned	d = fold(next_character(&q, qend));

		if (c != d)
			return c < d ? -1 : 1;
	}
	return (p < pend) - (q < qend);
}

static int
compare_decimal(void *unused, int alength, const void *a, int blength, const void *b)
{
	(void) unused;
	return emu_decimal_compare(a, (size_t) alength, b, (size_t) blength);
}

/*
 * Matches with % (any run) and, if asked, _ (any one character).  Only the
 * last % seen is ever retried: an earlier one has matched all it must.
 */
static bool
like(const unsigned char *text, const unsigned char *end,
	 const unsigned char *pattern, const unsigned char *pattern_end,
	 bool folded, bool underscore)
{
	const unsigned char *retry_text = NULL;
	const unsigned char *retry_pattern = NULL;

	while (text < end)
	{
		if (pattern < pattern_end && *pattern == '%')
		{
			retry_pattern = ++pattern;
			retry_text = text;
			continue;
		}
		if (pattern < pattern_end)
		{
			bool		any = underscore && *pattern == '_';
			unsigned	wanted = next_character(&pattern, pattern_end);
			unsigned	c = next_character(&text, end);

			if (any || (folded ? fold(wanted) == fold(c) : wanted == c))
				continue;
		}
		if (retry_pattern == NULL)
			return false;
		next_character(&retry_text, end);
		text = retry_text;
		pattern = retry_pattern;
	}
	while (pattern < pattern_end && *pattern == '%')
		pattern++;
	return pattern == pattern_end;
}

static void
like_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const unsigned char *text = sqlite3_value_text(argv[0]);
	const unsigned char *pattern = sqlite3_value_text(argv[1]);

	(void) argc;
	if (text && pattern)
		sqlite3_result_int(context,
						   like(text, text + sqlite3_value_bytes(argv[0]),
								pattern, pattern + sqlite3_value_bytes(argv[1]),
								sqlite3_value_int(argv[2]), sqlite3_value_int(argv[3])));
}

static void
us_date_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const char *text = (const char *) sqlite3_value_text(argv[0]);
	int			year;
	int			month;
	int			day;
	int			time[3] = {0, 0, 0};
	char		out[64];

	(void) argc;
	if (text == NULL ||
		sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day,
			   &time[0], &time[1], &time[2]) < 3)
		return;
	snprintf(out, sizeof(out), "%d/%d/%d %d:%02d:%02d %s", month, day, year,
			 time[0] % 12 == 0 ? 12 : time[0] % 12, time[1], time[2],
			 time[0] < 12 ? "AM" : "PM");
	sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
}

typedef struct Sum
{
	bool		any;			/* a number was added */
	char		value[sizeof(EmuDecimal)];	/* SQLite aligns to 8 only */
} Sum;

static void
sum_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	Sum		   *sum = sqlite3_aggregate_context(context, sizeof(Sum));
	const char *text = (const char *) sqlite3_value_text(argv[0]);
	EmuDecimal	value;

	(void) argc;
	if (sum == NULL || text == NULL)
		return;
	memcpy(&value, sum->value, sizeof(value));
	value += emu_decimal_read(text, (size_t) sqlite3_value_bytes(argv[0]));
	memcpy(sum->value, &value, sizeof(value));
	sum->any = true;
}

static void
sum_final(sqlite3_context *context)
{
	Sum		   *sum = sqlite3_aggregate_context(context, 0);
	EmuDecimal	value;
	char		text[EMU_DECIMAL_MAX];
	int			length;

	if (sum == NULL || !sum->any)
		return;
	memcpy(&value, sum->value, sizeof(value));
	length = emu_decimal_print(value, EMU_DECIMAL_SCALE, text);
	sqlite3_result_text(context, text, length, SQLITE_TRANSIENT);
}

int
emu_functions_register(sqlite3 *db)
{
	const int	flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
	int			rc;

	pthread_once(&once, open_locale);
	rc = sqlite3_create_collation(db, "emu_nocase", SQLITE_UTF8, NULL, compare_nocase);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_collation(db, "emu_decimal", SQLITE_UTF8, NULL, compare_decimal);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "emu_sum", 1, flags, NULL, NULL, sum_step, sum_final);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "emu_like", 4, flags, NULL, like_function, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "emu_us_date", 1, flags, NULL, us_date_function, NULL, NULL);
	return rc;
}
