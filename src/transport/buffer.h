/*-------------------------------------------------------------------------
 *
 * buffer.h
 *		Bytes that grow up to a bound.
 *
 * Plain C.  Zero a PinBuffer (but for its bound) to start; free it when done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_BUFFER_H
#define PIN_BUFFER_H

#include <stddef.h>

typedef struct PinBuffer
{
	char	   *data;			/* zero-terminated; NULL while empty */
	size_t		len;			/* bytes in it, without the terminator */
	size_t		size;			/* bytes allocated */
	size_t		max;			/* len never grows over this */
} PinBuffer;

typedef enum PinBufferResult
{
	PIN_BUFFER_OK,
	PIN_BUFFER_FULL,			/* would pass the bound; nothing stored */
	PIN_BUFFER_NO_MEMORY		/* malloc said no; nothing stored */
} PinBufferResult;

/* Appends len bytes.  All or nothing. */
extern PinBufferResult pin_buffer_append(PinBuffer *buffer, const void *data,
										 size_t len);

/* Forgets the bytes, keeps the memory. */
extern void pin_buffer_clear(PinBuffer *buffer);

/* Frees the memory; the bound stays. */
extern void pin_buffer_free(PinBuffer *buffer);

#endif							/* PIN_BUFFER_H */
