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

/* A report query in its parts.  Everything belongs to the caller. */
typedef struct PinQueryParts
{
	const char *dataset;		/* remote name */
	const char *const *columns; /* remote names; those that occur again
								 * (without case) are written once */
	size_t		ncolumns;		/* at least one */
	bool		distinct;		/* each combination once */
	const char *const *filters; /* conditions, as filter.h writes them */
	size_t		nfilters;		/* all of them have to hold */
	const char *const *order;	/* columns to order by */
	const bool *descending;		/* in step with order */
	size_t		norder;			/* how many */
	long long	limit;			/* rows at most; 0: all */
	const char *timespan;		/* NULL: none */
} PinQueryParts;

/*
 * "SELECT a, b FROM X WHERE a > 1 TIMESPAN Y", which the caller frees.  NULL with
 * *err filled: kind UNKNOWN_DATASET, UNKNOWN_COLUMN or BAD_REQUEST for what
 * cannot be written, OUT_OF_MEMORY.
 */
extern char *pin_query_text(const PinQueryParts *parts, PinError *err);

#endif							/* PIN_QUERY_TEXT_H */
