/*-------------------------------------------------------------------------
 *
 * mirror_since.c
 *		Which rows a refresh replaces: all of them, or those since a day.
 *
 * The service still changes the rows of the last months.  What was the last month
 * when the mirror was refreshed before is its newest, or a later one that had no
 * rows yet: so counting back from its newest row covers all that was still open
 * then, however long ago that is, and all that has come since.
 *
 * A table of a bounded timespan has lost its oldest months meanwhile, and may
 * have only a part of the oldest that is left.  A refresh begins with the first
 * one that is surely whole, so that the mirror keeps what it has of the others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <time.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "insights/timespan.h"
#include "sql/mirror.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/*
 * Timespans that are narrower than this many days hold no month whole on some
 * days, so they are not thought of in months at all.
 */
#define MONTHS_SPAN 90

/* More months than this are as good as all there are. */
#define MANY_MONTHS 1200

/* ---- SQL ---- */

/* A time of the time column's type as a timestamp in UTC. */
static const char *
as_timestamp(const PinMirror *mirror)
{
	if (mirror->time_type == TIMESTAMPTZOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", mirror->time);
	return psprintf("%s::pg_catalog.timestamp", mirror->time);
}

const char *
pin_mirror_condition(const PinMirror *mirror)
{
	if (mirror->whole)
		return "";
	return psprintf(" WHERE %s OPERATOR(pg_catalog.>=) %s", mirror->time,
					mirror->time_type == DATEOID ? "$1" :
					mirror->time_type == TIMESTAMPOID ? "$1::pg_catalog.timestamp" :
					"($1::pg_catalog.timestamp AT TIME ZONE 'UTC')");
}

const char *
pin_mirror_month(const PinMirror *mirror)
{
	if (mirror->time == NULL)
		return "NULL::pg_catalog.date";
	return psprintf("pg_catalog.date_trunc('month', %s)::pg_catalog.date", as_timestamp(mirror));
}

const char *
pin_mirror_day(DateADT day)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	if (DATE_NOT_FINITE(day))
		return DATE_IS_NOBEGIN(day) ? "-infinity" : "infinity";
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return pstrdup(text);
}

/* ---- by month ---- */

/*
 * The month so many before the newest row's, and this row's.  A row of the
 * future counts as one of now.  False: the mirror has no rows with a time.
 */
static bool
count_back(const PinMirror *mirror, int months, DateADT *first, DateADT *newest)
{
	Oid			type = INT4OID;
	Datum		value = Int32GetDatum(months);
	const char *sql =
	psprintf("SELECT (pg_catalog.date_trunc('month', LEAST(%s, pg_catalog.now() AT TIME ZONE 'UTC'))"
			 " OPERATOR(pg_catalog.-) pg_catalog.make_interval(months => $1))::pg_catalog.date, %s"
			 " FROM (SELECT pg_catalog.max(%s) AS %s FROM %s) newest WHERE %s IS NOT NULL",
			 as_timestamp(mirror), pin_mirror_month(mirror),
			 mirror->time, mirror->time, mirror->target_name, mirror->time);
	bool		isnull;

	if (SPI_execute_with_args(sql, 1, &type, &value, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute: %s", sql);
	if (SPI_processed == 0)
		return false;
	*first = DatumGetDateADT(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*newest = DatumGetDateADT(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/* The first day of the month that is so many before that of a time, in UTC. */
static DateADT
month_before(time_t now, int months)
{
	int			year;
	int			month;
	int			day;

	j2date((int) (now / SECS_PER_DAY) + UNIX_EPOCH_JDATE, &year, &month, &day);
	month += year * MONTHS_PER_YEAR - 1 - months;
	return date2j(month / MONTHS_PER_YEAR, month % MONTHS_PER_YEAR + 1, 1) - POSTGRES_EPOCH_JDATE;
}

static bool
reaches(const char *timespan, DateADT day, time_t now)
{
	return pin_timespan_reaches(timespan,
								((time_t) day + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY,
								now);
}

/*
 * The first month that a table of a timespan surely has whole.  False: nobody
 * knows, or there is none such on some days.
 */
static bool
first_whole_month(const char *timespan, DateADT *first)
{
	time_t		now = time(NULL);
	int			months;

	if (timespan == NULL || pin_timespan_days(timespan) < MONTHS_SPAN)
		return false;
	*first = DATEVAL_NOBEGIN;
	if (pin_timespan_days(timespan) == INT_MAX)
		return true;			/* LIFETIME */
	for (months = 0; months < MANY_MONTHS; months++)
	{
		DateADT		month = month_before(now, months);

		if (!reaches(timespan, month, now))
			break;
		*first = month;
	}
	return months > 0;
}

/*
 * Begins with the first whole month, not before.  What lies between it and the
 * rows that the mirror has is lost, unless somebody wants what there is of it.
 */
static void
begin_with(PinMirror *mirror, DateADT first_whole, DateADT newest)
{
	if (mirror->since >= first_whole)
		return;
	if (newest < first_whole)
		ereport(WARNING,
				(errmsg("the months of mirror %s from %s until %s are left as they are",
						mirror->target_name, pin_mirror_day(mirror->since),
						pin_mirror_day(first_whole)),
				 errdetail("Timespan %s may not hold all of their rows any more.", mirror->timespan),
				 errhint("To replace them by what is there, use since => '%s'.",
						 pin_mirror_day(mirror->since))));
	mirror->since = first_whole;
}

/* ---- the choice ---- */

static void
choose_months(PinMirror *mirror, int months)
{
	DateADT		newest;
	DateADT		first_whole;

	mirror->whole = !count_back(mirror, months, &mirror->since, &newest) ||
		DATE_IS_NOBEGIN(mirror->since);
	if (!mirror->whole && first_whole_month(mirror->timespan, &first_whole))
		begin_with(mirror, first_whole, newest);
}

static void
check_time(const PinMirror *mirror, const char *argument)
{
	if (mirror->time == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs a time column, and foreign table %s has none", argument,
						mirror->source_name),
				 errdetail("It would be a column of type date, timestamp or timestamp with time zone that the table's timespan is about."),
				 errhint("The table's option \"time_column\" names it where the catalogue does not know it.")));
}

void
pin_mirror_choose(PinMirror *mirror, const DateADT *since, const int *months)
{
	DateADT		first_whole;

	mirror->whole = true;
	if (since != NULL && !DATE_IS_NOBEGIN(*since))
	{
		check_time(mirror, "since");
		mirror->since = *since;
		mirror->whole = false;
	}
	else if (since == NULL && months != NULL)
	{
		check_time(mirror, "months");
		if (*months < 0 || *months > MANY_MONTHS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("months must be from 0 to %d", MANY_MONTHS)));
		choose_months(mirror, *months);
	}
	else if (since == NULL && mirror->time != NULL && mirror->restated_months >= 0 &&
			 first_whole_month(mirror->timespan, &first_whole))
		choose_months(mirror, mirror->restated_months);
}
