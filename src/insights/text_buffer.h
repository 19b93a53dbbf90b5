/*-------------------------------------------------------------------------
 *
 * text_buffer.h
 *		A text that grows, with the encodings an URL or a form needs.
 *
 * Running out of memory or over the bound makes the buffer remember that it
 * failed: everything added afterwards is ignored, and pin_text_buffer_take() says
 * so once, so that callers need not look after every step.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TEXT_BUFFER_H
#define PIN_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Longest text we ever build for the service, bytes. */
#define PIN_TEXT_BUFFER_MAX (1024 * 1024)

typedef struct PinTextBuffer
{
	char	   *data;			/* zero-terminated once anything was added */
	size_t		len;			/* bytes in use, without the final zero */
	size_t		size;			/* bytes allocated */
	bool		failed;			/* no memory, or over PIN_TEXT_BUFFER_MAX */
} PinTextBuffer;

/* Makes an empty buffer.  Never fails. */
extern void pin_text_buffer_init(PinTextBuffer *buffer);

/* Appends a text. */
extern void pin_text_buffer_add(PinTextBuffer *buffer, const char *text);
extern void pin_text_buffer_add_bytes(PinTextBuffer *buffer, const char *data, size_t len);

/*
 * Appends a text percent-encoded: everything but letters, digits and "-._~" of
 * ASCII, so that it is one path segment, one parameter or one form value.
 */
extern void pin_text_buffer_add_encoded(PinTextBuffer *buffer, const char *text);

/*
 * Ends building: the text, which the caller frees, or NULL if anything failed.
 * *len (may be NULL) is its length.  The buffer is empty afterwards.
 */
extern char *pin_text_buffer_take(PinTextBuffer *buffer, size_t *len);

/* Overwrites and frees what the buffer holds; for secrets that go unused. */
extern void pin_text_buffer_wipe(PinTextBuffer *buffer);

#endif							/* PIN_TEXT_BUFFER_H */
