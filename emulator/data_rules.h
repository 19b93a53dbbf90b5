/*
 * data_rules.h
 *		What a column's values look like, decided from its name and type.
 */
#ifndef EMU_DATA_RULES_H
#define EMU_DATA_RULES_H

#include <stdbool.h>

#include "catalog.h"
#include "data_words.h"

/* Whose property a value is: it is the same wherever that one appears. */
typedef enum EmuOwner
{
	EMU_OWNER_ROW,
	EMU_OWNER_PROGRAM,			/* the partner as a whole */
	EMU_OWNER_PARTNER,			/* one of its locations */
	EMU_OWNER_RESELLER,
	EMU_OWNER_CUSTOMER,
	EMU_OWNER_THING,			/* the subscription, order, device, ... */
	EMU_OWNER_PERSON
} EmuOwner;

typedef enum EmuShape
{
	EMU_SHAPE_UUID,
	EMU_SHAPE_DIGITS,			/* an id of digits */
	EMU_SHAPE_CODE,				/* an id like SKU-1A2B3 */
	EMU_SHAPE_COMPANY,
	EMU_SHAPE_GIVEN,
	EMU_SHAPE_FAMILY,
	EMU_SHAPE_PERSON,
	EMU_SHAPE_EMAIL,
	EMU_SHAPE_DOMAIN,
	EMU_SHAPE_PATH,
	EMU_SHAPE_WORD,				/* one of a list */
	EMU_SHAPE_YES_NO,
	EMU_SHAPE_MONTH_KEY,		/* 202603 */
	EMU_SHAPE_DATE_KEY,			/* 20260315 */
	EMU_SHAPE_MONTH_NAME,		/* March, 2026 */
	EMU_SHAPE_MONTH,			/* first of the row's month */
	EMU_SHAPE_DAY,				/* a day in the row's month */
	EMU_SHAPE_PAST_DAY,
	EMU_SHAPE_FUTURE_DAY,
	EMU_SHAPE_MOMENT,
	EMU_SHAPE_BOOLEAN,
	EMU_SHAPE_COUNT,
	EMU_SHAPE_AMOUNT,			/* money, may be negative */
	EMU_SHAPE_QUANTITY,
	EMU_SHAPE_PERCENT
} EmuShape;

typedef struct EmuRule
{
	EmuOwner	owner;
	EmuShape	shape;
	const EmuWords *words;		/* EMU_SHAPE_WORD */
	bool		nullable;		/* NULL and, if text, empty now and then */
} EmuRule;

extern EmuRule emu_rule_for(const EmuDataset *dataset, const EmuColumn *column);

#endif							/* EMU_DATA_RULES_H */
