/*-------------------------------------------------------------------------
 *
 * took.h
 *		How long a table's last report took, kept across sessions.
 *
 * For whoever waits for the next one.  One small file for each foreign table
 * and user mapping, in the cache directory; it goes when no report was ordered
 * for a season.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TOOK_H
#define PIN_TOOK_H

#include "options.h"

/*
 * Seconds from the order to the whole file; 0: unknown, or less than one.
 * Throws only for lack of memory.
 */
extern int64 pin_took_read(const PinOptions *options, Oid relid);

/* Remembers it, if that can be written: no statement ends for it. */
extern void pin_took_note(const PinOptions *options, Oid relid, int64 secs);

/* Nobody has ordered a report for so long, in days: away with it. */
#define PIN_TOOK_KEEP_DAYS 90

#endif							/* PIN_TOOK_H */
