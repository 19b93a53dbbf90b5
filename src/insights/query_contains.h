/*-------------------------------------------------------------------------
 *
 * query_contains.h
 *		Does the answer to one report query contain the answer to another?
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_QUERY_CONTAINS_H
#define PIN_QUERY_CONTAINS_H

#include <stdbool.h>

/* Between a report query and the bounds of its window, in the key of a need. */
#define PIN_QUERY_WINDOW_WORD " WINDOW "

/*
 * True if the rows of the report of `have` are enough to compute what is asked
 * of the report of `need`.  Both are texts from pin_query_text, perhaps with
 * PIN_QUERY_WINDOW_WORD and two times as "2026-03-01T00:00:00Z" behind.
 *
 * Whoever asks leaves out columns, applies the conditions of `need` and of its
 * window once more, and removes duplicates, sorts and limits where `need` does.
 * So `have` may have more columns, weaker conditions and a wider window, but
 * needs the columns that `need` looks at; a `need` with a window selects its
 * column.  It has the same dataset and the same timespan, since where exactly
 * that begins and ends only the service knows.  A window replaces it: without
 * one of its own, only a `have` of LIFETIME has all of them.
 *
 * metrics: one of the two has a metric, in whatever clause.  Then the columns
 * must be the same ones: metrics are computed for every combination of the
 * others.
 */
extern bool pin_query_contains(const char *have, const char *need, bool metrics);

#endif							/* PIN_QUERY_CONTAINS_H */
