/*-------------------------------------------------------------------------
 *
 * error.c
 *		The error struct, and the one table from kind to SQLSTATE and hint.
 *
 * A failure is named once, where it happens, by its kind; which SQLSTATE that
 * is and what the user can do about it is decided here and nowhere else.  The
 * table is also the source of docs/errors.md.
 *
 * 57014 (query_canceled) is deliberately absent: it must only ever mean that
 * somebody cancelled the query, never that we or the service gave up.
 *
 * Plain C; never fails.
 *
 *-------------------------------------------------------------------------
 */
#include "error.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void format_text(char *dst, size_t size, const char *fmt, va_list args)
			__attribute__((format(printf, 3, 0)));

static const PinErrorRow error_rows[PIN_ERROR_KINDS] = {
	[PIN_ERROR_NONE] = {
		"none", "00000", "nothing went wrong", NULL
	},
	[PIN_ERROR_OUT_OF_MEMORY] = {
		"out_of_memory", "53200", "memory or descriptors ran out", NULL
	},
	[PIN_ERROR_INTERNAL] = {
		"internal", "XX000", "a bug of pinsight_fdw, or a library misbehaved",
		"Please report this with the statement that caused it."
	},
	[PIN_ERROR_RESOLVE] = {
		"resolve", "08001", "the name of a host could not be resolved",
		"Check the server's URL options, and that the database server's name "
		"service knows the host.  If it can only be reached through a proxy, "
		"set the server option \"proxy\"."
	},
	[PIN_ERROR_CONNECT] = {
		"connect", "08001", "no connection to a host or proxy could be made",
		"Check the server's URL options and the firewall of the database "
		"server.  If the host can only be reached through a proxy, set the "
		"server option \"proxy\"."
	},
	[PIN_ERROR_TLS] = {
		"tls", "08001", "the certificate or the TLS handshake failed",
		"If the host's certificate comes from a private authority, name that "
		"authority's PEM file in the server option \"ca_file\"; otherwise check "
		"the database server's clock and CA certificates."
	},
	[PIN_ERROR_CONNECTION_LOST] = {
		"connection_lost", "08006", "a connection broke within an exchange",
		"Run the query again; a report that was requested already is found "
		"again, not requested twice."
	},
	[PIN_ERROR_REQUEST_TIMEOUT] = {
		"request_timeout", "HV00L", "one HTTP request took too long",
		"Run the query again, or raise the server option \"request_timeout\"."
	},
	[PIN_ERROR_REDIRECT] = {
		"redirect", "HV00M", "the service answered with a redirect",
		"Redirects are never followed.  Set the server's URL options to the "
		"final address."
	},
	[PIN_ERROR_URL] = {
		"url", "22023", "an address that is not allowed to be called",
		"Use an https address without user name or password; plain http is "
		"only allowed for loopback addresses."
	},
	[PIN_ERROR_REPLY] = {
		"reply", "HV00M", "a reply is not what the protocol says",
		"Check that the server's URL options point to the service itself, and "
		"not to a sign-in page or a proxy."
	},
	[PIN_ERROR_REPLY_TOO_LARGE] = {
		"reply_too_large", "HV00M", "the headers or the JSON of a reply are over their bound",
		"Check that the server's URL options point to the service itself."
	},
	[PIN_ERROR_SIGN_IN] = {
		"sign_in", "28000", "the token endpoint refused the sign-in",
		"Check the server option \"tenant\" and the credentials in the user "
		"mapping."
	},
	[PIN_ERROR_MFA] = {
		"mfa", "28000", "the sign-in lacks proof of multifactor authentication",
		"Sign in with CALL pinsight_login, where the browser asks for the second "
		"factor."
	},
	[PIN_ERROR_SECRET_EXPIRED] = {
		"secret_expired", "28000", "the client secret or refresh token has expired",
		"Put a new client secret into the user mapping, or sign in again with "
		"CALL pinsight_login."
	},
	[PIN_ERROR_UNAUTHORIZED] = {
		"unauthorized", "28000", "the API refused the token (401)",
		"Check the server option \"resource\", and that the application has "
		"been granted consent for the Partner Center API."
	},
	[PIN_ERROR_FORBIDDEN] = {
		"forbidden", "42501", "the API refused the user (403)",
		"Give the user a role in Partner Center that may read insights, such "
		"as Executive Report Viewer or Report Viewer."
	},
	[PIN_ERROR_NOT_FOUND] = {
		"not_found", "42704", "the API does not know the object (404)",
		"Check the server options \"api_url\", \"api_version\" and \"program\"."
	},
	[PIN_ERROR_BAD_REQUEST] = {
		"bad_request", "HV00L", "the API refused the request (other 4xx)", NULL
	},
	[PIN_ERROR_RULE] = {
		"rule", "22023", "a change would break a rule of the API, and was not sent", NULL
	},
	[PIN_ERROR_UNKNOWN_DATASET] = {
		"unknown_dataset", "HV00R", "the API does not know the dataset",
		"Check the table options \"dataset\" and \"program\", "
		"and that the dataset is offered to your company."
	},
	[PIN_ERROR_UNKNOWN_COLUMN] = {
		"unknown_column", "HV005", "the API does not know a column",
		"Check the columns' names and their option \"column_name\"; what the "
		"service no longer offers has to be dropped from the table."
	},
	[PIN_ERROR_QUOTA] = {
		"quota", "53400", "a quota for calls, or for reports and queries that are kept, is used up",
		"Delete reports and queries in Partner Center that are not needed."
	},
	[PIN_ERROR_ORDER_QUOTA] = {
		"order_quota", "53400", "no more reports can be ordered within the hour",
		"Run the query again later, or accept older rows through the option "
		"\"stale_ok\"."
	},
	[PIN_ERROR_THROTTLED] = {
		"throttled", "53400", "the service still throttled us after the last retry (429)",
		"Wait some minutes and run the query again."
	},
	[PIN_ERROR_SERVICE] = {
		"service", "HV000", "the service still failed after the last retry (5xx)",
		"This is a fault of the service; run the query again later."
	},
	[PIN_ERROR_REPORT_FAILED] = {
		"report_failed", "HV00L", "the execution of a report ended without a file",
		"Run the query again to request a new report."
	},
	[PIN_ERROR_REPORT_GONE] = {
		"report_gone", "HV00L", "the report or its query vanished while we waited",
		"Somebody may have deleted it; run the query again to request a new "
		"report."
	},
	[PIN_ERROR_REPORT_STOPPED] = {
		"report_stopped", "HV00L", "the report that report_id names is paused or has ended",
		"Resume the report in Partner Center, or set the table's option "
		"\"report_id\" to another one."
	},
	[PIN_ERROR_WAIT_TIMEOUT] = {
		"wait_timeout", "HV00L", "the report was not ready within wait_timeout",
		"The report goes on: run the query again later to pick it up, or raise "
		"\"wait_timeout\"."
	},
	[PIN_ERROR_LINK] = {
		"link", "HV00M", "the secure link of a report was refused or has expired",
		"Run the query again; it asks for a new link."
	},
	[PIN_ERROR_FILE_TRUNCATED] = {
		"file_truncated", "HV00M", "a report file is shorter than it must be",
		"Run the query again to download the report anew."
	},
	[PIN_ERROR_FILE_CORRUPT] = {
		"file_corrupt", "HV00M", "a report file is broken (gzip, checksum or CSV)",
		"Run the query again to download the report anew; check that the "
		"option \"format\" is the one the report was made with."
	},
	[PIN_ERROR_FILE_HEADER] = {
		"file_header", "HV005", "columns of the table are missing in the report file",
		"Check the columns' names and their option \"column_name\"; what the "
		"service no longer offers has to be dropped from the table."
	},
};

