/*-------------------------------------------------------------------------
 *
 * look.c
 *		Who may look at what the cache directory holds, and whose it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_table.h"
#include "compat.h"
#include "fdw/dispatch.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "objects/table.h"
#include "sql/look.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

bool
pin_look_allowed(Oid userid)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		has_privs_of_role(GetUserId(), userid);
}

const char *
pin_look_server(Oid serverid)
{
	ForeignServer *server = GetForeignServerExtended(serverid, FSV_MISSING_OK);

	return server != NULL ? server->servername : NULL;
}

const char *
pin_look_role(Oid userid)
{
	return GetUserNameFromId(userid, true);
}

Oid
pin_look_table(Oid relid, Oid serverid)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(relid));
	bool		same;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	same = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftserver == serverid;
	ReleaseSysCache(tuple);
	return same ? relid : InvalidOid;
}

ForeignServer *
pin_look_find_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	allowed = pin_server_aclcheck(server->serverid, GetUserId());

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_FOREIGN_SERVER, name);
	pin_look_check_server(server->serverid);
	return server;
}

char *
pin_look_foreign_table(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table with OID %u", relid)));
	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table", name)));
	return name;
}

void
pin_look_check_report_table(Oid relid)
{
	pin_look_check_server(GetForeignServerIdByRelId(relid));
	if (pin_object_is_table(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign table \"%s\" has no rows of a report", get_rel_name(relid)),
				 errdetail("It shows the service's own objects (option \"api_object\"), as they are at the moment.")));
}

void
pin_look_check_server(Oid serverid)
{
	if (GetFdwRoutineByServerId(serverid)->BeginForeignScan != pinsightDispatchBeginScan)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not a server of pinsight_fdw",
						GetForeignServer(serverid)->servername)));
}
