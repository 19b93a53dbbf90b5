/*
 * query_contains.c
 *		Tests of what one report's rows can stand for.
 */
#include "insights/query_contains.h"
#include "tap.h"

#define HAVE "SELECT Month, CustomerName, TotalACR FROM AzureUsage TIMESPAN LIFETIME"

static void
columns(void)
{
	ok(pin_query_contains(HAVE, HAVE, false), "a query contains itself");
	ok(pin_query_contains(HAVE, "SELECT Month FROM AzureUsage TIMESPAN LIFETIME", false),
	   "fewer columns are contained");
	ok(pin_query_contains(HAVE, "SELECT totalacr, MONTH FROM azureusage TIMESPAN lifetime", false),
	   "in another order and case, too");
	ok(!pin_query_contains(HAVE, "SELECT Month, Sku FROM AzureUsage TIMESPAN LIFETIME", false),
	   "a column it does not have is not contained");
	ok(!pin_query_contains(HAVE, "SELECT Mont FROM AzureUsage TIMESPAN LIFETIME", false),
	   "a beginning of a name is not the name");
	ok(!pin_query_contains("SELECT A(USD) FROM X", "SELECT A FROM X", false),
	   "nor is a name without its suffix");
}

static void
metrics(void)
{
	ok(!pin_query_contains(HAVE, "SELECT Month, TotalACR FROM AzureUsage TIMESPAN LIFETIME", true),
	   "with metrics fewer columns are another grouping");
	ok(!pin_query_contains(HAVE, "SELECT Month, CustomerName FROM AzureUsage TIMESPAN LIFETIME", true),
	   "also if it is the metric that is left out");
	ok(pin_query_contains(HAVE, "SELECT TotalACR, CustomerName, Month FROM AzureUsage TIMESPAN LIFETIME", true),
	   "the same columns in another order are the same grouping");
}

static void
windows(void)
{
	ok(!pin_query_contains(HAVE, "SELECT Month FROM AzureUsage TIMESPAN LAST_MONTH", false),
	   "another timespan is not contained");
	ok(!pin_query_contains(HAVE, "SELECT Month FROM AzureUsage", false),
	   "nor is none");
	ok(!pin_query_contains(HAVE, "SELECT Month FROM OfficeUsage TIMESPAN LIFETIME", false),
	   "nor is another dataset");
	ok(pin_query_contains("SELECT City FROM Profile", "SELECT City FROM Profile", false),
	   "a dataset without timespan");
}

static void
nonsense(void)
{
	static const char *const texts[] = {
		"SELECT", "SELECT ", "SELECT  FROM ", "SELECT A FROM ", "SELECT DISTINCT ", " FROM X",
		"SELECT A FROM X WHERE", "SELECT A FROM X WHERE ", "SELECT A FROM X WHERE '",
		"SELECT 'A FROM X", "SELECT A FROM X WHERE A", "SELECT A FROM X WHERE A IN (",
		"SELECT A FROM X WHERE A > ", "SELECT A FROM X WHERE  AND  AND ", "WINDOW", " WINDOW ",
		"SELECT A FROM X ORDER BY ", "SELECT A FROM X LIMIT ", "SELECT A FROM X TIMESPAN "
	};

	ok(!pin_query_contains("", "", false), "nothing contains nothing");
	ok(!pin_query_contains("SELECT Month", "SELECT Month", false), "a text without FROM");
	ok(!pin_query_contains("DELETE FROM X", "DELETE FROM X", false), "a text without SELECT");
	ok(!pin_query_contains(HAVE, "SELECT Month FROM AzureUsage TIMESPAN LIFETIME LIMIT 1", false),
	   "clauses in another order");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		ok(!pin_query_contains(HAVE, texts[i], false), "\"%s\" is not contained", texts[i]);
		ok(!pin_query_contains(texts[i], HAVE, false), "nor does it contain anything");
	}
}

