/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The service's rules for queries and reports, looked at before it is asked.
 *
 * One function a rule.  Where a rule comes from stands beside it: Microsoft's
 * "Insights API" pages call what follows "reference" (the page of an endpoint)
 * and "FAQ" (the table of errors, which gives the service's own words).
 *
 *-------------------------------------------------------------------------
 */
#include "insights/rules.h"

#include <string.h>

#include "insights/api_request.h"
#include "insights/ascii.h"
#include "transport/url.h"

/* ---- texts ---- */

/* Characters, not bytes: the FAQ speaks of characters. */
static size_t
length_of(const char *text)
{
	size_t		length = 0;

	for (; *text != '\0'; text++)
		length += ((unsigned char) *text & 0xC0) != 0x80;
	return length;
}

static bool
is_blank(const char *text)
{
	while (pin_ascii_is_blank(*text))
		text++;
	return *text == '\0';
}

static bool
check_given(const char *column, const char *text, PinError *err)
{
	if (text != NULL && !is_blank(text))
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" needs a value", column);
	return false;
}

/*
 * FAQ: "Limit ReportName and Description length to 256 characters or less".
 * Nothing is said of queries; that their names are as long is a guess.
 */
static bool
check_length(const char *column, const char *text, PinError *err)
{
	size_t		length = text != NULL ? length_of(text) : 0;

	if (length <= PIN_REMOTE_NAME_MAX)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" has %zu characters, more than %d", column,
				  length, PIN_REMOTE_NAME_MAX);
	pin_error_hint(err, "Shorten it: the service takes no more.");
	return false;
}

/* FAQ: "Invalid character (;) in ReportName". */
static bool
check_name(const char *column, const char *name, PinError *err)
{
	if (!check_given(column, name, err) || !check_length(column, name, err))
		return false;
	if (strchr(name, ';') == NULL)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" contains a semicolon", column);
	pin_error_hint(err, "Letters, digits and blanks are what the service takes in any name.");
	return false;
}

/* ---- queries ---- */

static bool
is_word_part(char c)
{
	return pin_ascii_is_letter(c) || pin_ascii_is_digit(c) || c == '_';
}

/* Does text go on with that word, and does the word end there? */
static bool
is_word(const char *text, const char *word)
{
	return pin_ascii_starts(text, word) && !is_word_part(text[strlen(word)]);
}

/* Where a word stands outside of quotes; NULL if nowhere. */
static const char *
find_word(const char *text, const char *word)
{
	bool		quoted = false;
	char		before = ' ';

	for (; *text != '\0'; before = *text++)
	{
		if (*text == '\'')
			quoted = !quoted;
		else if (!quoted && !is_word_part(before) && is_word(text, word))
			return text;
	}
	return NULL;
}

bool
pin_rules_dataset(const char *text, char dataset[PIN_QUERY_NAME_MAX + 1])
{
	const char *from = find_word(text, "FROM");
	size_t		len = 0;

	if (from == NULL)
		return false;
	from += strlen("FROM");
	while (pin_ascii_is_blank(*from))
		from++;
	while (is_word_part(from[len]))
		len++;
	if (len == 0 || len > PIN_QUERY_NAME_MAX)
		return false;
	memcpy(dataset, from, len);
	dataset[len] = '\0';
	return true;
}

/* Custom query specification: SELECT ... FROM Dataset, clauses in that order. */
static bool
check_query(const char *text, PinError *err)
{
	char		dataset[PIN_QUERY_NAME_MAX + 1];

	if (!check_given("query", text, err))
		return false;
	if (strlen(text) > PIN_QUERY_TEXT_MAX)
	{
		pin_error_set(err, PIN_ERROR_RULE, "column \"query\" has more than %d bytes", PIN_QUERY_TEXT_MAX);
		return false;
	}
	while (pin_ascii_is_blank(*text))
		text++;
	if (is_word(text, "SELECT") && pin_rules_dataset(text, dataset))
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"query\" is not a report query");
	pin_error_hint(err, PIN_QUERY_FORM);
	return false;
}

bool
pin_rules_query(const char *name, const char *text, PinError *err)
{
	pin_error_reset(err);
	return check_name("name", name, err) && check_query(text, err);
}

/* ---- reports: what is new or changed ---- */

