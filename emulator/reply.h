/*-------------------------------------------------------------------------
 *
 * reply.h
 *		Sends a reply, well or as badly as a fault wants.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_REPLY_H
#define EMU_REPLY_H

#include "emulator.h"

extern void emu_reply_init(EmuReply *reply);
extern void emu_reply_clear(EmuReply *reply);

/* The reply of a fault that answers in the endpoint's place. */
extern void emu_reply_of_fault(const EmuFault *fault, EmuReply *reply);

/* Changes what the reply says: no body, wrong JSON, more headers, ... */
extern void emu_reply_distort(const EmuFault *fault, EmuReply *reply);

/*
 * Hands the reply to the server, taking over what it holds.  False if the
 * connection must be closed instead.
 */
extern bool emu_reply_send(EmuRequest *request, EmuReply *reply);

/*
 * How many body bytes of a reply that was not read through to its end have
 * reached the client: about, since the HTTP header is among them.
 */
extern int64_t emu_reply_bytes_gone(const EmuRequest *request);

#endif							/* EMU_REPLY_H */
