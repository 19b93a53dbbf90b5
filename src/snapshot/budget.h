/*-------------------------------------------------------------------------
 *
 * budget.h
 *		How many immediate reports a credential has ordered within the hour.
 *
 * Counted in the cache directory, so over all sessions and databases.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_BUDGET_H
#define PIN_BUDGET_H

#include "datatype/timestamp.h"
#include "error.h"
#include "snapshot/need.h"

/*
 * May another report be ordered now?  If so it is counted.  If not, false with
 * *err filled (kind ORDER_QUOTA), which says when the next one is free.  Throws when
 * files cannot be used.
 */
extern bool pin_budget_take(const PinNeed *need, PinError *err);

/* The order was refused or never arrived: it does not count. */
extern void pin_budget_give_back(const PinNeed *need);

/* The service itself says that its hourly quota is used up: remember that. */
extern void pin_budget_note_refusal(const PinNeed *need);

/* The same question, without counting anything. */
extern bool pin_budget_allows(const PinNeed *need, PinError *err);

/* How many could be ordered at once, as far as we know. */
extern int	pin_budget_left(const PinNeed *need);

#endif							/* PIN_BUDGET_H */
