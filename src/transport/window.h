/*-------------------------------------------------------------------------
 *
 * window.h
 *		A fixed window through which a streamed body passes.
 *
 * Bytes are put in at one end and consumed, in order and without gaps, at the
 * other; what does not fit is refused whole, and the sender pauses.
 *
 * Plain C.  A zeroed PinWindow is closed: nothing fits in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_WINDOW_H
#define PIN_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

typedef struct PinWindow
{
	char	   *data;			/* size bytes, or NULL */
	size_t		size;			/* bytes allocated */
	size_t		start;			/* first byte not consumed */
	size_t		len;			/* bytes from there on */
} PinWindow;

/* Gives a zeroed window its memory; false if there is none. */
extern bool pin_window_open(PinWindow *window, size_t size);
extern void pin_window_close(PinWindow *window);

/* Appends len bytes, or stores nothing and returns false if they do not fit. */
extern bool pin_window_put(PinWindow *window, const void *data, size_t len);

/* Drops the first n bytes (all, if n is more than there are). */
extern void pin_window_consume(PinWindow *window, size_t n);

#endif							/* PIN_WINDOW_H */
