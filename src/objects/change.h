/*-------------------------------------------------------------------------
 *
 * change.h
 *		Queries and reports made, changed and deleted, one row after the other.
 *
 * What a rule forbids is refused before anything is sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CHANGE_H
#define PIN_OBJECT_CHANGE_H

#include "objects/changer.h"
#include "objects/wanted.h"

/*
 * All throw on failure.  The row of an object that is there is as it was read;
 * false: the statement has changed that object already.
 */
extern void pin_change_insert(PinChanger *changer, const PinObjectRow *row);
extern bool pin_change_update(PinChanger *changer, const PinObjectRow *before,
							  const PinObjectRow *after);
extern bool pin_change_delete(PinChanger *changer, const PinObjectRow *before);

#endif							/* PIN_OBJECT_CHANGE_H */
