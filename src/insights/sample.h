/*-------------------------------------------------------------------------
 *
 * sample.h
 *		Types of unknown columns, from the first rows of a dataset.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SAMPLE_H
#define PIN_SAMPLE_H

#include "insights/ask.h"

/*
 * Asks the preview endpoint for columns of a dataset and guesses their types
 * (see column_type.h) from what comes.  timespan may be NULL.  False with *err
 * filled; types are untouched then, or some of them set.
 */
extern bool pin_sample_types(PinAsker *asker, const char *dataset, const char *timespan,
							 const char *const *columns, int ncolumns,
							 const char **types, PinError *err);

#endif							/* PIN_SAMPLE_H */
