/*-------------------------------------------------------------------------
 *
 * mirror.c
 *		pinsight_mirror(): an ordinary table with the rows of a foreign one.
 *
 * All of it is one transaction, so whatever ends it leaves the old rows, and
 * readers have these until it commits: rows are deleted and inserted, not
 * truncated.  To find out which rows differ, and to replace only these, takes
 * several times as long as to replace them all.
 *
 * What may take hours, the report, comes before anything is locked
 * but the mirror's name; the scan that then copies its rows reads the same
 * snapshot, being of the same statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fdw/table.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "insights/ascii.h"
#include "miscadmin.h"
#include "sql/look.h"
#include "sql/mirror.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_mirror);

/* Rows of more months than this are told in one number. */
#define MONTHS_TOLD 12

/* The rows of one month in the mirror. */
typedef struct MonthRows
{
	DateADT		month;			/* its first day */
	bool		unknown;		/* rows without a time */
	int64		rows;
} MonthRows;

/* ---- the foreign table ---- */

/* Before it is locked: nobody shall lock what he may not read. */
static void
check_source(Oid relid)
{
	char	   *name = pin_look_foreign_table(relid);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, name);
	pin_look_check_server(GetForeignServerIdByRelId(relid));
}

/* The catalogue knows it of its own time column only. */
static int
restated_months(const PinTable *table)
{
	const PinCatalogDataset *known = table->known;

	if (known == NULL || known->time_column == NULL ||
		!pin_ascii_equal(table->time_column, known->time_column))
		return -1;
	return known->restated_months;
}

/* The column that the timespan is about, if dates can be compared with it. */
static void
read_time_column(PinMirror *mirror, Relation relation, const PinTable *table)
{
	for (int i = 0; table->time_column != NULL && i < list_length(table->attnums); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation),
											  list_nth_int(table->attnums, i) - 1);

		if (!pin_ascii_equal(strVal(list_nth(table->names, i)), table->time_column) ||
			(att->atttypid != DATEOID && att->atttypid != TIMESTAMPOID &&
			 att->atttypid != TIMESTAMPTZOID))
			continue;
		mirror->time = pstrdup(quote_identifier(NameStr(att->attname)));
		mirror->time_type = att->atttypid;
	}
}

static char *
column_list(TupleDesc desc)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 quote_identifier(NameStr(att->attname)));
	}
	return list.data;
}

static void
open_source(PinMirror *mirror, Oid relid)
{
	Relation	relation;
	PinTable   *table;

	check_source(relid);
	relation = table_open(relid, AccessShareLock);
	table = pin_table_describe(relation, pin_options_plan(relid));
	mirror->source = relid;
	mirror->source_name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
													 RelationGetRelationName(relation));
	mirror->columns = column_list(RelationGetDescr(relation));
	mirror->timespan = table->timespan;
	mirror->restated_months = restated_months(table);
	read_time_column(mirror, relation, table);
	table_close(relation, NoLock);
}

/* ---- statements ---- */

static _Noreturn void
refuse_rule(const PinMirror *mirror)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of mirror %s cannot be replaced", mirror->target_name),
			 errdetail("A rule of the table does something else instead."),
			 errhint("Drop the rule, or mirror into another table.")));
}

/* Runs a statement about the rows that are replaced; how many it was about. */
static uint64
run(const PinMirror *mirror, const char *sql, long at_most)
{
	Oid			type = DATEOID;
	Datum		since = DateADTGetDatum(mirror->since);
	int			result = SPI_execute_with_args(sql, mirror->whole ? 0 : 1, &type, &since, NULL,
											   false, at_most);

	if (result == SPI_OK_REWRITTEN)
		refuse_rule(mirror);
	if (result != SPI_OK_SELECT && result != SPI_OK_DELETE && result != SPI_OK_INSERT)
		elog(ERROR, "could not execute: %s", sql);
	return SPI_processed;
}

/* Waits for the report: the first row comes when all are here. */
static void
await_rows(const PinMirror *mirror)
{
	run(mirror, psprintf("SELECT %s FROM %s%s", mirror->columns, mirror->source_name,
						 pin_mirror_condition(mirror)), 1);
}

/* Against others who write into the mirror; readers do not feel it. */
static void
lock_target(const PinMirror *mirror)
{
	char	   *sql = psprintf("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", mirror->target_name);

	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute: %s", sql);
}

/* The rows that are replaced, as they are now: a list of MonthRows. */
static List *
count_rows(const PinMirror *mirror)
{
	List	   *counts = NIL;

	run(mirror, psprintf("SELECT %s, pg_catalog.count(*) FROM %s%s GROUP BY 1 ORDER BY 1",
						 pin_mirror_month(mirror), mirror->target_name,
						 pin_mirror_condition(mirror)), 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		MonthRows  *count = palloc0(sizeof(MonthRows));
		bool		isnull;

		count->month = DatumGetDateADT(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1,
													 &count->unknown));
		count->rows = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
		counts = lappend(counts, count);
	}
	SPI_freetuptable(SPI_tuptable);
	return counts;
}

static int64
total(const List *counts)
{
	int64		rows = 0;
	ListCell   *lc;

	foreach(lc, counts)
		rows += ((MonthRows *) lfirst(lc))->rows;
	return rows;
}

/* A trigger or a rule may keep rows, which would be there twice then. */
static void
check_deleted(const PinMirror *mirror, uint64 deleted, uint64 wanted)
{
	if (deleted < wanted)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows of mirror %s cannot be replaced", mirror->target_name),
				 errdetail_plural("A trigger or a rule of the table keeps " UINT64_FORMAT " row of " UINT64_FORMAT " from being deleted.",
								  "A trigger or a rule of the table keeps " UINT64_FORMAT " rows of " UINT64_FORMAT " from being deleted.",
								  wanted - deleted, wanted - deleted, wanted),
				 errhint("Let it delete them, or mirror into another table.")));
}

