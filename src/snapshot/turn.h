/*-------------------------------------------------------------------------
 *
 * turn.h
 *		Whose turn it is, where not all reports may be fetched at once.
 *
 * A turn is a numbered ticket, held from before a report is ordered until its
 * rows are here.  It has come when fewer lower numbers are held than reports
 * may be under way.  So the order is that of the tickets, over all sessions;
 * and a ticket is a locked file of the cache directory, so a crash gives it
 * back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TURN_H
#define PIN_TURN_H

#include "snapshot/need.h"

typedef struct PinTurn
{
	const PinNeed *need;		/* whose reports are counted together */
	int			lock;			/* descriptor of the ticket; -1: none */
	char	   *path;			/* of the ticket; palloc'd */
} PinTurn;

/*
 * Takes the next ticket among those of the need's credential, in the current
 * context; give it back in a callback.  Throws when files cannot be used.
 */
extern void pin_turn_take(PinTurn *turn, const PinNeed *need);

/* Has it come?  Throws when files cannot be used. */
extern bool pin_turn_has_come(const PinTurn *turn);

/* Idempotent, and safe in a callback. */
extern void pin_turn_give_back(PinTurn *turn);

#endif							/* PIN_TURN_H */
