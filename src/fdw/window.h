/*-------------------------------------------------------------------------
 *
 * window.h
 *		The times that a report has to cover for a scan's conditions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_WINDOW_H
#define PIN_WINDOW_H

#include "fdw/literal.h"

/* Two times as the service writes them: "2026-03-01T00:00:00Z". */
typedef struct PinWindow
{
	const char *timespan;		/* of the query; NULL: none */
	const char *start;			/* ordered with the report, both or neither: */
	const char *end;			/* overrides the timespan */
	bool		never;			/* no day is in it */
} PinWindow;

/* Can conditions on the time column make a report of that timespan smaller? */
extern bool pin_window_helps(const PinCatalogDataset *dataset, const char *timespan);

/* Narrows days to those that also lie in others. */
extern void pin_window_intersect(PinDays *days, const PinDays *others);

/*
 * A window for a table of that timespan (NULL: none) in which all its rows of
 * those days lie, and each of them whole, even if the service adds up by month.
 * dataset may be NULL.  Result's strings are palloc'd, or the arguments'.
 */
extern PinWindow pin_window_of(const PinCatalogDataset *dataset, const char *timespan,
							   const PinDays *days);

#endif							/* PIN_WINDOW_H */
