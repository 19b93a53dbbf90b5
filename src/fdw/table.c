/*-------------------------------------------------------------------------
 *
 * table.c
 *		What a foreign table stands for at the service.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "compat.h"
#include "fdw/table.h"
#include "insights/catalog.h"
#include "insights/query_text.h"
#include "insights/timespan.h"
#include "nodes/value.h"
#include "text.h"
#include "throw.h"
#include "utils/rel.h"

/*
 * The table's dataset in the catalogue, NULL if the catalogue does not have
 * it; *name is its remote name, NULL if neither option nor catalogue tell.
 */
static const PinCatalogDataset *
find_dataset(Relation relation, const PinOptions *options, char **name)
{
	const char *wanted = options->dataset != NULL ? options->dataset :
	RelationGetRelationName(relation);
	const PinCatalogDataset *dataset =
	pin_catalog_dataset(&pin_shipped_catalog, options->program, wanted);

	*name = options->dataset;
	if (*name == NULL && dataset != NULL)
		*name = pstrdup(dataset->name);
	return dataset;
}

static _Noreturn void
throw_no_dataset(Relation relation, const PinOptions *options)
{
	const char *wanted = RelationGetRelationName(relation);
	const char *nearest = pin_catalog_nearest_dataset(&pin_shipped_catalog,
													  options->program, wanted);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
			 errmsg("no dataset of program \"%s\" is named like foreign table \"%s\"",
					options->program, wanted),
			 nearest != NULL ?
			 errhint("Set the table's option \"dataset\", perhaps to \"%s\".", nearest) :
			 errhint("Set the table's option \"dataset\" to the dataset's name.")));
}

/* The options sum_of and count_of say of a metric what plain column it is about. */
static void
check_metric_of(Relation relation, const char *option, const char *attname, bool metric,
				const char *value, const PinCatalogDataset *dataset)
{
	const PinCatalogColumn *column = dataset == NULL || value == NULL ? NULL :
	pin_catalog_column(dataset, value);

	if (value == NULL)
		return;
	if (!metric)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" of column \"%s\" of foreign table \"%s\" is for metrics only",
						option, attname, RelationGetRelationName(relation)),
				 errhint("Set the column's option \"metric\" if it is one, or drop \"%s\".", option)));
	if (dataset != NULL && (column == NULL || column->metric))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" of column \"%s\" of foreign table \"%s\" names no plain column of dataset \"%s\": \"%s\"",
						option, attname, RelationGetRelationName(relation), dataset->name, value)));
}

/* Adds a column of the report: by its option, or as the catalogue knows it. */
static void
add_report_column(PinTable *table, Relation relation, const PinCatalogDataset *dataset,
				  Form_pg_attribute att, const PinColumnOptions *options)
{
	const char *wanted = options->name != NULL ? options->name : NameStr(att->attname);
	const PinCatalogColumn *column =
	dataset == NULL ? NULL : pin_catalog_column(dataset, wanted);
	char	   *name = pstrdup(options->name == NULL && column != NULL ? column->name : wanted);
	bool		metric = options->metric || (column != NULL && column->metric);

	check_metric_of(relation, "sum_of", NameStr(att->attname), metric, options->sum_of, dataset);
	check_metric_of(relation, "count_of", NameStr(att->attname), metric, options->count_of, dataset);
	table->attnums = lappend_int(table->attnums, att->attnum);
	table->names = lappend(table->names, makeString(name));
	if (metric)
		table->metrics = lappend(table->metrics, makeString(name));
}

static void
resolve_columns(Relation relation, const PinCatalogDataset *dataset, PinTable *table)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	for (AttrNumber attnum = 1; attnum <= tupdesc->natts; attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, attnum - 1);
		PinColumnOptions options;

		if (att->attisdropped || pin_is_virtual(att))
			continue;
		options = pin_options_column(RelationGetRelid(relation), attnum);
		if (options.metadata == PIN_METADATA_NONE)
			add_report_column(table, relation, dataset, att, &options);
		else
		{
			table->metadata_attnums = lappend_int(table->metadata_attnums, attnum);
			table->metadata = lappend_int(table->metadata, options.metadata);
		}
	}
}