/* With A and B selected, one condition for the other. */
static bool
weaker(const char *have_filter, const char *need_filter)
{
	char		have[500];
	char		need[500];

	snprintf(have, sizeof(have), "SELECT A, B FROM X%s%s TIMESPAN LIFETIME",
			 *have_filter ? " WHERE " : "", have_filter);
	snprintf(need, sizeof(need), "SELECT A, B FROM X%s%s TIMESPAN LIFETIME",
			 *need_filter ? " WHERE " : "", need_filter);
	ok(pin_query_contains(have, have, false) && pin_query_contains(need, need, false),
	   "both contain themselves");
	return pin_query_contains(have, need, false);
}

static void
wide(const char *have, const char *need)
{
	ok(weaker(have, need), "\"%s\" has the rows of \"%s\"", have, need);
}

static void
narrow(const char *have, const char *need)
{
	ok(!weaker(have, need), "\"%s\" has not those of \"%s\"", have, need);
}

/* The first has the rows of the second, not the other way round. */
static void
one_way(const char *have, const char *need)
{
	wide(have, need);
	narrow(need, have);
}

static void
filters(void)
{
	one_way("", "A = 1");
	one_way("A = 1", "A = 1 AND B = 2");
	one_way("B = 2", "A = 1 AND B = 2");
	wide("A = 1 AND B = 2", "B = 2 AND A = 1");
	wide("a = 1", "A = 1");
	narrow("A = 1", "B = 1");
	narrow("A = 1", "A = 2");
	narrow("A = 1", "A != 1");
	narrow("A = 1", "AB = 1");
	narrow("A = 1", "A = 11");
	narrow("A(USD) = 1", "A = 1");
	narrow("A = 1 AND B = 2", "A = 1 AND B = 3");
	wide("A != 1", "A != 1");
	narrow("A != 1", "A = 2");
	narrow("A != 1", "A > 1");
}

static void
bounds(void)
{
	one_way("A > 1", "A > 2");
	one_way("A >= 1", "A >= 2");
	one_way("A < 2", "A < 1");
	one_way("A <= 2", "A <= 1");
	one_way("A > 1", "A >= 2");
	one_way("A >= 1", "A > 1");
	one_way("A <= 1", "A < 1");
	one_way("A < 2", "A <= 1");
	narrow("A > 2", "A >= 2");
	narrow("A < 2", "A <= 2");
	narrow("A > 1", "A < 5");
	narrow("A < 5", "A > 1");
	narrow("A >= 1", "A <= 1");
	one_way("A > 1", "A = 2");
	one_way("A >= 1", "A = 1");
	one_way("A <= 1", "A = 1");
	one_way("A < 3", "A = 2");
	narrow("A > 1", "A = 1");
	narrow("A < 1", "A = 1");
	narrow("A < 1", "A = 2");
	narrow("A > 1", "A != 2");
	one_way("A > 1", "A > 1 AND A < 5");
	one_way("A > 1 AND A < 9", "A > 2 AND A < 8");
	narrow("A > 1 AND A < 7", "A > 2 AND A < 8");
	narrow("A > 1", "B > 2");
}

/* Where texts do not order as their values do, only the same text will do. */
static void
numbers(void)
{
	one_way("A > 9", "A > 10");
	one_way("A < 10", "A < 9");
	one_way("A < 100000000000000000000", "A < 99999999999999999999");
	one_way("A > 0", "A > 1");
	narrow("A > 1", "A > 1.5");
	narrow("A > 1.5", "A > 2");
	narrow("A > 1.5", "A > 2.5");
	narrow("A > -1", "A > 1");
	narrow("A > -2", "A > -1");
	narrow("A > -1", "A > -2");
	narrow("A < -1", "A < -2");
	narrow("A <= 007", "A <= 10");
	narrow("A >= 10", "A >= 007");
	narrow("A <= 00", "A <= 1");
	wide("A > -1.5", "A > -1.5");
	wide("A <= 007", "A <= 007");
	narrow("A = 1", "A = 1.0");
}

static void
dates(void)
{
	one_way("A >= '2026-03-01'", "A >= '2026-03-02'");
	one_way("A >= '2025-12-31'", "A >= '2026-01-01'");
	one_way("A < '2026-03-02'", "A < '2026-03-01'");
	one_way("A >= '2026-03-01'", "A > '2026-03-01'");
	one_way("A >= '2026-03-01'", "A = '2026-03-01'");
	one_way("A > '2026-03-01'", "A = '2026-03-02'");
	narrow("A > '2026-03-01'", "A = '2026-03-01'");
	narrow("A >= '2026-03-01'", "A >= 20260302");
	narrow("A >= 20260301", "A >= '2026-03-02'");
	narrow("A >= '2026-03-01'", "A = 'a'");
	narrow("A >= 1", "A = '2'");
	one_way("A >= '0999-01-01'", "A >= '2026-03-01'");
}

