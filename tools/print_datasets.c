/*-------------------------------------------------------------------------
 *
 * print_datasets.c
 *		Prints docs/datasets-mpn.md or docs/datasets-cmp.md from the catalogue.
 *
 * usage: print_datasets mpn|cmp
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insights/catalog.h"
#include "insights/local_name.h"
#include "insights/timespan.h"

static size_t
column_count(const PinCatalogDataset *d)
{
	return d->ncolumns + d->nmetrics;
}

static void
print_head(const char *program)
{
	printf("# Datasets of program %s\n\n", program);
	puts("<!-- Printed by `make doc-tables` from catalog/datasets.json. -->\n");
	printf("What `IMPORT FOREIGN SCHEMA %s` makes of the datasets that the catalogue of\n", program);
	puts("pinsight_fdw knows. The service decides which of them, and of their columns,");
	puts("there are at the moment; [import.md](import.md) tells the rest.\n");
	puts("A metric marked \"on request\" is imported with `metrics 'true'` only.\n");
}

static void
print_list(const PinCatalog *catalog, const char *program)
{
	puts("| table | dataset | columns | metrics | widest timespan | of column |");
	puts("|---|---|--:|--:|---|---|");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
	{
		const PinCatalogDataset *d = pin_catalog_at(catalog, i);
		const char *widest = pin_timespan_widest(d->date_ranges, d->ndate_ranges);
		PinLocalName table;

		if (strcmp(d->program, program) != 0)
			continue;
		pin_local_name(table, "", d->name, PIN_NAME_SNAKE);
		printf("| [`%s`](#%s) | %s | %zu | %zu | %s | %s |\n", table, table, d->name,
			   d->ncolumns, d->nmetrics, widest ? widest : "none",
			   d->time_column && widest ? d->time_column : "");
	}
}

/* What is known of a dataset beside its columns. */
static void
print_facts(const PinCatalogDataset *d)
{
	printf("Dataset `%s`.", d->name);
	if (!d->confirmed)
		printf(" The names of its columns are not confirmed.");
	if (d->ndate_ranges > 0)
	{
		printf(" Timespans:");
		for (size_t i = 0; i < d->ndate_ranges; i++)
			printf("%s %s", i > 0 ? "," : "", d->date_ranges[i]);
		printf("%s%s.", d->time_column ? ", of " : "", d->time_column ? d->time_column : "");
	}
	else
		printf(" It has no timespan.");
	if (d->restated_months >= 0)
		printf(" Mirrored by month.");
	if (d->refresh_days >= 0)
		printf(" Its data are up to %d day%s old.", d->refresh_days, d->refresh_days == 1 ? "" : "s");
	if (d->minimum_recurrence_hours >= 0)
		printf(" Scheduled at most every %d hours.", d->minimum_recurrence_hours);
	puts("\n");
}

static void
print_dataset(const PinCatalogDataset *d)
{
	size_t		n = column_count(d);
	PinLocalName *locals = malloc(n * sizeof(PinLocalName));
	const char **remotes = malloc(n * sizeof(char *));
	PinLocalName table;

	if (locals == NULL || remotes == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		remotes[i] = d->columns[i].name;
	if (!pin_local_names(locals, "", remotes, n, PIN_NAME_SNAKE))
		abort();
	pin_local_name(table, "", d->name, PIN_NAME_SNAKE);
	printf("\n## %s\n\n", table);
	print_facts(d);
	puts("| column | type | remote name | |");
	puts("|---|---|---|---|");
	for (size_t i = 0; i < n; i++)
	{
		const PinCatalogColumn *c = &d->columns[i];

		printf("| `%s` | %s | %s | %s |\n", locals[i], c->type, c->name,
			   !c->metric ? "" : pin_catalog_is_usual(d, c->name) ? "metric" : "metric, on request");
	}
	free(locals);
	free(remotes);
}

int
main(int argc, char **argv)
{
	const char *program = argc == 2 ? argv[1] : "";
	const PinCatalog *catalog = &pin_shipped_catalog;

	if (strcmp(program, "mpn") != 0 && strcmp(program, "cmp") != 0)
	{
		fputs("usage: print_datasets mpn|cmp\n", stderr);
		return 2;
	}
	print_head(program);
	print_list(catalog, program);
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
		if (strcmp(pin_catalog_at(catalog, i)->program, program) == 0)
			print_dataset(pin_catalog_at(catalog, i));
	return 0;
}
