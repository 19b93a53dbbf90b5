/*-------------------------------------------------------------------------
 *
 * aadsts.h
 *		What the sign-in service's error numbers mean for our users.
 *
 * Plain C; a constant table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_AADSTS_H
#define PIN_AADSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct PinAadsts
{
	int			code;			/* 50126 for AADSTS50126 */
	int			last_code;		/* the same, or the end of a range */
	PinErrorKind kind;			/* what it is among our failures */
	bool		retry;			/* the same request may succeed later */
	const char *hint;			/* what the user can do; a sentence */
} PinAadsts;

/* The row of a code, or NULL. */
extern const PinAadsts *pin_aadsts_find(int code);

/* The number of the first "AADSTSnnnn" in a text, or 0. */
extern int	pin_aadsts_in_text(const char *text);

/* The whole table, for documentation and tests; sorted by code. */
extern const PinAadsts *pin_aadsts_table(size_t *count);

#endif							/* PIN_AADSTS_H */
