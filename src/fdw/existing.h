/*-------------------------------------------------------------------------
 *
 * existing.h
 *		The rows of an existing report, without a foreign table.
 *
 * They come the same way as those of a table whose option report_id names it,
 * and share its snapshot.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_EXISTING_H
#define PIN_EXISTING_H

#include "access/tupdesc.h"
#include "nodes/pg_list.h"
#include "options.h"
#include "utils/tuplestore.h"

typedef struct PinExisting PinExisting;

/*
 * Finds or fetches the rows of the latest completed execution of the report that
 * the options name, and waits for them.  Everything lives in a context of its
 * own under the current one; options are kept by reference.  Throws if no rows
 * will come.
 */
extern PinExisting *pin_existing_fetch(const PinOptions *options, Oid userid);

/* Lets go of all of it. */
extern void pin_existing_close(PinExisting *existing);

/* Its columns: a List of PinHeaderColumn, see header.h, in the current context. */
extern List *pin_existing_columns(const PinExisting *existing);

/*
 * Puts all rows into a tuplestore, as rows of that type, whose columns are found
 * in the file by name.  Throws if one is not there, and if a value does not fit
 * its column.
 */
extern void pin_existing_put_rows(const PinExisting *existing, TupleDesc tupdesc,
								  Tuplestorestate *store);

#endif							/* PIN_EXISTING_H */
