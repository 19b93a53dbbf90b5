/*-------------------------------------------------------------------------
 *
 * catalog_names.c
 *		The catalogue that ships: whole, typed, and fit for tables.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"
#include "insights/catalog.h"
#include "insights/column_type.h"
#include "insights/local_name.h"
#include "insights/query_text.h"
#include "tap.h"

#define MAX_COLUMNS 1000

static size_t
column_count(const PinCatalogDataset *d)
{
	return d->ncolumns + d->nmetrics;
}

static bool
type_is_valid(const PinCatalogColumn *c)
{
	static const char *const types[] = {
		"text", "uuid", "date", "timestamptz", "bigint", "numeric", "boolean"
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(c->type, types[i]) == 0)
			return c->wire == NULL || strcmp(c->type, "boolean") == 0;
	return false;
}

/* Is a column named like an earlier one? */
static bool
is_repeated(const PinCatalogDataset *d, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (pin_ascii_equal(d->columns[i].name, d->columns[j].name))
			return true;
	return false;
}

static bool
names_a_column(const PinCatalogDataset *d, const char *name)
{
	for (size_t i = 0; i < column_count(d); i++)
		if (strcmp(d->columns[i].name, name) == 0)
			return true;
	return false;
}

static bool
names_a_range(const PinCatalogDataset *d, const char *timespan)
{
	for (size_t i = 0; i < d->ndate_ranges; i++)
		if (strcmp(d->date_ranges[i], timespan) == 0)
			return true;
	return false;
}

static void
test_columns(const PinCatalogDataset *d)
{
	int			bad = 0;

	for (size_t i = 0; i < column_count(d); i++)
	{
		const PinCatalogColumn *c = &d->columns[i];

		if (type_is_valid(c) && pin_query_name_ok(c->name) && !is_repeated(d, i))
			continue;
		diag("%s", c->name);
		bad++;
	}
	is_int(bad, 0, "%s: every column has a type, and a name of its own", d->name);

	bad = d->time_column != NULL && !names_a_column(d, d->time_column);
	for (size_t i = 0; i < d->nsystem_columns; i++)
		bad += !names_a_column(d, d->system_columns[i]);
	bad += d->system_timespan != NULL && !names_a_range(d, d->system_timespan);
	is_int(bad, 0, "%s: time column and system query are of the dataset", d->name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Number of local names that repeat another. */
static int
count_repeated(PinLocalName *names, size_t n)
{
	int			repeated = 0;

	qsort(names, n, sizeof(PinLocalName), compare_names);
	for (size_t i = 1; i < n; i++)
		repeated += strcmp(names[i - 1], names[i]) == 0;
	return repeated;
}

static void
test_local_names(const PinCatalogDataset *d, PinNameStyle style)
{
	static PinLocalName names[MAX_COLUMNS];
	static const char *remotes[MAX_COLUMNS];
	size_t		n = column_count(d);
	int			bad = 0;

	for (size_t i = 0; i < n && i < MAX_COLUMNS; i++)
		remotes[i] = d->columns[i].name;
	ok(pin_local_names(names, "", remotes, n, style), "%s: local names", d->name);
	for (size_t i = 0; i < n; i++)
	{
		PinLocalName alone;

		pin_local_name(alone, "", remotes[i], style);
		if (strcmp(alone, names[i]) != 0)
		{
			diag("%s: %s of %s", d->name, names[i], remotes[i]);
		}
		if (style == PIN_NAME_SNAKE && strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(names[i]))
			bad++;
	}
	is_int(bad, 0, "%s: are plain identifiers", d->name);
	is_int(count_repeated(names, n), 0, "%s: no two are alike", d->name);
}

/*
 * The rules for unknown columns agree with what is known.  Text is always
 * possible; one name breaks its rule: IsNonProfit holds a category.
 */
static void
test_guesses(const PinCatalogDataset *d)
{
	int			wrong = 0;

	for (size_t i = 0; i < column_count(d); i++)
	{
		const char *guess = pin_type_from_name(d->columns[i].name);

		if (strcmp(d->columns[i].name, "IsNonProfit") == 0)
			continue;
		if (strcmp(guess, "text") == 0 || strcmp(guess, d->columns[i].type) == 0)
			continue;
		diag("%s would be %s, is %s", d->columns[i].name, guess, d->columns[i].type);
		wrong++;
	}
	is_int(wrong, 0, "%s: no guess from a name is wrong", d->name);
}

/* Names of tables, within a program. */
static void
test_tables(const PinCatalog *catalog, const char *program)
{
	static PinLocalName names[MAX_COLUMNS];
	static const char *remotes[MAX_COLUMNS];
	size_t		n = 0;

	for (size_t i = 0; i < pin_catalog_count(catalog) && n < MAX_COLUMNS; i++)
		if (strcmp(pin_catalog_at(catalog, i)->program, program) == 0)
			remotes[n++] = pin_catalog_at(catalog, i)->name;
	ok(n > 0 && pin_local_names(names, "", remotes, n, PIN_NAME_SNAKE), "%s: %zu datasets", program, n);
	is_int(count_repeated(names, n), 0, "%s: no two tables are alike", program);
}

int
main(void)
{
	const PinCatalog *catalog = &pin_shipped_catalog;

	is_int(pin_catalog_count(catalog), 35, "it has all datasets");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
	{
		const PinCatalogDataset *d = pin_catalog_at(catalog, i);

		if (!ok(column_count(d) <= MAX_COLUMNS, "%s: %zu columns", d->name, column_count(d)))
			continue;
		test_columns(d);
		test_local_names(d, PIN_NAME_SNAKE);
		test_local_names(d, PIN_NAME_PRESERVE);
		test_guesses(d);
	}
	test_tables(catalog, "mpn");
	test_tables(catalog, "cmp");
	return done_testing();
}
