/*-------------------------------------------------------------------------
 *
 * head.h
 *		Status and headers of a reply.
 *
 * Fed line by line as they arrive; interim replies (1xx) are forgotten, and
 * whatever comes after the head (trailers) is counted but not kept.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_HEAD_H
#define PIN_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/buffer.h"

typedef struct PinReplyHead
{
	int			status;			/* 0 while no final status line has arrived */
	bool		complete;		/* the empty line behind the head was seen */
	size_t		seen;			/* bytes of all lines, kept or not */
	PinBuffer	fields;			/* "name\0value\0" and so on; its bound is the
								 * bound of the head */
} PinReplyHead;

/* Takes one line, with or without its end.  Not OK: over the bound. */
extern PinBufferResult pin_head_add(PinReplyHead *head, const char *line,
									size_t len);

/* A field's value by name, without case; NULL if absent; the last wins. */
extern const char *pin_head_find(const PinReplyHead *head, const char *name);

/* Frees what the head holds. */
extern void pin_head_free(PinReplyHead *head);

#endif							/* PIN_HEAD_H */
