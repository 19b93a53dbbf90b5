/*-------------------------------------------------------------------------
 *
 * check.c
 *		pinsight_check(): what is needed to read rows, as a checklist.
 *
 * It never raises but for a cancel, whatever is broken: each step runs in a
 * subtransaction of its own, so that an error leaves nothing behind but a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "sql/check.h"
#include "sql/row.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(pinsight_check);

static const char *const step_names[PIN_STEPS] = {
	[PIN_STEP_SERVER] = "server",
	[PIN_STEP_MAPPING] = "user mapping",
	[PIN_STEP_LOGIN_HOST] = "sign-in host",
	[PIN_STEP_API_HOST] = "api host",
	[PIN_STEP_CLOCK] = "clock",
	[PIN_STEP_TENANT] = "tenant",
	[PIN_STEP_APPLICATION] = "application",
	[PIN_STEP_SECRET] = "secret",
	[PIN_STEP_USER] = "user",
	[PIN_STEP_MFA] = "mfa",
	[PIN_STEP_CONSENT] = "consent",
	[PIN_STEP_PERMISSION] = "permission",
	[PIN_STEP_ROLE] = "role",
	[PIN_STEP_DATASETS] = "datasets",
	[PIN_STEP_QUOTA] = "quota",
	[PIN_STEP_CACHE] = "cache directory"
};

static const char *const status_names[] = {
	[PIN_STEP_NOT_REACHED] = "not reached",
	[PIN_STEP_OK] = "ok",
	[PIN_STEP_WARNING] = "warning",
	[PIN_STEP_FAILED] = "failed"
};

/* What is done, in this order, and the row an error of it belongs to. */
static const struct
{
	void		(*run) (PinCheck *check);
	PinStep		blame;
}			steps[] = {
	{pin_check_server, PIN_STEP_SERVER},
	{pin_check_mapping, PIN_STEP_MAPPING},
	{pin_check_login_host, PIN_STEP_LOGIN_HOST},
	{pin_check_api_host, PIN_STEP_API_HOST},
	{pin_check_clock, PIN_STEP_CLOCK},
	{pin_check_sign_in, PIN_STEP_USER},
	{pin_check_api, PIN_STEP_PERMISSION},
	{pin_check_quota, PIN_STEP_QUOTA},
	{pin_check_cache, PIN_STEP_CACHE}
};

void
pin_check_set(PinCheck *check, PinStep step, PinStepStatus status,
			  const char *detail, const char *hint)
{
	check->results[step].status = status;
	check->results[step].detail = detail;
	check->results[step].hint = hint;
}

void
pin_check_fail(PinCheck *check, PinStep step, const PinError *err)
{
	const char *hint = err->hint[0] != '\0' ? err->hint : pin_error_row(err->kind)->hint;
	const char *message = pin_text_to_server(err->message);

	if (err->detail[0] != '\0')
		message = psprintf("%s: %s", message, pin_text_to_server(err->detail));
	pin_check_set(check, step, PIN_STEP_FAILED, message,
				  hint != NULL ? pin_text_to_server(hint) : NULL);
}

/* An error that was thrown becomes a row. */
static void
fill_from_error(PinCheck *check, PinStep step, const ErrorData *error)
{
	pin_check_set(check, step, PIN_STEP_FAILED,
				  error->detail == NULL ? error->message :
				  psprintf("%s: %s", error->message, error->detail), error->hint);
}

/* A cancel or timeout ends the whole, as anywhere. */
static bool
must_end(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		error->sqlerrcode == ERRCODE_OUT_OF_MEMORY;
}

/* Runs a step; what it allocates lives as long as the check. */
static void
attempt(PinCheck *check, int i)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		steps[i].run(check);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (must_end(error))
			ReThrowError(error);
		fill_from_error(check, steps[i].blame, error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

static void
put_rows(const PinCheck *check, FunctionCallInfo fcinfo)
{
	PinRow		row;

	pin_row_begin(&row, fcinfo);
	for (int i = 0; i < PIN_STEPS; i++)
	{
		pin_row_text(&row, step_names[i]);
		pin_row_text(&row, status_names[check->results[i].status]);
		pin_row_text(&row, check->results[i].detail);
		pin_row_text(&row, check->results[i].hint);
		pin_row_end(&row);
	}
}

/*
 * Whatever a step has opened goes with the context, tokens and descriptors
 * included.
 */
Datum
pinsight_check(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinsight check",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PinCheck   *check = palloc0(sizeof(PinCheck));

	check->server_name = NameStr(*PG_GETARG_NAME(0));
	for (int i = 0; i < lengthof(steps); i++)
		attempt(check, i);
	MemoryContextSwitchTo(old);
	put_rows(check, fcinfo);
	MemoryContextDelete(context);
	return (Datum) 0;
}
