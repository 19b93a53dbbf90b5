/*-------------------------------------------------------------------------
 *
 * call.h
 *		Calls to the service while reports advance.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CALL_H
#define PIN_OBJECT_CALL_H

#include "insights/ask.h"

/*
 * As pin_ask_open, but for within a running statement: reports that other scans
 * have set out for go on while it waits.
 */
extern PinAsker *pin_object_asker(const PinOptions *options);

#endif							/* PIN_OBJECT_CALL_H */
