/*-------------------------------------------------------------------------
 *
 * text_buffer.c
 *		A text that grows, with the encodings an URL or a form needs.
 *
 * What a buffer held may have been a secret, so memory is overwritten before
 * it is given back, also when the text moves to a larger place.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero */
#include "insights/text_buffer.h"

#include <stdlib.h>
#include <string.h>

void
pin_text_buffer_init(PinTextBuffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
}

/* Makes room for more bytes and a final zero; remembers if it cannot. */
static bool
reserve(PinTextBuffer *buffer, size_t more)
{
	size_t		size = buffer->size ? buffer->size : 256;
	char	   *data;

	if (buffer->failed || more >= PIN_TEXT_BUFFER_MAX - buffer->len)
	{
		buffer->failed = true;
		return false;
	}
	while (size < buffer->len + more + 1)
		size *= 2;
	if (size == buffer->size)
		return true;

	data = malloc(size);
	if (data == NULL)
	{
		buffer->failed = true;
		return false;
	}
	if (buffer->data)
	{
		memcpy(data, buffer->data, buffer->len);
		explicit_bzero(buffer->data, buffer->len);
		free(buffer->data);
	}
	buffer->data = data;
	buffer->size = size;
	return true;
}

void
pin_text_buffer_add_bytes(PinTextBuffer *buffer, const char *data, size_t len)
{
	if (!reserve(buffer, len))
		return;
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void
pin_text_buffer_add(PinTextBuffer *buffer, const char *text)
{
	pin_text_buffer_add_bytes(buffer, text, strlen(text));
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == '_' || c == '~';
}

void
pin_text_buffer_add_encoded(PinTextBuffer *buffer, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *c;

	for (c = (const unsigned char *) text; *c; c++)
	{
		char		code[3] = {'%', digits[*c >> 4], digits[*c & 15]};

		if (is_unreserved(*c))
			pin_text_buffer_add_bytes(buffer, (const char *) c, 1);
		else
			pin_text_buffer_add_bytes(buffer, code, sizeof(code));
	}
}

char *
pin_text_buffer_take(PinTextBuffer *buffer, size_t *len)
{
	char	   *data;

	/* nothing added is a text as well: the empty one */
	pin_text_buffer_add_bytes(buffer, "", 0);
	if (buffer->failed)
	{
		pin_text_buffer_wipe(buffer);
		return NULL;
	}
	data = buffer->data;
	if (len)
		*len = buffer->len;
	pin_text_buffer_init(buffer);
	return data;
}

void
pin_text_buffer_wipe(PinTextBuffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->len);
	free(buffer->data);
	pin_text_buffer_init(buffer);
}
