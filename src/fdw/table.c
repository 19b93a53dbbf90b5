/*-------------------------------------------------------------------------
 *
 * table.c
 *		What a foreign table stands for at the service.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "fdw/table.h"
#include "insights/catalog.h"
#include "insights/query_text.h"
#include "nodes/value.h"
#include "throw.h"
#include "utils/rel.h"

/* catalog/datasets.json, built into the library. */
extern const unsigned char pin_catalog_data[];
extern const size_t pin_catalog_data_len;

/* The catalogue, read when it is first needed and kept for the session. */
static const PinCatalog *
the_catalog(void)
{
	static PinCatalog *catalog = NULL;
	PinError	err;

	if (catalog == NULL)
		catalog = pin_catalog_parse((const char *) pin_catalog_data,
									pin_catalog_data_len, &err);
	if (catalog == NULL)
		pin_throw(&err, NULL, NULL);
	return catalog;
}

/*
 * The table's dataset in the catalogue, NULL if the catalogue does not have
 * it; *name is its remote name in either case.
 */
static const PinCatalogDataset *
find_dataset(Relation relation, const PinOptions *options, char **name)
{
	const char *wanted = options->dataset != NULL ? options->dataset :
	RelationGetRelationName(relation);
	const PinCatalogDataset *dataset =
	pin_catalog_dataset(the_catalog(), options->program, wanted);
	const char *nearest;

	if (options->dataset != NULL)
		*name = options->dataset;
	else if (dataset != NULL)
		*name = pstrdup(dataset->name);
	else
	{
		nearest = pin_catalog_nearest_dataset(the_catalog(), options->program, wanted);
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("no dataset of program \"%s\" is named like foreign table \"%s\"",
						options->program, wanted),
				 nearest != NULL ?
				 errhint("Set the table's option \"dataset\", perhaps to \"%s\".", nearest) :
				 errhint("Set the table's option \"dataset\" to the dataset's name.")));
	}
	return dataset;
}

/* Option, else the catalogue's like-named column, else the local name. */
static char *
column_remote_name(Relation relation, const PinCatalogDataset *dataset, AttrNumber attnum)
{
	char	   *option = pin_options_column_name(RelationGetRelid(relation), attnum);
	char	   *local = NameStr(TupleDescAttr(RelationGetDescr(relation), attnum - 1)->attname);
	const PinCatalogColumn *column;

	if (option != NULL)
		return option;
	column = dataset == NULL ? NULL : pin_catalog_column(dataset, local);
	return pstrdup(column != NULL ? column->name : local);
}

static void
resolve_columns(Relation relation, const PinCatalogDataset *dataset, PinTable *table)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	for (AttrNumber attnum = 1; attnum <= tupdesc->natts; attnum++)
	{
		if (TupleDescAttr(tupdesc, attnum - 1)->attisdropped)
			continue;
		table->attnums = lappend_int(table->attnums, attnum);
		table->names = lappend(table->names,
							   makeString(column_remote_name(relation, dataset, attnum)));
	}
	if (table->names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("foreign table \"%s\" has no columns",
						RelationGetRelationName(relation)),
				 errhint("A report query selects the table's columns by name: add those you want to read.")));
}

/*
 * The timespan to ask for.  Without one the service would choose six months,
 * which nobody sees in the table's definition: a table without the option
 * covers all that the dataset has.
 */
static const char *
timespan_of(const PinOptions *options, const PinCatalogDataset *dataset)
{
	if (options->timespan != NULL)
		return options->timespan;
	if (dataset == NULL || dataset->ndate_ranges == 0)
		return NULL;
	return dataset->date_ranges[dataset->ndate_ranges - 1];
}

static char *
query_text(Relation relation, const PinTable *table, const char *timespan, const char *server_name)
{
	int			ncolumns = list_length(table->names);
	const char **columns = palloc(sizeof(char *) * ncolumns);
	PinError	err;
	char	   *text;
	char	   *copy;

	for (int i = 0; i < ncolumns; i++)
		columns[i] = strVal(list_nth(table->names, i));

	text = pin_query_text(table->dataset, columns, ncolumns, timespan, &err);
	if (text == NULL)
		pin_throw(&err, server_name,
				  psprintf("foreign table \"%s\"", RelationGetRelationName(relation)));
	copy = pstrdup(text);
	free(text);
	pfree(columns);
	return copy;
}

PinTable *
pin_table_resolve(Relation relation, const PinOptions *options)
{
	PinTable   *table = palloc0(sizeof(PinTable));
	const PinCatalogDataset *dataset = find_dataset(relation, options, &table->dataset);

	table->program = options->program;
	resolve_columns(relation, dataset, table);
	table->query = query_text(relation, table, timespan_of(options, dataset),
							  options->server_name);
	return table;
}
