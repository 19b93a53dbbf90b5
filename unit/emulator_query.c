/*
 * emulator_query.c
 *		Report queries of the emulator: grammar, documented errors, meaning.
 *
 * The data is synthetic but fixed by its seed, so meaning is tested by laws
 * (filtered rows satisfy the filter, parts add up to the whole) and by asking
 * the database itself, never by numbers copied from a run.
 *
 * usage: emulator_query [catalogue]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "../emulator/decimal.h"
#include "../emulator/engine.h"
#include "tap.h"

#define ROWS 5000
#define TODAY "2026-03-17"

static EmuEngine *engine;
static char database[64];
static const EmuSwitches plain_switches;
static const EmuWindow no_window;

/* Returns the parse error of a query, "" if there is none. */
static const char *
parse_error(const char *program, const char *text)
{
	static char err[256];
	EmuQuery   *query = emu_query_parse(engine, program, text, err, sizeof(err));

	if (query)
		err[0] = '\0';
	emu_query_free(query);
	return err;
}

/* The report file of a query, malloc'd; an empty text and a remark on failure. */
static char *
run_with(const char *text, EmuWindow window, const EmuSwitches *switches, char delimiter,
		 int64_t *rows)
{
	char		err[256] = "";
	char	   *file = NULL;
	size_t		size = 0;
	FILE	   *out = open_memstream(&file, &size);
	EmuQuery   *query = emu_query_parse(engine, "mpn", text, err, sizeof(err));
	int64_t		count = -1;

	if (query)
		count = emu_query_write(engine, query, window, switches, delimiter, out, err, sizeof(err));
	if (count < 0)
		diag("%s: %s", text, err);
	if (rows)
		*rows = count;
	emu_query_free(query);
	fclose(out);
	return file;
}

static int64_t
count_rows(const char *text)
{
	int64_t		rows;

	free(run_with(text, no_window, &plain_switches, ',', &rows));
	return rows;
}

static int64_t
count_with(const char *text, const EmuSwitches *switches)
{
	int64_t		rows;

	free(run_with(text, no_window, switches, ',', &rows));
	return rows;
}

static int64_t
count_in(const char *text, time_t start, time_t end, const EmuSwitches *switches)
{
	EmuWindow	window = {start, end};
	int64_t		rows;

	free(run_with(text, window, switches, ',', &rows));
	return rows;
}

