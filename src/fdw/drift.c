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
#include "insights/catalog.h"
#include "insights/local_name.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Columns that are named in an error; the rest is counted. */
#define NAMED_COLUMNS 8

bool
pin_drift_suspected(const PinError *err)
{
	return err->kind == PIN_ERROR_UNKNOWN_COLUMN || err->kind == PIN_ERROR_UNKNOWN_DATASET ||
		(err->kind == PIN_ERROR_BAD_REQUEST && err->http_status != 0);
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
list_names(const List *names, int most)
{
	StringInfoData text;
	int			n = list_length(names);

	initStringInfo(&text);
	for (int i = 0; i < Min(n, most); i++)
		appendStringInfo(&text, "%s\"%s\"", i > 0 ? ", " : "", strVal(list_nth(names, i)));
	if (n > most)
		appendStringInfo(&text, " and %d more", n - most);
	return text.data;
}

/* An error's text is UTF-8, names are in the encoding of the database. */
static const char *
utf8_name(const char *name)
{
	char	   *utf8 = pin_text_to_utf8(name);

	return utf8 != NULL ? utf8 : "...";
}

/* The dataset's column that may be meant by a name; NULL: none is near. */
static const char *
nearest_column(const PinOffer *offer, const char *name)
{
	List	   *offered = list_concat_copy(offer->columns, offer->metrics);
	const char **names = palloc(sizeof(char *) * (list_length(offered) + 1));
	ListCell   *lc;

	foreach(lc, offered)
		names[foreach_current_index(lc)] = strVal(lfirst(lc));
	return pin_catalog_nearest_name(names, list_length(offered), name);
}

static void
suggest_import(PinError *err, const PinOptions *options, const PinDriftAsked *asked,
			   const PinOffer *offer, const List *gone)
{
	const char *schema = get_namespace_name(get_rel_namespace(asked->relid));
	const char *nearest = list_length(gone) != 1 ? NULL :
	nearest_column(offer, strVal(linitial(gone)));
	PinLocalName table;

	pin_local_name(table, "", offer->name, PIN_NAME_SNAKE);
	pin_error_hint(err,
				   "%sName the dataset's own column in the option \"column_name\", or "
				   "import the table again: \"DROP FOREIGN TABLE %s\", then "
				   "\"IMPORT FOREIGN SCHEMA %s LIMIT TO (%s) FROM SERVER %s INTO %s\".",
				   nearest != NULL ? psprintf("Perhaps you meant the column \"%s\".  ", nearest) : "",
				   utf8_name(quote_qualified_identifier(schema, get_rel_name(asked->relid))),
				   asked->program, table, utf8_name(quote_identifier(options->server_name)),
				   utf8_name(quote_identifier(schema)));
}

/* One that was renamed or withdrawn, or never was: a mistake in its name. */
static void
dataset_gone(PinError *err, const char *dataset, const char *program)
{
	const char *nearest =
	pin_catalog_nearest_dataset(&pin_shipped_catalog, program, dataset);
	const char *other = strcmp(program, "mpn") == 0 ? "cmp" : "mpn";

	if (nearest != NULL && pg_strcasecmp(nearest, dataset) == 0)
		nearest = NULL;
	pin_error_set(err, PIN_ERROR_UNKNOWN_DATASET,
				  "the service does not offer dataset \"%s\"", dataset);
	if (pin_catalog_dataset(&pin_shipped_catalog, other, dataset) != NULL)
		pin_error_hint(err, "It is a dataset of program \"%s\": check the option \"program\" of "
					   "the table and its server.", other);
	else
		pin_error_hint(err,
					   "%sThe dataset may have a new name, or your role does not include it: "
					   "IMPORT FOREIGN SCHEMA %s into an empty schema shows what there is.",
					   nearest != NULL ? psprintf("Perhaps you meant the dataset \"%s\".  ", nearest) : "",
					   program);
}

static void
timespan_gone(PinError *err, const PinOptions *options, const PinDriftAsked *asked,
			  const PinOffer *offer)
{
	pin_error_set(err, PIN_ERROR_BAD_REQUEST,
				  "dataset \"%s\" offers no timespan \"%s\"", offer->name, asked->timespan);
	if (asked->narrowed)
		pin_error_hint(err, "Set the option \"fetch\" to \"table\": it asks for the table's own timespan.");
	else if (offer->ranges != NIL)
		pin_error_hint(err, "Set the table's option \"timespan\" to one that it offers: %s.",
					   list_names(offer->ranges, list_length(offer->ranges)));
	else if (options->timespan != NULL)
		pin_error_hint(err, "It offers none: drop the table's option \"timespan\".");
}

/* Says what of all that was asked for the service does not offer, if anything. */
static void
compare(PinError *err, const PinOptions *options, const PinDriftAsked *asked, List *offers)
{
	PinOffer   *offer = pin_offer_find(offers, asked->dataset);
	List	   *gone = offer == NULL ? NIL : pin_drift_gone(offer, asked->names);

	if (offer == NULL)
		dataset_gone(err, asked->dataset, asked->program);
	else if (gone != NIL)
	{
		pin_error_set(err, PIN_ERROR_UNKNOWN_COLUMN,
					  "dataset \"%s\" has no %s %s", offer->name,
					  list_length(gone) == 1 ? "column" : "columns",
					  list_names(gone, NAMED_COLUMNS));
		suggest_import(err, options, asked, offer, gone);
	}
	else if (asked->timespan != NULL && offer->ranges_told &&
			 !pin_offer_lists(offer->ranges, asked->timespan))
		timespan_gone(err, options, asked, offer);
}

void
pin_drift_explain(PinError *err, const PinOptions *options, const PinDriftAsked *asked)
{
	PinError	refusal = *err;
	PinAsker   *asker;
	PinError	ignored;
	List	   *offers = NIL;
	bool		answered;

	if (pin_options_existing(options))
		return;					/* not the table's query was refused */
	asker = pin_ask_open(options);
	answered = pin_offer_fetch(asker, asked->dataset, &offers, &ignored);
	pin_ask_close(asker);
	if (!answered)
		return;
	compare(err, options, asked, offers);

	/* words that we do not know may be about something else */
	if (refusal.kind == PIN_ERROR_BAD_REQUEST)
		pin_error_detail(err, "%s", refusal.detail);
}