static void
lists(void)
{
	one_way("A IN (1, 2, 3)", "A IN (1, 3)");
	wide("A IN (1, 2)", "A IN (2, 1)");
	wide("A IN (1, 2)", "A IN (2, 2, 2)");
	one_way("A IN (1, 2)", "A = 2");
	narrow("A IN (1, 2)", "A = 3");
	narrow("A IN (1, 2)", "A = 12");
	narrow("A IN (12)", "A = 1");
	narrow("A IN (1, 2)", "A IN (2, 3)");
	narrow("A IN (1, 2)", "A > 1");
	narrow("A IN (1, 2)", "A != 1");
	narrow("A IN (1, 2)", "A LIKE '1'");
	narrow("A IN (1, 2)", "A NOT IN (1, 2)");
	narrow("A NOT IN (1, 2)", "A IN (1, 2)");
	narrow("A NOT IN (1, 2)", "A = 3");
	wide("A NOT IN (1, 2)", "A NOT IN (1, 2)");
	narrow("A NOT IN (1, 2)", "A NOT IN (1)");
	narrow("A IN (1, 2)", "A IN (-1)");
	narrow("A IN (1, 2)", "A IN (1.0)");
	narrow("A IN ('1', '2')", "A IN (1)");
	one_way("A IN ('a', 'b, c', 'd')", "A IN ('b, c')");
	one_way("A IN ('a', 'b, c', 'd')", "A = 'b, c'");
	narrow("A IN ('b, c')", "A IN ('b')");
	narrow("A IN ('b', 'c')", "A IN ('b, c')");
	narrow("A IN ('a, b', 'c, d')", "A = 'a, d'");
}

/* What looks like the language but stands in quotes is none of it. */
static void
literals(void)
{
	one_way("A = 'x AND B = 1'", "A = 'x AND B = 1' AND B = 2");
	narrow("A = 'x'", "A = 'x AND y'");
	narrow("B = 1", "A = 'x AND B = 1'");
	narrow("A = 'x AND B = 1'", "B = 1");
	narrow("A = 'x WHERE y'", "A = 'x'");
	narrow("A = 'x WHERE y'", "A = 'x WHERE z'");
	narrow("A = 'x FROM y'", "A = 'x FROM z'");
	narrow("A = 'x LIMIT 1'", "A = 'x LIMIT 2'");
	narrow("A = 'x ORDER BY y'", "A = 'x ORDER BY z'");
	narrow("A = 'x TIMESPAN y'", "A = 'x TIMESPAN z'");
	narrow("A = 'x WINDOW y'", "A = 'x WINDOW z'");
	narrow("A = 'x WINDOW 2026-01-01T00:00:00Z 2026-05-01T00:00:00Z'",
		   "A = 'x WINDOW 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z'");
	narrow("A = 'a'", "A = 'A'");
	narrow("A LIKE 'a%'", "A LIKE 'A%'");
	narrow("A IN ('a')", "A = 'A'");
	narrow("A IN ('a')", "A IN ('A')");
	narrow("A LIKE 'a%'", "A = 'ab'");
	narrow("A = 'a'", "A LIKE 'a'");
	wide("A LIKE 'x AND %'", "A LIKE 'x AND %'");
	wide("A = 'a WHERE b'", "B = 1 AND A = 'a WHERE b'");
	narrow("A = 'a  b'", "A = 'a b'");
}

