/*-------------------------------------------------------------------------
 *
 * row_count.h
 *		How many rows a table's last report had, kept across sessions.
 *
 * One small file for each foreign table, in the cache directory.  It is written
 * beside its place and renamed, so that a reader sees the old or the new one.
 * Each says which definition it is about; after the table was altered it counts
 * no more, and after it was dropped the file goes when another one comes.  The
 * planner can do without: what cannot be read or written is as if it were not
 * there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ROW_COUNT_H
#define PIN_ROW_COUNT_H

/*
 * Rows of the last report of a foreign table, -1 if that is not known.  server
 * and query are its definition.  Throws only for lack of memory.
 */
extern double pin_row_count_read(Oid relid, Oid serverid, const char *query);

/* Remembers it.  Throws only for lack of memory or descriptors. */
extern void pin_row_count_write(Oid relid, Oid serverid, const char *query, double rows);

#endif							/* PIN_ROW_COUNT_H */
