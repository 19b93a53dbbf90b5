/*-------------------------------------------------------------------------
 *
 * sign_in.h
 *		The token endpoints: grants, device codes, authorization codes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_SIGN_IN_H
#define EMU_SIGN_IN_H

#include "emulator.h"

/* The route of a request, or NULL if none of ours fits. */
extern const EmuRoute *emu_sign_in_route(const EmuRequest *request);

#endif							/* EMU_SIGN_IN_H */