/* FAQ: "Report format should be csv/tsv"; without case, by the reference. */
static bool
check_format(const char *format, PinError *err)
{
	if (format == NULL || pin_ascii_equal(format, "csv") || pin_ascii_equal(format, "tsv"))
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"format\" must be csv or tsv");
	return false;
}

/* FAQ: "CallbackMethod can only be GET or POST". */
static bool
check_callback_method(const PinReportWish *wish, PinError *err)
{
	const char *method = wish->callback_method;

	if (method == NULL)
		return true;
	if (!pin_ascii_equal(method, "GET") && !pin_ascii_equal(method, "POST"))
	{
		pin_error_set(err, PIN_ERROR_RULE, "column \"callback_method\" must be GET or POST");
		return false;
	}
	if (wish->callback_url != NULL)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"callback_method\" means nothing without \"callback_url\"");
	pin_error_hint(err, "Set both, or none.");
	return false;
}

/* Where an address must lead that is called from outside. */
static const char *
find_callback_fault(const char *url)
{
	char		host[PIN_URL_HOST_SIZE];

	for (const char *c = url; *c != '\0'; c++)
		if (*c > '\0' && (*c <= ' ' || *c == 0x7F))
			return "contains a blank or a control character";
	if (!pin_ascii_starts(url, "https://") && !pin_ascii_starts(url, "http://"))
		return "does not begin with https:// or http://";
	if (*pin_url_host(url, host, sizeof(host)) == '\0')
		return "has no host";
	if (pin_url_is_loopback(url))
		return "leads to this machine, where the service cannot call it";
	return NULL;
}

/* Reference: a "publicly accessible URL". */
static bool
check_callback_url(const char *url, PinError *err)
{
	const char *fault = url != NULL ? find_callback_fault(url) : NULL;

	if (fault == NULL)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"callback_url\" %s", fault);
	pin_error_hint(err, "The service calls the address when a report is ready, so it has to be "
				   "a public one.");
	return false;
}

static bool
check_callback(const PinReportWish *wish, PinError *err)
{
	return check_callback_url(wish->callback_url, err) && check_callback_method(wish, err);
}

static bool
check_named(const PinReportWish *wish, PinError *err)
{
	return check_name("report_name", wish->name, err) &&
		check_length("description", wish->description, err);
}

/* ---- reports: when they run ---- */

/*
 * FAQ: "Start time of report should at least be 4 hours from current UTC time",
 * "StartTime should follow format: yyyy-MM-ddTHH:mm:ssZ".
 */
static bool
check_start(const PinReportWish *wish, const PinStartLimit *limit, PinError *err)
{
	if (!check_given("start_time", wish->start_time, err))
	{
		pin_error_hint(err, "Say when the report runs first, such as now() + interval '5 hours', or "
					   "set execute_now.");
		return false;
	}
	if (!pin_api_time_ok(wish->start_time))
	{
		pin_error_set(err, PIN_ERROR_RULE, "column \"start_time\" is out of range");
		return false;
	}
	if (strcmp(wish->start_time, limit->earliest) >= 0)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"start_time\" must be at least %d hours ahead",
				  PIN_START_NOTICE_HOURS);
	pin_error_detail(err, "It is %s now, and the start is %s.", limit->now, wish->start_time);
	pin_error_hint(err, "Say for instance now() + interval '5 hours', or set execute_now.");
	return false;
}

/* FAQ: "Recurrence Interval must be between 4 and 2160". */
static bool
check_interval(int hours, PinError *err)
{
	if (hours >= PIN_RECURRENCE_MIN_HOURS && hours <= PIN_RECURRENCE_MAX_HOURS)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"recurrence_interval\" must be between %d and %d",
				  PIN_RECURRENCE_MIN_HOURS, PIN_RECURRENCE_MAX_HOURS);
	pin_error_hint(err, "It counts the hours from one run to the next: a day has 24, 90 days have "
				   "%d.", PIN_RECURRENCE_MAX_HOURS);
	return false;
}

/* FAQ: "Recurrence count has to be a positive integer value". */
static bool
check_count(int count, PinError *err)
{
	if (count == PIN_UNSAID || count > 0)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"recurrence_count\" must be positive");
	pin_error_hint(err, "Leave it out (NULL) for a report that runs without end.");
	return false;
}