/* A condition is applied again only where its column is. */
static void
filter_columns(void)
{
	ok(!pin_query_contains("SELECT A FROM X", "SELECT A FROM X WHERE B = 1", false),
	   "a condition on a column that is not there cannot be applied");
	ok(pin_query_contains("SELECT A, b FROM X", "SELECT A FROM X WHERE B = 1", false),
	   "on one that is there it can");
	ok(pin_query_contains("SELECT A FROM X WHERE B = 1", "SELECT A FROM X WHERE B = 1", false),
	   "it need not where it was");
	ok(pin_query_contains("SELECT A FROM X WHERE B = 1", "SELECT A FROM X WHERE A = 2 AND B = 1", false),
	   "also beside another one");
	ok(!pin_query_contains("SELECT A FROM X WHERE B > 1", "SELECT A FROM X WHERE B > 2", false),
	   "a weaker one is not enough there");
	ok(!pin_query_contains("SELECT A, M FROM X", "SELECT A, M FROM X WHERE B = 1", true),
	   "nor can a metric be computed for it");
	ok(pin_query_contains("SELECT A, M FROM X", "SELECT A, M FROM X WHERE A = 1", true),
	   "it can for a column it is computed for");
	ok(pin_query_contains("SELECT A, M FROM X", "SELECT M, A FROM X WHERE M > 1", true),
	   "and the metric itself be compared");
	ok(!pin_query_contains("SELECT A, M FROM X WHERE M > 2", "SELECT A, M FROM X WHERE M > 1", true),
	   "but not below what was reported");
}

static void
distinct(void)
{
	ok(pin_query_contains("SELECT A, B FROM X", "SELECT DISTINCT A FROM X", false),
	   "duplicates can be removed");
	ok(!pin_query_contains("SELECT DISTINCT A, B FROM X", "SELECT A FROM X", false),
	   "but not be brought back");
	ok(!pin_query_contains("SELECT DISTINCT A FROM X", "SELECT A FROM X", false),
	   "even of the same columns");
	ok(pin_query_contains("SELECT DISTINCT A, B FROM X", "SELECT DISTINCT B FROM X", false),
	   "distinct rows have the distinct rows of fewer columns");
	ok(pin_query_contains("select distinct A FROM X", "SELECT DISTINCT A FROM X WHERE A > 1", false),
	   "keywords are read without case");
}

static void
limits(void)
{
	ok(!pin_query_contains("SELECT A FROM X LIMIT 5", "SELECT A FROM X LIMIT 5", false),
	   "a limited answer contains nothing, not even itself");
	ok(!pin_query_contains("SELECT A FROM X LIMIT 5", "SELECT A FROM X LIMIT 1", false),
	   "nor less");
	ok(!pin_query_contains("SELECT A FROM X LIMIT 5 TIMESPAN LIFETIME",
						   "SELECT A FROM X TIMESPAN LIFETIME", false), "also with a timespan");
	ok(pin_query_contains("SELECT A FROM X", "SELECT A FROM X LIMIT 5", false),
	   "all rows have some of them");
	ok(pin_query_contains("SELECT A, B FROM X WHERE A > 1",
						  "SELECT A FROM X WHERE A > 2 ORDER BY B DESC LIMIT 5", false),
	   "and the first of them");
}

static void
order(void)
{
	ok(pin_query_contains("SELECT A, B FROM X ORDER BY A ASC", "SELECT B, A FROM X ORDER BY B DESC", false),
	   "rows can be sorted in another way");
	ok(pin_query_contains("SELECT A, B FROM X ORDER BY A ASC", "SELECT A FROM X", false),
	   "or in none");
	ok(pin_query_contains("SELECT A, b FROM X", "SELECT A FROM X ORDER BY A ASC, B DESC", false),
	   "by columns that are there");
	ok(!pin_query_contains("SELECT A FROM X", "SELECT A FROM X ORDER BY A ASC, B DESC LIMIT 1", false),
	   "not by one that is not");
	ok(pin_query_contains("SELECT A FROM X ORDER BY B DESC", "SELECT A FROM X ORDER BY B DESC LIMIT 1", false),
	   "unless they are sorted by it");
	ok(!pin_query_contains("SELECT A FROM X ORDER BY B DESC", "SELECT A FROM X ORDER BY B ASC LIMIT 1", false),
	   "in that direction");
}

#define WINDOW(start, end) " TIMESPAN LIFETIME" PIN_QUERY_WINDOW_WORD start "T00:00:00Z " end "T00:00:00Z"
#define FEBRUARY WINDOW("2026-02-01", "2026-03-01")

