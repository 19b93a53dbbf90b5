/*-------------------------------------------------------------------------
 *
 * endpoints.h
 *		The twelve endpoints of the Insights API.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_ENDPOINTS_H
#define EMU_ENDPOINTS_H

#include "emulator.h"

/* The route of a request, or NULL if none of ours fits. */
extern const EmuRoute *emu_endpoints_route(const EmuRequest *request);

#endif							/* EMU_ENDPOINTS_H */
