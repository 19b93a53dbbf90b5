/*-------------------------------------------------------------------------
 *
 * print_catalog.c
 *		Prints the catalogue of datasets as C.
 *
 * usage: print_catalog < catalog/datasets.json
 *
 * Each session would otherwise have to parse it, which takes longer than most
 * of its queries.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "tools/read_catalog.h"

/* No name in the catalogue needs more than that: all are printable ASCII. */
static void
print_string(const char *string)
{
	if (string == NULL)
	{
		fputs("NULL", stdout);
		return;
	}
	putchar('"');
	for (; *string != '\0'; string++)
	{
		if (*string == '"' || *string == '\\')
			putchar('\\');
		putchar(*string);
	}
	putchar('"');
}

static void
print_columns(const PinCatalogDataset *d, size_t number)
{
	printf("static const PinCatalogColumn columns_%zu[] = {\n", number);
	for (size_t i = 0; i < d->ncolumns + d->nmetrics; i++)
	{
		fputs("\t{", stdout);
		print_string(d->columns[i].name);
		fputs(", ", stdout);
		print_string(d->columns[i].type);
		fputs(", ", stdout);
		print_string(d->columns[i].wire);
		printf(", %s},\n", d->columns[i].metric ? "true" : "false");
	}
	puts("};");
}

/* An array of strings, which ends with a NULL so that it is never empty. */
static void
print_strings(const char *name, size_t number, const char *const *strings, size_t count)
{
	printf("static const char *const %s_%zu[] = {", name, number);
	for (size_t i = 0; i < count; i++)
	{
		print_string(strings[i]);
		fputs(", ", stdout);
	}
	puts("NULL};");
}

static void
print_member(const char *name, const char *string)
{
	printf("\t\t.%s = ", name);
	print_string(string);
	puts(",");
}

static void
print_dataset(const PinCatalogDataset *d, size_t number)
{
	puts("\t{");
	print_member("program", d->program);
	print_member("name", d->name);
	print_member("time_column", d->time_column);
	print_member("system_timespan", d->system_timespan);
	printf("\t\t.confirmed = %s,\n", d->confirmed ? "true" : "false");
	printf("\t\t.columns = columns_%zu,.ncolumns = %zu,\n", number, d->ncolumns);
	printf("\t\t.metrics = columns_%zu + %zu,.nmetrics = %zu,\n", number, d->ncolumns,
		   d->nmetrics);
	printf("\t\t.date_ranges = ranges_%zu,.ndate_ranges = %zu,\n", number, d->ndate_ranges);
	printf("\t\t.system_columns = usual_%zu,.nsystem_columns = %zu,\n", number,
		   d->nsystem_columns);
	printf("\t\t.restated_months = %d,.refresh_days = %d,\n", d->restated_months,
		   d->refresh_days);
	printf("\t\t.minimum_recurrence_hours = %d\n\t},\n", d->minimum_recurrence_hours);
}

static void
print_catalog(const PinCatalog *catalog)
{
	puts("/* Made from catalog/datasets.json by tools/print_catalog.c. */");
	puts("#include \"insights/catalog.h\"");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
	{
		const PinCatalogDataset *d = pin_catalog_at(catalog, i);

		print_columns(d, i);
		print_strings("ranges", i, d->date_ranges, d->ndate_ranges);
		print_strings("usual", i, d->system_columns, d->nsystem_columns);
	}
	puts("static const PinCatalogDataset datasets[] = {");
	for (size_t i = 0; i < pin_catalog_count(catalog); i++)
		print_dataset(pin_catalog_at(catalog, i), i);
	puts("};");
	printf("const PinCatalog pin_shipped_catalog = {.datasets = datasets,.count = %zu};\n",
		   pin_catalog_count(catalog));
}

int
main(void)
{
	static char json[1024 * 1024];
	size_t		len = fread(json, 1, sizeof(json), stdin);
	PinError	err;
	PinCatalogFile *file = pin_catalog_parse(json, len, &err);

	if (file == NULL)
	{
		fprintf(stderr, "%s: %s\n", err.message, err.detail);
		return 1;
	}
	print_catalog(pin_catalog_of(file));
	pin_catalog_free(file);
	return fflush(stdout) == 0 ? 0 : 1;
}
