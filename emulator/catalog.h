/*
 * catalog.h
 *		The datasets the service offers, as catalog/datasets.json lists them.
 *
 * A catalogue never changes, so any thread may read it; one that is altered is
 * another catalogue.
 */
#ifndef EMU_CATALOG_H
#define EMU_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

typedef enum EmuType
{
	EMU_TEXT,
	EMU_UUID,
	EMU_DATE,
	EMU_TIMESTAMPTZ,
	EMU_BOOLEAN,
	EMU_BIGINT,
	EMU_NUMERIC
} EmuType;

typedef enum EmuMetric
{
	EMU_PLAIN,					/* no metric */
	EMU_SUM,					/* sum of a number each row has */
	EMU_COUNT					/* distinct values of an id */
} EmuMetric;

/* A column or a metric: what may be selected. */
typedef struct EmuColumn
{
	const char *name;			/* as the service spells it */
	EmuType		type;
	EmuMetric	metric;
	bool		stored;			/* its table has a column of this name */
	const struct EmuColumn *of; /* stored column a metric is computed from */
	const char *wire_true;		/* boolean: as written in reports */
	const char *wire_false;
} EmuColumn;

/* A published query: select list, optional IN filter, optional timespan. */
typedef struct EmuSystemQuery
{
	const char *id;
	char	   *text;			/* the report query */
} EmuSystemQuery;

typedef struct EmuDataset
{
	const char *program;		/* mpn, cmp */
	const char *name;
	char	   *table;			/* <program>_<name> in the database; altered:
								 * with _<generation> */
	EmuColumn  *columns;		/* plain columns first, then metrics */
	int			plain;			/* how many plain columns */
	int			total;			/* plain columns and metrics */
	const char **ranges;		/* timespans it accepts */
	int			nranges;
	const EmuColumn *time;		/* column TIMESPAN filters on, or NULL */
	int			minimum_recurrence; /* hours; 0: not published */
	EmuSystemQuery system;		/* id NULL: none */
	bool	   *made;			/* its data are there; the engine's */
} EmuDataset;

typedef struct EmuCatalog
{
	EmuDataset *datasets;
	bool	   *made;			/* of the datasets, in step */
	int			count;
	int			generation;		/* 0: the original; else of the alteration */
	struct EmuCatalog *older;	/* what was served before; the engine's */
	void	   *json;			/* the document the texts above live in */
} EmuCatalog;

/* Returns NULL with a message in err; free with emu_catalog_free. */
extern EmuCatalog *emu_catalog_load(const char *path, char *err, size_t errsize);

/*
 * The same from a text: an alteration of the original.  Datasets that differ
 * from it get tables of their own.
 */
extern EmuCatalog *emu_catalog_parse(const char *text, size_t length,
									 const EmuCatalog *original, int generation,
									 char *err, size_t errsize);
extern void emu_catalog_free(EmuCatalog *catalog);

/* The whole document; malloc'd JSON text. */
extern char *emu_catalog_json(const EmuCatalog *catalog);

/* Both compare without case; NULL if there is none. */
extern const EmuDataset *emu_catalog_dataset(const EmuCatalog *catalog, const char *program,
											 const char *name, size_t length);
extern const EmuColumn *emu_dataset_column(const EmuDataset *dataset, const char *name,
										   size_t length);

/* The arrays of endpoints 1 and 3; malloc'd JSON texts. */
extern char *emu_catalog_datasets_json(const EmuCatalog *catalog, const char *program,
									   const char *name);
extern char *emu_catalog_system_json(const EmuCatalog *catalog, const char *program);

#endif							/* EMU_CATALOG_H */
