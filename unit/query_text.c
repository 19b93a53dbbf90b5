/*-------------------------------------------------------------------------
 *
 * query_text.c
 *		Unit test of src/insights/query_text.c.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/query_text.h"
#include "tap.h"

#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void
test_names(void)
{
	static const char *const good[] = {
		"Month", "PGA_MPNId", "RevenueGenerated(USD)", "a", "_x", "Sku2",
		"EstimatedExtendedCharge(CC)", "Selected", "Inn", "ORDERS", "LAST_3_MONTHS",
	};
	static const char *const bad[] = {
		"", " ", "a b", "a,b", "a;", "a'", "a\"", "a--", "a/*", "*", "1a", "a.b",
		"a=1", "a\n", "a\t", "a)", "(a)", "a(", "a()", "a(b", "a(b)c", "a(b)(c)",
		"a((b))", "a(b c)", "a(SELECT b)", "()", "\xC3\xA4", "a\xC2\xA0", "a%",
		"select", "FROM", "Where", "timespan", "LIMIT", "order", "by", "in",
	};
	char		longest[PIN_QUERY_NAME_MAX + 2];

	for (size_t i = 0; i < LENGTH(good); i++)
		ok(pin_query_name_ok(good[i]), "\"%s\" is a name", good[i]);
	for (size_t i = 0; i < LENGTH(bad); i++)
		ok(!pin_query_name_ok(bad[i]), "case %zu is no name", i);

	memset(longest, 'a', sizeof(longest));
	longest[PIN_QUERY_NAME_MAX] = '\0';
	ok(pin_query_name_ok(longest), "the longest name");
	longest[PIN_QUERY_NAME_MAX] = 'a';
	longest[PIN_QUERY_NAME_MAX + 1] = '\0';
	ok(!pin_query_name_ok(longest), "one letter more");
}

static void
is_query(const char *dataset, const char *const *columns, size_t n,
		 const char *timespan, const char *expected)
{
	PinQueryParts parts = {
		.dataset = dataset,.columns = columns,.ncolumns = n,.timespan = timespan
	};
	PinError	err;
	char	   *text = pin_query_text(&parts, &err);

	is_str(text, expected, "%s", expected);
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	free(text);
}

static void
test_texts(void)
{
	static const char *const columns[] = {
		"Month", "CustomerName", "RevenueGenerated(USD)", "month", "Month"
	};

	is_query("AzureUsage", columns, 1, NULL, "SELECT Month FROM AzureUsage");
	is_query("AzureUsage", columns, 3, "LAST_MONTH",
			 "SELECT Month, CustomerName, RevenueGenerated(USD) FROM AzureUsage TIMESPAN LAST_MONTH");
	is_query("AzureUsage", columns, 5, "LIFETIME",
			 "SELECT Month, CustomerName, RevenueGenerated(USD) FROM AzureUsage TIMESPAN LIFETIME");
}

static void
refused(const char *dataset, const char *column, const char *timespan,
		PinErrorKind kind, const char *named)
{
	const char *const columns[] = {"Month", column};
	PinQueryParts parts = {
		.dataset = dataset,.columns = columns,.ncolumns = 2,.timespan = timespan
	};
	PinError	err;
	char	   *text = pin_query_text(&parts, &err);

	ok(text == NULL, "refused because of \"%s\"", named);
	is_int(err.kind, kind, "its kind");
	has_str(err.message, named, "its message names it");
	free(text);
}

static void
test_injection(void)
{
	char		monster[5000];

	refused("AzureUsage", "A FROM Profile", NULL, PIN_ERROR_UNKNOWN_COLUMN, "A FROM Profile");
	refused("AzureUsage", "A, B", NULL, PIN_ERROR_UNKNOWN_COLUMN, "A, B");
	refused("AzureUsage", "A' OR 'a'='a", NULL, PIN_ERROR_UNKNOWN_COLUMN, "OR");
	refused("AzureUsage", "FROM", NULL, PIN_ERROR_UNKNOWN_COLUMN, "FROM");
	refused("AzureUsage", "", NULL, PIN_ERROR_UNKNOWN_COLUMN, "\"\"");
	refused("AzureUsage WHERE a=1", "A", NULL, PIN_ERROR_UNKNOWN_DATASET, "AzureUsage WHERE a=1");
	refused("AzureUsage", "A", "LAST_MONTH LIMIT 1", PIN_ERROR_BAD_REQUEST, "LAST_MONTH LIMIT 1");
	refused("AzureUsage", "A\nB", NULL, PIN_ERROR_UNKNOWN_COLUMN, "A B");
	refused("AzureUsage", "\x1B[2J", NULL, PIN_ERROR_UNKNOWN_COLUMN, "[2J");

	memset(monster, 'x', sizeof(monster));
	monster[sizeof(monster) - 1] = '\0';
	refused("AzureUsage", monster, NULL, PIN_ERROR_UNKNOWN_COLUMN, "xxxxxxxx");
}

static void
test_bounds(void)
{
	static char names[3000][40];
	static const char *columns[3000];
	PinQueryParts parts = {.dataset = "X",.columns = columns,.ncolumns = 1600};
	PinError	err;
	char	   *text;

	for (int i = 0; i < 3000; i++)
	{
		snprintf(names[i], sizeof(names[i]), "AColumnWithARatherLongName_%06d", i);
		columns[i] = names[i];
	}
	text = pin_query_text(&parts, &err);
	ok(text != NULL && strlen(text) > 50000, "as many columns as a table can have");
	has_str(text, "000000, ", "from the first");
	has_str(text, "_001599 FROM X", "to the last");
	free(text);

	parts.ncolumns = 3000;
	ok(pin_query_text(&parts, &err) == NULL, "a query too long is refused");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "its kind");
	has_str(err.message, "too long", "its message");
	parts.ncolumns = 0;
	ok(pin_query_text(&parts, &err) == NULL, "no columns are refused");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "its kind");
}

int
main(void)
{
	test_names();
	test_texts();
	test_injection();
	test_bounds();
	return done_testing();
}
