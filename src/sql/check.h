/*-------------------------------------------------------------------------
 *
 * check.h
 *		The steps of pinsight_check(), and what they hand on.
 *
 * Every step fills its own row, or those it decides, from the outcome of
 * earlier ones; rows that nobody fills say "not reached".  A step may throw:
 * then its row has failed, with the error's text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CHECK_H
#define PIN_CHECK_H

#include "insights/api.h"
#include "options.h"
#include "sql/signing.h"

/* Rows, in the order in which things are set up. */
typedef enum PinStep
{
	PIN_STEP_SERVER,			/* the server, and the right to use it */
	PIN_STEP_MAPPING,			/* a user mapping that is complete */
	PIN_STEP_LOGIN_HOST,		/* the sign-in host is reached */
	PIN_STEP_API_HOST,			/* the API's host is reached */
	PIN_STEP_CLOCK,				/* our clock agrees with theirs */
	PIN_STEP_TENANT,			/* see PinPrerequisite: */
	PIN_STEP_APPLICATION,
	PIN_STEP_SECRET,
	PIN_STEP_USER,
	PIN_STEP_MFA,
	PIN_STEP_CONSENT,
	PIN_STEP_PERMISSION,
	PIN_STEP_ROLE,				/* the user may read insights, and all of it */
	PIN_STEP_DATASETS,			/* there are datasets */
	PIN_STEP_QUOTA,				/* reports can be ordered */
	PIN_STEP_CACHE,				/* and kept */
	PIN_STEPS					/* number of steps; keep last */
} PinStep;

typedef enum PinStepStatus
{
	PIN_STEP_NOT_REACHED,		/* could not be tried; must be 0 */
	PIN_STEP_OK,
	PIN_STEP_WARNING,			/* works, but not for long or not for all */
	PIN_STEP_FAILED
} PinStepStatus;

typedef struct PinStepResult
{
	PinStepStatus status;		/* what came of it */
	const char *detail;			/* what was seen; NULL: nothing to say */
	const char *hint;			/* what to do; NULL: nothing */
} PinStepResult;

typedef struct PinCheck
{
	const char *server_name;	/* as the caller wrote it */
	Oid			serverid;		/* InvalidOid: cannot be used */
	PinOptions *place;			/* the server alone; NULL: not usable */
	PinOptions *options;		/* with the mapping; NULL: not complete */
	bool		tenant_unknown; /* the sign-in host knows no such tenant */
	bool		api_reached;	/* the API's host answers */
	int			skew_known;		/* hosts that told the time */
	int64		skew_us;		/* our clock less theirs, the largest */
	PinSigning *signing;		/* the sign-in; with tokens if it worked */
	PinStepResult results[PIN_STEPS];	/* the rows */
} PinCheck;

/* Fills a row.  Texts are in the database encoding and kept by reference. */
extern void pin_check_set(PinCheck *check, PinStep step, PinStepStatus status,
						  const char *detail, const char *hint);

/* Fills a row with an error, as one that has failed. */
extern void pin_check_fail(PinCheck *check, PinStep step, const PinError *err);

/* The steps; check_local.c */
extern void pin_check_server(PinCheck *check);
extern void pin_check_mapping(PinCheck *check);
extern void pin_check_quota(PinCheck *check);
extern void pin_check_cache(PinCheck *check);

/* check_remote.c */
extern void pin_check_login_host(PinCheck *check);
extern void pin_check_api_host(PinCheck *check);
extern void pin_check_clock(PinCheck *check);
extern void pin_check_sign_in(PinCheck *check);
extern void pin_check_api(PinCheck *check);

#endif							/* PIN_CHECK_H */
