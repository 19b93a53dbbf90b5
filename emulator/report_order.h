/*-------------------------------------------------------------------------
 *
 * report_order.h
 *		Reads and checks the body of a report's creation or update.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_REPORT_ORDER_H
#define EMU_REPORT_ORDER_H

#include <jansson.h>

#include "store.h"

/*
 * Fills order, whose texts belong to body.  False with the API's problem.
 */
extern bool emu_report_order_read(json_t *body, bool update, EmuOrder *order,
								  EmuProblem *problem);

#endif							/* EMU_REPORT_ORDER_H */
