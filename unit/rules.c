/*-------------------------------------------------------------------------
 *
 * rules.c
 *		Unit test of the service's rules: both sides of each edge.
 *
 * Covers src/insights/rules.c.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/rules.h"
#include "tap.h"

#include <stdlib.h>

#define SELECT "SELECT a FROM AzureUsage"

static const PinStartLimit limit = {"2026-03-01T08:00:00Z", "2026-03-01T12:00:00Z"};

/* A report that keeps all rules and recurs. */
static const PinReportWish recurring = {
	.name = "Usage",.query_id = "q1",.start_time = "2026-03-01T12:00:00Z",
	.recurrence_hours = 24,.recurrence_count = PIN_UNSAID
};

/* One that keeps them and runs at once. */
static const PinReportWish immediate = {
	.name = "Usage",.query_id = "q1",.execute_now = true,
	.recurrence_hours = PIN_UNSAID,.recurrence_count = PIN_UNSAID
};

/* A text of so many characters, two bytes each; static. */
static const char *
characters(size_t n)
{
	static char text[2 * 300 + 1];

	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i, "\xC3\xA9", 2);
	text[2 * n] = '\0';
	return text;
}

/* Passes if a rule was kept, or broken with those words. */
static void
is_rule(bool kept, const PinError *err, const char *words, const char *name)
{
	if (words == NULL)
	{
		ok(kept, "kept: %s", name);
		if (!kept)
			diag("%s", err->message);
		return;
	}
	ok(!kept && err->kind == PIN_ERROR_RULE, "broken: %s", name);
	has_str(err->message, words, "says so: %s", name);
}

static void
is_query(const char *name, const char *text, const char *words, const char *what)
{
	PinError	err;
	bool		kept = pin_rules_query(name, text, &err);

	is_rule(kept, &err, words, what);
}

static void
is_new(const PinReportWish *wish, const char *words, const char *what)
{
	PinError	err;
	bool		kept = pin_rules_new_report(wish, &limit, &err);

	is_rule(kept, &err, words, what);
}

static void
is_change(const PinReportWish *wish, const char *words, const char *what)
{
	PinError	err;
	bool		kept = pin_rules_changed_report(wish, &limit, &err);

	is_rule(kept, &err, words, what);
}

static void
test_queries(void)
{
	char	   *text = calloc(1, PIN_QUERY_TEXT_MAX + 2);

	is_query("n", SELECT, NULL, "a query");
	is_query(NULL, SELECT, "column \"name\" needs a value", "no name");
	is_query(" \t", SELECT, "column \"name\" needs a value", "a blank name");
	is_query(characters(256), SELECT, NULL, "256 characters");
	is_query(characters(257), SELECT, "column \"name\" has 257 characters", "257");
	is_query("a;b", SELECT, "semicolon", "a semicolon");

	is_query("n", NULL, "column \"query\" needs a value", "no text");
	is_query("n", "", "column \"query\" needs a value", "an empty text");
	is_query("n", "\n select\ta\nfrom\tX", NULL, "blanks of all kinds, small letters");
	is_query("n", "SELECTED a FROM X", "not a report query", "another first word");
	is_query("n", "SELECT a, FROMAGE", "not a report query", "no FROM");
	is_query("n", "SELECT a FROM", "not a report query", "no dataset");
	is_query("n", "SELECT a FROM 'X'", "not a report query", "a text for a dataset");
	is_query("n", "SELECT * FROM X GROUP BY 1", NULL, "what only the service can judge");

	memset(text, ' ', PIN_QUERY_TEXT_MAX);
	memcpy(text, SELECT, strlen(SELECT));
	is_query("n", text, NULL, "the longest text");
	strcat(text, " ");
	is_query("n", text, "bytes", "one byte more");
	free(text);
}

