/*-------------------------------------------------------------------------
 *
 * json.h
 *		Reading JSON with patience, writing it with care.
 *
 * The only file that sees the JSON library.  Reading tolerates what services
 * have been seen to send: a byte order mark, member names in another case or
 * with blanks around them, numbers as strings, members twice (the last wins).
 * It refuses what could hurt: more than PIN_JSON_SIZE_MAX bytes, nesting deeper
 * than PIN_JSON_DEPTH_MAX, invalid UTF-8, U+0000 in strings.
 *
 * Every accessor accepts NULL and values of another type, and then answers as
 * if there were nothing.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_JSON_H
#define PIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define PIN_JSON_SIZE_MAX (8 * 1024 * 1024)
#define PIN_JSON_DEPTH_MAX 32	/* the service's replies need four */

typedef struct PinJson PinJson; /* a value: a document or a part of one */

/*
 * Parses a document.  NULL with *err of kind REPLY (or OUT_OF_MEMORY): `what`
 * names the text in the message, as "the reply of the token endpoint".  The
 * caller frees the document; all its parts and strings live as long as it.
 */
extern PinJson *pin_json_parse(const char *text, size_t len, const char *what,
							   PinError *err);
extern void pin_json_free(PinJson *document);	/* NULL is fine */

/*
 * A copy of a text in which each number with a fraction or an exponent is a list
 * of one string, ["1.10"]: the library would make a double of it, and its digits
 * were lost.  What is no JSON stays none.  The caller frees; NULL: no memory.
 */
extern char *pin_json_keep_fractions(const char *text, size_t len, size_t *result_len);

/* The digits of such a number, which live as long as the document; or NULL. */
extern const char *pin_json_fraction(const PinJson *value);

/*
 * A copy of a text in which characters beyond ASCII are themselves and not
 * escapes (\u00e9), for readers that cannot make one of the other.  Half a pair
 * stays what it is.  The caller frees; NULL: no memory.
 */
extern char *pin_json_unescape(const char *text, size_t len, size_t *result_len);

/* An object's member by name, without case and blanks; NULL if absent. */
extern const PinJson *pin_json_member(const PinJson *object, const char *name);

/* An array's or object's number of elements or members; otherwise 0. */
extern size_t pin_json_count(const PinJson *value);

/* An array's element, NULL if there is none; order is the text's. */
extern const PinJson *pin_json_element(const PinJson *array, size_t i);

extern bool pin_json_is_array(const PinJson *value);
extern bool pin_json_is_object(const PinJson *value);

/* True for null and for nothing at all. */
extern bool pin_json_is_null(const PinJson *value);

/* A string's text (UTF-8, zero-terminated); NULL if it is no string. */
extern const char *pin_json_string(const PinJson *value);

/*
 * A whole number, from a number or a string of digits; false if it is neither
 * or out of range, with *result untouched.
 */
extern bool pin_json_integer(const PinJson *value, int64_t *result);

/* true/false, 0/1, or a string of those; false with *result untouched. */
extern bool pin_json_boolean(const PinJson *value, bool *result);

/*
 * The text of a string, number or boolean, for a reader that knows the type;
 * NULL for null, arrays and objects, or without memory.  The caller frees it.
 * A number with a fraction has as many digits as it takes to read the same again.
 */
extern char *pin_json_text(const PinJson *value);

/*
 * Any value as JSON, which the caller frees; NULL: nothing at all, or no memory.
 * Numbers with a fraction have as many digits as it takes to read the same again.
 */
extern char *pin_json_dump(const PinJson *value);

/* Shorthands: a member's string or integer (or the given default). */
extern const char *pin_json_member_string(const PinJson *object, const char *name);
extern int64_t pin_json_member_integer(const PinJson *object, const char *name,
									   int64_t otherwise);

/* One member of an object to write; use the macros below. */
typedef struct PinJsonField
{
	const char *name;			/* member's name */
	enum
	{
		PIN_JSON_STRING,		/* value in string; NULL leaves it out */
		PIN_JSON_INTEGER,		/* value in integer */
		PIN_JSON_BOOLEAN		/* value in integer, 0 or 1 */
	}			type;			/* which value counts */
	const char *string;			/* UTF-8 */
	int64_t		integer;		/* number or truth value */
} PinJsonField;

#define PIN_JSON_FIELD_STRING(name, value) {(name), PIN_JSON_STRING, (value), 0}
#define PIN_JSON_FIELD_INTEGER(name, value) {(name), PIN_JSON_INTEGER, NULL, (value)}
#define PIN_JSON_FIELD_BOOLEAN(name, value) {(name), PIN_JSON_BOOLEAN, NULL, (value)}

/*
 * The text of an object, which the caller frees; NULL with *err filled if a
 * string is not UTF-8 or memory ran out.  Strings left NULL are left out.
 */
extern char *pin_json_object_text(const PinJsonField *fields, size_t nfields,
								  PinError *err);

#endif							/* PIN_JSON_H */
