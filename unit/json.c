/*-------------------------------------------------------------------------
 *
 * json.c
 *		Unit test of src/insights/json.c, and of ascii.c under it.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/ascii.h"
#include "insights/json.h"
#include "tap.h"

#include <stdlib.h>

static PinJson *
parse(const char *text, PinError *err)
{
	return pin_json_parse(text, strlen(text), "the test's text", err);
}

/* Passes if the text is refused with that kind. */
static void
refused(const char *text, size_t len, PinErrorKind kind, const char *name)
{
	PinError	err;
	PinJson    *document = pin_json_parse(text, len, "the test's text", &err);

	ok(document == NULL, "%s: refused", name);
	is_int(err.kind, kind, "%s: kind", name);
	has_str(err.message, "the test's text", "%s: message names the text", name);
	ok(err.detail[0] != '\0', "%s: detail says why", name);
	pin_json_free(document);
}

static void
test_tolerance(void)
{
	PinError	err;
	PinJson    *document;

	document = parse("\xEF\xBB\xBF{\"Value\": [1, 2], \" RecurrenceCount \": 3,"
					 "\"datasetName \": \"x\", \"a\": 1, \"a\": 2}", &err);
	ok(document != NULL, "byte order mark, stray blanks, duplicates");
	is_int(err.kind, PIN_ERROR_NONE, "no error");
	is_int(pin_json_count(pin_json_member(document, "value")), 2, "name in other case");
	is_int(pin_json_member_integer(document, "recurrenceCount", -1), 3, "blanks around a name");
	is_str(pin_json_member_string(document, "DatasetName"), "x", "blank behind a name");
	is_int(pin_json_member_integer(document, "a", -1), 2, "of two members the last");
	ok(pin_json_member(document, "valu") == NULL, "no match by prefix");
	ok(pin_json_member(document, "values") == NULL, "no match by excess");
	pin_json_free(document);

	document = parse("{\"queryid\": \"lower\", \"queryId\": \"exact\"}", &err);
	is_str(pin_json_member_string(document, "queryId"), "exact", "the exact name goes first");
	pin_json_free(document);

	document = parse(" \"just a text\" ", &err);
	is_str(pin_json_string(document), "just a text", "a document may be a text");
	ok(!pin_json_is_object(document) && !pin_json_is_array(document), "it is nothing else");
	pin_json_free(document);
}

static void
test_integers(void)
{
	PinError	err;
	PinJson    *document;
	int64_t		number = 77;

	document = parse("{\"n\": 3600, \"s\": \"3599\", \"b\": \" 12 \", \"neg\": -5, \"r\": 3.0,"
					 "\"f\": 3.5, \"w\": \"12x\", \"e\": \"\", \"h\": \"99999999999999999999\","
					 "\"t\": true, \"z\": null, \"max\": 9223372036854775807}", &err);
	is_int(pin_json_member_integer(document, "n", -1), 3600, "a number");
	is_int(pin_json_member_integer(document, "s", -1), 3599, "a number as text");
	is_int(pin_json_member_integer(document, "b", -1), 12, "with blanks");
	is_int(pin_json_member_integer(document, "neg", -1), -5, "negative");
	is_int(pin_json_member_integer(document, "r", -1), 3, "whole number with a fraction of 0");
	is_int(pin_json_member_integer(document, "max", -1), INT64_MAX, "the largest");
	ok(!pin_json_integer(pin_json_member(document, "f"), &number), "a fraction is none");
	ok(!pin_json_integer(pin_json_member(document, "w"), &number), "digits and more are none");
	ok(!pin_json_integer(pin_json_member(document, "e"), &number), "an empty text is none");
	ok(!pin_json_integer(pin_json_member(document, "h"), &number), "too many digits are none");
	ok(!pin_json_integer(pin_json_member(document, "t"), &number), "true is none");
	ok(!pin_json_integer(pin_json_member(document, "z"), &number), "null is none");
	is_int(number, 77, "what is none leaves the result alone");
	pin_json_free(document);

	document = parse("{\"big\": 123456789012345678901234567890, \"n\": 7}", &err);
	ok(document != NULL, "an integer beyond 64 bits does not spoil the rest");
	is_int(pin_json_member_integer(document, "n", -1), 7, "which is read");
	ok(!pin_json_integer(pin_json_member(document, "big"), &number), "itself it is none");
	pin_json_free(document);
	refused("[1e999]", 7, PIN_ERROR_REPLY, "number beyond doubles");
}