/* First result of SQL on the database, as a number. */
static int64_t
ask(const char *sql)
{
	sqlite3    *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t		result = -1;

	if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
		sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		result = sqlite3_column_int64(statement, 0);
	else
		diag("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return result;
}

/* First row of a one-column report, malloc'd; for columns without quotes. */
static char *
first_value(const char *text)
{
	char	   *file = run_with(text, no_window, &plain_switches, ',', NULL);
	char	   *line = strchr(file, '\n');
	char	   *value = strdup("");

	if (line)
	{
		free(value);
		value = strndup(line + 1, strcspn(line + 1, "\n"));
	}
	free(file);
	return value;
}

static void
test_grammar(void)
{
	static const char *const good[] = {
		"SELECT CustomerName FROM AzureUsage",
		"select customername,MONTH from azureusage timespan last_month",
		"  SELECT\tDISTINCT CustomerName ,\r\n Month FROM AzureUsage  ",
		"SELECT CustomerName FROM AzureUsage WHERE CustomerName='x' AND TotalACR>=-1.50 AND Month<'2026-01-01'",
		"SELECT CustomerName FROM AzureUsage WHERE MpnId IN (1,2,3) AND CustomerMarket NOT IN('a','b')",
		"SELECT CustomerName FROM AzureUsage WHERE CustomerName LIKE '%a%' AND CustomerName NOT LIKE 'b%'",
		"SELECT CustomerName, TotalACR FROM AzureUsage ORDER BY TotalACR DESC, CustomerName ASC LIMIT 10 TIMESPAN LIFETIME",
		"SELECT CustomerName FROM AzureUsage WHERE CustomerName = 'M\xc3\xbcller & S\xc3\xb6hne; -- \"x\" %'",
		"SELECT CustomerName FROM AzureUsage WHERE CustomerName = ''",
		"SELECT CustomerName FROM AzureUsage WHERE UsageQuantity != '1'",
		"SELECT MPNID FROM Profile LIMIT 1",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_str(parse_error("mpn", good[i]), "", "accepted: %.*s", (int) strcspn(good[i], "\r\n"), good[i]);
	is_str(parse_error("cmp", "SELECT RevenueGenerated(USD), OfferName FROM ISVOfferRetention "
					   "WHERE RevenueGenerated(USD) > 5 AND OfferName IN('a')"),
		   "", "names may hold parentheses");
}

static void
test_errors(void)
{
	static const struct
	{
		const char *query;
		const char *error;
	}			bad[] =
	{
		{"SELECT CustomerName FROM Nowhere", "Invalid table name"},
		{"SELECT OrderId FROM ISVOrder", "Invalid table name"},
		{"SELECT Nothing FROM AzureUsage", "Incorrect column name"},
		{"SELECT CustomerName FROM AzureUsage WHERE Nothing=1", "Incorrect column name"},
		{"SELECT CustomerName FROM AzureUsage ORDER BY Nothing", "Incorrect column name"},
		{"SELECT DISTINCT CustomerName FROM AzureUsage ORDER BY Month", "Incorrect column name"},
		{"SELECT CustomerName,TotalACR FROM AzureUsage ORDER BY Month", "Incorrect column name"},
		{"", "Null or missing value"},
		{"  ", "Null or missing value"},
		{"SELECT", "Null or missing value"},
		{"SELECT FROM AzureUsage", "Null or missing value"},
		{"SELECT CustomerName FROM", "Null or missing value"},
		{"SELECT CustomerName FROM AzureUsage WHERE", "Null or missing value"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName =", "Null or missing value"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName IN ()", "Null or missing value"},
		{"SELECT CustomerName FROM AzureUsage LIMIT", "Null or missing value"},
		{"SELECT CustomerName FROM AzureUsage LIMIT 0", "Limit must be a positive integer"},
		{"SELECT CustomerName FROM AzureUsage LIMIT -1", "Limit must be a positive integer"},
		{"SELECT CustomerName FROM AzureUsage LIMIT 1.5", "Limit must be a positive integer"},
		{"SELECT CustomerName FROM AzureUsage LIMIT 99999999999999999999", "Limit must be a positive integer"},
		{"SELECT CustomerName FROM AzureUsage TIMESPAN LAST_7_DAYS", "Invalid timespan"},
		{"SELECT CustomerName FROM AzureUsage TIMESPAN FOREVER", "Invalid timespan"},
		{"SELECT MPNID FROM Profile TIMESPAN LIFETIME", "Invalid timespan"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName = 'x", "Unclosed quotation mark"},
		{"SELECT CustomerName FROM AzureUsage WHERE Month > 'soon'", "Invalid value for column Month"},
		{"SELECT CustomerName FROM AzureUsage WHERE Month > '2026-02-30'", "Invalid value for column Month"},
		{"SELECT CustomerName FROM AzureUsage WHERE UsageQuantity > 'many'", "Invalid value for column UsageQuantity"},
		{"SELECT * FROM AzureUsage", "Incorrect syntax near '*'"},
		{"SELECT CustomerName AS c FROM AzureUsage", "Incorrect syntax near 'AS'"},
		{"SELECT SUM(TotalACR) FROM AzureUsage", "Incorrect column name"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName = 'O''Brien'", "Incorrect syntax near 'Brien'"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName IN (1,'a')", "Incorrect syntax near 'a'"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName IN 'a'", "Incorrect syntax near 'a'"},
		{"SELECT CustomerName FROM AzureUsage WHERE CustomerName NOT = 'a'", "Incorrect syntax near '='"},
		{"SELECT CustomerName FROM AzureUsage WHERE MpnId = 1 OR MpnId = 2", "Incorrect syntax near 'OR'"},
		{"SELECT CustomerName FROM AzureUsage LIMIT 1 ORDER BY CustomerName", "Incorrect syntax near 'ORDER'"},
		{"SELECT CustomerName FROM AzureUsage GROUP BY CustomerName", "Incorrect syntax near 'GROUP'"},
		{"SELECT CustomerName FROM AzureUsage;", "Incorrect syntax near ';'"},
		{"SELECT CustomerName FROM AzureUsage WHERE MpnId = 12abc", "Incorrect syntax near '12'"},
		{"DELETE FROM AzureUsage", "Incorrect syntax near 'DELETE'"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_str(parse_error("mpn", bad[i].query), bad[i].error, "refused: %s", bad[i].query);
}

/* No prefix of a query, however cut, does harm. */
static void
test_cut_queries(void)
{
	const char	text[] = "SELECT DISTINCT CustomerName, TotalACR FROM AzureUsage WHERE "
	"MpnId NOT IN (1, -2.5) AND CustomerName LIKE '%x' ORDER BY TotalACR ASC LIMIT 5 TIMESPAN LIFETIME";
	int			accepted = 0;

	for (size_t n = 0; n < sizeof(text); n++)
	{
		char	   *cut = strndup(text, n);

		accepted += *parse_error("mpn", cut) == '\0';
		free(cut);
	}
	ok(accepted > 0 && accepted < 40, "%d of the prefixes of a query are queries", accepted);
}

static void
test_filters(void)
{
	const char *all = "SELECT CustomerMarket FROM AzureUsage TIMESPAN LIFETIME";
	int64_t		lower = count_rows("SELECT Month FROM AzureUsage WHERE SubscriptionState = 'active' TIMESPAN LIFETIME");
	EmuSwitches strict = {.case_sensitive = true};

	is_int(count_rows(all), ROWS, "LIFETIME without filters is every row");
	is_int(lower, ask("SELECT count(*) FROM mpn_AzureUsage WHERE SubscriptionState COLLATE NOCASE = 'active'"),
		   "= compares without case");
	ok(lower > 0, "and finds rows");
	is_int(count_with("SELECT Month FROM AzureUsage WHERE SubscriptionState = 'active' TIMESPAN LIFETIME", &strict),
		   0, "with case if switched");
	ok(count_rows("SELECT Month FROM AzureUsage WHERE CustomerName = 'M\xc3\x9cLLER & S\xc3\x96HNE GMBH' TIMESPAN LIFETIME") > 0,
	   "letters beyond ASCII have no case either");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket IN ('GERMANY', 'france') TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket IN ('Germany', 'France')"), "IN");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket NOT IN ('GERMANY', 'france') TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket NOT IN ('Germany', 'France')"), "NOT IN");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE EnrollmentNumber != '1' TIMESPAN LIFETIME"),
		   ask("SELECT count(EnrollmentNumber) FROM mpn_AzureUsage"), "!= leaves out NULL");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE EnrollmentNumber = '' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE EnrollmentNumber = ''"), "= '' finds empty texts, not NULL");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE IsACRDuplicateAtPGALevel = 1 TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE IsACRDuplicateAtPGALevel = '1'"), "a boolean compares with its wire form");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE IsACRDuplicateAtPGALevel = 'False' TIMESPAN LIFETIME"),
		   0, "another form of a boolean matches nothing");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE Month >= '2026-01-01' AND Month < '2026-03-01' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE Month IN ('2026-01-01', '2026-02-01')"), "dates compare as dates");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE Month = '2026-01-01T00:00:00Z' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE Month = '2026-01-01'"), "a midnight is a date");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE Month < '2026-01-01T00:00:01Z' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE Month <= '2026-01-01'"), "a moment orders behind its date");
}

