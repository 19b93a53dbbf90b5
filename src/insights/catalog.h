/*-------------------------------------------------------------------------
 *
 * catalog.h
 *		The catalogue of datasets: names, columns, types, ranges.
 *
 * The service tells names but no types; the catalogue that ships with the
 * extension tells both: catalog/datasets.json, which the build makes C of, since
 * a session has better things to do than parsing it.
 *
 * Names are matched without case, underscores and parentheses, so that a local
 * name finds its remote one: azure_usage finds AzureUsage, and
 * estimated_extended_charge_cc finds EstimatedExtendedCharge(CC).
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CATALOG_H
#define PIN_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct PinCatalogColumn
{
	const char *name;			/* remote name */
	const char *type;			/* SQL type's name: text, numeric, ... */
	const char *wire;			/* boolean's two words, "0/1"; NULL: any */
	bool		metric;			/* computed over groups of the others */
} PinCatalogColumn;

typedef struct PinCatalogDataset
{
	const char *program;		/* mpn, cmp */
	const char *name;			/* remote name */
	bool		confirmed;		/* false: nobody has shown the service's own
								 * list of its columns */
	const PinCatalogColumn *columns;	/* plain columns, then metrics */
	size_t		ncolumns;		/* plain columns: columns[0 .. ncolumns - 1] */
	const PinCatalogColumn *metrics;	/* = columns + ncolumns */
	size_t		nmetrics;		/* how many metrics */
	const char *const *date_ranges; /* timespans, in the catalogue's order */
	size_t		ndate_ranges;	/* 0: dataset takes no timespan */
	const char *time_column;	/* column a timespan is about; may be NULL */
	int			restated_months;	/* before its newest month, whose rows
									 * still change; -1: those of any month
									 * may */
	int			refresh_days;	/* how old its data gets; -1: not published */
	int			minimum_recurrence_hours;	/* -1: not published */
	const char *const *system_columns;	/* of the service's own query of it */
	size_t		nsystem_columns;	/* 0: there is no such query */
	const char *system_timespan;	/* its timespan; may be NULL */
} PinCatalogDataset;

typedef struct PinCatalog
{
	const PinCatalogDataset *datasets;	/* in the catalogue's order */
	size_t		count;			/* how many */
} PinCatalog;

/* The one that ships. */
extern const PinCatalog pin_shipped_catalog;

extern size_t pin_catalog_count(const PinCatalog *catalog);
extern const PinCatalogDataset *pin_catalog_at(const PinCatalog *catalog, size_t i);

/* A dataset by remote or local name within a program, or NULL. */
extern const PinCatalogDataset *pin_catalog_dataset(const PinCatalog *catalog,
													const char *program,
													const char *name);

/* A column or metric by remote or local name, or NULL. */
extern const PinCatalogColumn *pin_catalog_column(const PinCatalogDataset *dataset,
												  const char *name);

/*
 * True if the dataset's own query selects a column or metric (without case):
 * what it is usually looked at for.
 */
extern bool pin_catalog_is_usual(const PinCatalogDataset *dataset, const char *column);

/* For hints: the nearest remote name, NULL if none is near. */
extern const char *pin_catalog_nearest_dataset(const PinCatalog *catalog,
											   const char *program,
											   const char *name);

/* Likewise the nearest of some names. */
extern const char *pin_catalog_nearest_name(const char *const *names, size_t count,
											const char *name);

/* True if two names are the same but for case, underscores, parentheses. */
extern bool pin_catalog_same_name(const char *a, const char *b);

#endif							/* PIN_CATALOG_H */
