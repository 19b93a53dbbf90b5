/*-------------------------------------------------------------------------
 *
 * step.h
 *		The way to the first row, step by step, and which one a failure is of.
 *
 * Plain C; constant tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_STEP_H
#define PIN_STEP_H

#include "error.h"

/* In the order in which one takes them. */
typedef enum PinStep
{
	PIN_STEP_OPTIONS,			/* of server and mapping, secrets' files too */
	PIN_STEP_LOGIN_HOST,		/* is reached */
	PIN_STEP_API_HOST,			/* is reached */
	PIN_STEP_CLOCK,				/* is that of the service */
	PIN_STEP_TENANT,			/* exists */
	PIN_STEP_APPLICATION,		/* is known there */
	PIN_STEP_SECRET,			/* proves that it is the application */
	PIN_STEP_USER,				/* signs in */
	PIN_STEP_MFA,				/* is proven */
	PIN_STEP_CONSENT,			/* was given */
	PIN_STEP_PERMISSION,		/* of the application: the API takes its
								 * tokens */
	PIN_STEP_ROLE,				/* of the user lets it read insights */
	PIN_STEP_DATASETS,			/* are listed */
	PIN_STEP_CACHE,				/* directory is usable */
	PIN_STEP_QUOTA,				/* leaves a report to be ordered */
	PIN_STEPS					/* number of steps; keep last */
} PinStep;

/* "login host", as users see it. */
extern const char *pin_step_name(PinStep step);

/* The step that an AADSTS number is about; the user's where it tells no other. */
extern PinStep pin_step_of_refusal(int code);

/* The step that a failed sign-in did not pass. */
extern PinStep pin_step_of_sign_in(const PinError *err);

/* The same for a failed request to the API with a token. */
extern PinStep pin_step_of_request(const PinError *err);

#endif							/* PIN_STEP_H */
