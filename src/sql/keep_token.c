/*-------------------------------------------------------------------------
 *
 * keep_token.c
 *		A refresh token's way into a user mapping.
 *
 * Users may not alter a mapping in which a superuser has set a file's path, as
 * the validator sees to.  Here only the token changes, and only in the mapping
 * of whoever asks, so the change is made in the name of a superuser.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "option_value.h"
#include "options.h"
#include "service_time.h"
#include "sql/keep_token.h"
#include "sql/look.h"
#include "tcop/utility.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static ForeignServer *
find_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	acl;

	pin_look_check_server(server->serverid);
	acl = pin_server_aclcheck(server->serverid, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FOREIGN_SERVER, name);
	return server;
}

ForeignServer *
pin_keep_token_server(const char *name, const char *command)
{
	ForeignServer *server = find_server(name);

	PreventCommandIfReadOnly(command);
	PreventCommandDuringRecovery(command);
	return server;
}

/*
 * A sign-in takes minutes, in which we hear of nothing that others do: is this
 * still the same server, and may we still use it?
 */
static void
check_again(const ForeignServer *server)
{
	AcceptInvalidationMessages();
	if (find_server(server->servername)->serverid != server->serverid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" has been replaced meanwhile",
						server->servername)));
}

/* The options of a mapping; *exists tells whether there is one. */
static List *
mapping_options(const ForeignServer *server, Oid userid, bool *exists)
{
	HeapTuple	tuple = SearchSysCache2(USERMAPPINGUSERSERVER,
										ObjectIdGetDatum(userid),
										ObjectIdGetDatum(server->serverid));
	List	   *options = NIL;
	Datum		datum;
	bool		isnull;

	*exists = HeapTupleIsValid(tuple);
	if (!*exists)
		return NIL;
	datum = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple,
							Anum_pg_user_mapping_umoptions, &isnull);
	if (!isnull)
		options = untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return options;
}

/* The change that leaves an option with a value, or NULL: without it. */
static List *
change(List *changes, List *now, const char *name, const char *value)
{
	bool		present = pin_option_get(now, name) != NULL;

	if (value == NULL && !present)
		return changes;
	return lappend(changes,
				   makeDefElemExtended(NULL, pstrdup(name),
									   value != NULL ? (Node *) makeString(pstrdup(value)) : NULL,
									   value == NULL ? DEFELEM_DROP :
									   present ? DEFELEM_SET : DEFELEM_ADD, -1));
}

/* A time as the option wants it. */
static char *
write_time(TimestampTz time)
{
	char	   *text = pin_service_time_text(time);

	if (text == NULL)
		elog(ERROR, "timestamp out of range");
	return text;
}

static RoleSpec *
role_of(Oid userid)
{
	RoleSpec   *role = makeNode(RoleSpec);

	role->roletype = OidIsValid(userid) ? ROLESPEC_CSTRING : ROLESPEC_PUBLIC;
	role->rolename = OidIsValid(userid) ? GetUserNameFromId(userid, false) : NULL;
	role->location = -1;
	return role;
}

static void
create_mapping(const ForeignServer *server, Oid userid, List *options)
{
	CreateUserMappingStmt *stmt = makeNode(CreateUserMappingStmt);

	stmt->user = role_of(userid);
	stmt->servername = server->servername;
	stmt->options = options;
	(void) CreateUserMapping(stmt);
}

static void
alter_mapping(const ForeignServer *server, Oid userid, List *options)
{
	AlterUserMappingStmt *stmt = makeNode(AlterUserMappingStmt);

	stmt->user = role_of(userid);
	stmt->servername = server->servername;
	stmt->options = options;
	(void) AlterUserMapping(stmt);
}

/* Changes or makes a mapping; the end of the transaction undoes a user change. */
static void
write_mapping(const ForeignServer *server, Oid userid, bool exists, List *changes)
{
	Oid			saved_userid;
	int			saved_context;

	GetUserIdAndSecContext(&saved_userid, &saved_context);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID,
						   saved_context | SECURITY_LOCAL_USERID_CHANGE);
	if (exists)
		alter_mapping(server, userid, changes);
	else
		create_mapping(server, userid, changes);
	SetUserIdAndSecContext(saved_userid, saved_context);
	CommandCounterIncrement();
}

TimestampTz
pin_keep_token(const ForeignServer *server, const char *client_id,
			   const char *refresh_token)
{
	static const char *const replaced[] = {
		"refresh_token_file", "refresh_token_origin", "username", "password", "password_file"
	};
	TimestampTz now = GetCurrentTimestamp();
	bool		exists;
	List	   *options;
	List	   *changes = NIL;

	check_again(server);
	options = mapping_options(server, GetUserId(), &exists);
	if (client_id != NULL)
		changes = change(changes, options, "client_id", client_id);
	for (int i = 0; i < lengthof(replaced); i++)
		changes = change(changes, options, replaced[i], NULL);
	changes = change(changes, options, "refresh_token", refresh_token);
	changes = change(changes, options, "refresh_token_issued", write_time(now));
	write_mapping(server, GetUserId(), exists, changes);
	return now + PIN_REFRESH_TOKEN_LIFE_US;
}

TimestampTz
pin_keep_successor(const ForeignServer *server, Oid userid, const char *refresh_token,
				   const char *origin)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		exists;
	List	   *options;
	List	   *changes = NIL;

	check_again(server);
	options = mapping_options(server, userid, &exists);
	changes = change(changes, options, "refresh_token", refresh_token);
	changes = change(changes, options, "refresh_token_origin", origin);
	changes = change(changes, options, "refresh_token_issued", write_time(now));
	write_mapping(server, userid, exists, changes);
	return now + PIN_REFRESH_TOKEN_LIFE_US;
}
