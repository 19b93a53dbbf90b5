/*
 * data_rules.c
 *		What a column's values look like, decided from its name and type.
 *
 * A table of name patterns for texts, the first match wins; other types need
 * little more than their type.
 */
#define _GNU_SOURCE
#include "data_rules.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

typedef struct NamedRule
{
	const char *pattern;		/* compared without case */
	EmuRule		rule;
} NamedRule;

static const NamedRule text_rules[] =
{
	{"MonthKey", {EMU_OWNER_ROW, EMU_SHAPE_MONTH_KEY, NULL, false}},
	{"DateKey", {EMU_OWNER_ROW, EMU_SHAPE_DATE_KEY, NULL, false}},
	{"*Month*", {EMU_OWNER_ROW, EMU_SHAPE_MONTH_NAME, NULL, false}},
	{"PGA*Name", {EMU_OWNER_PROGRAM, EMU_SHAPE_COMPANY, NULL, false}},
	{"PGA*ID", {EMU_OWNER_PROGRAM, EMU_SHAPE_DIGITS, NULL, false}},
	{"GlobalPartnerID", {EMU_OWNER_PROGRAM, EMU_SHAPE_DIGITS, NULL, false}},
	{"IndirectProviderName", {EMU_OWNER_RESELLER, EMU_SHAPE_COMPANY, NULL, true}},
	{"ResellerName", {EMU_OWNER_RESELLER, EMU_SHAPE_COMPANY, NULL, true}},
	{"IndirectProvider*ID", {EMU_OWNER_RESELLER, EMU_SHAPE_DIGITS, NULL, false}},
	{"Reseller*ID", {EMU_OWNER_RESELLER, EMU_SHAPE_DIGITS, NULL, false}},
	{"ResellerMarket", {EMU_OWNER_RESELLER, EMU_SHAPE_WORD, &emu_countries, false}},
	{"MPNID", {EMU_OWNER_PARTNER, EMU_SHAPE_DIGITS, NULL, false}},
	{"PartnerName", {EMU_OWNER_PARTNER, EMU_SHAPE_COMPANY, NULL, false}},
	{"ProviderName", {EMU_OWNER_PARTNER, EMU_SHAPE_COMPANY, NULL, false}},
	{"PartnerLocationID", {EMU_OWNER_PARTNER, EMU_SHAPE_DIGITS, NULL, false}},
	{"PartnerCountry*", {EMU_OWNER_PARTNER, EMU_SHAPE_WORD, &emu_countries, false}},
	{"Partner*Location", {EMU_OWNER_PARTNER, EMU_SHAPE_WORD, &emu_cities, false}},
	{"PartnerHierarchy", {EMU_OWNER_PARTNER, EMU_SHAPE_WORD, &emu_levels, false}},
	{"ProviderEmail", {EMU_OWNER_PARTNER, EMU_SHAPE_EMAIL, NULL, true}},
	{"*Email", {EMU_OWNER_PERSON, EMU_SHAPE_EMAIL, NULL, true}},
	{"*FirstName", {EMU_OWNER_PERSON, EMU_SHAPE_GIVEN, NULL, false}},
	{"*LastName", {EMU_OWNER_PERSON, EMU_SHAPE_FAMILY, NULL, false}},
	{"UserName", {EMU_OWNER_PERSON, EMU_SHAPE_PERSON, NULL, false}},
	{"ActionTakenBy", {EMU_OWNER_PERSON, EMU_SHAPE_PERSON, NULL, true}},
	{"*Domain*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_DOMAIN, NULL, true}},
	{"CustomerName", {EMU_OWNER_CUSTOMER, EMU_SHAPE_COMPANY, NULL, false}},
	{"CustomerCompanyName", {EMU_OWNER_CUSTOMER, EMU_SHAPE_COMPANY, NULL, false}},
	{"CustomerTenantName", {EMU_OWNER_CUSTOMER, EMU_SHAPE_COMPANY, NULL, true}},
	{"AccountName", {EMU_OWNER_CUSTOMER, EMU_SHAPE_COMPANY, NULL, false}},
	{"*CountryCode", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_country_codes, false}},
	{"*Country*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_countries, false}},
	{"*Market", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_countries, false}},
	{"Subsidiary", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_countries, true}},
	{"Area", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_countries, false}},
	{"*City", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_cities, true}},
	{"SubscriptionState", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_statuses, false}},
	{"LicenseState", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_statuses, false}},
	{"*Status", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_statuses, true}},
	{"*State", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_states, true}},
	{"*PostalCode", {EMU_OWNER_CUSTOMER, EMU_SHAPE_DIGITS, NULL, true}},
	{"*Segment*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_segments, true}},
	{"*Industry*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_industries, true}},
	{"Vertical*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_industries, true}},
	{"*Tpid", {EMU_OWNER_CUSTOMER, EMU_SHAPE_DIGITS, NULL, false}},
	{"CustomerId", {EMU_OWNER_CUSTOMER, EMU_SHAPE_UUID, NULL, false}},
	{"BillingAccountId", {EMU_OWNER_CUSTOMER, EMU_SHAPE_UUID, NULL, true}},
	{"DUNSNumber", {EMU_OWNER_CUSTOMER, EMU_SHAPE_DIGITS, NULL, true}},
	{"EnrollmentNumber", {EMU_OWNER_THING, EMU_SHAPE_DIGITS, NULL, true}},
	{"Has[A-Z]*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, true}},
	{"*HasOpenRenewal", {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, true}},
	{"*UpsellCustomer", {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, true}},
	{"Is[A-Z]*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, false}},
	{"TransactedIn*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, false}},
	{"*Cluster", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_clusters, true}},
	{"*Fit", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_levels, true}},
	{"*Intent", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_levels, true}},
	{"OfferType", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_offer_types, false}},
	{"*Currency*", {EMU_OWNER_CUSTOMER, EMU_SHAPE_WORD, &emu_currencies, false}},
	{"ExpiringRevenue", {EMU_OWNER_THING, EMU_SHAPE_DIGITS, NULL, true}},
	{"*Unit*", {EMU_OWNER_ROW, EMU_SHAPE_WORD, &emu_units, true}},
	{"*Message", {EMU_OWNER_ROW, EMU_SHAPE_WORD, &emu_messages, true}},
	{"ResourceUri", {EMU_OWNER_THING, EMU_SHAPE_PATH, NULL, true}},
	{"*Meter*Id", {EMU_OWNER_THING, EMU_SHAPE_UUID, NULL, false}},
	{"*Meter*", {EMU_OWNER_ROW, EMU_SHAPE_WORD, &emu_meters, true}},
	{"ServiceName", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_services, false}},
	{"*Workload*", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_workloads, false}},
	{"AppName", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_workloads, false}},
	{"*Product*Number", {EMU_OWNER_THING, EMU_SHAPE_CODE, NULL, true}},
	{"*Product*Id", {EMU_OWNER_THING, EMU_SHAPE_CODE, NULL, false}},
	{"*Product*", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_products, false}},
	{"OfferName", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_products, false}},
	{"Training*Id", {EMU_OWNER_THING, EMU_SHAPE_CODE, NULL, false}},
	{"Training*", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_products, true}},
	{"*Sku*Type", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_phrases, true}},
	{"*Sku*", {EMU_OWNER_THING, EMU_SHAPE_CODE, NULL, true}},
	{"*Channel*", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_channels, false}},
	{"*SalesModel", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_channels, true}},
	{"*Id", {EMU_OWNER_THING, EMU_SHAPE_CODE, NULL, true}},
	{"*Code", {EMU_OWNER_ROW, EMU_SHAPE_CODE, NULL, true}},
	{"*Number", {EMU_OWNER_THING, EMU_SHAPE_DIGITS, NULL, true}},
	{"*Type", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_phrases, false}},
	{"*Name", {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_phrases, false}},
};

