/*-------------------------------------------------------------------------
 *
 * json.c
 *		Reading JSON with patience, writing it with care.
 *
 * A PinJson is the library's json_t under another name; nothing outside this
 * file sees that.  The library allocates with malloc, as it does by default:
 * its allocation hooks are shared by the whole process and not ours to set.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* strdup */
#include "insights/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "insights/ascii.h"
#include "insights/text_buffer.h"

static const json_t *
value_of(const PinJson *value)
{
	return (const json_t *) value;
}

static const PinJson *
as_value(const json_t *value)
{
	return (const PinJson *) value;
}

/* ---- parsing ---- */

/*
 * The deepest nesting of brackets outside strings.  Looked at before parsing,
 * because the library's own bound lets an attacker recurse far deeper.
 */
static int
nesting_depth(const char *text, size_t len)
{
	int			depth = 0;
	int			deepest = 0;
	bool		in_string = false;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (in_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		}
		else if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
		{
			if (++depth > deepest)
				deepest = depth;
		}
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return deepest;
}

static void
report_parse_error(const json_error_t *error, const char *what, PinError *err)
{
	if (json_error_code(error) == json_error_out_of_memory)
	{
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return;
	}
	pin_error_set(err, PIN_ERROR_REPLY, "could not understand %s", what);
	/* the library's text may quote the reply, so only the place is told */
	pin_error_detail(err, "It is not JSON at line %d, column %d.",
					 error->line, error->column);
}

/*
 * Numbers beyond 64 bits make the library refuse the text.  They are nothing
 * we need, so such a text is read again with all numbers as floating point.
 */
static json_t *
load(const char *text, size_t len, json_error_t *error)
{
	size_t		flags = JSON_DECODE_ANY;
	json_t	   *root = json_loadb(text, len, flags, error);

	if (root == NULL && json_error_code(error) == json_error_numeric_overflow)
		root = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, error);
	return root;
}

PinJson *
pin_json_parse(const char *text, size_t len, const char *what, PinError *err)
{
	json_error_t error;
	json_t	   *root;

	pin_error_reset(err);
	if (text == NULL)
		len = 0;
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
	{
		text += 3;
		len -= 3;
	}
	if (len > PIN_JSON_SIZE_MAX)
	{
		pin_error_set(err, PIN_ERROR_REPLY_TOO_LARGE, "%s is too large", what);
		pin_error_detail(err, "It has %zu bytes, the limit is %d.",
						 len, PIN_JSON_SIZE_MAX);
		return NULL;
	}
	if (len == 0)
	{
		pin_error_set(err, PIN_ERROR_REPLY, "could not understand %s", what);
		pin_error_detail(err, "It is empty.");
		return NULL;
	}
	if (nesting_depth(text, len) > PIN_JSON_DEPTH_MAX)
	{
		pin_error_set(err, PIN_ERROR_REPLY, "could not understand %s", what);
		pin_error_detail(err, "It is nested deeper than %d levels.",
						 PIN_JSON_DEPTH_MAX);
		return NULL;
	}

	root = load(text, len, &error);
	if (root == NULL)
		report_parse_error(&error, what, err);
	return (PinJson *) root;
}

void
pin_json_free(PinJson *document)
{
	json_decref((json_t *) document);
}

/* ---- finding ---- */

const PinJson *
pin_json_member(const PinJson *object, const char *name)
{
	json_t	   *value = (json_t *) object;
	const json_t *exact = json_object_get(value, name);

	if (exact)
		return as_value(exact);

	for (void *i = json_object_iter(value); i; i = json_object_iter_next(value, i))
		if (pin_ascii_equal_trimmed(json_object_iter_key(i), name))
			return as_value(json_object_iter_value(i));
	return NULL;
}

size_t
pin_json_count(const PinJson *value)
{
	if (json_is_object(value_of(value)))
		return json_object_size(value_of(value));
	return json_array_size(value_of(value));
}

const PinJson *
pin_json_element(const PinJson *array, size_t i)
{
	return as_value(json_array_get(value_of(array), i));
}

bool
pin_json_is_array(const PinJson *value)
{
	return json_is_array(value_of(value));
}

bool
pin_json_is_object(const PinJson *value)
{
	return json_is_object(value_of(value));
}

bool
pin_json_is_null(const PinJson *value)
{
	return value == NULL || json_is_null(value_of(value));
}

/* ---- values ---- */

const char *
pin_json_string(const PinJson *value)
{
	return json_string_value(value_of(value));
}

