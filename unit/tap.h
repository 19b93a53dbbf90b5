/*-------------------------------------------------------------------------
 *
 * tap.h
 *		Just enough TAP for a unit test that is one plain C program.
 *
 * Each test is a program of its own: include this, call ok() and friends from
 * main(), and end with "return done_testing();".  The plan is printed last, so
 * a program that dies half way is a failure for every TAP reader.
 *
 * All of them return whether the test passed, and take a printf-like name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int	tap_run;			/* tests run so far */
static int	tap_failed;			/* tests of them that failed */

#define TAP_FORMAT(fmt, first) \
	__attribute__((unused, format(printf, fmt, first)))

static void diag(const char *fmt,...) TAP_FORMAT(1, 2);
static bool ok(bool cond, const char *fmt,...) TAP_FORMAT(2, 3);
static bool is_str(const char *got, const char *expected,
				   const char *fmt,...) TAP_FORMAT(3, 4);
static bool is_int(int64_t got, int64_t expected,
				   const char *fmt,...) TAP_FORMAT(3, 4);
static bool has_str(const char *haystack, const char *needle,
					const char *fmt,...) TAP_FORMAT(3, 4);
static bool tap_result(bool passed, const char *fmt,
					   va_list args) TAP_FORMAT(2, 0);

/* Prints a remark for the reader of the log. */
static void
diag(const char *fmt,...)
{
	va_list		args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static bool
tap_result(bool passed, const char *fmt, va_list args)
{
	tap_run++;
	if (!passed)
		tap_failed++;
	printf("%sok %d - ", passed ? "" : "not ", tap_run);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
	return passed;
}

/* Passes if cond holds. */
static bool
ok(bool cond, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	tap_result(cond, fmt, args);
	va_end(args);
	return cond;
}

/* Passes if both strings are equal, or both NULL. */
static bool
is_str(const char *got, const char *expected, const char *fmt,...)
{
	bool		passed;
	va_list		args;

	passed = got && expected ? strcmp(got, expected) == 0 : got == expected;
	va_start(args, fmt);
	tap_result(passed, fmt, args);
	va_end(args);
	if (!passed)
	{
		diag("     got: %s", got ? got : "(null)");
		diag("expected: %s", expected ? expected : "(null)");
	}
	return passed;
}

/* Passes if both integers are equal. */
static bool
is_int(int64_t got, int64_t expected, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	tap_result(got == expected, fmt, args);
	va_end(args);
	if (got != expected)
	{
		diag("     got: %" PRId64, got);
		diag("expected: %" PRId64, expected);
	}
	return got == expected;
}

/* Passes if haystack contains needle. */
static bool
has_str(const char *haystack, const char *needle, const char *fmt,...)
{
	bool		passed = haystack && strstr(haystack, needle);
	va_list		args;

	va_start(args, fmt);
	tap_result(passed, fmt, args);
	va_end(args);
	if (!passed)
	{
		diag("     got: %s", haystack ? haystack : "(null)");
		diag("it lacks: %s", needle);
	}
	return passed;
}

/* Prints the plan.  Returns the program's exit status. */
static int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	if (tap_failed > 0)
		diag("%d of %d failed", tap_failed, tap_run);
	fflush(stdout);
	return tap_failed == 0 && tap_run > 0 ? 0 : 1;
}

#endif							/* UNIT_TAP_H */