static _Noreturn void
throw_no_columns(Relation relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("foreign table \"%s\" has no columns of a report",
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
	if (dataset == NULL)
		return NULL;
	return pin_timespan_widest(dataset->date_ranges, dataset->ndate_ranges);
}

/* ---- an empty line ---- */

/* About the bytes of a column in a report, to choose the least of several. */
static int
weight(const PinCatalogColumn *column)
{
	static const struct
	{
		const char *type;
		int			bytes;
	}			weights[] = {
		{"boolean", 2}, {"bigint", 4}, {"numeric", 8}, {"date", 10}, {"timestamptz", 20}, {"uuid", 36}
	};

	for (int n = 0; column != NULL && n < lengthof(weights); n++)
	{
		if (strcmp(column->type, weights[n].type) == 0)
			return weights[n].bytes;
	}
	return 40;
}

/* What the catalogue knows of a column; NULL: nothing. */
static const PinCatalogColumn *
known_column(const PinTable *table, int i)
{
	return table->known == NULL ? NULL :
		pin_catalog_column(table->known, strVal(list_nth(table->names, i)));
}

static bool
may_be_null(Relation relation, AttrNumber attnum)
{
	return !pin_is_not_null(RelationGetDescr(relation), attnum);
}

/* Can a record of these columns be an empty line? */
static bool
may_be_empty(const PinTable *table, Relation relation)
{
	return table->attnums == NIL ||
		(list_length(table->attnums) == 1 && table->metrics == NIL &&
		 may_be_null(relation, linitial_int(table->attnums)));
}

/* A table's column that it does not declare, a String; NULL: it has none. */
static Node *
companion(const PinTable *table)
{
	return list_length(table->names) > list_length(table->attnums) ? llast(table->names) : NULL;
}

/*
 * A table of one column: the lightest one that the catalogue knows beside it goes
 * with it, since a line with nothing on it could not be told from the file's end.
 */
static void
add_companion(PinTable *table)
{
	const PinCatalogColumn *own = known_column(table, 0);
	const PinCatalogColumn *best = NULL;

	for (size_t i = 0; table->known != NULL && i < table->known->ncolumns; i++)
	{
		const PinCatalogColumn *column = &table->known->columns[i];

		if (column != own && (best == NULL || weight(column) < weight(best)))
			best = column;
	}
	if (best != NULL)
		table->names = lappend(table->names, makeString(pstrdup(best->name)));
}

static char *
query_text(Relation relation, const PinTable *table, const char *server_name)
{
	int			ncolumns = list_length(table->names);
	const char **columns = palloc(sizeof(char *) * ncolumns);
	PinQueryParts parts = {
		.dataset = table->dataset,.ncolumns = ncolumns,.timespan = table->timespan
	};
	PinError	err;
	char	   *text;
	char	   *copy;

	/* as UTF-8 for the sake of the error: a usable name is ASCII */
	for (int i = 0; i < ncolumns; i++)
	{
		const char *name = strVal(list_nth(table->names, i));
		char	   *utf8 = pin_text_to_utf8(name);

		columns[i] = utf8 != NULL ? utf8 : name;
	}

	parts.columns = columns;
	text = pin_query_text(&parts, &err);
	if (text == NULL)
		pin_throw(&err, server_name,
				  psprintf("foreign table \"%s\"", RelationGetRelationName(relation)));
	copy = pstrdup(text);
	free(text);
	pfree(columns);
	return copy;
}

PinTable *
pin_table_describe(Relation relation, const PinOptions *options)
{
	PinTable   *table = palloc0(sizeof(PinTable));
	const PinCatalogDataset *dataset = find_dataset(relation, options, &table->dataset);

	table->relid = RelationGetRelid(relation);
	table->program = options->program;
	table->known = dataset;
	table->timespan = timespan_of(options, dataset);
	table->time_column = options->time_column != NULL ? options->time_column :
		dataset != NULL ? dataset->time_column : NULL;
	resolve_columns(relation, dataset, table);
	return table;
}

PinTable *
pin_table_resolve(Relation relation, const PinOptions *options)
{
	PinTable   *table = pin_table_describe(relation, options);

	if (table->dataset == NULL && !pin_options_existing(options))
		throw_no_dataset(relation, options);
	if (table->names == NIL)
		throw_no_columns(relation);
	if (!pin_options_existing(options) && may_be_empty(table, relation))
		add_companion(table);
	if (options->query_id != NULL)
		table->query = psprintf("QUERY %s", options->query_id);
	else if (table->dataset == NULL)
		table->query = psprintf("REPORT %s", options->report_id);
	else
		table->query = query_text(relation, table, options->server_name);
	return table;
}

const char *
pin_table_name(const PinTable *table, AttrNumber attnum)
{
	for (int i = 0; i < list_length(table->attnums); i++)
	{
		if (list_nth_int(table->attnums, i) == attnum)
			return strVal(list_nth(table->names, i));
	}
	return NULL;
}

const char **
pin_strings_of(const List *list)
{
	const char **strings = palloc(sizeof(char *) * (list_length(list) + 1));

	for (int i = 0; i < list_length(list); i++)
		strings[i] = strVal(list_nth(list, i));
	return strings;
}

bool
pin_table_is_metric(const PinTable *table, AttrNumber attnum)
{
	const char *name = pin_table_name(table, attnum);
	ListCell   *lc;

	foreach(lc, table->metrics)
	{
		if (name != NULL && strcmp(strVal(lfirst(lc)), name) == 0)
			return true;
	}
	return false;
}

/* ---- fewer columns ---- */

/* The lightest plain column that is not among the attnums; -1: none. */
static int
lightest(const PinTable *table, const List *attnums)
{
	int			best = -1;

	for (int i = 0; i < list_length(table->attnums); i++)
	{
		if (list_member_int(attnums, list_nth_int(table->attnums, i)) ||
			list_member(table->metrics, list_nth(table->names, i)))
			continue;
		if (best < 0 || weight(known_column(table, i)) < weight(known_column(table, best)))
			best = i;
	}
	return best;
}

static void
take_column(PinTable *narrow, const PinTable *table, int i)
{
	narrow->attnums = lappend_int(narrow->attnums, list_nth_int(table->attnums, i));
	narrow->names = lappend(narrow->names, list_nth(table->names, i));
	if (list_member(table->metrics, list_nth(table->names, i)))
		narrow->metrics = lappend(narrow->metrics, list_nth(table->names, i));
}

PinTable *
pin_table_narrow(const PinTable *table, const List *needed, bool coarse, Relation relation)
{
	PinTable   *narrow = palloc(sizeof(PinTable));
	int			extra;

	*narrow = *table;
	if (table->metrics != NIL && !coarse)
		return narrow;

	narrow->attnums = narrow->names = narrow->metrics = NIL;
	for (int i = 0; i < list_length(table->attnums); i++)
	{
		if (list_member_int(needed, list_nth_int(table->attnums, i)))
			take_column(narrow, table, i);
	}
	while (may_be_empty(narrow, relation) &&
		   (extra = lightest(table, narrow->attnums)) >= 0)
		take_column(narrow, table, extra);
	if (may_be_empty(narrow, relation) && companion(table) != NULL)
		narrow->names = lappend(narrow->names, companion(table));
	return narrow;
}
