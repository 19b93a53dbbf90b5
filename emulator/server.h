/*-------------------------------------------------------------------------
 *
 * server.h
 *		The three ports: connections, requests, routes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_SERVER_H
#define EMU_SERVER_H

#include "emulator.h"

typedef struct EmuServer EmuServer;

typedef struct EmuServerOptions
{
	int			ports[3];		/* by EmuPort; 0: any free one */
	const char *certificate;	/* PEM text for API and blob; NULL: plain HTTP */
	const char *key;			/* PEM text */
} EmuServerOptions;

/*
 * Listens on loopback and sets emu's three URLs.  NULL with a message.
 */
extern EmuServer *emu_server_start(Emulator *emu, const EmuServerOptions *options,
								   char *err, size_t errsize);

/* Ends all connections; emu->stopping must be set. */
extern void emu_server_stop(EmuServer *server);

#endif							/* EMU_SERVER_H */
