/*-------------------------------------------------------------------------
 *
 * settings.c
 *		The configuration parameters (GUCs) of pinsight_fdw.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "option_value.h"
#include "settings.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

char	   *pin_cache_directory;
int			pin_cache_size_mb;
int64		pin_max_age_ms = -1;
bool		pin_progress;
int			pin_sweep_age_s;

/* Text of pinsight_fdw.max_age, as it was set. */
static char *max_age_text;

static bool
check_max_age(char **newval, void **extra, GucSource source)
{
	int64	   *ms = pin_guc_malloc(sizeof(int64));

	if (ms == NULL)
		return false;
	*ms = -1;
	if ((*newval)[0] != '\0' && !pin_value_age(*newval, ms))
	{
		GUC_check_errdetail("It must be an interval such as \"24 hours\", or 0 for a new report.");
		pin_guc_free(ms);
		return false;
	}
	*extra = ms;
	return true;
}

static void
assign_max_age(const char *newval, void *extra)
{
	pin_max_age_ms = *(int64 *) extra;
}

static bool
check_cache_directory(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] != '\0')
		return true;
	GUC_check_errdetail("The name of a directory cannot be empty.");
	return false;
}

void
pin_settings_define(void)
{
	/*
	 * Snapshots hold a partner's data: only who runs the server says where
	 * they go, and knows it.
	 */
	DefineCustomStringVariable("pinsight_fdw.cache_directory",
							   "Directory where report files are kept.",
							   "A relative path starts at the data directory.",
							   &pin_cache_directory, "pinsight_fdw", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   check_cache_directory, NULL, NULL);

	/*
	 * A bound for the file system's sake.  A snapshot that is larger by
	 * itself is kept all the same until the next one comes.
	 */
	DefineCustomIntVariable("pinsight_fdw.cache_size",
							"Total size of report files that are kept.",
							"The oldest are removed first.",
							&pin_cache_size_mb, 10240, 1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB,
							NULL, NULL, NULL);

	/*
	 * For a session that needs today's rows, or does not care: it overrides
	 * the option of the same name of every table and server.
	 */
	DefineCustomStringVariable("pinsight_fdw.max_age",
							   "How old the rows of foreign tables may be.",
							   "An interval; 0 orders a new report; empty leaves it to tables and servers.",
							   &max_age_text, "", PGC_USERSET, 0,
							   check_max_age, assign_max_age, NULL);

	/*
	 * A person who waits wants to know for what; a program that takes notices
	 * for trouble may turn them off.
	 */
	DefineCustomBoolVariable("pinsight_fdw.progress",
							 "Sends notices while a scan waits for a report.",
							 NULL, &pin_progress, true, PGC_USERSET, 0,
							 NULL, NULL, NULL);

	/*
	 * Another cluster may still want what looks abandoned here, for as long
	 * as its scans are repeated.
	 */
	DefineCustomIntVariable("pinsight_fdw.sweep_age",
							"Age at which abandoned reports and queries of ours are deleted at the service.",
							"-1 leaves them to pinsight_cleanup().",
							&pin_sweep_age_s, SECS_PER_DAY, -1, INT_MAX, PGC_USERSET, GUC_UNIT_S,
							NULL, NULL, NULL);

	MarkGUCPrefixReserved("pinsight_fdw");
}
