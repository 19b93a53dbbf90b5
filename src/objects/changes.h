/*-------------------------------------------------------------------------
 *
 * changes.h
 *		What a transaction has changed at the service, which no rollback undoes.
 *
 * When a transaction or a savepoint is rolled back, a WARNING tells what stays.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CHANGES_H
#define PIN_OBJECT_CHANGES_H

#include "options.h"

/* A change, from just before its call to the end of the transaction. */
typedef struct PinChange PinChange;

/*
 * May a statement begin to change something now?  Throws in a transaction that
 * is read only, or that has written to this database already, unless option
 * autocommit allows it; table is the foreign table's name.
 */
extern void pin_changes_allow(const PinOptions *options, const char *table);

/*
 * Notes a change that is about to be sent, in the database encoding, as far as
 * it is known then: 'Query "x" may have been created'.
 */
extern PinChange *pin_changes_begin(const char *doubtful);

/*
 * It was carried out: 'Query "x" was created'.  Throws only without memory, and
 * then it stays as it was noted.
 */
extern void pin_changes_done(PinChange *change, const char *certain);

/* It was not. */
extern void pin_changes_undone(PinChange *change);

#endif							/* PIN_OBJECT_CHANGES_H */
