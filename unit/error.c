/*-------------------------------------------------------------------------
 *
 * error.c
 *		Unit test of src/error.c.
 *
 *-------------------------------------------------------------------------
 */
#include "error.h"
#include "tap.h"

#include <ctype.h>

static void
test_reset_and_set(void)
{
	PinError	err;

	memset(&err, 0x5A, sizeof(err));
	pin_error_reset(&err);
	is_int(err.kind, PIN_ERROR_NONE, "reset: no kind");
	is_int(err.http_status, 0, "reset: no status");
	is_int(err.retry_after_ms, -1, "reset: no wish to be asked later");
	ok(!err.ambiguous, "reset: not ambiguous");
	ok(!err.message[0] && !err.detail[0] && !err.hint[0], "reset: no texts");

	pin_error_detail(&err, "old");
	err.http_status = 500;
	err.retry_after_ms = 3;
	err.ambiguous = true;
	pin_error_set(&err, PIN_ERROR_QUOTA, "used %d of %s", 5, "five");
	is_int(err.kind, PIN_ERROR_QUOTA, "set: kind");
	is_str(err.message, "used 5 of five", "set: message");
	ok(!err.detail[0] && err.http_status == 0 && err.retry_after_ms == -1 &&
	   !err.ambiguous, "set empties the rest");
	pin_error_detail(&err, "d%c", '1');
	pin_error_hint(&err, "h%c", '2');
	is_str(err.detail, "d1", "detail");
	is_str(err.hint, "h2", "hint");
	pin_error_set(&err, PIN_ERROR_REPLY, "outer: %s", err.detail);
	is_str(err.message, "outer: d1", "an error can be reworded around its own texts");
}

/* A text of n two-byte characters after a prefix; cut within a character? */
static void
test_cut_at_character(void)
{
	char		text[2 * PIN_ERROR_MESSAGE_SIZE + 2];
	PinError	err;

	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA4", 2);
	text[sizeof(text) - 2] = '\0';

	pin_error_set(&err, PIN_ERROR_REPLY, "%s", text);
	is_int((int64_t) strlen(err.message), PIN_ERROR_MESSAGE_SIZE - 2,
		   "a character that does not fit whole is left out");
	pin_error_set(&err, PIN_ERROR_REPLY, "x%s", text);
	is_int((int64_t) strlen(err.message), PIN_ERROR_MESSAGE_SIZE - 1,
		   "a character that fits exactly is kept");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pin_error_set(&err, PIN_ERROR_REPLY, "%s", text);
	is_int((int64_t) strlen(err.message), PIN_ERROR_MESSAGE_SIZE - 1,
		   "ASCII fills the buffer");
}

static void
clean_is(const char *text, size_t len, const char *expected, const char *name)
{
	char		dst[PIN_REMOTE_TEXT_MAX + 1];

	memset(dst, 'Z', sizeof(dst));
	is_str(pin_error_clean(dst, sizeof(dst), text, len), expected, "clean: %s", name);
}

#define CLEAN(text, expected, name) clean_is(text, sizeof(text) - 1, expected, name)

static void
test_clean(void)
{
	CLEAN("", "", "empty");
	CLEAN("plain", "plain", "plain");
	CLEAN("a\r\n\tb", "a b", "controls become one blank");
	CLEAN("  a   b  ", "a b", "runs of blanks and the ends");
	CLEAN("a\0b", "a b", "zero byte");
	CLEAN("\x1b[31mred", "[31mred", "escape");
	CLEAN("\x7f" "a\xC2\x85" "b", "a b", "DEL and C1 controls");
	CLEAN("\xEF\xBB\xBF{}", "{}", "byte order mark");
	CLEAN("a\xE2\x80\xAE" "b", "a b", "right-to-left override");
	CLEAN("gr\xC3\xBC\xC3\x9F" "e \xF0\x9F\x98\x80", "gr\xC3\xBC\xC3\x9F" "e \xF0\x9F\x98\x80",
		  "good UTF-8 stays");
	CLEAN("a\xFF" "b\xC3", "a?b?", "bytes that are no UTF-8");
	CLEAN("\xC0\xAF\xE0\x80\xAF", "?????", "overlong forms");
	CLEAN("\xED\xA0\x80", "???", "surrogates");
	CLEAN("\xF4\x90\x80\x80", "????", "beyond the last code point");
}

