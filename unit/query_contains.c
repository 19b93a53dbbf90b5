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
	ok(!pin_query_contains("", "", false), "nothing contains nothing");
	ok(!pin_query_contains("SELECT Month", "SELECT Month", false), "a text without FROM");
	ok(!pin_query_contains("DELETE FROM X", "DELETE FROM X", false), "a text without SELECT");
	ok(!pin_query_contains(HAVE, "SELECT Month FROM AzureUsage TIMESPAN LIFETIME LIMIT 1", false),
	   "a text with more in it");
}

int
main(void)
{
	columns();
	metrics();
	windows();
	nonsense();
	return done_testing();
}