/* A string of digits, perhaps signed, between blanks. */
static bool
parse_integer(const char *text, int64_t *result)
{
	char	   *end;
	long long	number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || errno != 0)
		return false;
	while (pin_ascii_is_blank(*end))
		end++;
	if (*end)
		return false;
	*result = number;
	return true;
}

bool
pin_json_integer(const PinJson *value, int64_t *result)
{
	const json_t *json = value_of(value);

	if (json_is_integer(json))
	{
		*result = json_integer_value(json);
		return true;
	}
	if (json_is_real(json))
	{
		double		number = json_real_value(json);

		/* 3600.0 is a whole number; beyond 2^53 doubles stop counting by one */
		if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0) ||
			number != (double) (int64_t) number)
			return false;
		*result = (int64_t) number;
		return true;
	}
	if (json_is_string(json))
		return parse_integer(json_string_value(json), result);
	return false;
}

bool
pin_json_boolean(const PinJson *value, bool *result)
{
	const json_t *json = value_of(value);
	const char *text = json_string_value(json);
	int64_t		number;

	if (json_is_boolean(json))
		*result = json_is_true(json);
	else if (text && pin_ascii_equal_trimmed(text, "true"))
		*result = true;
	else if (text && pin_ascii_equal_trimmed(text, "false"))
		*result = false;
	else if (pin_json_integer(value, &number) && (number == 0 || number == 1))
		*result = number == 1;
	else
		return false;
	return true;
}

/* The shortest decimal text that reads back as the same double. */
static void
print_real(char *buffer, size_t size, double number)
{
	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(buffer, size, "%.*g", digits, number);
		if (strtod(buffer, NULL) == number)
			return;
	}
}

/* The length of the number that a text begins with, and whether it is whole. */
static size_t
number_length(const char *text, size_t len, bool *whole)
{
	size_t		n = 0;

	*whole = true;
	while (n < len && text[n] != '\0' && strchr("0123456789+-.eE", text[n]) != NULL)
	{
		if (strchr(".eE", text[n]) != NULL)
			*whole = false;
		n++;
	}
	return n;
}

/* The length of the string that a text begins with, quotes included. */
static size_t
string_length(const char *text, size_t len)
{
	size_t		n = 1;

	while (n < len && text[n] != '"')
		n += text[n] == '\\' ? 2 : 1;
	return n < len ? n + 1 : len;
}

char *
pin_json_keep_fractions(const char *text, size_t len, size_t *result_len)
{
	char	   *result = malloc(3 * len + 1);	/* "1." becomes ["1."] */
	size_t		out = 0;

	for (size_t i = 0; result != NULL && i < len;)
	{
		bool		number = text[i] == '-' || (text[i] >= '0' && text[i] <= '9');
		bool		whole = true;
		size_t		n = text[i] == '"' ? string_length(text + i, len - i) :
		number ? number_length(text + i, len - i, &whole) : 1;

		if (!whole)
		{
			memcpy(result + out, "[\"", 2);
			out += 2;
		}
		memcpy(result + out, text + i, n);
		out += n;
		if (!whole)
		{
			memcpy(result + out, "\"]", 2);
			out += 2;
		}
		i += n;
	}
	if (result != NULL)
		result[out] = '\0';
	*result_len = out;
	return result;
}

const char *
pin_json_fraction(const PinJson *value)
{
	return json_array_size(value_of(value)) == 1 ? pin_json_string(pin_json_element(value, 0)) : NULL;
}

