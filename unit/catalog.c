/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		Unit test of src/insights/catalog.c and tools/read_catalog.c, with the
 *		catalogue that ships.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/catalog.h"
#include "insights/query_text.h"
#include "tap.h"
#include "tools/read_catalog.h"

#include <stdio.h>
#include <stdlib.h>

static const char small[] =
"{\"datasets\":[{\"program\":\"mpn\",\"name\":\"AzureUsage\","
"\"columns\":[{\"name\":\"PGAMpnId\",\"type\":\"text\"},"
"{\"name\":\"PGA_MPNId\",\"type\":\"bigint\"},"
"{\"name\":\"IsX\",\"type\":\"boolean\",\"wire\":\"0/1\"},"
"{\"name\":\"EstimatedExtendedCharge(CC)\",\"type\":\"numeric\"}],"
"\"metrics\":[{\"name\":\"TotalACR\",\"type\":\"numeric\"}],"
"\"date_ranges\":[\"LAST_MONTH\",\"LIFETIME\"],\"time_column\":\"Month\","
"\"restated_months\":2,\"refresh_days\":4,"
"\"minimum_recurrence_hours\":24,"
"\"system_query\":{\"id\":\"q9df\",\"columns\":[\"PGAMpnId\",\"IsX\"],\"timespan\":\"LAST_MONTH\"}},"
"{\"program\":\"cmp\",\"name\":\"ISVLicense\",\"confirmed\":false,"
"\"columns\":[{\"name\":\"A\",\"type\":\"text\"}],\"metrics\":[],\"date_ranges\":[],"
"\"time_column\":null,\"refresh_days\":null,\"minimum_recurrence_hours\":null,"
"\"system_query\":null}]}";

static void
test_small(void)
{
	PinError	err;
	PinCatalogFile *file = pin_catalog_parse(small, strlen(small), &err);
	const PinCatalog *catalog;
	const PinCatalogDataset *azure;
	const PinCatalogDataset *license;

	if (!ok(file != NULL, "the small catalogue is read: %s", err.detail))
		return;
	catalog = pin_catalog_of(file);
	is_int(pin_catalog_count(catalog), 2, "two datasets");
	ok(pin_catalog_at(catalog, 2) == NULL, "no third");

	azure = pin_catalog_at(catalog, 0);
	is_str(azure->program, "mpn", "program");
	is_str(azure->name, "AzureUsage", "name");
	ok(azure->confirmed, "confirmed unless said otherwise");
	is_int(azure->ncolumns, 4, "columns");
	is_str(azure->columns[2].type, "boolean", "type");
	is_str(azure->columns[2].wire, "0/1", "wire");
	ok(azure->columns[0].wire == NULL, "no wire");
	ok(!azure->columns[0].metric, "a column is no metric");
	is_int(azure->nmetrics, 1, "metrics");
	is_str(azure->metrics[0].name, "TotalACR", "metric");
	ok(azure->metrics[0].metric, "a metric is one");
	is_int(azure->ndate_ranges, 2, "ranges");
	is_str(azure->date_ranges[1], "LIFETIME", "range");
	is_str(azure->time_column, "Month", "time column");
	is_int(azure->restated_months, 2, "restated months");
	is_int(azure->refresh_days, 4, "refresh");
	is_int(azure->minimum_recurrence_hours, 24, "recurrence");
	is_int(azure->nsystem_columns, 2, "its columns");
	is_str(azure->system_columns[1], "IsX", "one of them");
	is_str(azure->system_timespan, "LAST_MONTH", "its timespan");

	license = pin_catalog_at(catalog, 1);
	ok(!license->confirmed, "not confirmed");
	ok(license->time_column == NULL && license->system_timespan == NULL, "null is nothing");
	is_int(license->restated_months, -1, "any month is restated");
	is_int(license->refresh_days, -1, "refresh not published");
	is_int(license->minimum_recurrence_hours, -1, "recurrence not published");
	is_int(license->nmetrics + license->ndate_ranges + license->nsystem_columns, 0,
		   "empty lists");

	is_str(pin_catalog_column(azure, "PGA_MPNId")->type, "bigint", "the exact name goes first");
	is_str(pin_catalog_column(azure, "pga_mpnid")->type, "bigint", "then the one but for case");
	is_str(pin_catalog_column(azure, "pgampnid")->type, "text", "in both ways");
	is_str(pin_catalog_column(azure, "estimated_extended_charge_cc")->name,
		   "EstimatedExtendedCharge(CC)", "parentheses do not count");
	is_str(pin_catalog_column(azure, "total_acr")->name, "TotalACR", "a metric is found too");
	ok(pin_catalog_column(azure, "total_ac") == NULL, "a part of a name is none");
	ok(pin_catalog_column(azure, "") == NULL, "no name finds nothing");
	ok(pin_catalog_dataset(catalog, "mpn", "___") == NULL, "nor does one of underscores");
	pin_catalog_free(file);
}

