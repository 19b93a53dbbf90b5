/*-------------------------------------------------------------------------
 *
 * mirror_target.c
 *		The table that a foreign table is mirrored into.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "commands/comment.h"
#include "common/hashfn.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "sql/mirror.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/varlena.h"

/* What the comment on a mirror begins with, before the source's name. */
#define COMMENT_BEGIN "Mirror of "
#define COMMENT_END ", made by pinsight_mirror."

static void
execute(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute: %s", sql);
}

/* ---- may it be written? ---- */

/* Counting, deleting and inserting rows, all of them. */
static void
check_rights(Oid relid)
{
	AclMode		needed = ACL_SELECT | ACL_INSERT | ACL_DELETE;
	char		relkind = get_rel_relkind(relid);
	char	   *name = get_rel_name(relid);

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be a mirror: it is not a table", name)));
	if (pg_class_aclmask(relid, GetUserId(), needed, ACLMASK_ALL) != needed)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", name),
				 errdetail("A mirror is refreshed by whoever has SELECT, INSERT and DELETE on it.")));
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security hides rows of table \"%s\"", name),
				 errdetail("A mirror is refreshed by whoever sees all of its rows.")));
}

/*
 * Locks a name, be there such a table or not, until the end of the transaction:
 * a table's own lock would come too late where two want to make it, and would
 * keep others from writing into it while we wait for a report.
 */
static void
lock_name(Oid schema, const char *name, const char *told)
{
	uint16		hash = DatumGetUInt32(hash_any((const unsigned char *) name, strlen(name))) | 1;

	if (ConditionalLockDatabaseObject(NamespaceRelationId, schema, hash, ExclusiveLock))
		return;
	ereport(NOTICE,
			(errmsg("another session is mirroring into %s: waiting for it", told)));
	LockDatabaseObject(NamespaceRelationId, schema, hash, ExclusiveLock);
}

/* ---- can it hold the rows? ---- */

/* What a table lacks to hold the rows. */
typedef struct Lack
{
	StringInfoData told;		/* column by column */
	StringInfoData changes;		/* what ALTER TABLE would do about it */
} Lack;

static const char *
type_name(Form_pg_attribute att)
{
	return format_type_extended(att->atttypid, att->atttypmod, FORMAT_TYPE_TYPEMOD_GIVEN);
}

static void
compare_column(Lack *lack, Form_pg_attribute wanted, Relation target)
{
	const char *name = NameStr(wanted->attname);
	AttrNumber	attnum = get_attnum(RelationGetRelid(target), name);
	const char *comma = lack->told.len > 0 ? ", " : "";
	Form_pg_attribute found;

	if (attnum == InvalidAttrNumber)
	{
		appendStringInfo(&lack->told, "%s\"%s\" is not there", comma, name);
		appendStringInfo(&lack->changes, "%sADD COLUMN %s %s", comma, quote_identifier(name),
						 type_name(wanted));
		return;
	}
	found = TupleDescAttr(RelationGetDescr(target), attnum - 1);
	if (found->atttypid == wanted->atttypid && found->atttypmod == wanted->atttypmod)
		return;
	appendStringInfo(&lack->told, "%s\"%s\" is of type %s", comma, name, type_name(found));
	appendStringInfo(&lack->changes, "%sALTER COLUMN %s TYPE %s", comma, quote_identifier(name),
					 type_name(wanted));
}

static void
check_columns(const PinMirror *mirror)
{
	Relation	source = table_open(mirror->source, NoLock);
	Relation	target = table_open(mirror->target, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(source);
	Lack		lack;

	initStringInfo(&lack.told);
	initStringInfo(&lack.changes);
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			compare_column(&lack, TupleDescAttr(desc, i), target);
	}
	if (lack.told.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("table %s has not the columns of foreign table %s",
						mirror->target_name, mirror->source_name),
				 errdetail("Its columns: %s.", lack.told.data),
				 errhint("Change it first: %s",
						 psprintf("ALTER TABLE %s %s;", mirror->target_name, lack.changes.data))));
	table_close(target, NoLock);
	table_close(source, NoLock);
}

/* ---- the comment that says what it is ---- */

static char *
comment_text(const PinMirror *mirror)
{
	return psprintf("%s%s%s", COMMENT_BEGIN, mirror->source_name, COMMENT_END);
}

/* Its rows would all be deleted. */
static void
check_comment(const PinMirror *mirror)
{
	char	   *comment = GetComment(mirror->target, RelationRelationId, 0);

	if (comment == NULL || strncmp(comment, COMMENT_BEGIN, strlen(COMMENT_BEGIN)) != 0 ||
		strstr(comment, COMMENT_END) == NULL || strcmp(comment, comment_text(mirror)) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table %s is a mirror of another foreign table than %s",
					mirror->target_name, mirror->source_name),
			 errdetail("The comment on it says: %s", comment),
			 errhint("If the foreign table was renamed, change the comment: %s",
					 psprintf("COMMENT ON TABLE %s IS %s;", mirror->target_name,
							  quote_literal_cstr(comment_text(mirror))))));
}

/* ---- found or made ---- */

static void
make_target(PinMirror *mirror, Oid schema, const char *name)
{
	execute(psprintf("CREATE TABLE %s (LIKE %s INCLUDING COMMENTS)", mirror->target_name,
					 mirror->source_name));
	execute(psprintf("COMMENT ON TABLE %s IS %s", mirror->target_name,
					 quote_literal_cstr(comment_text(mirror))));
	mirror->target = get_relname_relid(name, schema);
}

/* The schema that the table is in or will be; throws if it may not be. */
static Oid
schema_of(RangeVar *wanted)
{
	Oid			relid = RangeVarGetRelid(wanted, NoLock, true);

	if (!OidIsValid(relid))
		return RangeVarGetAndCheckCreationNamespace(wanted, NoLock, NULL);
	check_rights(relid);
	return get_rel_namespace(relid);
}

void
pin_mirror_find_target(PinMirror *mirror, const char *name)
{
	RangeVar   *wanted = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			schema = schema_of(wanted);

	mirror->target_name = quote_qualified_identifier(get_namespace_name(schema), wanted->relname);
	lock_name(schema, wanted->relname, mirror->target_name);
	AcceptInvalidationMessages();
	mirror->target = get_relname_relid(wanted->relname, schema);
	if (!OidIsValid(mirror->target))
	{
		make_target(mirror, schema, wanted->relname);
		return;
	}
	check_rights(mirror->target);
	check_comment(mirror);
	check_columns(mirror);
}
