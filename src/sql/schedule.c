/*-------------------------------------------------------------------------
 *
 * schedule.c
 *		pinsight_schedule(), pinsight_unschedule(): a foreign table and a report
 *		that the service makes for it again and again.
 *
 * What happens at the service is no part of the transaction.  So it happens
 * first, and is undone if the table's option cannot be written; what a later
 * failure of the transaction leaves there is found again by its name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "attempt.h"
#include "access/relation.h"
#include "compat.h"
#include "executor/spi.h"
#include "fdw/drift.h"
#include "fdw/table.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "insights/catalog.h"
#include "insights/offer.h"
#include "insights/recurring.h"
#include "insights/rules.h"
#include "miscadmin.h"
#include "option_value.h"
#include "snapshot/need.h"
#include "snapshot/room.h"
#include "sql/look.h"
#include "text.h"
#include "throw.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_schedule);
PG_FUNCTION_INFO_V1(pinsight_unschedule);

/* A foreign table that its owner wants to (un)schedule. */
typedef struct Target
{
	Oid			relid;			/* locked until the transaction ends */
	char	   *name;			/* unqualified, for messages */
	PinOptions *options;		/* with the caller's mapping */
	PinTable   *table;			/* what it stands for */
	char		remote_name[PIN_RECURRING_NAME_SIZE];	/* of its own report */
	PinAsker   *asker;			/* talks to the service */
} Target;

/* ---- the table ---- */

/* Before it is locked: nobody shall lock what is not his. */
static void
check_target(Oid relid)
{
	char	   *name = pin_look_foreign_table(relid);

	if (!pin_is_table_owner(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_TABLE, name);
	pin_look_check_report_table(relid);
}

/*
 * What the table stands for, if it has a dataset, without the report that it may
 * read by now.
 */
static PinTable *
resolve(Relation relation, const PinOptions *options)
{
	PinTable   *table = pin_table_resolve(relation, options);
	PinOptions	own = *options;

	if (table->dataset == NULL)
		return table;
	own.report_id = NULL;
	return pin_table_resolve(relation, &own);
}

/* The name of the report that is made for the table as it is now. */
static void
name_report(Target *target)
{
	PinOptions	options = *target->options;
	PinReportQuery asked = {
		.text = target->table->query,.metrics = target->table->metrics != NIL
	};
	PinNeed    *need;

	options.report_id = NULL;
	need = pin_need_create(&options, &asked, target->relid, GetUserId());
	pin_recurring_name(target->remote_name, need->remote_key);
}

/*
 * Opens a table.  Its lock keeps others from scheduling it, but nobody from
 * reading it while we talk to the service: which comes before the table is
 * written to, so that has to be allowed.
 */
static void
open_target(Target *target, Oid relid, const char *command)
{
	Relation	relation;

	PreventCommandIfReadOnly(command);
	check_target(relid);
	relation = relation_open(relid, ShareUpdateExclusiveLock);
	target->relid = relid;
	target->name = pstrdup(RelationGetRelationName(relation));
	target->options = pin_options_scan(relid, GetUserId());
	target->table = resolve(relation, target->options);
	name_report(target);
	relation_close(relation, NoLock);
	target->asker = pin_ask_open(target->options);
}

/* The service did not do what we asked for. */
static _Noreturn void
fail(const Target *target, PinError *err, const char *what)
{
	const PinTable *table = target->table;
	PinDriftAsked asked = {
		.relid = target->relid,.program = table->program,.dataset = table->dataset,
		.names = table->names,.timespan = table->timespan
	};

	if (pin_drift_suspected(err))
		pin_drift_explain(err, target->options, &asked);
	pin_throw(err, target->options->server_name,
			  psprintf("%s foreign table \"%s\"", what, target->name));
}

/* The other tables that read a report. */
typedef struct Readers
{
	Oid			but;			/* this one */
	const char *report_id;		/* which report */
} Readers;

static bool
is_reader(Oid relid, Oid serverid, List *options, void *arg)
{
	const Readers *readers = arg;
	char	   *report_id = pin_option_get(options, "report_id");

	return relid != readers->but && report_id != NULL && strcmp(report_id, readers->report_id) == 0;
}

/* Does another foreign table read the same report? */
static bool
is_shared(const Target *target, const char *report_id)
{
	Readers		readers = {.but = target->relid,.report_id = report_id};

	return pin_look_for_table(is_reader, &readers);
}

/* ---- the table's option ---- */

/* Sets report_id, or drops it (NULL), as ALTER FOREIGN TABLE by the caller. */
static void
alter_table(const Target *target, const char *report_id)
{
	const char *schema = get_namespace_name(get_rel_namespace(target->relid));
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "ALTER FOREIGN TABLE %s OPTIONS (",
					 quote_qualified_identifier(schema, get_rel_name(target->relid)));
	if (report_id == NULL)
		appendStringInfoString(&sql, "DROP report_id)");
	else
		appendStringInfo(&sql, "%s report_id %s)",
						 target->options->report_id == NULL ? "ADD" : "SET",
						 quote_literal_cstr(report_id));

	SPI_connect();
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute: %s", sql.data);
	SPI_finish();
}

