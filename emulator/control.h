/*-------------------------------------------------------------------------
 *
 * control.h
 *		The control API: log, switches, faults, state, clock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_CONTROL_H
#define EMU_CONTROL_H

#include "emulator.h"

/* The route of a request, or NULL if none of ours fits. */
extern const EmuRoute *emu_control_route(const EmuRequest *request);

#endif							/* EMU_CONTROL_H */