#define WINDOW_ALONE PIN_QUERY_WINDOW_WORD "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z"

static bool
window(const char *have_window, const char *need_window)
{
	char		have[300];
	char		need[300];

	snprintf(have, sizeof(have), "SELECT A, Month FROM X WHERE A > 1%s", have_window);
	snprintf(need, sizeof(need), "SELECT Month FROM X WHERE A > 2%s", need_window);
	return pin_query_contains(have, need, false);
}

static void
bounded_windows(void)
{
	ok(window(FEBRUARY, FEBRUARY), "a window has itself");
	ok(window(" TIMESPAN LIFETIME", FEBRUARY), "none is wider than each");
	ok(!window(" TIMESPAN LAST_MONTH", " TIMESPAN LAST_MONTH" WINDOW_ALONE),
	   "but a timespan may be narrower");
	ok(!window("", WINDOW_ALONE), "or a default one");
	ok(window(" TIMESPAN LAST_MONTH" WINDOW_ALONE, " TIMESPAN LAST_MONTH" WINDOW_ALONE),
	   "which a window replaces");
	ok(!window(FEBRUARY, " TIMESPAN LIFETIME"), "and no window as wide as none");
	ok(window(WINDOW("2026-01-31", "2026-03-01"), FEBRUARY), "an earlier start");
	ok(window(WINDOW("2026-02-01", "2026-03-02"), FEBRUARY), "a later end");
	ok(window(WINDOW("0999-01-01", "9999-12-31"), FEBRUARY), "both");
	ok(!window(WINDOW("2026-02-02", "2026-03-01"), FEBRUARY), "a later start");
	ok(!window(WINDOW("2026-02-01", "2026-02-28"), FEBRUARY), "an earlier end");
	ok(!window(WINDOW("2026-02-02", "2026-03-02"), FEBRUARY), "a later window");
	ok(!window(WINDOW("2026-03-01", "2026-04-01"), FEBRUARY), "the next one");
	ok(!window(" TIMESPAN LAST_MONTH", FEBRUARY), "another timespan");
	ok(!window(" TIMESPAN LIFETIME WINDOW ", FEBRUARY), "a window without its times");
	ok(!window(" TIMESPAN LIFETIME WINDOW 2026-01-01 2026-05-01", FEBRUARY),
	   "times in another form");
	ok(!pin_query_contains("SELECT A FROM X" FEBRUARY, "SELECT A FROM X WHERE A = 1 LIMIT 1"
						   WINDOW("2026-01-01", "2026-03-01"), false), "behind other clauses");
	ok(pin_query_contains("SELECT A FROM X" FEBRUARY, "SELECT A FROM X WHERE A = 1 LIMIT 1"
						  FEBRUARY, false), "the same one there");
}

/* The window's word is no keyword of the language. */
static void
column_named_window(void)
{
	ok(pin_query_contains("SELECT A, Window, B FROM X", "SELECT Window, B FROM X", false),
	   "a column can be named Window");
	ok(pin_query_contains("SELECT A, Window FROM X ORDER BY ABCDE ASC, BC DESC, C ASC",
						  "SELECT A, Window FROM X ORDER BY ABCDE ASC, BC DESC, C ASC", false),
	   "also as far from the end as a window is");
	ok(!pin_query_contains("SELECT A FROM X WHERE Window = 2", "SELECT A FROM X WHERE Window = 1", false),
	   "a condition on it is no window");
	ok(!pin_query_contains("SELECT A FROM X WHERE Window = 1", "SELECT A FROM X WHERE Window = 2", false),
	   "however its values order");
	ok(pin_query_contains("SELECT Window FROM X WHERE Window >= '2026-01-01'" FEBRUARY,
						  "SELECT Window FROM X WHERE Window >= '2026-01-02' LIMIT 1" FEBRUARY, false),
	   "nor is it with one");
}

int
main(void)
{
	columns();
	filters();
	bounds();
	numbers();
	dates();
	lists();
	literals();
	filter_columns();
	distinct();
	limits();
	order();
	bounded_windows();
	column_named_window();
	metrics();
	windows();
	nonsense();
	return done_testing();
}
