/*-------------------------------------------------------------------------
 *
 * check_local.c
 *		Steps of pinsight_check() that concern what is on this machine, and
 *		what is left of the quotas.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "compat.h"
#include "foreign/foreign.h"
#include "insights/ask.h"
#include "insights/credential.h"
#include "miscadmin.h"
#include "settings.h"
#include "snapshot/budget.h"
#include "snapshot/cache.h"
#include "sql/check.h"
#include "sql/inventory.h"
#include "sql/look.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

/* What the service lets a user keep, by its documentation. */
#define REPORTS_MAX 50
#define QUERIES_MAX 100

/* With less room than this a report of usual size may not fit. */
#define ROOM_MIN (INT64CONST(256) * 1024 * 1024)

void
pin_check_server(PinCheck *check)
{
	ForeignServer *server = GetForeignServerByName(check->server_name, true);
	AclResult	acl;

	if (server == NULL)
	{
		pin_check_set(check, PIN_STEP_SERVER, PIN_STEP_FAILED, "there is no such server",
					  psprintf("Use CREATE SERVER %s FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (tenant ...).",
							   quote_identifier(check->server_name)));
		return;
	}
	pin_look_check_server(server->serverid);
	acl = pin_server_aclcheck(server->serverid, GetUserId());
	if (acl != ACLCHECK_OK)
	{
		pin_check_set(check, PIN_STEP_SERVER, PIN_STEP_FAILED,
					  "you may not use the server",
					  psprintf("Have its owner GRANT USAGE ON FOREIGN SERVER %s to you.",
							   quote_identifier(check->server_name)));
		return;
	}
	check->serverid = server->serverid;
	check->place = pin_options_place(server->serverid);
	if (check->place->tenant == NULL)
		pin_check_set(check, PIN_STEP_SERVER, PIN_STEP_FAILED, "the server has no tenant",
					  psprintf("Use ALTER SERVER %s OPTIONS (ADD tenant 'your-company.onmicrosoft.com').",
							   quote_identifier(check->server_name)));
	else
		pin_check_set(check, PIN_STEP_SERVER, PIN_STEP_OK,
					  psprintf("tenant %s, program %s", check->place->tenant,
							   check->place->program), NULL);
}

static const char *
way_in(const PinOptions *o)
{
	if (o->refresh_token != NULL)
		return "signs in with a refresh token";
	if (o->username != NULL)
		return "signs in with user name and password";
	return "the application signs in by itself";
}

void
pin_check_mapping(PinCheck *check)
{
	bool		own;

	if (check->place == NULL || check->place->tenant == NULL)
		return;
	own = SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(GetUserId()),
								ObjectIdGetDatum(check->serverid));
	check->options = pin_options_server(check->serverid, GetUserId(), check->place->program);
	pin_check_set(check, PIN_STEP_MAPPING, PIN_STEP_OK,
				  psprintf("user mapping for %s: %s",
						   own ? GetUserNameFromId(GetUserId(), false) : "public",
						   way_in(check->options)), NULL);
}

/* Without an error both counts are there; true with a warning's text. */
static bool
is_crowded(int reports, int queries)
{
	return reports >= REPORTS_MAX || queries >= QUERIES_MAX;
}

void
pin_check_quota(PinCheck *check)
{
	PinNeed		need = {.options = check->options};
	List	   *reports = NIL;
	List	   *queries = NIL;
	PinAsker   *asker;
	PinError	err;
	const char *kept;
	int			left;

	if (check->results[PIN_STEP_DATASETS].status != PIN_STEP_OK)
		return;
	pin_credential_hash(need.credential, check->options);
	if (!pin_budget_allows(&need, &err))
	{
		pin_check_fail(check, PIN_STEP_QUOTA, &err);
		return;
	}
	left = pin_budget_left(&need);
	asker = pin_ask_open(check->options);
	if (!pin_inventory_reports(asker, &reports, &err) ||
		!pin_inventory_queries(asker, &queries, &err))
	{
		pin_check_fail(check, PIN_STEP_QUOTA, &err);
		return;
	}
	pin_ask_close(asker);
	kept = psprintf("%d more reports may be ordered within the hour; the service keeps %d reports of %d and %d queries of %d",
					left, list_length(reports), REPORTS_MAX, list_length(queries), QUERIES_MAX);
	if (is_crowded(list_length(reports), list_length(queries)))
		pin_check_set(check, PIN_STEP_QUOTA, PIN_STEP_WARNING, kept,
					  "Use pinsight_cleanup, and delete in Partner Center what nobody needs.");
	else
		pin_check_set(check, PIN_STEP_QUOTA, PIN_STEP_OK, kept, NULL);
}

/*
 * Independent of all the others, but not for everybody to see: only for those
 * who may use the server.
 */
void
pin_check_cache(PinCheck *check)
{
	PinHash		name;
	const char *parts[] = {"check"};
	char	   *path;
	struct statvfs room;
	int64		bytes;

	if (check->place == NULL)
		return;
	pin_hash_parts(name, lengthof(parts), parts);
	path = pin_cache_path(name, psprintf("%d", MyProcPid), PIN_CACHE_NEW);
	pin_cache_write(path, name, sizeof(name));
	pin_cache_remove(path);
	if (statvfs(pin_cache_directory, &room) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not look at directory \"%s\": %m", pin_cache_directory)));
	bytes = (int64) room.f_bavail * room.f_frsize;
	if (bytes < ROOM_MIN)
		pin_check_set(check, PIN_STEP_CACHE, PIN_STEP_WARNING,
					  psprintf("only %lld MB are free", (long long) (bytes / (1024 * 1024))),
					  "Make room, lower \"pinsight_fdw.cache_size\", or set \"pinsight_fdw.cache_directory\" to another disk.");
	else
		pin_check_set(check, PIN_STEP_CACHE, PIN_STEP_OK,
					  psprintf("%lld MB are free", (long long) (bytes / (1024 * 1024))), NULL);
}
