/*-------------------------------------------------------------------------
 *
 * row_count.h
 *		How many rows a table's last report had, kept across sessions.
 *
 * One small file for each foreign table, in the cache directory.  It is written
 * beside its place and renamed, so that a reader sees the old or the new one.
 * Each says which definition it is about; after the table was altered it counts
 * no more.  The planner can do without: what cannot
 * be read or written is as if it were not there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROW_COUNT_H
#define PIN_ROW_COUNT_H

/*
 * Rows of the last report of a foreign table, -1 if that is not known.  server
 * and query are its definition.  Never throws but for lack of memory.
 */
extern double pin_row_count_read(Oid relid, Oid serverid, const char *query);

/* Remembers it.  Never throws but for lack of memory. */
extern void pin_row_count_write(Oid relid, Oid serverid, const char *query, double rows);

#endif							/* PIN_ROW_COUNT_H */