static void
test_unescape(void)
{
	static const struct
	{
		const char *text;
		const char *expected;
	}			cases[] = {
		{"[\"\\u00e9\"]", "[\"\xC3\xA9\"]"},
		{"[\"\\u007f\\u0080\\u07FF\\u0800\\uffff\"]", "[\"\\u007f\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\"]"},
		{"\"\\ud83d\\ude00\\udbff\\udfff\\ud800\\udc00\"", "\"\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\xF0\x90\x80\x80\""},
		{"\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\xF0\x9F\x98\x80\""},
		{"\"\\ude00\\ud83d\"", "\"\\ude00\\ud83d\""},
		{"\"\\ud83dx\\u00e\"", "\"\\ud83dx\\u00e\""},
		{"\"\\\\u00e9 \\\\\\u00e9 \\\" \\n\"", "\"\\\\u00e9 \\\\\xC3\xA9 \\\" \\n\""},
		{"\"\\u0000\\u0022\\u005C\"", "\"\\u0000\\u0022\\u005C\""},
		{"\"\\u 0e9\\u0x1f\\u-123\"", "\"\\u 0e9\\u0x1f\\u-123\""},
		{"\"\\u00e", "\"\\u00e"}, {"\"\\", "\"\\"}, {"", ""}, {"1.50", "1.50"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		size_t		len;
		char	   *text = pin_json_unescape(cases[i].text, strlen(cases[i].text), &len);

		is_str(text, cases[i].expected, "%s", cases[i].text);
		is_int((int64_t) len, strlen(cases[i].expected), "its length");
		free(text);
	}
}

static void
test_booleans(void)
{
	static const struct
	{
		const char *text;
		int			expected;	/* -1: no boolean */
	}			cases[] = {
		{"true", 1}, {"false", 0}, {"1", 1}, {"0", 0}, {"\"True\"", 1},
		{"\"FALSE\"", 0}, {"\"1\"", 1}, {"2", -1}, {"\"yes\"", -1}, {"null", -1},
		{"[]", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		PinError	err;
		PinJson    *document = parse(cases[i].text, &err);
		bool		value = cases[i].expected == 0;
		bool		expected = cases[i].expected == 1;
		bool		found = pin_json_boolean(document, &value);

		if (cases[i].expected < 0)
			ok(!found, "%s is no boolean", cases[i].text);
		else
			ok(found && value == expected, "%s is a boolean", cases[i].text);
		pin_json_free(document);
	}
}

static void
is_text(const char *json, const char *expected)
{
	PinError	err;
	PinJson    *document = parse(json, &err);
	char	   *text = pin_json_text(document);

	is_str(text, expected, "text of %s", json);
	free(text);
	pin_json_free(document);
}

static void
test_texts(void)
{
	is_text("\"a\\u00e4\"", "a\xC3\xA4");
	is_text("12", "12");
	is_text("-9223372036854775808", "-9223372036854775808");
	is_text("true", "true");
	is_text("false", "false");
	is_text("0.1", "0.1");
	is_text("1234.56", "1234.56");
	is_text("0.30000000000000004", "0.30000000000000004");
	is_text("null", NULL);
	is_text("[]", NULL);
	is_text("{}", NULL);
}

static void
test_nothing(void)
{
	int64_t		number = 5;
	bool		truth = true;

	ok(pin_json_member(NULL, "a") == NULL, "nothing has no member");
	ok(pin_json_element(NULL, 0) == NULL, "nothing has no element");
	is_int(pin_json_count(NULL), 0, "nothing has no count");
	ok(pin_json_string(NULL) == NULL, "nothing is no string");
	ok(!pin_json_integer(NULL, &number) && number == 5, "nothing is no number");
	ok(!pin_json_boolean(NULL, &truth) && truth, "nothing is no boolean");
	ok(pin_json_is_null(NULL), "nothing is null");
	ok(pin_json_text(NULL) == NULL, "nothing has no text");
	is_int(pin_json_member_integer(NULL, "a", 9), 9, "nothing has the default");
	pin_json_free(NULL);
}

static void
test_wrong_types(void)
{
	PinError	err;
	PinJson    *document = parse("{\"n\": 1, \"a\": [\"x\", null], \"o\": {\"k\": 1, \"l\": 2}}", &err);
	const PinJson *array = pin_json_member(document, "a");

	ok(pin_json_member(array, "x") == NULL, "an array has no members");
	ok(pin_json_element(document, 0) == NULL, "an object has no elements");
	is_str(pin_json_string(pin_json_element(array, 0)), "x", "an element");
	ok(pin_json_is_null(pin_json_element(array, 1)), "an element that is null");
	ok(pin_json_element(array, 2) == NULL, "no element behind the last");
	ok(pin_json_string(pin_json_member(document, "n")) == NULL, "a number is no string");
	is_int(pin_json_count(pin_json_member(document, "o")), 2, "an object's members are counted");
	is_int(pin_json_count(pin_json_member(document, "n")), 0, "a number has none");
	pin_json_free(document);
}

static void
test_refusals(void)
{
	static const char whole[] =
	"{\"value\":[{\"queryId\":\"a\\\"b\",\"n\":12.5,\"t\":true}],\"statusCode\":200}";
	char	   *big;
	char		deep[2 * PIN_JSON_DEPTH_MAX + 8];
	PinError	err;
	PinJson    *document;

	for (size_t len = 0; len < sizeof(whole) - 1; len++)
	{
		document = pin_json_parse(whole, len, "x", &err);
		if (document != NULL || err.kind != PIN_ERROR_REPLY)
			ok(false, "a text cut after %zu bytes is refused", len);
		pin_json_free(document);
	}
	document = parse(whole, &err);
	ok(document != NULL, "all cut texts were refused, the whole one is read");
	pin_json_free(document);

	refused("", 0, PIN_ERROR_REPLY, "empty");
	refused(NULL, 0, PIN_ERROR_REPLY, "nothing");
	refused("  ", 2, PIN_ERROR_REPLY, "blank");
	refused("<html></html>", 13, PIN_ERROR_REPLY, "a page");
	refused("{} {}", 5, PIN_ERROR_REPLY, "two documents");
	refused("{\"a\": \"x\\u0000y\"}", 17, PIN_ERROR_REPLY, "escaped U+0000");
	refused("{\"a\": \"x\0y\"}", 12, PIN_ERROR_REPLY, "a zero byte");
	refused("{\"a\": \"\xFF\"}", 10, PIN_ERROR_REPLY, "a byte that is not UTF-8");

	memset(deep, '[', sizeof(deep));
	memset(deep + PIN_JSON_DEPTH_MAX, ']', PIN_JSON_DEPTH_MAX);
	document = pin_json_parse(deep, 2 * PIN_JSON_DEPTH_MAX, "x", &err);
	ok(document != NULL, "nesting as deep as allowed");
	pin_json_free(document);
	memset(deep, '[', PIN_JSON_DEPTH_MAX + 1);
	memset(deep + PIN_JSON_DEPTH_MAX + 1, ']', PIN_JSON_DEPTH_MAX + 1);
	refused(deep, 2 * PIN_JSON_DEPTH_MAX + 2, PIN_ERROR_REPLY, "one level deeper");

	document = parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"", &err);
	ok(document != NULL, "brackets in a string do not count");
	pin_json_free(document);

	big = malloc(PIN_JSON_SIZE_MAX + 1);
	memset(big, ' ', PIN_JSON_SIZE_MAX + 1);
	big[0] = '7';
	refused(big, PIN_JSON_SIZE_MAX + 1, PIN_ERROR_REPLY_TOO_LARGE, "too large");
	document = pin_json_parse(big, PIN_JSON_SIZE_MAX, "x", &err);
	ok(document != NULL, "as large as allowed");
	pin_json_free(document);
	memset(big, '[', PIN_JSON_SIZE_MAX);
	refused(big, PIN_JSON_SIZE_MAX, PIN_ERROR_REPLY, "eight million brackets");
	free(big);
}

static void
test_no_leak(void)
{
	PinError	err;

	refused("{\"access_token\": \"hunter2\", oops", 32, PIN_ERROR_REPLY, "broken");
	ok(parse("{\"access_token\": \"hunter2\" hunter3", &err) == NULL, "broken again");
	ok(strstr(err.message, "hunter") == NULL && strstr(err.detail, "hunter") == NULL,
	   "an error does not repeat the text");
}

static void
test_writing(void)
{
	const PinJsonField fields[] = {
		PIN_JSON_FIELD_STRING("Name", "a \"b\" \\ \n \xC3\xA4"),
		PIN_JSON_FIELD_STRING("Description", NULL),
		PIN_JSON_FIELD_INTEGER("Count", -3),
		PIN_JSON_FIELD_BOOLEAN("ExecuteNow", 1),
	};
	const PinJsonField bad[] = {PIN_JSON_FIELD_STRING("Name", "\xC3")};
	PinError	err;
	char	   *text = pin_json_object_text(fields, 4, &err);

	is_str(text, "{\"Name\":\"a \\\"b\\\" \\\\ \\n \xC3\xA4\",\"Count\":-3,\"ExecuteNow\":true}",
		   "an object's text; NULL is left out");
	free(text);
	text = pin_json_object_text(fields, 0, &err);
	is_str(text, "{}", "an empty object");
	free(text);
	ok(pin_json_object_text(bad, 1, &err) == NULL, "text that is not UTF-8 is refused");
	is_int(err.kind, PIN_ERROR_BAD_REQUEST, "kind");
	has_str(err.message, "Name", "message names the member");
}

static void
test_ascii(void)
{
	ok(pin_ascii_equal("QueryID", "queryid"), "equal without case");
	ok(!pin_ascii_equal("a", "ab") && !pin_ascii_equal("ab", "a"), "not by prefix");
	ok(!pin_ascii_equal("[", "{") && !pin_ascii_equal("@", "`"), "only letters have a case");
	ok(pin_ascii_equal_trimmed(" a b\t", "A B"), "equal but for outer blanks");
	ok(!pin_ascii_equal_trimmed("a b", "ab"), "inner blanks count");
	is_str(pin_ascii_find("xxMfA!", "mfa"), "MfA!", "found without case");
	ok(pin_ascii_find("mf", "mfa") == NULL, "not found past the end");
	ok(pin_ascii_starts("HTTPS://x", "https://") && !pin_ascii_starts("http", "https"),
	   "starts");
}

static void
is_dump(const char *text, const char *expected)
{
	PinError	err;
	PinJson    *value = pin_json_parse(text, strlen(text), "a text", &err);
	char	   *dump = pin_json_dump(value);

	is_str(dump, expected, "%s", text);
	free(dump);
	pin_json_free(value);
}

static void
test_dump(void)
{
	is_dump("{ \"b\" : [ 1, -2.50, 0.1, 1e3, true, null ], \"a\": {}, \"c\": [] }",
			"{\"b\":[1,-2.5,0.1,1000,true,null],\"a\":{},\"c\":[]}");
	is_dump("[12345678901234567890, 0.1]", "[1.2345678901234567e+19,0.1]");
	is_dump("\"\\u00e4 \\\" \\n\"", "\"\xC3\xA4 \\\" \\n\"");
	is_dump("{\"a \\\"b\": \"\"}", "{\"a \\\"b\":\"\"}");
	is_dump("7", "7");
	ok(pin_json_dump(NULL) == NULL, "nothing");
}

int
main(void)
{
	test_ascii();
	test_dump();
	test_tolerance();
	test_integers();
	test_unescape();
	test_booleans();
	test_texts();
	test_nothing();
	test_wrong_types();
	test_refusals();
	test_no_leak();
	test_writing();
	return done_testing();
}
