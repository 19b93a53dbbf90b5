/*-------------------------------------------------------------------------
 *
 * table.h
 *		What a foreign table stands for at the service.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TABLE_H
#define PIN_TABLE_H

#include "insights/catalog.h"
#include "nodes/pg_list.h"
#include "options.h"
#include "utils/relcache.h"

/* Lists and strings can be copied into a plan. */
typedef struct PinTable
{
	Oid			relid;			/* of the foreign table */
	char	   *dataset;		/* remote name; NULL: not known, which only an
								 * existing report's or query's may be */
	char	   *program;		/* "mpn" or "cmp" */
	const PinCatalogDataset *known; /* in the catalogue; NULL: it is not there */
	const char *timespan;		/* NULL: none; lives as long as the options */
	const char *time_column;	/* what the timespan is about; NULL: unknown */
	char	   *query;			/* report query over all columns, or QUERY or
								 * REPORT and an id */
	List	   *attnums;		/* of int: columns that are in the report */
	List	   *names;			/* of String: their remote names, in step;
								 * behind them that of a column which is in
								 * the report and not the table's, if need be */
	List	   *metrics;		/* of String: names of those that are metrics */
	List	   *metadata_attnums;	/* of int: columns about the execution */
	List	   *metadata;		/* of int: their PinMetadata, in step */
} PinTable;

/*
 * Finds the remote names of a foreign table and its columns: what the options
 * say, else what the catalogue of datasets knows by a like name.  Throws if
 * there is no dataset of the table's name, no column at all, or a name that
 * cannot be written in a report query.  A table on a report or query that exists
 * needs no dataset, and what its columns mean is seen when the file is here.
 * Result in the current context.
 */
extern PinTable *pin_table_resolve(Relation relation, const PinOptions *options);

/* The remote name of a column; NULL if it is not in the report. */
extern const char *pin_table_name(const PinTable *table, AttrNumber attnum);

/* The strings of a List of String as an array, palloc'd; they stay the list's. */
extern const char **pin_strings_of(const List *list);

/* Is it a metric? */
extern bool pin_table_is_metric(const PinTable *table, AttrNumber attnum);

/*
 * The same table, but with a report of the needed columns (an IntList of
 * attnums) only.  If that is one column which may be null, another one goes with
 * it: a line with nothing on it could not be told from the file's end.  A table
 * with a metric is returned as it is, since with other columns its rows would be
 * others; unless coarse says that the larger groups are what is wanted.
 */
extern PinTable *pin_table_narrow(const PinTable *table, const List *needed, bool coarse,
								  Relation relation);

/*
 * The same, as far as it goes: dataset may be NULL, names may be NIL, query is
 * NULL.  Does not throw for what is wrong with the table.
 */
extern PinTable *pin_table_describe(Relation relation, const PinOptions *options);

#endif							/* PIN_TABLE_H */
