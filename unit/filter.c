/*-------------------------------------------------------------------------
 *
 * filter.c
 *		Unit test of src/insights/filter.c.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/filter.h"
#include "tap.h"

#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Every condition is added to a text that holds this already. */
#define BEFORE "X WHERE "

static PinTextBuffer
begin(void)
{
	PinTextBuffer out;

	pin_text_buffer_init(&out);
	pin_text_buffer_add(&out, BEFORE);
	return out;
}

/* A value as a test's name, where # and line ends mean something. */
static const char *
printable(const char *value)
{
	static char name[64];
	size_t		len = 0;

	for (; *value && len < sizeof(name) - 1; value++)
		name[len++] = *value > ' ' && *value < 0x7F && *value != '#' ? *value : ' ';
	name[len] = '\0';
	return name;
}

/* The condition is the expected one; NULL: there is none, and nothing was added. */
static void
is_condition(PinTextBuffer *out, bool written, const char *expected, const char *name)
{
	char	   *text = pin_text_buffer_take(out, NULL);
	size_t		before = strlen(BEFORE);

	ok(written == (expected != NULL), "%s: %s", name, expected ? "written" : "not written");
	ok(text && strncmp(text, BEFORE, before) == 0, "%s: behind what was there", name);
	is_str(text ? text + before : NULL, expected ? expected : "", "%s: the text", name);
	free(text);
}

/* ---- numbers and dates ---- */

static void
number(const char *value, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_number(&out, "A", PIN_FILTER_EQUAL, value);

	is_condition(&out, written, expected, printable(value));
}

static void
test_numbers(void)
{
	static const char *const bad[] = {
		"", "-", "+1", "--1", "- 1", " 1", "1 ", "1.", ".5", "-.5", "1.2.3", "1e5", "1E-5",
		"0x10", "1,000", "1_000", "NaN", "Infinity", "-Infinity", "1'", "1 OR 1=1", "1)", "1;",
		"1\n", "\xD9\xA1", "1\xC2\xA0"
	};

	number("0", "A = 0");
	number("-1", "A = -1");
	number("1.5", "A = 1.5");
	number("-0.0", "A = -0.0");
	number("00012", "A = 00012");
	number("9223372036854775807", "A = 9223372036854775807");
	number("123456789012345678901234567890.123456789012345678901234567890",
		   "A = 123456789012345678901234567890.123456789012345678901234567890");
	for (size_t i = 0; i < LENGTH(bad); i++)
		number(bad[i], NULL);
}

