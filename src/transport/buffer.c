/*-------------------------------------------------------------------------
 *
 * buffer.c
 *		Bytes that grow up to a bound.
 *
 *-------------------------------------------------------------------------
 */
#include "transport/buffer.h"

#include <stdlib.h>
#include <string.h>

/* First allocation: a token or a list of reports fits without growing. */
#define FIRST_SIZE 8192

/* Makes room for len bytes and a terminator; len is within the bound. */
static PinBufferResult
reserve(PinBuffer *buffer, size_t len)
{
	size_t		size = buffer->size > 0 ? buffer->size : FIRST_SIZE;
	char	   *data;

	if (len < buffer->size)
		return PIN_BUFFER_OK;
	while (size <= len)
		size *= 2;
	if (size > buffer->max + 1)
		size = buffer->max + 1;
	data = realloc(buffer->data, size);
	if (!data)
		return PIN_BUFFER_NO_MEMORY;
	buffer->data = data;
	buffer->size = size;
	return PIN_BUFFER_OK;
}

PinBufferResult
pin_buffer_append(PinBuffer *buffer, const void *data, size_t len)
{
	if (len > buffer->max - buffer->len)
		return PIN_BUFFER_FULL;
	if (reserve(buffer, buffer->len + len) != PIN_BUFFER_OK)
		return PIN_BUFFER_NO_MEMORY;
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return PIN_BUFFER_OK;
}

void
pin_buffer_clear(PinBuffer *buffer)
{
	buffer->len = 0;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void
pin_buffer_free(PinBuffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->len = 0;
	buffer->size = 0;
}
