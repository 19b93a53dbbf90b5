/*-------------------------------------------------------------------------
 *
 * drift.c
 *		What has changed at the service since a table was defined.
 *
 * The service renames and drops datasets and columns.  Its refusal of a report
 * query names one column at most, so we look at all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fdw/drift.h"
#include "fdw/fdw.h"
#include "insights/catalog.h"
#include "insights/local_name.h"
#include "nodes/value.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Columns that are named in an error; the rest is counted. */
#define NAMED_COLUMNS 8

bool
pin_drift_suspected(const PinError *err)
{
	return err->kind == PIN_ERROR_UNKNOWN_COLUMN || err->kind == PIN_ERROR_UNKNOWN_DATASET;
}

List *
pin_drift_gone(const PinOffer *offer, const List *names)
{
	List	   *gone = NIL;
	ListCell   *lc;

	foreach(lc, names)
	{
		if (offer == NULL || !pin_offer_has(offer, strVal(lfirst(lc))))
			gone = lappend(gone, lfirst(lc));
	}
	return gone;
}

/* A metric that has been there and is left out by default. */
static bool
is_unusual_metric(const PinCatalogDataset *known, const char *name)
{
	const PinCatalogColumn *column = known == NULL ? NULL : pin_catalog_column(known, name);

	return column != NULL && column->metric && !pin_catalog_is_usual(known, name);
}

List *
pin_drift_new(const PinOffer *offer, const char *program, List *names)
{
	const PinCatalogDataset *known =
	pin_catalog_dataset(&pin_shipped_catalog, program, offer->name);
	List	   *offered = list_concat_copy(offer->columns, offer->metrics);
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, offered)
	{
		const char *name = strVal(lfirst(lc));

		if (!pin_offer_lists(names, name) && !is_unusual_metric(known, name))
			missing = lappend(missing, lfirst(lc));
	}
	return missing;
}

/* "A", "B" and 3 more */
static char *
list_names(const List *names)
{
	StringInfoData text;
	int			n = list_length(names);

	initStringInfo(&text);
	for (int i = 0; i < Min(n, NAMED_COLUMNS); i++)
		appendStringInfo(&text, "%s\"%s\"", i > 0 ? ", " : "", strVal(list_nth(names, i)));
	if (n > NAMED_COLUMNS)
		appendStringInfo(&text, " and %d more", n - NAMED_COLUMNS);
	return text.data;
}

/* An error's text is UTF-8, names are in the encoding of the database. */
static const char *
utf8_name(const char *name)
{
	char	   *utf8 = pin_text_to_utf8(name);

	return utf8 != NULL ? utf8 : "...";
}

static void
suggest_import(PinError *err, Relation relation, const PinOptions *options,
			   const char *dataset, const char *program)
{
	const char *schema = get_namespace_name(RelationGetNamespace(relation));
	PinLocalName table;

	pin_local_name(table, "", dataset, PIN_NAME_SNAKE);
	pin_error_hint(err,
				   "Name the dataset's own column in the option \"column_name\", or "
				   "import the table again: \"DROP FOREIGN TABLE %s\", then "
				   "\"IMPORT FOREIGN SCHEMA %s LIMIT TO (%s) FROM SERVER %s INTO %s\".",
				   utf8_name(quote_qualified_identifier(schema, RelationGetRelationName(relation))),
				   program, table, utf8_name(quote_identifier(options->server_name)),
				   utf8_name(quote_identifier(schema)));
}

/* One that was renamed or withdrawn, or never was: a mistake in its name. */
static void
dataset_gone(PinError *err, const char *dataset, const char *program)
{
	const char *nearest =
	pin_catalog_nearest_dataset(&pin_shipped_catalog, program, dataset);

	if (nearest != NULL && pg_strcasecmp(nearest, dataset) == 0)
		nearest = NULL;
	pin_error_set(err, PIN_ERROR_UNKNOWN_DATASET,
				  "the service does not offer dataset \"%s\"", dataset);
	pin_error_hint(err,
				   "%sThe dataset may have a new name, or your role does not include it: "
				   "IMPORT FOREIGN SCHEMA %s into an empty schema shows what there is.",
				   nearest != NULL ? psprintf("Perhaps you meant the dataset \"%s\".  ", nearest) : "",
				   program);
}

void
pin_drift_explain(PinError *err, Relation relation, const PinOptions *options, const List *plan)
{
	const char *dataset = strVal(list_nth(plan, PIN_PLAN_DATASET));
	const char *program = strVal(list_nth(plan, PIN_PLAN_PROGRAM));
	PinAsker   *asker;
	PinError	ignored;
	List	   *offers = NIL;
	PinOffer   *offer;
	List	   *gone;
	bool		answered;

	if (pin_options_existing(options))
		return;					/* not the table's query was refused */
	asker = pin_ask_open(options);
	answered = pin_offer_fetch(asker, dataset, &offers, &ignored);
	pin_ask_close(asker);
	if (!answered)
		return;
	offer = pin_offer_find(offers, dataset);
	if (offer == NULL)
	{
		dataset_gone(err, dataset, program);
		return;
	}
	gone = pin_drift_gone(offer, list_nth(plan, PIN_PLAN_NAMES));
	if (gone == NIL)
		return;
	pin_error_set(err, PIN_ERROR_UNKNOWN_COLUMN,
				  "dataset \"%s\" has no %s %s", offer->name,
				  list_length(gone) == 1 ? "column" : "columns", list_names(gone));
	suggest_import(err, relation, options, offer->name, program);
}
