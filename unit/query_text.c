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
is_written(const PinQueryParts *parts, const char *expected)
{
	PinError	err;
	char	   *text = pin_query_text(parts, &err);

	is_str(text, expected, "%s", expected);
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	free(text);
}

/* The parts come in the one order there is, whichever of them there are. */
static void
test_clauses(void)
{
	static const char *const columns[] = {"A", "RevenueGenerated(USD)"};
	static const char *const filters[] = {
		"A > 1", "B LIKE 'x AND % WHERE y'", "C IN ('a, b', 'c')"
	};
	static const char *const order[] = {"RevenueGenerated(USD)", "A"};
	static const bool descending[] = {true, false};
	PinQueryParts parts = {.dataset = "X",.columns = columns,.ncolumns = 2};

	parts.distinct = true;
	is_written(&parts, "SELECT DISTINCT A, RevenueGenerated(USD) FROM X");
	parts.filters = filters;
	parts.nfilters = 1;
	is_written(&parts, "SELECT DISTINCT A, RevenueGenerated(USD) FROM X WHERE A > 1");
	parts.nfilters = 3;
	parts.distinct = false;
	is_written(&parts, "SELECT A, RevenueGenerated(USD) FROM X WHERE A > 1 AND "
			   "B LIKE 'x AND % WHERE y' AND C IN ('a, b', 'c')");
	parts.nfilters = 0;
	parts.order = order;
	parts.descending = descending;
	parts.norder = 2;
	is_written(&parts, "SELECT A, RevenueGenerated(USD) FROM X "
			   "ORDER BY RevenueGenerated(USD) DESC, A ASC");
	parts.norder = 0;
	parts.limit = 10;
	is_written(&parts, "SELECT A, RevenueGenerated(USD) FROM X LIMIT 10");
	parts.limit = 9223372036854775807;
	is_written(&parts, "SELECT A, RevenueGenerated(USD) FROM X LIMIT 9223372036854775807");
	parts.distinct = true;
	parts.nfilters = 1;
	parts.norder = 1;
	parts.limit = 1;
	parts.timespan = "LAST_MONTH";
	is_written(&parts, "SELECT DISTINCT A, RevenueGenerated(USD) FROM X WHERE A > 1 "
			   "ORDER BY RevenueGenerated(USD) DESC LIMIT 1 TIMESPAN LAST_MONTH");
}

/* A column to order by is a name like all others. */
static void
test_order_refused(void)
{
	static const char *const columns[] = {"A"};
	static const char *const bad[] = {"A DESC", "A, B", "LIMIT", "A'", "1"};
	static const bool descending[] = {false, false};

	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		const char *const order[] = {"A", bad[i]};
		PinQueryParts parts = {
			.dataset = "X",.columns = columns,.ncolumns = 1,
			.order = order,.descending = descending,.norder = 2
		};
		PinError	err;

		ok(pin_query_text(&parts, &err) == NULL, "no order by \"%s\"", bad[i]);
		is_int(err.kind, PIN_ERROR_UNKNOWN_COLUMN, "its kind");
		has_str(err.message, bad[i], "its message names it");
	}
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

/* Whether many conditions or few large ones. */
static void
test_long_filters(void)
{
	static char large[PIN_QUERY_TEXT_MAX];
	static const char *const columns[] = {"A"};
	static const char *filters[5000];
	PinQueryParts parts = {.dataset = "X",.columns = columns,.ncolumns = 1,.filters = filters};
	PinError	err;
	char	   *text;

	for (size_t i = 0; i < LENGTH(filters); i++)
		filters[i] = "Abcdef = 123456789";
	parts.nfilters = 1000;
	text = pin_query_text(&parts, &err);
	ok(text && strlen(text) > 20000, "a thousand conditions");
	free(text);
	parts.nfilters = LENGTH(filters);
	ok(pin_query_text(&parts, &err) == NULL, "five thousand are refused");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "its kind");
	has_str(err.message, "too long", "its message");

	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < 100; i++)
		filters[i] = large;
	parts.nfilters = 100;
	ok(pin_query_text(&parts, &err) == NULL, "so are large ones, more than a buffer holds");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "its kind");
	has_str(err.message, "too long", "its message");
}

/* The longest query goes out; one of a byte more does not. */
static void
test_longest(void)
{
	static char filter[PIN_QUERY_TEXT_MAX + 1];
	static const char *const columns[] = {"A"};
	static const char *const filters[] = {filter};
	size_t		rest = PIN_QUERY_TEXT_MAX - strlen("SELECT A FROM X WHERE ");
	PinQueryParts parts = {
		.dataset = "X",.columns = columns,.ncolumns = 1,.filters = filters,.nfilters = 1
	};
	PinError	err;
	char	   *text;

	memset(filter, 'x', rest);
	text = pin_query_text(&parts, &err);
	ok(text && strlen(text) == PIN_QUERY_TEXT_MAX, "the longest query");
	free(text);
	filter[rest] = 'x';
	ok(pin_query_text(&parts, &err) == NULL, "a byte more");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "its kind");
}

int
main(void)
{
	test_names();
	test_texts();
	test_injection();
	test_bounds();
	test_clauses();
	test_order_refused();
	test_long_filters();
	test_longest();
	return done_testing();
}