/*
 * Length in bytes of the well-formed UTF-8 character at p (len > 0 bytes are
 * left), 0 if there is none; its code point goes to *code.
 */
static size_t
utf8_char(const unsigned char *p, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 :
	p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
	uint32_t	c = n == 1 ? p[0] : p[0] & (0xFF >> (n + 1));

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3F);
	}
	if (c < smallest[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*code = c;
	return n;
}

/*
 * True for characters that would break or disguise a line on a terminal:
 * blanks and controls, line separators, direction marks, byte order mark.
 */
static bool
is_blank_or_control(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7F && c <= 0xA0) ||
		(c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
		(c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/*
 * Largest length <= limit at which text can be cut without splitting a
 * character.
 */
static size_t
cut_length(const char *text, size_t limit)
{
	while (limit > 0 && ((unsigned char) text[limit] & 0xC0) == 0x80)
		limit--;
	return limit;
}

/*
 * Like vsnprintf, but cuts at a character boundary, and an argument may point
 * into dst: errors are often reworded around their own message.
 */
static void
format_text(char *dst, size_t size, const char *fmt, va_list args)
{
	char		text[PIN_ERROR_DETAIL_SIZE + 1];
	int			len = vsnprintf(text, sizeof(text), fmt, args);
	size_t		n = len < 0 ? 0 : strlen(text);

	if (n >= size)
		n = cut_length(text, size - 1);
	memcpy(dst, text, n);
	dst[n] = '\0';
}

void
pin_error_reset(PinError *err)
{
	pin_error_set(err, PIN_ERROR_NONE, "%s", "");
}

void
pin_error_set(PinError *err, PinErrorKind kind, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	format_text(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	err->kind = kind;
	err->http_status = 0;
	err->retry_after_ms = -1;
	err->ambiguous = false;
	err->broken_off = false;
	err->detail[0] = '\0';
	err->hint[0] = '\0';
}

void
pin_error_detail(PinError *err, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	format_text(err->detail, sizeof(err->detail), fmt, args);
	va_end(args);
}

void
pin_error_hint(PinError *err, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	format_text(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
}

char *
pin_error_clean(char *dst, size_t dstsize, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + len;
	size_t		limit = dstsize - 1;
	size_t		out = 0;
	size_t		cut = 0;		/* where the dots go if the text is too long */
	bool		blank = false;	/* a blank is owed before the next character */

	if (limit > PIN_REMOTE_TEXT_MAX)
		limit = PIN_REMOTE_TEXT_MAX;
	while (p < end)
	{
		uint32_t	code = '?';
		size_t		n = utf8_char(p, (size_t) (end - p), &code);
		size_t		width = n > 0 ? n : 1;

		if (is_blank_or_control(code))
			blank = out > 0;
		else if (out + blank + width > limit)
		{
			size_t		dots = limit - cut < 3 ? limit - cut : 3;

			memcpy(dst + cut, "...", dots);
			out = cut + dots;
			break;
		}
		else
		{
			if (blank)
				dst[out++] = ' ';
			blank = false;
			if (n > 0)
				memcpy(dst + out, p, n);
			else
				dst[out] = '?';
			out += width;
			if (out + 3 <= limit)
				cut = out;
		}
		p += width;
	}
	dst[out] = '\0';
	return dst;
}

const PinErrorRow *
pin_error_row(PinErrorKind kind)
{
	/* An enum may hold any int: a kind out of range is a bug of ours. */
	if ((int) kind < 0 || kind >= PIN_ERROR_KINDS)
		kind = PIN_ERROR_INTERNAL;
	return &error_rows[kind];
}
