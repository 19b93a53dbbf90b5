/*-------------------------------------------------------------------------
 *
 * text.c
 *		Small helpers on text, bytes, random values and times.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

void *
emu_alloc(size_t size)
{
	void	   *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
	{
		fputs("pinsight-emulator: out of memory\n", stderr);
		abort();
	}
	return memory;
}

/* Returns NULL for NULL. */
char *
emu_copy(const char *text)
{
	char	   *copy;

	if (text == NULL)
		return NULL;
	copy = emu_alloc(strlen(text) + 1);
	strcpy(copy, text);
	return copy;
}

char *
emu_format(const char *fmt,...)
{
	char	   *text;
	va_list		args;
	int			length;

	va_start(args, fmt);
	length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0)
		return emu_copy("");
	return text;
}

void
emu_fill(char *buffer, size_t size, const char *text)
{
	snprintf(buffer, size, "%s", text != NULL ? text : "");
}

bool
emu_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) tolower((unsigned char) c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t
emu_characters(const char *text)
{
	size_t		count = 0;

	for (; text != NULL && *text != '\0'; text++)
		count += ((unsigned char) *text & 0xc0) != 0x80;
	return count;
}

char *
emu_percent_decode(const char *text, size_t length, bool plus_is_blank)
{
	char	   *out = emu_alloc(length + 1);
	size_t		used = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (text[i] == '%' && i + 2 < length &&
			hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0)
		{
			out[used++] = (char) (hex_value(text[i + 1]) * 16 +
								  hex_value(text[i + 2]));
			i += 2;
		}
		else
			out[used++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
	}
	return out;
}

char *
emu_percent_encode(const char *text)
{
	char	   *out = emu_alloc(strlen(text) * 3 + 1);
	char	   *at = out;

	for (; *text != '\0'; text++)
	{
		if (isalnum((unsigned char) *text) || strchr("-._~", *text) != NULL)
			*at++ = *text;
		else
			at += sprintf(at, "%%%02X", (unsigned char) *text);
	}
	return out;
}

static const char alphabet[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
emu_base64(const void *bytes, size_t size, bool url)
{
	const unsigned char *in = bytes;
	const char *letters = url ? url_alphabet : alphabet;
	char	   *out = emu_alloc(size / 3 * 4 + 5);
	char	   *at = out;

	for (size_t i = 0; i < size; i += 3)
	{
		size_t		left = size - i;
		unsigned	group = (unsigned) in[i] << 16;

		if (left > 1)
			group |= (unsigned) in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*at++ = letters[group >> 18 & 63];
		*at++ = letters[group >> 12 & 63];
		if (left > 1)
			*at++ = letters[group >> 6 & 63];
		else if (!url)
			*at++ = '=';
		if (left > 2)
			*at++ = letters[group & 63];
		else if (!url)
			*at++ = '=';
	}
	return out;
}

unsigned char *
emu_base64url_decode(const char *text, size_t length, size_t *size)
{
	unsigned char *out = emu_alloc(length + 1);
	unsigned	group = 0;
	int			bits = 0;

	*size = 0;
	for (size_t i = 0; i < length; i++)
	{
		const char *letter = text[i] ? strchr(url_alphabet, text[i]) : NULL;

		if (letter == NULL)
		{
			free(out);
			return NULL;
		}
		group = group << 6 | (unsigned) (letter - url_alphabet);
		bits += 6;
		if (bits >= 8)
		{
			bits -= 8;
			out[(*size)++] = (unsigned char) (group >> bits);
		}
	}
	return out;
}

void
emu_random(void *bytes, size_t size)
{
	char	   *at = bytes;

	while (size > 0)
	{
		ssize_t		got = getrandom(at, size, 0);

		if (got <= 0)
			continue;			/* interrupted: nothing else can fail here */
		at += got;
		size -= (size_t) got;
	}
}

/* Random bytes, written in the URL alphabet. */
char *
emu_random_text(size_t bytes)
{
	unsigned char *noise = emu_alloc(bytes);
	char	   *text;

	emu_random(noise, bytes);
	text = emu_base64(noise, bytes, true);
	free(noise);
	return text;
}

void
emu_uuid(char out[EMU_UUID_SIZE])
{
	unsigned char b[16];

	emu_random(b, sizeof b);
	b[6] = (unsigned char) ((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char) ((b[8] & 0x3f) | 0x80);
	snprintf(out, EMU_UUID_SIZE,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			 "%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
			 b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void
emu_time_text(time_t when, char out[EMU_TIME_SIZE])
{
	struct tm	tm;

	gmtime_r(&when, &tm);
	strftime(out, EMU_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool
emu_time_parse(const char *text, time_t *when)
{
	struct tm	tm = {0};
	const char *end;
	char		again[EMU_TIME_SIZE];

	if (text == NULL || strlen(text) != strlen("yyyy-MM-ddTHH:mm:ssZ"))
		return false;
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return false;
	*when = timegm(&tm);
	emu_time_text(*when, again);
	return strcmp(again, text) == 0;	/* no 31st of June */
}