static void
test_operators(void)
{
	static const struct
	{
		PinFilterOp op;
		const char *number;
		const char *date;
	}			cases[] = {
		{PIN_FILTER_EQUAL, "A = 1", "A = '2026-03-01'"},
		{PIN_FILTER_UNEQUAL, "A != 1", "A != '2026-03-01'"},
		{PIN_FILTER_LESS, "A < 1", "A < '2026-03-01'"},
		{PIN_FILTER_LESS_EQUAL, "A <= 1", "A <= '2026-03-01'"},
		{PIN_FILTER_GREATER, "A > 1", "A > '2026-03-01'"},
		{PIN_FILTER_GREATER_EQUAL, "A >= 1", "A >= '2026-03-01'"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		PinTextBuffer numbers = begin();
		PinTextBuffer dates = begin();
		bool		written = pin_filter_number(&numbers, "A", cases[i].op, "1");

		is_condition(&numbers, written, cases[i].number, "an operator and a number");
		written = pin_filter_date(&dates, "A", cases[i].op, 2026, 3, 1);
		is_condition(&dates, written, cases[i].date, "and a date");
	}
}

static void
number_list(bool in, const char *const *values, size_t count, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_numbers(&out, "A(USD)", in, values, count);

	is_condition(&out, written, expected, "a list of numbers");
}

static void
test_number_lists(void)
{
	static const char *const values[] = {"1", "-2.5", "1", "x", "3"};

	number_list(true, values, 1, "A(USD) IN (1)");
	number_list(true, values, 3, "A(USD) IN (1, -2.5, 1)");
	number_list(false, values, 2, "A(USD) NOT IN (1, -2.5)");
	number_list(true, values, 0, NULL);
	number_list(false, values, 0, NULL);
	number_list(true, values, 4, NULL);
	number_list(false, values + 3, 2, NULL);
}

static void
date(int year, int month, int day, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_date(&out, "D", PIN_FILTER_GREATER_EQUAL, year, month, day);
	char		name[60];

	snprintf(name, sizeof(name), "%d-%d-%d", year, month, day);
	is_condition(&out, written, expected, name);
}

static void
test_dates(void)
{
	date(2026, 3, 1, "D >= '2026-03-01'");
	date(1, 1, 1, "D >= '0001-01-01'");
	date(9999, 12, 31, "D >= '9999-12-31'");
	date(2024, 2, 29, "D >= '2024-02-29'");
	date(2000, 2, 29, "D >= '2000-02-29'");
	date(2026, 2, 29, NULL);
	date(1900, 2, 29, NULL);
	date(2026, 4, 31, NULL);
	date(2026, 1, 32, NULL);
	date(2026, 1, 0, NULL);
	date(2026, 1, -1, NULL);
	date(2026, 0, 1, NULL);
	date(2026, 13, 1, NULL);
	date(2026, 123, 1, NULL);
	date(0, 1, 1, NULL);
	date(-43, 3, 15, NULL);
	date(10000, 1, 1, NULL);
	date(-2147483647 - 1, 2147483647, -2147483647 - 1, NULL);
}

/* ---- texts ---- */

static void
text(const char *value, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_text(&out, "A", value);

	is_condition(&out, written, expected, printable(value));
}

static void
test_texts(void)
{
	text("Contoso", "A = 'Contoso'");
	text("a", "A = 'a'");
	text("0f8b7fa0-1c2d", "A = '0f8b7fa0-1c2d'");
	text("a_b-c.d:e/f@g+h&i,j", "A = 'a_b-c.d:e/f@g+h&i,j'");
	text("United States", "A = 'United States'");
	text("a b c", "A = 'a b c'");
	text("x AND A = 1", "A LIKE 'x AND A%1'");
	text("a, b", "A = 'a, b'");
	text("NULL", "A = 'NULL'");
}

/* Where blanks are not between two others they stand for nothing. */
static void
test_blanks(void)
{
	text(" a", "A LIKE '%a'");
	text("  a", "A LIKE '%a'");
	text("a ", "A LIKE 'a%'");
	text("a  ", "A LIKE 'a%'");
	text("a  b", "A LIKE 'a%b'");
	text("a   b", "A LIKE 'a%b'");
	text("a b ", "A LIKE 'a b%'");
	text(" a b", "A LIKE '%a b'");
	text("a 'b", "A LIKE 'a%b'");
	text("a' b", "A LIKE 'a%b'");
	text("a\tb\nc", "A LIKE 'a%b%c'");
	text(" ", NULL);
	text("  ", NULL);
	text("' '", NULL);
}

static void
test_unproven(void)
{
	static const char unproven[] = "'\"\\%;()[]{}<>=!?*#$^~`|\x01\x1F\x7F\n\r\t";

	text("O'Neill", "A LIKE 'O%Neill'");
	text("' OR 'a' = 'a", "A LIKE '%OR%a%a'");
	text("100%", "A LIKE '100%'");
	text("%", NULL);
	text("a\\", "A LIKE 'a%'");
	text("\\", NULL);
	text("M\xC3\xBCller", "A LIKE 'M%ller'");
	text("\xC3\xA4\xC3\xB6", NULL);
	text("\xE2\x82\xAC 5", "A LIKE '%5'");
	text("5\xC2\xA0", "A LIKE '5%'");
	text("", NULL);
	text("'''", NULL);
	text("_", "A = '_'");
	for (const char *c = unproven; *c; c++)
	{
		char		value[] = {'a', *c, 'b', '\0'};

		text(value, "A LIKE 'a%b'");
	}
}

static void
text_list(const char *const *values, size_t count, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_texts(&out, "A", values, count);

	is_condition(&out, written, expected, "a list of texts");
}

static void
test_text_lists(void)
{
	static const char *const good[] = {"a", "b c", "d, e", "(f"};
	static const char *const bad[] = {
		"", " ", " a", "a ", "a  b", "%", "a%", "O'Neill", "a\\", "\xC3\xA4", "a\n", "a)"
	};

	text_list(good, 1, "A IN ('a')");
	text_list(good, 3, "A IN ('a', 'b c', 'd, e')");
	text_list(good, 4, NULL);
	text_list(good, 0, NULL);
	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		const char *const last[] = {"a", bad[i]};
		const char *const first[] = {bad[i], "a"};

		text_list(last, 2, NULL);
		text_list(first, 2, NULL);
	}
}

