/*-------------------------------------------------------------------------
 *
 * offer.h
 *		What the service offers at this moment: datasets and their columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OFFER_H
#define PIN_OFFER_H

#include "insights/ask.h"
#include "nodes/pg_list.h"

/*
 * A dataset as the service tells it, in its spelling and order.  Names that
 * occur again, but for case, are left out; a metric is no column.  Names that
 * no report query could contain are kept apart.
 */
typedef struct PinOffer
{
	char	   *name;			/* of the dataset */
	List	   *columns;		/* of String */
	List	   *metrics;		/* of String */
	List	   *ranges;			/* of String: its timespans */
	bool		ranges_told;	/* false: it says nothing about timespans */
	int			minimum_recurrence_hours;	/* of its reports; -1: not told */
	List	   *unusable;		/* of String: columns we cannot ask for */
} PinOffer;

/*
 * Asks for all datasets of the asker's program (dataset NULL), or for those
 * whose name contains that of one, over all pages.  *offers is a List of
 * PinOffer in the current memory context.  False with *err filled.
 */
extern bool pin_offer_fetch(PinAsker *asker, const char *dataset,
							List **offers, PinError *err);

/* The dataset of that name without case, or NULL. */
extern PinOffer *pin_offer_find(List *offers, const char *dataset);

/* True if the dataset has a column or metric of that name without case. */
extern bool pin_offer_has(const PinOffer *offer, const char *column);

/* True if a list of String has a name without case. */
extern bool pin_offer_lists(List *names, const char *name);

#endif							/* PIN_OFFER_H */