/*
 * The option cannot be written: nobody will know of the report.  The failed
 * subtransaction is over, so we can talk to the service.
 */
static void
undo(const Target *target, const PinRecurring *made)
{
	PinError	err;

	if (!pin_recurring_undo(target->asker, made, &err))
		pin_warn(&err, target->options->server_name,
				 psprintf("removing the report of foreign table \"%s\"", target->name));
}

/* What write_option attempts. */
typedef struct Option
{
	const Target *target;
	const PinRecurring *made;
} Option;

static void
attempt_option(void *arg)
{
	const Option *option = arg;

	alter_table(option->target, pin_text_to_server(option->made->report_id));
}

/* Writes the option in a subtransaction; if that fails the report goes, too. */
static void
write_option(const Target *target, const PinRecurring *made)
{
	Option		option = {.target = target,.made = made};
	ErrorData  *error = pin_attempt(attempt_option, &option);

	if (error != NULL)
	{
		undo(target, made);
		ReThrowError(error);
	}
}

/* ---- the interval ---- */

/* The service's own minimum, or what was known of it when we were built. */
static int
minimum_hours(const Target *target)
{
	const PinTable *table = target->table;
	const PinCatalogDataset *known = pin_catalog_dataset(&pin_shipped_catalog, table->program,
														 table->dataset);
	int			hours = known == NULL ? -1 : known->minimum_recurrence_hours;
	List	   *offers = NIL;
	PinOffer   *offer;
	PinError	err;

	if (!pin_offer_fetch(target->asker, table->dataset, &offers, &err))
		fail(target, &err, "scheduling");
	offer = pin_offer_find(offers, table->dataset);
	if (offer != NULL && offer->minimum_recurrence_hours >= 0)
		hours = offer->minimum_recurrence_hours;
	return Min(Max(hours, PIN_RECURRENCE_MIN_HOURS), PIN_RECURRENCE_MAX_HOURS);
}

/* Months are 30 days, as elsewhere; what is left of an hour is an hour. */
static int64
hours_of(const Interval *interval)
{
	int64		hours = ((int64) interval->month * DAYS_PER_MONTH + interval->day) * HOURS_PER_DAY +
	interval->time / USECS_PER_HOUR;

	if (interval->time % USECS_PER_HOUR > 0)
		hours++;
	return hours;
}

static int
recurrence_hours(const Target *target, const Interval *interval)
{
	int64		wanted = hours_of(interval);
	int64		hours;
	int			minimum;

	if (wanted <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the interval of a schedule must be positive")));
	minimum = minimum_hours(target);
	hours = Min(Max(wanted, minimum), PIN_RECURRENCE_MAX_HOURS);
	if (hours != wanted || interval->time % USECS_PER_HOUR != 0)
		ereport(NOTICE,
				(errmsg("the report will run every " INT64_FORMAT " hours", hours),
				 errdetail("Reports of dataset \"%s\" run every %d to %d whole hours.",
						   target->table->dataset, minimum, PIN_RECURRENCE_MAX_HOURS)));
	return hours;
}

/* ---- pinsight_schedule ---- */

/* Only a query that is written for the table can be scheduled for it. */
static void
check_own_query(const Target *target)
{
	if (target->options->query_id != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" reads a query that exists already", target->name),
				 errdetail("Its option \"query_id\" names query %s.", target->options->query_id),
				 errhint("Make a recurring report of that query, and name it in the table's option \"report_id\" instead.")));
	if (target->table->dataset == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("foreign table \"%s\" has no dataset to make a report of", target->name),
				 errhint("Set the table's option \"dataset\", or leave it with the report that \"report_id\" names.")));
}

