/*-------------------------------------------------------------------------
 *
 * rotate.c
 *		pinsight_rotate(): a refresh token's successor, kept in its mapping.
 *
 * With each use of a refresh token comes a new one.  A scan writes nothing, so
 * a session keeps it in memory only; here the owner of the mapping asks to have
 * it for good, which begins its 90 days anew.  What was fetched and ordered with
 * the old one stays in reach: see pin_credential_origin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "insights/credential.h"
#include "insights/token.h"
#include "miscadmin.h"
#include "sql/keep_token.h"
#include "sql/signing.h"
#include "throw.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_rotate);

/*
 * Whose mapping serves the caller: its own, or the one for everybody, which is
 * the server owner's to change.
 */
static Oid
mapping_user(const ForeignServer *server)
{
	if (SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(GetUserId()),
							  ObjectIdGetDatum(server->serverid)))
		return GetUserId();
	if (!pin_is_server_owner(server->serverid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you have no user mapping of your own on server \"%s\"",
						server->servername),
				 errhint("Use CALL pinsight_login to get one.")));
	return InvalidOid;
}

/* Only what stands in the mapping itself can be replaced there. */
static void
check_token(const ForeignServer *server, const PinOptions *options)
{
	UserMapping *um = GetUserMapping(GetUserId(), server->serverid);
	ListCell   *lc;

	foreach(lc, um->options)
	{
		if (strcmp(lfirst_node(DefElem, lc)->defname, "refresh_token_file") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the refresh token on server \"%s\" is in a file, which is not written to",
							server->servername),
					 errhint("Replace the file's content, or use CALL pinsight_login, which puts a token into the mapping.")));
	}
	if (options->refresh_token == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the user mapping on server \"%s\" has no refresh token",
						server->servername),
				 errhint("Use CALL pinsight_login to get one.")));
}

/*
 * Signs in with the newest token of the session, or else, should that have
 * ended, with the mapping's own.
 */
static bool
sign_in(PinSigning *signing, const PinOptions *options, PinError *err)
{
	PinHash		credential;
	char	   *newest;

	pin_credential_hash(credential, options);
	newest = pin_token_refresh_token(credential);
	if (newest != NULL)
	{
		signing->credentials.refresh_token = newest;
		if (pin_signing_sign_in(signing, err))
			return true;
		if (signing->result.aadsts == 0)
			return false;
		signing->credentials.refresh_token = options->refresh_token;
	}
	return pin_signing_sign_in(signing, err);
}

Datum
pinsight_rotate(PG_FUNCTION_ARGS)
{
	ForeignServer *server = pin_keep_token_server(NameStr(*PG_GETARG_NAME(0)),
												  "pinsight_rotate()");
	Oid			userid = mapping_user(server);
	PinOptions *options = pin_options_server(server->serverid, GetUserId(), "mpn");
	PinSigning *signing;
	PinError	err;

	check_token(server, options);
	signing = pin_signing_open(options, &err);
	if (signing == NULL || !sign_in(signing, options, &err))
		pin_throw(&err, server->servername, NULL);
	if (signing->result.refresh_token == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
				 errmsg("server \"%s\": the sign-in brought no new refresh token",
						server->servername),
				 errhint("The one in the user mapping stays; sign in again with CALL pinsight_login before it ends.")));
	PG_RETURN_TIMESTAMPTZ(pin_keep_successor(server, userid, signing->result.refresh_token,
											 pin_credential_write_origin(options, signing->result.refresh_token)));
}