static EmuRule
text_rule(const EmuColumn *column)
{
	const EmuRule tactic = {EMU_OWNER_CUSTOMER, EMU_SHAPE_YES_NO, NULL, true};
	const EmuRule other = {EMU_OWNER_THING, EMU_SHAPE_WORD, &emu_phrases, true};

	/* The long names say what a customer may be won for. */
	if (strlen(column->name) > 32)
		return tactic;
	for (size_t i = 0; i < sizeof(text_rules) / sizeof(text_rules[0]); i++)
	{
		if (fnmatch(text_rules[i].pattern, column->name, FNM_CASEFOLD) == 0)
			return text_rules[i].rule;
	}
	return other;
}

static EmuRule
uuid_rule(const EmuColumn *column)
{
	EmuRule		rule = {EMU_OWNER_ROW, EMU_SHAPE_UUID, NULL, false};

	if (strcasestr(column->name, "SubscriptionId"))
		rule.owner = EMU_OWNER_THING;
	else if (strcasestr(column->name, "TenantId"))
		rule.owner = EMU_OWNER_CUSTOMER;
	else if (strcasestr(column->name, "UserId"))
		rule.owner = EMU_OWNER_PERSON;
	return rule;
}

static EmuRule
date_rule(const EmuDataset *dataset, const EmuColumn *column)
{
	EmuRule		rule = {EMU_OWNER_THING, EMU_SHAPE_PAST_DAY, NULL, true};

	if (column == dataset->time)
	{
		rule.owner = EMU_OWNER_ROW;
		rule.nullable = false;
	}
	if (strcasecmp(column->name, "Month") == 0 || strcasecmp(column->name, "MonthStartDate") == 0)
		rule.shape = EMU_SHAPE_MONTH;
	else if (column == dataset->time || strcmp(column->name, "UsageDate") == 0)
		rule.shape = EMU_SHAPE_DAY;
	else if (strcasestr(column->name, "End") || strcasestr(column->name, "Expiration"))
		rule.shape = EMU_SHAPE_FUTURE_DAY;
	return rule;
}

