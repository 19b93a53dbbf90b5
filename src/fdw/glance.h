/*-------------------------------------------------------------------------
 *
 * glance.h
 *		A look at one condition of a scan, before the executor's at all of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_GLANCE_H
#define PIN_GLANCE_H

#include "postgres.h"

#include "access/attnum.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "nodes/plannodes.h"

/* A condition: that a column is equal to a text. */
typedef struct PinGlance
{
	AttrNumber	attnum;			/* the column; 0: there is no such condition */
	const char *text;			/* what it has to be equal to */
	size_t		len;			/* bytes of that */
} PinGlance;

/* What to look at; the text is palloc'd in the current context. */
extern PinGlance pin_glance_at(const Plan *plan);

/*
 * Is the condition false, or null, for a row whose values are in a slot, so that
 * the row is left out whatever the others are?  False means nothing.
 */
static inline bool
pin_glance_rejects(const PinGlance *glance, const TupleTableSlot *slot)
{
	int			i = glance->attnum - 1;
	char	   *value;

	if (i < 0)
		return false;
	if (slot->tts_isnull[i])
		return true;
	value = DatumGetPointer(slot->tts_values[i]);
	return VARSIZE_ANY_EXHDR(value) != glance->len ||
		memcmp(VARDATA_ANY(value), glance->text, glance->len) != 0;
}

#endif							/* PIN_GLANCE_H */