static void
replace_rows(const PinMirror *mirror, uint64 rows)
{
	const char *condition = pin_mirror_condition(mirror);
	uint64		deleted = run(mirror, psprintf("DELETE FROM %s%s", mirror->target_name, condition), 0);

	check_deleted(mirror, deleted, rows);
	run(mirror, psprintf("INSERT INTO %s (%s) SELECT %s FROM %s%s", mirror->target_name,
						 mirror->columns, mirror->columns, mirror->source_name, condition), 0);
}

/* ---- what came of it ---- */

static const char *
month_name(const MonthRows *count)
{
	/* a day is YYYY-MM-DD */
	return count->unknown ? "no month" :
		DATE_NOT_FINITE(count->month) ? pin_mirror_day(count->month) :
		pnstrdup(pin_mirror_day(count->month), strlen(pin_mirror_day(count->month)) - 3);
}

static bool
has_month(const List *counts, const MonthRows *wanted)
{
	ListCell   *lc;

	foreach(lc, counts)
	{
		const MonthRows *count = lfirst(lc);

		if (count->unknown == wanted->unknown &&
			(count->unknown || count->month == wanted->month))
			return true;
	}
	return false;
}

/* The months that had rows and have none now; NULL: there is none. */
static char *
vanished_months(const List *before, const List *after)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, before)
	{
		if (!has_month(after, lfirst(lc)))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", month_name(lfirst(lc)));
	}
	return names.len > 0 ? names.data : NULL;
}

/*
 * A service that has lost its data for a while must not empty the mirror.  Where
 * all rows are replaced, months may well leave the table's timespan.
 */
static void
check_emptiness(const PinMirror *mirror, const List *before, const List *after)
{
	char	   *vanished = mirror->whole ? NULL : vanished_months(before, after);

	if (vanished == NULL && (total(after) > 0 || total(before) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("foreign table %s has no rows any more of what its mirror %s holds",
					mirror->source_name, mirror->target_name),
			 vanished != NULL ? errdetail("It has none of %s. The mirror keeps its rows.", vanished) :
			 errdetail("It is empty. The mirror keeps its rows."),
			 errhint("If that is right, call pinsight_mirror once with allow_empty => true.")));
}

static char *
rows_by_month(const List *counts)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, counts)
		appendStringInfo(&text, "%s%s: " INT64_FORMAT, text.len > 0 ? ", " : "",
						 month_name(lfirst(lc)), ((MonthRows *) lfirst(lc))->rows);
	return text.data;
}

static void
tell_begin(const PinMirror *mirror)
{
	ereport(NOTICE,
			(mirror->whole ?
			 errmsg("mirroring %s into %s: all rows", mirror->source_name, mirror->target_name) :
			 errmsg("mirroring %s into %s: rows since %s", mirror->source_name,
					mirror->target_name, pin_mirror_day(mirror->since))));
}

static void
tell_end(const PinMirror *mirror, const List *before, const List *after, TimestampTz began)
{
	double		seconds = (GetCurrentTimestamp() - began) / 1000000.0;

	ereport(NOTICE,
			(errmsg_plural("mirrored " INT64_FORMAT " row in place of " INT64_FORMAT " in %.1f s",
						   "mirrored " INT64_FORMAT " rows in place of " INT64_FORMAT " in %.1f s",
						   total(after), total(after), total(before), seconds),
			 mirror->time != NULL && list_length(after) > 0 && list_length(after) <= MONTHS_TOLD ?
			 errdetail("Rows by month: %s.", rows_by_month(after)) : 0));
}

/* ---- pinsight_mirror ---- */

/*
 * Rows that another refresh has written while this one waited for it have to be
 * seen.
 */
static void
check_session(void)
{
	PreventCommandIfReadOnly("pinsight_mirror()");
	PreventCommandDuringRecovery("pinsight_mirror()");
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("pinsight_mirror needs isolation level READ COMMITTED"),
				 errhint("Use SET TRANSACTION ISOLATION LEVEL READ COMMITTED, or change default_transaction_isolation.")));
}

static void
check_not_null(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static void
choose_rows(PinMirror *mirror, FunctionCallInfo fcinfo)
{
	int			months = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	DateADT		since = PG_ARGISNULL(3) ? 0 : PG_GETARG_DATEADT(3);

	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months and since cannot be used together")));
	pin_mirror_choose(mirror, PG_ARGISNULL(3) ? NULL : &since, PG_ARGISNULL(2) ? NULL : &months);
}

Datum
pinsight_mirror(PG_FUNCTION_ARGS)
{
	PinMirror	mirror = {0};
	TimestampTz began = GetCurrentTimestamp();
	List	   *before;
	List	   *after;

	check_not_null(fcinfo, 0, "source");
	check_not_null(fcinfo, 1, "target");
	check_session();
	SPI_connect();
	open_source(&mirror, PG_GETARG_OID(0));
	pin_mirror_find_target(&mirror, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	choose_rows(&mirror, fcinfo);
	tell_begin(&mirror);
	await_rows(&mirror);
	lock_target(&mirror);
	before = count_rows(&mirror);
	replace_rows(&mirror, total(before));
	after = count_rows(&mirror);
	if (PG_ARGISNULL(4) || !PG_GETARG_BOOL(4))
		check_emptiness(&mirror, before, after);
	tell_end(&mirror, before, after, began);
	SPI_finish();
	return (Datum) 0;
}
