/*-------------------------------------------------------------------------
 *
 * mirror.h
 *		A foreign table and the ordinary table that holds its rows.
 *
 * What is said in SQL works whatever the search_path is: names are qualified
 * and quoted, and so are operators.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_MIRROR_H
#define PIN_MIRROR_H

#include "utils/date.h"
#include "utils/relcache.h"

typedef struct PinMirror
{
	Oid			source;			/* the foreign table, open until the end of
								 * the transaction */
	char	   *source_name;
	char	   *columns;		/* its columns, with commas between them */
	char	   *time;			/* the one that its timespan is about; NULL:
								 * it has none that dates can be compared with */
	Oid			time_type;		/* date, timestamp or timestamptz */
	const char *timespan;		/* NULL: none is known */
	int			restated_months;	/* as the catalogue has it; -1: not known */
	Oid			target;			/* the table */
	char	   *target_name;
	bool		whole;			/* all rows are replaced; else */
	DateADT		since;			/* those of this day (UTC) and later */
} PinMirror;

/* ---- mirror_target.c ---- */

/*
 * Finds the table of a name as users write it, or makes it; nobody else who
 * mirrors into it comes between until the end of the transaction.  Throws if the
 * caller may not write it, or if it cannot hold the source's rows.  Wants SPI.
 */
extern void pin_mirror_find_target(PinMirror *mirror, const char *name);

/* ---- mirror_since.c ---- */

/*
 * Decides which rows are replaced: since a day (-infinity: all), or so many
 * months before the newest one; both NULL: as it suits the dataset.  Throws if
 * that needs a time column and there is none.  Wants SPI.
 */
extern void pin_mirror_choose(PinMirror *mirror, const DateADT *since, const int *months);

/* In SQL: the condition that a row is replaced, with the day as $1. */
extern const char *pin_mirror_condition(const PinMirror *mirror);

/* In SQL: the first day of the month of a row; NULL of one without time. */
extern const char *pin_mirror_month(const PinMirror *mirror);

/* A day as people and SQL read it, whatever DateStyle is. */
extern const char *pin_mirror_day(DateADT day);

#endif							/* PIN_MIRROR_H */