static void
test_clean_bounds(void)
{
	char		text[2000];
	char		dst[2000];

	memset(text, 'x', sizeof(text));
	pin_error_clean(dst, sizeof(dst), text, sizeof(text));
	is_int((int64_t) strlen(dst), PIN_REMOTE_TEXT_MAX, "clean: never over the bound");
	is_str(dst + PIN_REMOTE_TEXT_MAX - 4, "x...", "clean: a cut shows");
	pin_error_clean(dst, sizeof(dst), text, PIN_REMOTE_TEXT_MAX);
	is_str(dst + PIN_REMOTE_TEXT_MAX - 4, "xxxx", "clean: a text that just fits is whole");

	is_str(pin_error_clean(dst, 9, "123456789", 9), "12345...", "clean: small room");
	is_str(pin_error_clean(dst, 9, "12345678", 8), "12345678", "clean: small room, fits");
	is_str(pin_error_clean(dst, 9, "1234\xC3\xA4" "6789", 10), "1234...",
		   "clean: cuts before a wide character");
	is_str(pin_error_clean(dst, 3, "abcdef", 6), "..", "clean: room for dots only");
	is_str(pin_error_clean(dst, 1, "abcdef", 6), "", "clean: no room at all");
	is_str(pin_error_clean(dst, 9, "12345678      ", 14), "12345678",
		   "clean: blanks behind the end cut nothing");
}

/* Every kind has a row that is fit to print. */
static void
test_table(void)
{
	for (int kind = 0; kind < PIN_ERROR_KINDS; kind++)
	{
		const PinErrorRow *row = pin_error_row((PinErrorKind) kind);
		bool		code = strlen(row->sqlstate) == 5;
		bool		unique = true;
		size_t		len;

		if (!ok(row->name && row->name[0], "kind %d has a name", kind))
			continue;
		for (const char *c = row->sqlstate; *c; c++)
			code = code && (isdigit((unsigned char) *c) || isupper((unsigned char) *c));
		ok(code, "%s: SQLSTATE has five digits or capitals", row->name);
		ok(strcmp(row->sqlstate, "57014") != 0, "%s: is not a cancel", row->name);
		ok(strncmp(row->sqlstate, "00", 2) != 0 || kind == PIN_ERROR_NONE,
		   "%s: is not a success", row->name);
		for (int other = 0; other < kind; other++)
			unique = unique &&
				strcmp(row->name, pin_error_row((PinErrorKind) other)->name) != 0;
		ok(unique, "%s: name is unique", row->name);
		ok(row->meaning && row->meaning[0] && !strchr(row->meaning, '\n'),
		   "%s: meaning is one line", row->name);
		if (!row->hint)
			continue;
		len = strlen(row->hint);
		ok(isupper((unsigned char) row->hint[0]) && row->hint[len - 1] == '.' &&
		   len < PIN_ERROR_HINT_SIZE, "%s: hint is a sentence that fits", row->name);
	}
	is_str(pin_error_row((PinErrorKind) 9999)->sqlstate, "XX000", "unknown kind");
	is_str(pin_error_row((PinErrorKind) -1)->sqlstate, "XX000", "negative kind");
}

/* The promises other parts and the documentation build on. */
static void
test_sqlstates(void)
{
	is_str(pin_error_row(PIN_ERROR_RESOLVE)->sqlstate, "08001", "resolve");
	is_str(pin_error_row(PIN_ERROR_CONNECT)->sqlstate, "08001", "connect");
	is_str(pin_error_row(PIN_ERROR_TLS)->sqlstate, "08001", "tls");
	is_str(pin_error_row(PIN_ERROR_CONNECTION_LOST)->sqlstate, "08006", "lost");
	is_str(pin_error_row(PIN_ERROR_WAIT_TIMEOUT)->sqlstate, "HV00L", "wait_timeout");
	is_str(pin_error_row(PIN_ERROR_MFA)->sqlstate, "28000", "mfa");
	is_str(pin_error_row(PIN_ERROR_FORBIDDEN)->sqlstate, "42501", "forbidden");
	is_str(pin_error_row(PIN_ERROR_QUOTA)->sqlstate, "53400", "quota");
	is_str(pin_error_row(PIN_ERROR_UNKNOWN_DATASET)->sqlstate, "HV00R", "dataset");
	is_str(pin_error_row(PIN_ERROR_UNKNOWN_COLUMN)->sqlstate, "HV005", "column");
	is_str(pin_error_row(PIN_ERROR_OUT_OF_MEMORY)->sqlstate, "53200", "memory");
	is_str(pin_error_row(PIN_ERROR_URL)->sqlstate, "22023", "url");
}

int
main(void)
{
	test_reset_and_set();
	test_cut_at_character();
	test_clean();
	test_clean_bounds();
	test_table();
	test_sqlstates();
	return done_testing();
}