static void
test_numbers(void)
{
	const char *big = "SELECT Month FROM OfficeUsage WHERE PaidAvailableUnits > 2147483647 TIMESPAN LIFETIME";

	count_rows("SELECT Month FROM OfficeUsage LIMIT 1");
	is_int(count_rows(big), ask("SELECT count(*) FROM mpn_OfficeUsage WHERE PaidAvailableUnits > 2147483647"),
		   "big counts compare as numbers");
	is_int(count_rows("SELECT Month FROM OfficeUsage WHERE PaidAvailableUnits > '99.5' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_OfficeUsage WHERE PaidAvailableUnits > 99"), "a number in quotes is a number");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE UsageQuantity > 9.5 TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CAST(UsageQuantity AS REAL) > 9.5"), "decimals compare as numbers");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE UsageQuantity <= 000.00 TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CAST(UsageQuantity AS REAL) <= 0"), "zero however written");
	ok(emu_decimal_compare("-1.50", 5, "-1.5", 4) == 0 && emu_decimal_compare("-0", 2, "0.0", 3) == 0 &&
	   emu_decimal_compare("-2", 2, "-10", 3) > 0 && emu_decimal_compare("9", 1, "10", 2) < 0 &&
	   emu_decimal_compare("0.30000000000000001", 19, "0.3", 3) > 0, "decimals are compared exactly");
}

