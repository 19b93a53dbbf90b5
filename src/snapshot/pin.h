/*-------------------------------------------------------------------------
 *
 * pin.h
 *		The snapshots a transaction has used, to be used again.
 *
 * Inside one statement all scans whose needs one snapshot contains read the same
 * rows; under REPEATABLE READ and SERIALIZABLE those of one transaction do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PIN_H
#define PIN_PIN_H

#include "snapshot/snapshot.h"

/*
 * A snapshot that was put, still counts and contains the need (the one put for
 * this very need before all others), opened once more in the current context
 * (the caller closes it), or NULL.
 */
extern PinSnapshot *pin_pin_get(const PinNeed *need);

/*
 * Remembers a snapshot as long as it counts: until the transaction's end, or the
 * next statement's first.
 */
extern void pin_pin_put(const char *key, const PinSnapshot *snapshot);

#endif							/* PIN_PIN_H */
