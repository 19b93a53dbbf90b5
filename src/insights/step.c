/*-------------------------------------------------------------------------
 *
 * step.c
 *		The way to the first row, step by step, and which one a failure is of.
 *
 * The sign-in service looks at tenant, application, secret, user, second factor
 * and consent in this order; whether the application may have what it asks for
 * can be told at any time.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/step.h"

#include "insights/aadsts.h"

static const char *const names[PIN_STEPS] = {
	[PIN_STEP_OPTIONS] = "options",
	[PIN_STEP_LOGIN_HOST] = "login host",
	[PIN_STEP_API_HOST] = "API host",
	[PIN_STEP_CLOCK] = "clock",
	[PIN_STEP_TENANT] = "tenant",
	[PIN_STEP_APPLICATION] = "application",
	[PIN_STEP_SECRET] = "secret",
	[PIN_STEP_USER] = "user",
	[PIN_STEP_MFA] = "MFA",
	[PIN_STEP_CONSENT] = "consent",
	[PIN_STEP_PERMISSION] = "permission",
	[PIN_STEP_ROLE] = "role",
	[PIN_STEP_DATASETS] = "datasets",
	[PIN_STEP_CACHE] = "cache directory",
	[PIN_STEP_QUOTA] = "quota",
};

/* Refusals of the sign-in service that are not about the user. */
static const struct
{
	int			code;			/* AADSTS number */
	PinStep		step;			/* what it complains of */
}			refusals[] = {
	{900144, PIN_STEP_OPTIONS},
	{901002, PIN_STEP_OPTIONS},
	{9002313, PIN_STEP_OPTIONS},

	{90002, PIN_STEP_TENANT},
	{900021, PIN_STEP_TENANT},
	{900023, PIN_STEP_TENANT},
	{9001023, PIN_STEP_TENANT},

	{70001, PIN_STEP_APPLICATION},
	{700016, PIN_STEP_APPLICATION},
	{7000112, PIN_STEP_APPLICATION},

	{50012, PIN_STEP_SECRET},
	{50013, PIN_STEP_SECRET},
	{700025, PIN_STEP_SECRET},
	{700027, PIN_STEP_SECRET},
	{7000215, PIN_STEP_SECRET},
	{7000218, PIN_STEP_SECRET},
	{7000222, PIN_STEP_SECRET},

	{65001, PIN_STEP_CONSENT},
	{90094, PIN_STEP_CONSENT},
	{90099, PIN_STEP_CONSENT},

	{50001, PIN_STEP_PERMISSION},
	{70011, PIN_STEP_PERMISSION},
	{500011, PIN_STEP_PERMISSION},
	{650056, PIN_STEP_PERMISSION},
	{650057, PIN_STEP_PERMISSION},
};

const char *
pin_step_name(PinStep step)
{
	return names[step];
}

PinStep
pin_step_of_refusal(int code)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].code == code)
			return refusals[i].step;
	return PIN_STEP_USER;
}

/*
 * What is neither about the second factor nor numbered was not said by the
 * sign-in service, or is no refusal: then it is the host that is in the way.
 */
PinStep
pin_step_of_sign_in(const PinError *err)
{
	int			code = pin_aadsts_in_text(err->detail);

	if (err->kind == PIN_ERROR_MFA)
		return PIN_STEP_MFA;
	if (err->kind == PIN_ERROR_SECRET_EXPIRED)
		return pin_step_of_refusal(code);
	if (err->kind != PIN_ERROR_SIGN_IN || code == 0)
		return PIN_STEP_LOGIN_HOST;
	return pin_step_of_refusal(code);
}

PinStep
pin_step_of_request(const PinError *err)
{
	switch (err->kind)
	{
		case PIN_ERROR_MFA:
			return PIN_STEP_MFA;
		case PIN_ERROR_UNAUTHORIZED:
			return PIN_STEP_PERMISSION;
		case PIN_ERROR_FORBIDDEN:
			return PIN_STEP_ROLE;
		case PIN_ERROR_BAD_REQUEST:
		case PIN_ERROR_UNKNOWN_DATASET:
		case PIN_ERROR_UNKNOWN_COLUMN:
		case PIN_ERROR_QUOTA:
			return PIN_STEP_DATASETS;
		default:
			return PIN_STEP_API_HOST;
	}
}