/* The 16 bits of \uXXXX; -1: a text begins with no such escape. */
static long
escape_code(const char *text, size_t len)
{
	char		digits[5] = "";

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	memcpy(digits, text + 2, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/*
 * The character beyond ASCII that a text begins with as an escape, or as two for
 * one that 16 bits do not hold; 0: there is none.  *n becomes its length in text.
 */
static long
escaped_character(const char *text, size_t len, size_t *n)
{
	long		code = escape_code(text, len);
	long		low;

	*n = 6;
	if (code < 0x80 || (code >= 0xDC00 && code <= 0xDFFF))
		return 0;
	if (code < 0xD800 || code > 0xDFFF)
		return code;
	low = escape_code(text + 6, len - 6);
	*n = 12;
	return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0;
}

/* Writes a character beyond ASCII as UTF-8; returns its length. */
static size_t
put_utf8(char *dst, long code)
{
	size_t		n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const int marks[] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		dst[i] = (char) (0x80 | (code & 0x3F));
	dst[0] = (char) (marks[n] | code);
	return n;
}

char *
pin_json_unescape(const char *text, size_t len, size_t *result_len)
{
	char	   *result = malloc(len + 1);	/* a character is shorter than its
											 * escape */
	size_t		out = 0;

	for (size_t i = 0; result != NULL && i < len;)
	{
		size_t		n;
		long		code = escaped_character(text + i, len - i, &n);

		if (code != 0)
			out += put_utf8(result + out, code);
		else
		{
			n = text[i] == '\\' && i + 1 < len ? 2 : 1;
			memcpy(result + out, text + i, n);
			out += n;
		}
		i += n;
	}
	if (result != NULL)
		result[out] = '\0';
	*result_len = out;
	return result;
}

char *
pin_json_text(const PinJson *value)
{
	const json_t *json = value_of(value);
	char		number[64];

	if (json_is_string(json))
		return strdup(json_string_value(json));
	if (json_is_boolean(json))
		return strdup(json_is_true(json) ? "true" : "false");
	if (json_is_integer(json))
	{
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
				 json_integer_value(json));
		return strdup(number);
	}
	if (json_is_real(json))
	{
		print_real(number, sizeof(number), json_real_value(json));
		return strdup(number);
	}
	return NULL;
}

static void dump(PinTextBuffer *buffer, const json_t *value);

/* As the library writes it. */
static void
dump_plain(PinTextBuffer *buffer, const json_t *value)
{
	char	   *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (text == NULL)
		buffer->failed = true;
	else
		pin_text_buffer_add(buffer, text);
	free(text);
}

static void
dump_object(PinTextBuffer *buffer, const json_t *object)
{
	const char *key;
	json_t	   *value;
	const char *before = "{";

	json_object_foreach((json_t *) object, key, value)
	{
		json_t	   *name = json_string(key);

		pin_text_buffer_add(buffer, before);
		dump_plain(buffer, name);
		json_decref(name);
		pin_text_buffer_add(buffer, ":");
		dump(buffer, value);
		before = ",";
	}
	pin_text_buffer_add(buffer, json_object_size(object) == 0 ? "{}" : "}");
}

static void
dump_array(PinTextBuffer *buffer, const json_t *array)
{
	pin_text_buffer_add(buffer, "[");
	for (size_t i = 0; i < json_array_size(array); i++)
	{
		if (i > 0)
			pin_text_buffer_add(buffer, ",");
		dump(buffer, json_array_get(array, i));
	}
	pin_text_buffer_add(buffer, "]");
}

/* The library would write all fractions with equally many digits. */
static void
dump(PinTextBuffer *buffer, const json_t *value)
{
	char		number[64];

	if (json_is_object(value))
		dump_object(buffer, value);
	else if (json_is_array(value))
		dump_array(buffer, value);
	else if (json_is_real(value))
	{
		print_real(number, sizeof(number), json_real_value(value));
		pin_text_buffer_add(buffer, number);
	}
	else
		dump_plain(buffer, value);
}

char *
pin_json_dump(const PinJson *value)
{
	PinTextBuffer buffer;

	if (value == NULL)
		return NULL;
	pin_text_buffer_init(&buffer);
	dump(&buffer, value_of(value));
	return pin_text_buffer_take(&buffer, NULL);
}

const char *
pin_json_member_string(const PinJson *object, const char *name)
{
	return pin_json_string(pin_json_member(object, name));
}

int64_t
pin_json_member_integer(const PinJson *object, const char *name,
						int64_t otherwise)
{
	int64_t		result = otherwise;

	pin_json_integer(pin_json_member(object, name), &result);
	return result;
}

/* ---- writing ---- */

static json_t *
field_value(const PinJsonField *field)
{
	switch (field->type)
	{
		case PIN_JSON_STRING:
			return json_string(field->string);
		case PIN_JSON_INTEGER:
			return json_integer(field->integer);
		case PIN_JSON_BOOLEAN:
			return json_boolean(field->integer != 0);
	}
	return NULL;
}

/*
 * Not json_object(): PostgreSQL has an SQL function of that name, and within a
 * backend the server's symbol comes before the library's.
 */
char *
pin_json_object_text(const PinJsonField *fields, size_t nfields, PinError *err)
{
	json_t	   *object = json_pack("{}");
	char	   *text;

	pin_error_reset(err);
	for (size_t i = 0; i < nfields; i++)
	{
		const PinJsonField *field = &fields[i];

		if (field->type == PIN_JSON_STRING && field->string == NULL)
			continue;
		if (json_object_set_new(object, field->name, field_value(field)) != 0)
		{
			json_decref(object);
			pin_error_set(err, PIN_ERROR_BAD_REQUEST,
						  "could not write \"%s\" into a request", field->name);
			pin_error_detail(err, "Its text is not valid UTF-8, or memory ran out.");
			return NULL;
		}
	}
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL)
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return text;
}
