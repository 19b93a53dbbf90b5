/*-------------------------------------------------------------------------
 *
 * query_text.h
 *		The text of a report query.
 *
 * Names are checked letter by letter before they go into the text, so that
 * what comes from a table definition can never be more than a name.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_QUERY_TEXT_H
#define PIN_QUERY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Longest name of a dataset, column, metric or timespan, bytes. */
#define PIN_QUERY_NAME_MAX 128
/* Longest report query we send, bytes. */
#define PIN_QUERY_TEXT_MAX (64 * 1024)

/*
 * True if name can be written in a report query: letters, digits, underscores,
 * perhaps a suffix in parentheses as in RevenueGenerated(USD), and no keyword
 * of the query language.
 */
extern bool pin_query_name_ok(const char *name);

/*
 * "SELECT a, b FROM X TIMESPAN Y", which the caller frees.  Names that occur
 * again (without case) are written once; timespan may be NULL.  NULL with *err
 * filled: kind UNKNOWN_DATASET, UNKNOWN_COLUMN or BAD_REQUEST for what cannot
 * be written, OUT_OF_MEMORY.
 */
extern char *pin_query_text(const char *dataset, const char *const *columns,
							size_t ncolumns, const char *timespan,
							PinError *err);

#endif							/* PIN_QUERY_TEXT_H */