static void
is_dataset(const PinCatalog *catalog, const char *program, const char *local,
		   const char *expected)
{
	const PinCatalogDataset *dataset = pin_catalog_dataset(catalog, program, local);

	is_str(dataset ? dataset->name : NULL, expected, "%s: %s", program, local);
}

/* What every dataset that ships must have. */
static void
check_dataset(const PinCatalogDataset *dataset)
{
	static const char *const types[] = {
		"text", "bigint", "integer", "numeric", "date", "timestamptz", "boolean", "uuid"
	};

	ok(pin_query_name_ok(dataset->name), "%s: a name for a report query", dataset->name);
	for (size_t i = 0; i < dataset->ncolumns + dataset->nmetrics; i++)
	{
		const PinCatalogColumn *column = &dataset->columns[i];
		bool		known = false;

		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
			known = known || strcmp(column->type, types[t]) == 0;
		if (!known || !pin_query_name_ok(column->name) ||
			pin_catalog_column(dataset, column->name) != column ||
			(strcmp(column->type, "boolean") == 0) != (column->wire != NULL))
			ok(false, "%s.%s: name, type and wire", dataset->name, column->name);
	}
	if (dataset->time_column)
		ok(pin_catalog_column(dataset, dataset->time_column) != NULL,
		   "%s: the time column is a column", dataset->name);
	if (dataset->restated_months >= 0)
		ok(dataset->time_column != NULL, "%s: months are restated, so it has a time column",
		   dataset->name);
	for (size_t i = 0; i < dataset->nsystem_columns; i++)
		if (pin_catalog_column(dataset, dataset->system_columns[i]) == NULL)
			ok(false, "%s: system query's column %s", dataset->name,
			   dataset->system_columns[i]);
}

