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
#include "utils/relcache.h"

/* Was a report query refused for a name that the service does not know? */
extern bool pin_drift_suspected(const PinError *err);

/*
 * Asks the service for the dataset of a plan (see PinPlanItem) and makes *err
 * say what is gone, and the IMPORT that mends it.  Leaves *err as it is if the
 * service does not answer, or nothing is gone.
 */
extern void pin_drift_explain(PinError *err, Relation relation,
							  const PinOptions *options, const List *plan);

/* Names (a List of String) that a dataset does not offer; NULL offers none. */
extern List *pin_drift_gone(const PinOffer *offer, const List *names);

/*
 * Columns and metrics (a List of String) of a dataset that names do not have,
 * but for the metrics that IMPORT would leave out.
 */
extern List *pin_drift_new(const PinOffer *offer, const char *program, List *names);

#endif							/* PIN_DRIFT_H */