static void
test_dataset(void)
{
	char		dataset[PIN_QUERY_NAME_MAX + 1];

	ok(pin_rules_dataset(SELECT " WHERE a = 1", dataset), "there is a dataset");
	is_str(dataset, "AzureUsage", "which");
	ok(pin_rules_dataset("select FROM_DATE, a from X, Y", dataset), "behind a column FROM_DATE");
	is_str(dataset, "X", "which");
	ok(pin_rules_dataset("SELECT ' FROM Y' FROM X", dataset), "behind a text");
	is_str(dataset, "X", "which");
	ok(!pin_rules_dataset("SELECT a", dataset), "none");
	ok(!pin_rules_dataset("", dataset), "none in nothing");
}

static void
test_names(void)
{
	PinReportWish w = recurring;

	is_new(&w, NULL, "a report");
	w.name = NULL;
	is_new(&w, "column \"report_name\" needs a value", "no name");
	w.name = "";
	is_change(&w, "column \"report_name\" needs a value", "an empty name");
	w.name = characters(256);
	is_new(&w, NULL, "256 characters");
	is_change(&w, NULL, "256 characters in a change");
	w.name = characters(257);
	is_new(&w, "column \"report_name\" has 257 characters", "257");
	w.name = "a;b";
	is_new(&w, "semicolon", "a semicolon");
	is_change(&w, "semicolon", "a semicolon in a change");

	w = recurring;
	w.description = characters(256);
	is_new(&w, NULL, "a description of 256 characters");
	w.description = characters(257);
	is_new(&w, "column \"description\" has 257 characters", "of 257");
	w.description = "a;b";
	is_new(&w, NULL, "semicolons in a description");

	w = recurring;
	w.query_id = NULL;
	is_new(&w, "column \"query_id\" needs a value", "no query");
	is_change(&w, NULL, "a change needs no query");
}

static void
test_format(void)
{
	PinReportWish w = recurring;

	w.format = "CSV";
	is_new(&w, NULL, "CSV");
	w.format = "tsv";
	is_change(&w, NULL, "tsv");
	w.format = "xlsx";
	is_new(&w, "column \"format\" must be csv or tsv", "xlsx");
	w.format = "";
	is_change(&w, "column \"format\" must be csv or tsv", "no format at all");
}

static void
test_callback(void)
{
	static const struct
	{
		const char *url;
		const char *words;
	}			urls[] = {
		{"https://example.com/hook?x=1", NULL},
		{"HTTP://example.com:8080", NULL},
		{"ftp://example.com", "does not begin with https:// or http://"},
		{"example.com", "does not begin with https:// or http://"},
		{"", "does not begin with https:// or http://"},
		{"https://", "has no host"},
		{"https://example.com/a b", "contains a blank"},
		{"https://example.com/\n", "contains a blank"},
		{"http://localhost/hook", "leads to this machine"},
		{"https://127.0.0.1:8443/", "leads to this machine"},
		{"https://[::1]/", "leads to this machine"},
	};
	PinReportWish w = recurring;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		w.callback_url = urls[i].url;
		is_new(&w, urls[i].words, urls[i].url);
	}

	w.callback_url = "https://example.com/hook";
	w.callback_method = "get";
	is_new(&w, NULL, "get");
	w.callback_method = "POST";
	is_change(&w, NULL, "POST");
	w.callback_method = "PUT";
	is_new(&w, "column \"callback_method\" must be GET or POST", "PUT");
	w.callback_method = "GET";
	w.callback_url = NULL;
	is_new(&w, "without \"callback_url\"", "a method without an address");
}