static void
test_shipped(void)
{
	static const char *const columns[] = {"Month", "CustomerName", "CustomerMarket"};
	const PinCatalog *catalog = &pin_shipped_catalog;

	ok(pin_catalog_count(catalog) >= 30, "it has the datasets");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
		check_dataset(pin_catalog_at(catalog, i));

	is_dataset(catalog, "mpn", "azure_usage", "AzureUsage");
	is_dataset(catalog, "MPN", "AZUREUSAGE", "AzureUsage");
	is_dataset(catalog, "mpn", "clas_azure_propensity", "CLASAzurePropensity");
	is_dataset(catalog, "cmp", "isv_order", "ISVOrder");
	is_dataset(catalog, "cmp", "isv_order_v2", "ISVOrderV2");
	is_dataset(catalog, "cmp", "azure_usage", NULL);
	is_dataset(catalog, "mpn", "isv_order", NULL);
	is_dataset(catalog, "mpn", "azure", NULL);

	is_str(pin_catalog_nearest_dataset(catalog, "mpn", "azure_usgae"), "AzureUsage",
		   "two letters swapped");
	is_str(pin_catalog_nearest_dataset(catalog, "cmp", "isv_orders"), "ISVOrder",
		   "one letter too many");
	ok(pin_catalog_nearest_dataset(catalog, "mpn", "weather_forecast") == NULL,
	   "nothing near");
	ok(pin_catalog_nearest_dataset(catalog, "mpn", "") == NULL, "nothing near to nothing");
	is_str(pin_catalog_nearest_name(columns, 3, "custmer_name"), "CustomerName", "a column");
	ok(pin_catalog_nearest_name(columns, 3, "colour") == NULL, "or none");
	ok(pin_catalog_nearest_name(columns, 0, "month") == NULL, "of none, none");
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_strings(const char *const *a, size_t na, const char *const *b, size_t nb)
{
	for (size_t i = 0; na == nb && i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return na == nb;
}

static bool
same_columns(const PinCatalogDataset *a, const PinCatalogDataset *b)
{
	if (a->ncolumns != b->ncolumns || a->nmetrics != b->nmetrics ||
		a->metrics != a->columns + a->ncolumns)
		return false;
	for (size_t i = 0; i < a->ncolumns + a->nmetrics; i++)
		if (!same_string(a->columns[i].name, b->columns[i].name) ||
			!same_string(a->columns[i].type, b->columns[i].type) ||
			!same_string(a->columns[i].wire, b->columns[i].wire) ||
			a->columns[i].metric != b->columns[i].metric)
			return false;
	return true;
}

static bool
same_dataset(const PinCatalogDataset *a, const PinCatalogDataset *b)
{
	return same_string(a->program, b->program) && same_string(a->name, b->name) &&
		a->confirmed == b->confirmed && same_columns(a, b) &&
		same_strings(a->date_ranges, a->ndate_ranges, b->date_ranges, b->ndate_ranges) &&
		same_string(a->time_column, b->time_column) &&
		a->restated_months == b->restated_months && a->refresh_days == b->refresh_days &&
		a->minimum_recurrence_hours == b->minimum_recurrence_hours &&
		same_strings(a->system_columns, a->nsystem_columns, b->system_columns, b->nsystem_columns) &&
		same_string(a->system_timespan, b->system_timespan);
}

/* What the build has made of the file is what a reader of the file sees. */
static void
test_printed(void)
{
	static char json[1024 * 1024];
	FILE	   *in = fopen("catalog/datasets.json", "r");
	size_t		len = in != NULL ? fread(json, 1, sizeof(json), in) : 0;
	PinError	err;
	PinCatalogFile *file = pin_catalog_parse(json, len, &err);
	const PinCatalog *catalog;

	if (in != NULL)
		fclose(in);
	if (!ok(file != NULL, "catalog/datasets.json is read: %s", err.detail))
		return;
	catalog = pin_catalog_of(file);
	is_int(pin_catalog_count(catalog), pin_catalog_count(&pin_shipped_catalog), "as many datasets");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
		ok(same_dataset(pin_catalog_at(&pin_shipped_catalog, i), pin_catalog_at(catalog, i)),
		   "%s is as in the file", pin_catalog_at(catalog, i)->name);
	pin_catalog_free(file);
}

static void
refused(const char *json, const char *where)
{
	PinError	err;
	PinCatalogFile *file = pin_catalog_parse(json, strlen(json), &err);

	ok(file == NULL, "refused: %.60s", json);
	is_int(err.kind, PIN_ERROR_INTERNAL, "its kind");
	has_str(err.detail, where, "its detail says where");
	pin_catalog_free(file);
}

static void
test_broken(void)
{
	char		cut[sizeof(small)];
	char		name[200];
	PinError	err;

	refused("", "empty");
	refused("[]", "there is none");
	refused("{\"datasets\":[]}", "there is none");
	refused("{\"datasets\":[7]}", "no program");
	refused("{\"datasets\":[{\"program\":\"mpn\"}]}", "no name");
	refused("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"X\"}]}", "\"X\": no columns");
	refused("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"X\",\"columns\":[]}]}", "no columns");
	refused("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"X\",\"columns\":[{\"name\":\"a\"}]}]}",
			"without name or type");
	refused("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"X\",\"columns\":[{\"name\":\"a\","
			"\"type\":\"text\"}],\"metrics\":[1]}]}", "a metric without");
	refused("{\"datasets\":[{\"program\":\"mpn\",\"name\":\"X\",\"columns\":[{\"name\":\"a\","
			"\"type\":\"text\"}],\"date_ranges\":[1]}]}", "no text");

	for (size_t len = 0; len < strlen(small); len++)
	{
		memcpy(cut, small, len);
		if (pin_catalog_parse(cut, len, &err) != NULL)
			ok(false, "a catalogue cut after %zu bytes is refused", len);
	}

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	{
		PinCatalogFile *file = pin_catalog_parse(small, strlen(small), &err);

		ok(pin_catalog_nearest_dataset(pin_catalog_of(file), "mpn", name) == NULL,
		   "a name beyond measure is near to nothing");
		pin_catalog_free(file);
	}
	pin_catalog_free(NULL);
}

static void
test_same_name(void)
{
	ok(pin_catalog_same_name("AzureUsage", "azure_usage"), "case and underscores");
	ok(pin_catalog_same_name("A(B)", "a_b"), "parentheses");
	ok(pin_catalog_same_name("a_", "_A"), "outer underscores");
	ok(!pin_catalog_same_name("ab", "abc") && !pin_catalog_same_name("abc", "ab"), "prefixes");
}

int
main(void)
{
	test_same_name();
	test_small();
	test_shipped();
	test_printed();
	test_broken();
	return done_testing();
}