/* A table that reads a report of somebody else's shall not lose it by this. */
static void
check_present_report(const Target *target)
{
	const char *id = target->options->report_id;
	PinRecurring present;
	PinError	err;

	if (id == NULL)
		return;
	if (!pin_recurring_find(target->asker, id, &present, &err))
		fail(target, &err, "scheduling");
	if (present.report_id[0] == '\0' || strcmp(present.name, target->remote_name) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("foreign table \"%s\" reads another report", target->name),
			 errdetail("Its option \"report_id\" names report %s, \"%s\".", id,
					   pin_text_to_server(present.name)),
			 errhint("Call pinsight_unschedule first.")));
}

/* Where the service keeps no more of them, once more if we can make room. */
static void
make_report(const Target *target, const PinRecurringOrder *order, PinRecurring *made)
{
	PinError	err;

	if (!pin_recurring_make(target->asker, order, made, &err) &&
		!(err.kind == PIN_ERROR_QUOTA && pin_room_make(target->options) &&
		  pin_recurring_make(target->asker, order, made, &err)))
		fail(target, &err, "scheduling");
}

static void
tell_first_run(const Target *target, const PinRecurring *made)
{
	if (made->report_is_new)
		ereport(NOTICE,
				(errmsg("foreign table \"%s\" has rows after the first run of its report at %s",
						target->name, made->start_time)));
}

Datum
pinsight_schedule(PG_FUNCTION_ARGS)
{
	Target		target;
	PinRecurringOrder order;
	PinRecurring made;

	open_target(&target, PG_GETARG_OID(0), "pinsight_schedule()");
	check_present_report(&target);
	check_own_query(&target);
	strlcpy(order.name, target.remote_name, sizeof(order.name));
	order.query = target.table->query;
	order.format = target.options->format == PIN_FORMAT_TSV ? "tsv" : "csv";
	order.hours = recurrence_hours(&target, PG_GETARG_INTERVAL_P(1));
	make_report(&target, &order, &made);
	if (target.options->report_id == NULL ||
		strcmp(target.options->report_id, made.report_id) != 0)
		write_option(&target, &made);
	tell_first_run(&target, &made);
	pin_ask_close(target.asker);
	PG_RETURN_TEXT_P(cstring_to_text(pin_text_to_server(made.report_id)));
}

/* ---- pinsight_unschedule ---- */

/* The report that the table reads, or the one that is made for such tables. */
static void
find_report(const Target *target, PinRecurring *found)
{
	const char *id = target->options->report_id;
	PinError	err;
	bool		ok = id != NULL ? pin_recurring_find(target->asker, id, found, &err) :
	pin_recurring_find_named(target->asker, target->remote_name, found, &err);

	if (!ok)
		fail(target, &err, "unscheduling");
}

/* Removes report and queries unless they are others' or of use to others. */
static void
remove_report(const Target *target, const PinRecurring *found)
{
	const char *id = found->report_id[0] != '\0' ? found->report_id : NULL;
	PinError	err;

	if (id != NULL && !pin_recurring_is_name(found->name))
		ereport(NOTICE,
				(errmsg("report %s stays: it was not made by pinsight_schedule", id)));
	else if (id != NULL && is_shared(target, id))
		ereport(NOTICE,
				(errmsg("report %s stays: another foreign table reads it", id)));
	else if (!pin_recurring_remove(target->asker, id, id != NULL ? found->name :
								   target->remote_name, &err))
		fail(target, &err, "unscheduling");
}

Datum
pinsight_unschedule(PG_FUNCTION_ARGS)
{
	Target		target;
	PinRecurring found;

	open_target(&target, PG_GETARG_OID(0), "pinsight_unschedule()");
	find_report(&target, &found);
	if (found.report_id[0] == '\0')
		ereport(NOTICE,
				(target.options->report_id != NULL ?
				 errmsg("report %s does not exist any more", target.options->report_id) :
				 errmsg("foreign table \"%s\" has no schedule", target.name)));
	remove_report(&target, &found);
	if (target.options->report_id != NULL)
		alter_table(&target, NULL);
	pin_ask_close(target.asker);
	PG_RETURN_VOID();
}
