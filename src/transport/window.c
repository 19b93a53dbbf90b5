/*-------------------------------------------------------------------------
 *
 * window.c
 *		A fixed window through which a streamed body passes.
 *
 * Readers want one contiguous piece, so this is no ring: bytes move to the
 * front when the tail has no room left.  A consumer that empties the window,
 * as ours do, never causes a move.
 *
 *-------------------------------------------------------------------------
 */
#include "transport/window.h"

#include <stdlib.h>
#include <string.h>

bool
pin_window_open(PinWindow *window, size_t size)
{
	window->data = malloc(size);
	window->size = window->data ? size : 0;
	window->start = 0;
	window->len = 0;
	return window->data != NULL;
}

void
pin_window_close(PinWindow *window)
{
	free(window->data);
	memset(window, 0, sizeof(*window));
}

bool
pin_window_put(PinWindow *window, const void *data, size_t len)
{
	if (len > window->size - window->len)
		return false;
	if (len == 0)
		return true;
	if (len > window->size - window->len - window->start)
	{
		memmove(window->data, window->data + window->start, window->len);
		window->start = 0;
	}
	memcpy(window->data + window->start + window->len, data, len);
	window->len += len;
	return true;
}

void
pin_window_consume(PinWindow *window, size_t n)
{
	if (n > window->len)
		n = window->len;
	window->len -= n;
	window->start = window->len > 0 ? window->start + n : 0;
}
