/*-------------------------------------------------------------------------
 *
 * pin.h
 *		The snapshots a transaction has used, to be used again.
 *
 * Inside one statement every scan with a need reads the same rows; under
 * REPEATABLE READ and SERIALIZABLE one transaction does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PIN_H
#define PIN_PIN_H

#include "snapshot/snapshot.h"

/*
 * The snapshot that was put for this need and still counts, opened once more
 * in the current context (the caller closes it), or NULL.
 */
extern PinSnapshot *pin_pin_get(const char *key);

/* Remembers a snapshot until the transaction's end. */
extern void pin_pin_put(const char *key, const PinSnapshot *snapshot);

#endif							/* PIN_PIN_H */