static void
test_schedule(void)
{
	PinReportWish w = recurring;
	PinError	err;

	w.start_time = "2026-03-01T11:59:59Z";
	is_new(&w, "column \"start_time\" must be at least 4 hours ahead", "a second too early");
	is_change(&w, "column \"start_time\" must be at least 4 hours ahead", "in a change, too");
	ok(!pin_rules_new_report(&w, &limit, &err), "again");
	is_str(err.detail, "It is 2026-03-01T08:00:00Z now, and the start is 2026-03-01T11:59:59Z.",
		   "tells the times");
	has_str(err.hint, "now() + interval", "tells the way out");
	w.start_time = "2027-01-01T00:00:00Z";
	is_new(&w, NULL, "next year");
	w.start_time = NULL;
	is_new(&w, "column \"start_time\" needs a value", "no start");
	w.start_time = "12026-01-01T00:00:00Z";
	is_new(&w, "column \"start_time\" is out of range", "a year of five digits");

	w = recurring;
	w.recurrence_hours = 4;
	is_new(&w, NULL, "every 4 hours");
	w.recurrence_hours = 3;
	is_new(&w, "column \"recurrence_interval\" must be between 4 and 2160", "every 3");
	w.recurrence_hours = 2160;
	is_change(&w, NULL, "every 2160 hours");
	w.recurrence_hours = 2161;
	is_change(&w, "column \"recurrence_interval\" must be between 4 and 2160", "every 2161");
	w.recurrence_hours = PIN_UNSAID;
	is_new(&w, "column \"recurrence_interval\" must be between 4 and 2160", "no interval");

	w = recurring;
	w.recurrence_count = 1;
	is_new(&w, NULL, "once");
	w.recurrence_count = 0;
	is_new(&w, "column \"recurrence_count\" must be positive", "not even once");
	w.recurrence_count = -1;
	is_change(&w, "column \"recurrence_count\" must be positive", "less");

	w = recurring;
	w.query_start = "2026-01-01T00:00:00Z";
	w.query_end = "2026-02-01T00:00:00Z";
	is_new(&w, "column \"query_start_time\" needs \"execute_now\"", "a window");
	w.query_start = NULL;
	is_new(&w, "column \"query_end_time\" needs \"execute_now\"", "half a window");

	ok(pin_rules_interval(24, "X", 24, &err), "as often as the dataset allows");
	is_rule(pin_rules_interval(23, "X", 24, &err), &err,
			"must be at least 24 for dataset \"X\"", "more often");
	ok(pin_rules_interval(4, "X", -1, &err), "the dataset sets no minimum");
}

static void
test_execute_now(void)
{
	PinReportWish w = immediate;

	is_new(&w, NULL, "at once");
	w.start_time = recurring.start_time;
	is_new(&w, "column \"start_time\" does not go together", "with a start");
	w = immediate;
	w.recurrence_hours = 24;
	is_new(&w, "column \"recurrence_interval\" does not go together", "with an interval");
	w = immediate;
	w.recurrence_count = 1;
	is_new(&w, "column \"recurrence_count\" does not go together", "with a count");

	w = immediate;
	w.query_start = "2026-01-01T00:00:00Z";
	is_new(&w, "need each other", "half a window");
	w.query_end = "2026-01-01T00:00:00Z";
	is_new(&w, "\"query_end_time\" must be later", "an empty window");
	w.query_end = "2026-01-01T00:00:01Z";
	is_new(&w, NULL, "a second");
	w.query_end = "infinity";
	is_new(&w, "column \"query_end_time\" is out of range", "an endless one");
}

static void
test_order(void)
{
	PinReportWish w = recurring;
	PinReportOrder order;

	w.format = "TSV";
	w.callback_url = "https://example.com";
	w.callback_method = "get";
	pin_rules_order(&w, &order);
	is_str(order.name, "Usage", "name");
	is_str(order.start_time, recurring.start_time, "start");
	is_int(order.recurrence_hours, 24, "interval");
	is_int(order.recurrence_count, 0, "without end");
	is_str(order.format, "tsv", "format");
	is_str(order.callback_method, "GET", "method");

	pin_rules_order(&immediate, &order);
	ok(order.start_time == NULL && order.recurrence_hours == 0, "at once");
	ok(order.format == NULL && order.callback_method == NULL, "nothing that was not said");
}

int
main(void)
{
	test_queries();
	test_dataset();
	test_names();
	test_format();
	test_callback();
	test_schedule();
	test_execute_now();
	test_order();
	return done_testing();
}