static bool
check_recurring(const PinReportWish *wish, const PinStartLimit *limit, PinError *err)
{
	return check_start(wish, limit, err) &&
		check_interval(wish->recurrence_hours, err) &&
		check_count(wish->recurrence_count, err);
}

/* What is said of a report that runs at once would be ignored (reference). */
static bool
check_no_schedule(const PinReportWish *wish, PinError *err)
{
	const char *column = wish->start_time != NULL ? "start_time" :
	wish->recurrence_hours != PIN_UNSAID ? "recurrence_interval" :
	wish->recurrence_count != PIN_UNSAID ? "recurrence_count" : NULL;

	if (column == NULL)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" does not go together with \"execute_now\"", column);
	pin_error_hint(err, "A report that runs at once runs only once; leave one of the two out.");
	return false;
}

/*
 * FAQ: "EndTime should be greater than StartTime"; what cannot be read as a
 * time the service answers with an internal error of its own.
 */
static bool
check_window(const PinReportWish *wish, PinError *err)
{
	const char *start = wish->query_start;
	const char *end = wish->query_end;

	if (start == NULL && end == NULL)
		return true;
	if (start == NULL || end == NULL)
	{
		pin_error_set(err, PIN_ERROR_RULE, "columns \"query_start_time\" and \"query_end_time\" need each other");
		return false;
	}
	if (!pin_api_time_ok(start) || !pin_api_time_ok(end))
	{
		pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" is out of range",
					  pin_api_time_ok(start) ? "query_end_time" : "query_start_time");
		return false;
	}
	if (strcmp(start, end) < 0)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"query_end_time\" must be later than \"query_start_time\"");
	return false;
}

/* Reference: the window is for reports that run at once. */
static bool
check_no_window(const PinReportWish *wish, PinError *err)
{
	if (wish->query_start == NULL && wish->query_end == NULL)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"%s\" needs \"execute_now\"",
				  wish->query_start != NULL ? "query_start_time" : "query_end_time");
	pin_error_hint(err, "A report that runs again and again covers the timespan of its query.");
	return false;
}

bool
pin_rules_new_report(const PinReportWish *wish, const PinStartLimit *limit, PinError *err)
{
	pin_error_reset(err);
	if (!check_named(wish, err) || !check_given("query_id", wish->query_id, err) ||
		!check_format(wish->format, err) || !check_callback(wish, err))
		return false;
	if (wish->execute_now)
		return check_no_schedule(wish, err) && check_window(wish, err);
	return check_no_window(wish, err) && check_recurring(wish, limit, err);
}

bool
pin_rules_changed_report(const PinReportWish *wish, const PinStartLimit *limit,
						 PinError *err)
{
	pin_error_reset(err);
	return check_named(wish, err) && check_format(wish->format, err) &&
		check_callback(wish, err) && check_recurring(wish, limit, err);
}

/*
 * Reference of the datasets: minimumRecurrenceInterval.  That reports have to
 * keep to it is what the name says; whether the service insists is not known.
 */
bool
pin_rules_interval(int hours, const char *dataset, int minimum_hours, PinError *err)
{
	pin_error_reset(err);
	if (hours >= minimum_hours)
		return true;
	pin_error_set(err, PIN_ERROR_RULE, "column \"recurrence_interval\" must be at least %d for dataset \"%s\"",
				  minimum_hours, dataset);
	pin_error_hint(err, "The table \"datasets\" tells the minimum_recurrence_interval of each.");
	return false;
}

void
pin_rules_order(const PinReportWish *wish, PinReportOrder *order)
{
	bool		endless = wish->recurrence_count == PIN_UNSAID;

	memset(order, 0, sizeof(*order));
	order->name = wish->name;
	order->description = wish->description;
	order->query_id = wish->query_id;
	order->query_start = wish->query_start;
	order->query_end = wish->query_end;
	if (wish->format != NULL)
		order->format = pin_ascii_equal(wish->format, "tsv") ? "tsv" : "csv";
	order->start_time = wish->execute_now ? NULL : wish->start_time;
	order->recurrence_hours = wish->execute_now ? 0 : wish->recurrence_hours;
	order->recurrence_count = wish->execute_now || endless ? 0 : wish->recurrence_count;
	order->callback_url = wish->callback_url;
	if (wish->callback_method != NULL)
		order->callback_method = pin_ascii_equal(wish->callback_method, "GET") ? "GET" : "POST";
}
