/*-------------------------------------------------------------------------
 *
 * signing.h
 *		Signing in by itself, outside any scan: for pinsight_login and its kin.
 *
 * What goes to the sign-in service and what comes back lives in a memory
 * context of its own, which wipes and frees all of it whatever happens.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SIGNING_H
#define PIN_SIGNING_H

#include "insights/sign_in.h"
#include "options.h"
#include "transport/roundtrip.h"

typedef struct PinSigning
{
	PinCredentials credentials; /* who signs in; may be changed in between */
	PinRoundtrip *trip;			/* to the sign-in service */
	PinSignIn	result;			/* what the last sign-in brought */
	PinDeviceCode device;		/* the last device code */
	PinApiRequest request;		/* under way */
} PinSigning;

/*
 * Opens it for the options' credentials, which are kept by reference, in the
 * current memory context.  NULL with *err filled.
 */
extern PinSigning *pin_signing_open(const PinOptions *options, PinError *err);

/* Signs in once.  False with *err filled; the result is always initialized. */
extern bool pin_signing_sign_in(PinSigning *signing, PinError *err);

/* Asks for a device code. */
extern bool pin_signing_device_code(PinSigning *signing, PinError *err);

#endif							/* PIN_SIGNING_H */
