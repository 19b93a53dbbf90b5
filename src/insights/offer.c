/*-------------------------------------------------------------------------
 *
 * offer.c
 *		What the service offers at this moment: datasets and their columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/ascii.h"
#include "insights/offer.h"
#include "insights/query_text.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "text.h"

/* Pages that are followed; all datasets fit on one today. */
#define MAX_PAGES 100

/* What the reader of a page needs, and leaves behind. */
typedef struct Reading
{
	MemoryContext context;		/* the caller's */
	List	   *offers;			/* so far */
	char	   *next_link;		/* where the list goes on; NULL: nowhere */
} Reading;

bool
pin_offer_lists(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (pin_ascii_equal(strVal(lfirst(lc)), name))
			return true;
	}
	return false;
}

PinOffer *
pin_offer_find(List *offers, const char *dataset)
{
	ListCell   *lc;

	foreach(lc, offers)
	{
		PinOffer   *offer = lfirst(lc);

		if (pin_ascii_equal(offer->name, dataset))
			return offer;
	}
	return NULL;
}

bool
pin_offer_has(const PinOffer *offer, const char *column)
{
	return pin_offer_lists(offer->columns, column) ||
		pin_offer_lists(offer->metrics, column);
}

/*
 * Adds the strings of an array to *names, unless they are there or elsewhere.
 * Throws on interrupts: of very many names it takes a while.
 */
static void
add_names(const PinJson *array, List *elsewhere, List **names, List **unusable)
{
	for (size_t i = 0; i < pin_json_count(array); i++)
	{
		const char *name = pin_json_string(pin_json_element(array, i));

		CHECK_FOR_INTERRUPTS();
		if (name == NULL || pin_offer_lists(*names, name) || pin_offer_lists(elsewhere, name))
			continue;
		if (pin_query_name_ok(name))
			*names = lappend(*names, makeString(pstrdup(name)));
		else
			*unusable = lappend(*unusable, makeString(pin_text_to_server(name)));
	}
}

static PinOffer *
make_offer(const PinRemoteDataset *dataset)
{
	PinOffer   *offer = palloc0(sizeof(PinOffer));

	offer->name = pstrdup(dataset->name);
	offer->ranges_told = dataset->date_ranges != NULL;
	offer->minimum_recurrence_hours = dataset->minimum_recurrence_hours;
	add_names(dataset->date_ranges, NIL, &offer->ranges, &offer->unusable);
	add_names(dataset->metrics, NIL, &offer->metrics, &offer->unusable);
	add_names(dataset->columns, offer->metrics, &offer->columns, &offer->unusable);
	return offer;
}

/* Adds a dataset that was not on the list before. */
static void
add_offer(Reading *reading, const PinRemoteDataset *dataset)
{
	if (!pin_query_name_ok(dataset->name))
		ereport(WARNING,
				(errcode(ERRCODE_FDW_INVALID_STRING_FORMAT),
				 errmsg("a dataset is left out: its name cannot be used in a report query"),
				 errdetail("The name is \"%s\".",
						   pin_text_to_server(dataset->name))));
	else if (pin_offer_find(reading->offers, dataset->name) == NULL)
		reading->offers = lappend(reading->offers, make_offer(dataset));
}

static bool
read_page(const PinReply *reply, void *arg, PinError *err)
{
	Reading    *reading = arg;
	MemoryContext old;
	PinDatasetList list;

	if (!pin_api_list_datasets_reply(reply, &list, err))
		return false;
	old = MemoryContextSwitchTo(reading->context);
	PG_TRY();
	{
		for (size_t i = 0; i < list.count; i++)
			add_offer(reading, &list.items[i]);
		reading->next_link = list.next_link != NULL ? pstrdup(list.next_link) : NULL;
	}
	PG_FINALLY();
	{
		pin_api_dataset_list_free(&list);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	return true;
}

bool
pin_offer_fetch(PinAsker *asker, const char *dataset, List **offers, PinError *err)
{
	Reading		reading = {.context = CurrentMemoryContext};
	PinApiRequest request;
	bool		built = pin_api_list_datasets(pin_ask_api(asker), dataset, &request, err);

	for (int page = 1; built; page++)
	{
		if (!pin_ask(asker, &request, read_page, &reading, err))
			return false;
		if (reading.next_link == NULL)
		{
			*offers = reading.offers;
			return true;
		}
		if (page == MAX_PAGES)
		{
			pin_error_set(err, PIN_ERROR_REPLY, "the list of datasets does not end");
			return false;
		}
		built = pin_api_next_page(pin_ask_api(asker), reading.next_link, &request, err);
	}
	return false;
}
