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

static List *
add_missing(List *missing, const List *offered, List *names)
{
	ListCell   *lc;

	foreach(lc, offered)
	{
		if (!pin_offer_lists(names, strVal(lfirst(lc))))
			missing = lappend(missing, lfirst(lc));
	}
	return missing;
}

List *
pin_drift_new(const PinOffer *offer, List *names)
{
	return add_missing(add_missing(NIL, offer->columns, names), offer->metrics, names);
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
	char	   *utf8 = pin_text_to_utf8(quote_identifier(name));

	return utf8 != NULL ? utf8 : "...";
}

static void
suggest_import(PinError *err, Relation relation, const PinOptions *options,
			   const char *dataset, const char *program)
{
	pin_error_hint(err,
				   "Import the table again: \"DROP FOREIGN TABLE %s\", then "
				   "\"IMPORT FOREIGN SCHEMA %s LIMIT TO (\"%s\") FROM SERVER %s INTO %s\".",
				   utf8_name(RelationGetRelationName(relation)), program, dataset,
				   utf8_name(options->server_name),
				   utf8_name(get_namespace_name(RelationGetNamespace(relation))));
}

static void
dataset_gone(PinError *err, const char *dataset, const char *program)
{
	pin_error_set(err, PIN_ERROR_UNKNOWN_DATASET,
				  "the service does not offer dataset \"%s\" any more", dataset);
	pin_error_hint(err,
				   "The dataset may have a new name, or your role does not include it: "
				   "IMPORT FOREIGN SCHEMA %s into an empty schema shows what there is.", program);
}

void
pin_drift_explain(PinError *err, Relation relation, const PinOptions *options, const List *plan)
{
	const char *dataset = strVal(list_nth(plan, PIN_PLAN_DATASET));
	const char *program = strVal(list_nth(plan, PIN_PLAN_PROGRAM));
	PinAsker   *asker = pin_ask_open(options);
	PinError	ignored;
	List	   *offers = NIL;
	PinOffer   *offer;
	List	   *gone;
	bool		answered = pin_offer_fetch(asker, dataset, &offers, &ignored);

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
				  "dataset \"%s\" has no column %s any more", offer->name, list_names(gone));
	suggest_import(err, relation, options, offer->name, program);
}