static void
test_like(void)
{
	EmuSwitches underscore = {.like_underscore = true};

	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE '%GERM%' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket = 'Germany'"), "LIKE '%%x%%' without case");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE 'united %s' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket = 'United States'"), "LIKE with %% within");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket NOT LIKE 'united%' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket NOT LIKE 'united%'"), "NOT LIKE");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE '%' TIMESPAN LIFETIME"), ROWS, "LIKE '%%'");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE 'Germany' TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket = 'Germany'"), "LIKE without a wildcard");
	is_int(count_rows("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE 'G_rmany' TIMESPAN LIFETIME"), 0,
		   "_ stands for itself");
	is_int(count_with("SELECT Month FROM AzureUsage WHERE CustomerMarket LIKE 'G_rmany' TIMESPAN LIFETIME", &underscore),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket = 'Germany'"), "or for any character, if switched");
	is_int(count_with("SELECT Month FROM AzureUsage WHERE CustomerName LIKE 'm_ller%' TIMESPAN LIFETIME", &underscore),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CustomerName LIKE 'm%ller & %'"), "a character, not a byte");
}

/* Adds up the second column of a report whose first needs no quotes. */
static EmuDecimal
add_up(const char *text)
{
	char	   *file = run_with(text, no_window, &plain_switches, ',', NULL);
	EmuDecimal	sum = 0;

	for (char *line = strchr(file, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
	{
		char	   *number = strchr(line, ',') + 1;

		sum += emu_decimal_read(number, strcspn(number, "\n"));
	}
	free(file);
	return sum;
}

static void
test_grouping(void)
{
	EmuDecimal	by_market = add_up("SELECT CustomerTpid, TotalACR FROM AzureUsage TIMESPAN LIFETIME");
	EmuDecimal	by_row = add_up("SELECT SubscriptionId, TotalACR FROM AzureUsage TIMESPAN LIFETIME");
	char	   *whole = first_value("SELECT TotalACR FROM AzureUsage TIMESPAN LIFETIME");
	char	   *count;

	is_int(count_rows("SELECT CustomerMarket, TotalACR FROM AzureUsage TIMESPAN LIFETIME"),
		   ask("SELECT count(DISTINCT CustomerMarket) FROM mpn_AzureUsage"), "a metric groups by the columns");
	ok(by_market == by_row && by_market == emu_decimal_read(whole, strlen(whole)) && by_market != 0,
	   "the parts add up to the whole, exactly");
	is_int(count_rows("SELECT TotalACR FROM AzureUsage TIMESPAN LIFETIME"), 1, "a metric alone is one row");
	is_int(count_rows("SELECT SubscriptionId, Month, TotalACR FROM AzureUsage TIMESPAN LIFETIME"), ROWS,
		   "with the rows' key every row is a group");
	is_int(count_rows("SELECT DISTINCT SubscriptionId, Month, TotalACR FROM AzureUsage TIMESPAN LIFETIME"), ROWS,
		   "DISTINCT adds nothing to that");
	is_int(ask("SELECT count(*) FROM (SELECT DISTINCT SubscriptionId, Month FROM mpn_AzureUsage)"), ROWS,
		   "the key is a key");
	is_int(count_rows("SELECT DISTINCT CustomerMarket FROM AzureUsage TIMESPAN LIFETIME"),
		   ask("SELECT count(DISTINCT CustomerMarket) FROM mpn_AzureUsage"), "DISTINCT");
	ok(count_rows("SELECT DISTINCT CustomerTenantId, Month, PaidAvailableUnits, WorkloadName FROM OfficeUsage TIMESPAN LIFETIME") < ROWS,
	   "there are duplicate rows for DISTINCT to drop");
	is_int(count_rows("SELECT CustomerMarket FROM AzureUsage WHERE TotalACR > 200000 TIMESPAN LIFETIME"),
		   count_rows("SELECT CustomerMarket, TotalACR FROM AzureUsage WHERE TotalACR > 200000 TIMESPAN LIFETIME"),
		   "a filter on a metric filters groups");
	is_int(count_rows("SELECT SubscriptionId, Month, TotalACR FROM AzureUsage WHERE TotalACR > 2000 TIMESPAN LIFETIME"),
		   ask("SELECT count(*) FROM mpn_AzureUsage WHERE CAST(TotalACR AS REAL) > 2000"), "also where rows are groups");
	count = first_value("SELECT CustomerTenantCount FROM OfficeUsage TIMESPAN LIFETIME");
	is_int(atoll(count), ask("SELECT count(DISTINCT CustomerTenantId) FROM mpn_OfficeUsage"), "a count metric counts ids");
	free(count);
	count = first_value("SELECT TotalPaidAvailableUnits FROM OfficeUsage TIMESPAN LIFETIME");
	is_int(atoll(count), ask("SELECT sum(PaidAvailableUnits) FROM mpn_OfficeUsage"), "Total<column> sums that column");
	free(count);
	is_int(count_rows("SELECT TotalACR FROM AzureUsage WHERE TotalACR < 0 AND TotalACR > 0 TIMESPAN LIFETIME"), 0,
		   "a single group can be filtered away");
	free(whole);
}

/* Are the one-column values of a report in order?  sign 1: ascending. */
static bool
is_ordered(const char *text, int sign)
{
	char	   *file = run_with(text, no_window, &plain_switches, ',', NULL);
	char	   *line = strtok(file, "\n");
	char	   *previous = NULL;
	bool		ordered = true;
	int			n = 0;

	while ((line = strtok(NULL, "\n")) != NULL)
	{
		if (previous && emu_decimal_compare(previous, strlen(previous), line, strlen(line)) * sign > 0)
			ordered = false;
		previous = line;
		n++;
	}
	free(file);
	return ordered && n > 1;
}

static void
test_order(void)
{
	EmuSwitches first = {.nulls_first = true};
	char	   *top;
	char	   *all;
	char	   *file;

	ok(is_ordered("SELECT TotalACR,SubscriptionId FROM AzureUsage ORDER BY TotalACR TIMESPAN LIFETIME", -1),
	   "without a direction descending");
	ok(is_ordered("SELECT TotalACR,SubscriptionId FROM AzureUsage ORDER BY TotalACR DESC TIMESPAN LIFETIME", -1), "DESC");
	ok(is_ordered("SELECT TotalACR,SubscriptionId FROM AzureUsage ORDER BY TotalACR ASC TIMESPAN LIFETIME", 1), "ASC");
	is_int(count_rows("SELECT Month FROM AzureUsage LIMIT 7 TIMESPAN LIFETIME"), 7, "LIMIT");
	top = first_value("SELECT SubscriptionId, TotalACR FROM AzureUsage ORDER BY TotalACR LIMIT 1 TIMESPAN LIFETIME");
	all = first_value("SELECT SubscriptionId, TotalACR FROM AzureUsage ORDER BY TotalACR TIMESPAN LIFETIME");
	is_str(top, all, "LIMIT after ORDER BY");
	free(top);
	free(all);
	top = first_value("SELECT EnrollmentNumber FROM AzureUsage WHERE UsageQuantity > 0 ORDER BY EnrollmentNumber ASC TIMESPAN LIFETIME");
	ok(strcmp(top, "") != 0, "NULL is last");
	free(top);
	file = run_with("SELECT EnrollmentNumber FROM AzureUsage ORDER BY EnrollmentNumber LIMIT 1 TIMESPAN LIFETIME",
					no_window, &first, ',', NULL);
	is_str(file, "EnrollmentNumber\n\n", "or first, if switched");
	free(file);
	all = run_with("SELECT SubscriptionId, Month FROM AzureUsage TIMESPAN LIFETIME", no_window, &plain_switches, ',', NULL);
	top = run_with("SELECT SubscriptionId, Month FROM AzureUsage TIMESPAN LIFETIME", no_window, &plain_switches, ',', NULL);
	is_str(top, all, "rows come in the same order each time");
	free(top);
	free(all);
}

static void
test_windows(void)
{
	const char *months = "SELECT DISTINCT Month FROM AzureUsage";
	const time_t january = 1767225600;	/* 2026-01-01 */
	const time_t march = 1772323200;	/* 2026-03-01 */
	EmuSwitches exclusive = {.window_end_exclusive = true};

	is_int(count_rows(months), 7, "the default is six months and the current one");
	is_int(count_rows("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LAST_6_MONTHS"), 7, "LAST_6_MONTHS is the same");
	is_int(count_rows("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LAST_MONTH"), 2, "LAST_MONTH");
	is_int(count_rows("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LAST_3_MONTHS"), 4, "LAST_3_MONTHS");
	is_int(count_rows("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LAST_1_YEAR"), 13, "LAST_1_YEAR");
	is_int(count_rows("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LIFETIME"), 25, "LIFETIME");
	is_int(count_in(months, january, march, &plain_switches), 3, "a window includes both ends");
	is_int(count_in(months, january, march, &exclusive), 2, "or not the last, if switched");
	is_int(count_in(months, march, 0, &plain_switches), 1, "a window open at its end");
	is_int(count_in(months, 0, january, &plain_switches), 23, "and at its start");
	is_int(count_in("SELECT DISTINCT Month FROM AzureUsage TIMESPAN LAST_MONTH", january, march, &plain_switches), 3,
		   "a window overrides TIMESPAN");
	is_int(count_rows("SELECT MPNID FROM Profile"), ROWS, "no ranges, no default window");
	is_int(count_rows("SELECT DISTINCT MonthKey FROM TeamsUsageWorkload TIMESPAN LAST_MONTH"), 2, "month keys are months");
	is_int(count_in("SELECT DISTINCT MonthKey FROM TeamsUsageWorkload", january, january, &plain_switches), 1,
		   "and the first of the month is in it");
	is_int(count_rows("SELECT DateKey FROM TeamsUsage3PApps TIMESPAN LIFETIME"), ROWS, "date keys: all");
	is_int(count_in("SELECT DateKey FROM TeamsUsage3PApps", january, january + 86399, &plain_switches),
		   ask("SELECT count(*) FROM mpn_TeamsUsage3PApps WHERE DateKey = '20260101'"), "date keys are days");
}

static void
test_file(void)
{
	const char *text = "SELECT month, CustomerMarket FROM AzureUsage WHERE CustomerMarket = 'germany' LIMIT 1";
	const char *none = "SELECT month, CustomerMarket FROM AzureUsage WHERE CustomerMarket = 'nowhere'";
	const struct
	{
		const char *what;
		EmuSwitches switches;
		const char *expected;
	}			cases[] =
	{
		{"as it is", {0}, "month,CustomerMarket\n2026-03-01,Germany\n"},
		{"csv_bom", {.csv_bom = true}, "\xef\xbb\xbfmonth,CustomerMarket\n2026-03-01,Germany\n"},
		{"csv_crlf", {.csv_crlf = true}, "month,CustomerMarket\r\n2026-03-01,Germany\r\n"},
		{"csv_quote_all", {.csv_quote_all = true}, "\"month\",\"CustomerMarket\"\n\"2026-03-01\",\"Germany\"\n"},
		{"csv_no_final_newline", {.csv_no_final_newline = true}, "month,CustomerMarket\n2026-03-01,Germany"},
		{"csv_header_lower", {.csv_header_lower = true}, "month,customermarket\n2026-03-01,Germany\n"},
		{"csv_shuffle_columns", {.csv_shuffle_columns = true}, "CustomerMarket,month\nGermany,2026-03-01\n"},
		{"csv_extra_column", {.csv_extra_column = true}, "month,CustomerMarket,EmulatorExtra\n2026-03-01,Germany,extra\n"},
		{"date_format 1", {.date_format = 1}, "month,CustomerMarket\n2026-03-01T00:00:00,Germany\n"},
		{"date_format 2", {.date_format = 2}, "month,CustomerMarket\n2026-03-01T00:00:00Z,Germany\n"},
		{"date_format 3", {.date_format = 3}, "month,CustomerMarket\n3/1/2026 12:00:00 AM,Germany\n"},
	};
	EmuSwitches bare = {.csv_no_header_when_empty = true};
	char	   *file;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		file = run_with(text, no_window, &cases[i].switches, ',', NULL);
		is_str(file, cases[i].expected, "file: %s", cases[i].what);
		free(file);
	}
	file = run_with(text, no_window, &plain_switches, '\t', NULL);
	is_str(file, "month\tCustomerMarket\n2026-03-01\tGermany\n", "file: TSV");
	free(file);
	file = run_with(none, no_window, &plain_switches, ',', NULL);
	is_str(file, "month,CustomerMarket\n", "no rows: the header alone");
	free(file);
	file = run_with(none, no_window, &bare, ',', NULL);
	is_str(file, "", "or nothing, if switched");
	free(file);
}

static void
test_values(void)
{
	const char *text = "SELECT EnrollmentNumber FROM AzureUsage WHERE EnrollmentNumber = '' LIMIT 1 TIMESPAN LIFETIME";
	const char *nulls = "SELECT EnrollmentNumber FROM AzureUsage ORDER BY EnrollmentNumber LIMIT 1 TIMESPAN LIFETIME";
	const char *truth = "SELECT IsACRDuplicateAtPGALevel FROM AzureUsage WHERE IsACRDuplicateAtPGALevel = %s LIMIT 1 TIMESPAN LIFETIME";
	static const struct
	{
		int			format;
		const char *literal;
		const char *expected;
	}			words[] = {{0, "'1'", "1"}, {1, "1", "1"}, {2, "'y'", "Y"}, {3, "'Yes'", "Yes"}, {4, "'true'", "True"}};
	EmuSwitches literal = {.null_literal = true,.nulls_first = true};
	char	   *file;

	file = run_with(text, no_window, &plain_switches, ',', NULL);
	is_str(file, "EnrollmentNumber\n\"\"\n", "an empty text is quoted, unlike NULL");
	free(file);
	file = run_with(nulls, no_window, &literal, ',', NULL);
	is_str(file, "EnrollmentNumber\nNULL\n", "NULL as a word, if switched");
	free(file);
	file = run_with("SELECT DISTINCT CustomerName FROM AzureUsage WHERE CustomerName = 'null' TIMESPAN LIFETIME", no_window, &literal, ',', NULL);
	is_str(file, "CustomerName\n\"NULL\"\n", "then a text that reads NULL is quoted");
	free(file);
	file = run_with("SELECT DISTINCT CustomerName FROM AzureUsage WHERE CustomerName LIKE 'the \"corner%' TIMESPAN LIFETIME",
					no_window, &plain_switches, ',', NULL);
	is_str(file, "CustomerName\n\"The \"\"Corner\"\" Bakery, Inc.\"\n", "quotes are doubled");
	free(file);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		EmuSwitches switches = {.bool_format = words[i].format};
		char		query[256];
		char		expected[256];

		snprintf(query, sizeof(query), truth, words[i].literal);
		snprintf(expected, sizeof(expected), "IsACRDuplicateAtPGALevel\n%s\n", words[i].expected);
		file = run_with(query, no_window, &switches, ',', NULL);
		is_str(file, expected, "bool_format %d, in filters too", words[i].format);
		free(file);
	}
}

static void
test_preview(void)
{
	EmuSwitches first = {.nulls_first = true};
	char		err[256] = "";
	EmuQuery   *query = emu_query_parse(engine, "mpn",
										"SELECT month, customername, TotalACR, IsACRDuplicateAtPGALevel FROM AzureUsage "
										"WHERE CustomerName LIKE 'The \"Corner%' ORDER BY month ASC, customername TIMESPAN LIFETIME", err, sizeof(err));
	char	   *json = emu_query_preview(engine, query, no_window, &plain_switches, 1, err, sizeof(err));

	has_str(json, "[{\"Month\":\"2024-03-01\",\"CustomerName\":\"The \\\"Corner\\\" Bakery, Inc.\",\"TotalACR\":",
			"preview: names as the catalogue spells them, texts escaped");
	ok(json && strstr(json, "\"TotalACR\":") &&
	   strspn(strstr(json, "\"TotalACR\":") + 11, "-0123456789.") > 0, "numbers are JSON numbers");
	ok(json && (strstr(json, "IsACRDuplicateAtPGALevel\":\"0\"") || strstr(json, "IsACRDuplicateAtPGALevel\":\"1\"") ||
				strstr(json, "IsACRDuplicateAtPGALevel\":null")), "booleans are their wire text");
	ok(json && strstr(json, "},{") == NULL, "limit caps the rows");
	free(json);
	emu_query_free(query);

	query = emu_query_parse(engine, "mpn", "SELECT EnrollmentNumber FROM AzureUsage ORDER BY EnrollmentNumber LIMIT 2", err, sizeof(err));
	json = emu_query_preview(engine, query, no_window, &first, 100, err, sizeof(err));
	is_str(json, "[{\"EnrollmentNumber\":null},{\"EnrollmentNumber\":null}]", "NULL is null; the query's LIMIT counts too");
	free(json);
	emu_query_free(query);
}

static void
test_catalog(void)
{
	char	   *json = emu_engine_datasets(engine, "mpn", "officeusage");

	has_str(json, "[{\"datasetName\":\"OfficeUsage\",\"selectableColumns\":[\"CustomerTenantId\",", "one dataset, named without case");
	has_str(json, "\"availableMetrics\":[\"CustomerCount\",\"CustomerTenantCount\",", "its metrics");
	has_str(json, "\"minimumRecurrenceInterval\":24}]", "its minimum recurrence");
	free(json);
	json = emu_engine_datasets(engine, "cmp", NULL);
	has_str(json, "\"datasetName\":\"ISVUsage\"", "the other program's datasets");
	ok(strstr(json, "minimumRecurrenceInterval") == NULL && strstr(json, "AzureUsage") == NULL, "are its own");
	free(json);
	json = emu_engine_datasets(engine, "mpn", "Nowhere");
	is_str(json, "[]", "no dataset of that name");
	free(json);
}

/* Every column and metric of every dataset can be reported. */
static void
test_whole_catalog(const char *program, int at_least)
{
	char	   *json = emu_engine_system_queries(engine, program);
	int			parsed = 0;
	int			failed = 0;

	for (char *p = json; (p = strstr(p, "\"query\":\"")) != NULL;)
	{
		char	   *end = strchr(p += 9, '"');
		char		err[256] = "";
		EmuQuery   *query;
		FILE	   *out = fopen("/dev/null", "w");

		*end = '\0';
		query = emu_query_parse(engine, program, p, err, sizeof(err));
		if (query && emu_query_write(engine, query, no_window, &plain_switches, ',', out, err, sizeof(err)) > 0)
			parsed++;
		else
		{
			failed++;
			diag("%s: %s", p, err);
		}
		emu_query_free(query);
		fclose(out);
		p = end + 1;
	}
	ok(failed == 0 && parsed >= at_least, "%s: %d system queries run and find rows", program, parsed);
	free(json);
}

typedef struct Worker
{
	pthread_t	thread;
	const char *text;
	int64_t		rows;
}			Worker;

static void *
work(void *argument)
{
	Worker	   *worker = argument;

	for (int i = 0; i < 5; i++)
		worker->rows += count_rows(worker->text);
	return NULL;
}

/* Threads make datasets and read them at once. */
static void
test_threads(void)
{
	Worker		workers[] = {
		{.text = "SELECT Month FROM PowerBIUsage TIMESPAN LIFETIME"},
		{.text = "SELECT Month FROM PowerBIUsage TIMESPAN LIFETIME"},
		{.text = "SELECT Month FROM EMSUsage TIMESPAN LIFETIME"},
		{.text = "SELECT MPNID FROM CLASAzurePropensity"},
		{.text = "SELECT Month, SubscriptionId, TotalACR FROM AzureUsage TIMESPAN LIFETIME"},
		{.text = "SELECT Month FROM TrainingCompletions TIMESPAN LIFETIME"},
	};
	const size_t n = sizeof(workers) / sizeof(workers[0]);
	int			complete = 0;

	for (size_t i = 0; i < n; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (size_t i = 0; i < n; i++)
	{
		pthread_join(workers[i].thread, NULL);
		complete += workers[i].rows == 5 * ROWS;
	}
	is_int(complete, (int64_t) n, "threads that make and read datasets at once all get every row");
}

/* Another engine with the same seed has the same data; with another, other. */
static void
test_seed(const char *catalog)
{
	const char *text = "SELECT CustomerName, SubscriptionId, TotalACR, Month FROM AzureUsage TIMESPAN LIFETIME";
	EmuEngine  *first = engine;
	char	   *expected = run_with(text, no_window, &plain_switches, ',', NULL);
	char		err[256] = "";
	EmuEngineOptions options = {.catalog = catalog,.rows = ROWS,.seed = 42,.today = TODAY};

	for (int i = 0; i < 2; i++)
	{
		char	   *file = NULL;

		options.seed += (uint64_t) i;
		engine = emu_engine_open(&options, err, sizeof(err));
		if (engine)
			file = run_with(text, no_window, &plain_switches, ',', NULL);
		ok(file && (strcmp(file, expected) == 0) == (i == 0), "%s seed, %s data %s",
		   i ? "another" : "the same", i ? "other" : "the same", err);
		free(file);
		emu_engine_close(engine);
	}
	free(expected);
	engine = first;
}

/* Reopened, a file keeps its data; asked for more rows, it is made anew. */
static void
test_reopen(const char *catalog)
{
	EmuEngineOptions options = {.catalog = catalog,.database = database,.rows = ROWS,.seed = 42,.today = TODAY};
	char		err[256] = "";

	emu_engine_close(engine);
	engine = emu_engine_open(&options, err, sizeof(err));
	is_int(count_rows("SELECT Month FROM AzureUsage TIMESPAN LIFETIME"), ROWS, "a reopened database has its rows");
	emu_engine_close(engine);
	options.rows = 30;
	engine = emu_engine_open(&options, err, sizeof(err));
	is_int(count_rows("SELECT Month FROM AzureUsage TIMESPAN LIFETIME"), 30, "other options, other rows");
	emu_engine_close(engine);
	options.today = "2026-02-30";
	ok(emu_engine_open(&options, err, sizeof(err)) == NULL, "refused: %s", err);
	options.today = TODAY;
	options.catalog = "/nonexistent.json";
	ok(emu_engine_open(&options, err, sizeof(err)) == NULL, "refused: %s", err);
}

int
main(int argc, char **argv)
{
	const char *catalog = argc > 1 ? argv[1] : "catalog/datasets.json";
	EmuEngineOptions options = {.catalog = catalog,.database = database,.rows = ROWS,.seed = 42,.today = TODAY};
	char		err[256] = "";

	snprintf(database, sizeof(database), "/tmp/emulator_query.%d.sqlite", (int) getpid());
	engine = emu_engine_open(&options, err, sizeof(err));
	if (!ok(engine != NULL, "engine opens %s", err))
		return done_testing();
	test_grammar();
	test_errors();
	test_cut_queries();
	test_filters();
	test_numbers();
	test_like();
	test_grouping();
	test_order();
	test_windows();
	test_file();
	test_values();
	test_preview();
	test_catalog();
	test_whole_catalog("mpn", 20);
	test_whole_catalog("cmp", 7);
	test_threads();
	test_seed(catalog);
	test_reopen(catalog);
	unlink(database);
	return done_testing();
}
