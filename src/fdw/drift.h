/*-------------------------------------------------------------------------
 *
 * drift.h
 *		What has changed at the service since a table was defined.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_DRIFT_H
#define PIN_DRIFT_H

#include "error.h"
#include "insights/offer.h"
#include "options.h"

/* May a report query have been refused for a name that the service does not know? */
extern bool pin_drift_suspected(const PinError *err);

/* What a report query asks for, of what the service may not have. */
typedef struct PinDriftAsked
{
	Oid			relid;			/* the table that it is for */
	const char *program;
	const char *dataset;
	List	   *names;			/* of String: columns */
	const char *timespan;		/* NULL: none */
	bool		narrowed;		/* which is not the table's own */
} PinDriftAsked;

/*
 * Asks the service for the dataset and makes *err say what it does not have of
 * what was asked for, and what mends it.  Leaves *err as it is if the service
 * does not answer, or has all of it.
 */
extern void pin_drift_explain(PinError *err, const PinOptions *options,
							  const PinDriftAsked *asked);

/* Names (a List of String) that a dataset does not offer; NULL offers none. */
extern List *pin_drift_gone(const PinOffer *offer, const List *names);

/*
 * Columns and metrics (a List of String) of a dataset that names do not have,
 * but for the metrics that IMPORT would leave out.
 */
extern List *pin_drift_new(const PinOffer *offer, const char *program, List *names);

#endif							/* PIN_DRIFT_H */