/* ---- patterns ---- */

static void
like(const char *pattern, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_like(&out, "A", pattern, false);

	is_condition(&out, written, expected, printable(pattern));
}

static void
ilike(const char *pattern, const char *expected)
{
	PinTextBuffer out = begin();
	bool		written = pin_filter_like(&out, "A", pattern, true);

	is_condition(&out, written, expected, printable(pattern));
}

static void
test_patterns(void)
{
	like("Con%", "A LIKE 'Con%'");
	like("%toso", "A LIKE '%toso'");
	like("%o%o%", "A LIKE '%o%o%'");
	like("a%%%b", "A LIKE 'a%b'");
	like("a_b", "A LIKE 'a%b'");
	like("a__", "A LIKE 'a%'");
	like("_%_", NULL);
	like("%", NULL);
	like("_", NULL);
	like("", NULL);
	like("exactly this", "A LIKE 'exactly this'");
	like("O'N%", "A LIKE 'O%N%'");
	like("M\xC3\xBC%", "A LIKE 'M%'");
	like("a[bc]", "A LIKE 'a%bc%'");
}

static void
test_pattern_blanks(void)
{
	like("a b%", "A LIKE 'a b%'");
	like("a %", "A LIKE 'a%'");
	like("% a", "A LIKE '%a'");
	like("a _ b", "A LIKE 'a%b'");
	like(" a ", "A LIKE '%a%'");
	like("a  b", "A LIKE 'a%b'");
	like(" %", NULL);
}

static void
test_escapes(void)
{
	like("100\\%", "A LIKE '100%'");
	like("a\\_b", "A LIKE 'a_b'");
	like("a\\_b_", "A LIKE 'a_b%'");
	like("a\\\\b", "A LIKE 'a%b'");
	like("\\a\\b", "A LIKE 'ab'");
	like("a\\ b", "A LIKE 'a b'");
	like("a\\'b", "A LIKE 'a%b'");
	like("\\\xC3\xA4z", "A LIKE '%z'");
	like("a\\\\", "A LIKE 'a%'");
	like("\\%", NULL);
	like("a\\", NULL);
	like("a\\\\\\", NULL);
	like("\\", NULL);
	ilike("1\\", NULL);
}

static void
test_any_case(void)
{
	ilike("abc", NULL);
	ilike("A%z", NULL);
	ilike("2026-Q%", "A LIKE '2026-%'");
	ilike("a1b2", "A LIKE '%1%2'");
	ilike("1 a 2", "A LIKE '1%2'");
	ilike("1 2", "A LIKE '1 2'");
	ilike("a\\_b", "A LIKE '%_%'");
	ilike("\\a1", "A LIKE '%1'");
	ilike("\xC3\xA4-", "A LIKE '%-'");
}

/* ---- very long ones ---- */

static void
test_long(void)
{
	size_t		size = PIN_TEXT_BUFFER_MAX + 10;
	char	   *value = malloc(size);
	PinTextBuffer out = begin();
	bool		written;
	char	   *result;
	size_t		len = 0;

	if (!ok(value != NULL, "memory"))
		return;
	memset(value, 'a', size);
	value[100000] = '\0';
	written = pin_filter_text(&out, "A", value);
	result = pin_text_buffer_take(&out, &len);
	ok(written && result && len == strlen(BEFORE "A = ''") + 100000, "a long text");
	free(result);

	memset(value, '%', 100000);
	value[99999] = 'b';
	out = begin();
	written = pin_filter_like(&out, "A", value, false);
	is_condition(&out, written, "A LIKE '%b'", "a long pattern");

	memset(value, 'a', size);
	value[size - 1] = '\0';
	out = begin();
	ok(pin_filter_text(&out, "A", value), "a text longer than a buffer can be");
	ok(pin_text_buffer_take(&out, NULL) == NULL, "makes the buffer fail");
	free(value);
}

int
main(void)
{
	test_numbers();
	test_operators();
	test_number_lists();
	test_dates();
	test_texts();
	test_blanks();
	test_unproven();
	test_text_lists();
	test_patterns();
	test_pattern_blanks();
	test_escapes();
	test_any_case();
	test_long();
	return done_testing();
}
