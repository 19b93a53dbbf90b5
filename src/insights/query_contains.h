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

/*
 * True if every row of the report of `need` can be had from the rows of the
 * report of `have` by leaving out columns, and nothing else.  Both are texts
 * from pin_query_text.
 *
 * So the dataset and the timespan are the same (where exactly a timespan begins
 * and ends only the service knows, so a wider one cannot be cut to a narrower),
 * and the columns of `need` are among those of `have`.  If either selects a
 * metric the columns must be the same ones: metrics are computed for every
 * combination of the others.
 */
extern bool pin_query_contains(const char *have, const char *need, bool metrics);

#endif							/* PIN_QUERY_CONTAINS_H */
