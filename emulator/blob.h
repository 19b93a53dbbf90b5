/*-------------------------------------------------------------------------
 *
 * blob.h
 *		Downloads: signed links and the port that honours them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_BLOB_H
#define EMU_BLOB_H

#include "emulator.h"

/* The route of a request, or NULL if none of ours fits. */
extern const EmuRoute *emu_blob_route(const EmuRequest *request);

/*
 * A link to a stored file that is valid until expires (the emulator's clock).
 * malloc'd.
 */
extern char *emu_blob_link(const Emulator *emu, const char *file, time_t expires);

#endif							/* EMU_BLOB_H */
