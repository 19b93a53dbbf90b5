/*-------------------------------------------------------------------------
 *
 * head.c
 *		Status and headers of a reply.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* strcasecmp under -std */
#endif

#include "transport/head.h"

#include <string.h>
#include <strings.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of a line without blanks and line ends behind it. */
static size_t
trimmed_length(const char *line, size_t len)
{
	while (len > 0 && strchr("\r\n\t ", line[len - 1]))
		len--;
	return len;
}

/* The status in a line "HTTP/1.1 200 OK"; 0 if it has none. */
static int
parse_status(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	const char *end = line + len;

	if (!blank || end - blank < 4 || !is_digit(blank[1]) ||
		!is_digit(blank[2]) || !is_digit(blank[3]))
		return 0;
	return (blank[1] - '0') * 100 + (blank[2] - '0') * 10 + (blank[3] - '0');
}

/* Stores one "name: value"; lines without a name are dropped. */
static PinBufferResult
add_field(PinReplyHead *head, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *value;
	size_t		name_len;
	PinBuffer  *fields = &head->fields;
	size_t		mark = fields->len;
	PinBufferResult result;

	if (!colon || colon == line || *line == ' ' || *line == '\t' ||
		memchr(line, '\0', len))
		return PIN_BUFFER_OK;
	name_len = trimmed_length(line, (size_t) (colon - line));
	for (value = colon + 1; value < line + len; value++)
	{
		if (*value != ' ' && *value != '\t')
			break;
	}
	result = pin_buffer_append(fields, line, name_len);
	if (result == PIN_BUFFER_OK)
		result = pin_buffer_append(fields, "", 1);
	if (result == PIN_BUFFER_OK)
		result = pin_buffer_append(fields, value, (size_t) (line + len - value));
	if (result == PIN_BUFFER_OK)
		result = pin_buffer_append(fields, "", 1);
	if (result != PIN_BUFFER_OK)
		fields->len = mark;		/* no half field is left behind */
	return result;
}

PinBufferResult
pin_head_add(PinReplyHead *head, const char *line, size_t len)
{
	head->seen += len;
	if (head->seen > head->fields.max)
		return PIN_BUFFER_FULL;
	len = trimmed_length(line, len);
	if (head->complete)
		return PIN_BUFFER_OK;	/* a trailer */
	if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
	{
		int			status = parse_status(line, len);

		head->status = status >= 200 ? status : 0;
		pin_buffer_clear(&head->fields);
		return PIN_BUFFER_OK;
	}
	if (len == 0)
	{
		head->complete = head->status > 0;
		return PIN_BUFFER_OK;
	}
	return add_field(head, line, len);
}

const char *
pin_head_find(const PinReplyHead *head, const char *name)
{
	const char *found = NULL;
	size_t		pos = 0;

	while (pos < head->fields.len)
	{
		const char *field = head->fields.data + pos;
		const char *value = field + strlen(field) + 1;

		if (strcasecmp(field, name) == 0)
			found = value;
		pos = (size_t) (value + strlen(value) + 1 - head->fields.data);
	}
	return found;
}

void
pin_head_free(PinReplyHead *head)
{
	pin_buffer_free(&head->fields);
}