static EmuRule
numeric_rule(const EmuColumn *column)
{
	EmuRule		rule = {EMU_OWNER_ROW, EMU_SHAPE_AMOUNT, NULL, true};

	if (strcasestr(column->name, "Percent") || strcasestr(column->name, "Rate"))
		rule.shape = EMU_SHAPE_PERCENT;
	else if (strcasestr(column->name, "Quantity") || strcasestr(column->name, "Usage") ||
			 strcasestr(column->name, "Duration"))
		rule.shape = EMU_SHAPE_QUANTITY;
	return rule;
}

EmuRule
emu_rule_for(const EmuDataset *dataset, const EmuColumn *column)
{
	EmuRule		rule = {EMU_OWNER_ROW, EMU_SHAPE_COUNT, NULL, true};

	switch (column->type)
	{
		case EMU_TEXT:
			rule = text_rule(column);
			break;
		case EMU_UUID:
			rule = uuid_rule(column);
			break;
		case EMU_DATE:
			rule = date_rule(dataset, column);
			break;
		case EMU_TIMESTAMPTZ:
			rule.shape = EMU_SHAPE_MOMENT;
			rule.nullable = column != dataset->time;
			break;
		case EMU_BOOLEAN:
			rule.shape = EMU_SHAPE_BOOLEAN;
			rule.nullable = strncmp(column->name, "IsDuplicate", 11) != 0;
			break;
		case EMU_BIGINT:
			break;
		case EMU_NUMERIC:
			rule = numeric_rule(column);
			break;
	}
	if (column->metric != EMU_PLAIN)
	{
		rule.nullable = false;

		/* A counted thing that no column names. */
		if (column->metric == EMU_COUNT)
		{
			rule.owner = strncmp(column->name, "Customer", 8) == 0
				? EMU_OWNER_CUSTOMER : EMU_OWNER_THING;
			rule.shape = EMU_SHAPE_UUID;
		}
	}
	return rule;
}
