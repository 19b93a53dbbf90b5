/*-------------------------------------------------------------------------
 *
 * probe.h
 *		Does a host answer at all?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_PROBE_H
#define PIN_PROBE_H

#include "error.h"
#include "options.h"

/* What is seen of an answer. */
typedef struct PinProbe
{
	int			status;			/* HTTP status */
	int			aadsts;			/* the sign-in service's number in it; 0: none */
	bool		has_clock;		/* it tells its time */
	int64		ahead_s;		/* seconds by which that is ahead of ours */
} PinProbe;

/*
 * Asks once for an address, without any credential, and waits for the answer,
 * whatever it is.  False with *err filled if none came.  Throws on interrupts.
 */
extern bool pin_probe(const PinOptions *options, const char *url, PinProbe *probe,
					  PinError *err);

#endif							/* PIN_PROBE_H */
