/*-------------------------------------------------------------------------
 *
 * read_catalog.c
 *		Reads catalog/datasets.json.
 *
 * All strings are borrowed from the parsed document, which the result owns;
 * only the arrays of structs and of pointers are its own.
 *
 *-------------------------------------------------------------------------
 */
#include "tools/read_catalog.h"

#include <stdlib.h>

#include "insights/json.h"

struct PinCatalogFile
{
	PinCatalog	catalog;		/* the result */
	PinJson    *document;		/* owns every string */
	PinCatalogDataset *datasets;	/* the catalogue's, to be filled */
};

/* Tells where the catalogue is broken.  Returns false. */
static bool
broken(PinError *err, const char *dataset, const char *what)
{
	pin_error_set(err, PIN_ERROR_INTERNAL, "the catalogue of datasets is broken");
	pin_error_detail(err, "Dataset \"%s\": %s.", dataset ? dataset : "?", what);
	return false;
}

static bool
no_memory(PinError *err)
{
	pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
	return false;
}

/* Reads one element of "columns" or "metrics". */
static bool
read_column(const PinJson *value, bool metric, PinCatalogColumn *column)
{
	column->name = pin_json_member_string(value, "name");
	column->type = pin_json_member_string(value, "type");
	column->wire = pin_json_member_string(value, "wire");
	column->metric = metric;
	return column->name && *column->name && column->type && *column->type;
}

/* Reads columns and metrics into one array. */
static bool
read_columns(const PinJson *value, PinCatalogDataset *dataset, PinError *err)
{
	const PinJson *columns = pin_json_member(value, "columns");
	const PinJson *metrics = pin_json_member(value, "metrics");
	PinCatalogColumn *all;

	dataset->ncolumns = pin_json_count(columns);
	dataset->nmetrics = pin_json_count(metrics);
	if (!pin_json_is_array(columns) || dataset->ncolumns == 0)
		return broken(err, dataset->name, "no columns");
	all = calloc(dataset->ncolumns + dataset->nmetrics, sizeof(*all));
	if (all == NULL)
		return no_memory(err);

	dataset->columns = all;
	dataset->metrics = all + dataset->ncolumns;
	for (size_t i = 0; i < dataset->ncolumns; i++)
		if (!read_column(pin_json_element(columns, i), false, &all[i]))
			return broken(err, dataset->name, "a column without name or type");
	for (size_t i = 0; i < dataset->nmetrics; i++)
		if (!read_column(pin_json_element(metrics, i), true,
						 &all[dataset->ncolumns + i]))
			return broken(err, dataset->name, "a metric without name or type");
	return true;
}

/* Reads an array of strings; nothing at all makes an empty one. */
static bool
read_strings(const PinJson *value, const char *const **strings, size_t *count,
			 const char *dataset, PinError *err)
{
	size_t		n = pin_json_count(value);
	const char **all = calloc(n > 0 ? n : 1, sizeof(*all));

	if (all == NULL)
		return no_memory(err);
	*strings = all;
	*count = n;
	for (size_t i = 0; i < n; i++)
	{
		all[i] = pin_json_string(pin_json_element(value, i));
		if (all[i] == NULL)
			return broken(err, dataset, "a list holds something that is no text");
	}
	return true;
}

static int
small_integer(const PinJson *object, const char *name)
{
	int64_t		number = pin_json_member_integer(object, name, -1);

	return number >= 0 && number <= 1000000 ? (int) number : -1;
}

static bool
read_dataset(const PinJson *value, PinCatalogDataset *dataset, PinError *err)
{
	const PinJson *system = pin_json_member(value, "system_query");

	dataset->program = pin_json_member_string(value, "program");
	dataset->name = pin_json_member_string(value, "name");
	if (dataset->program == NULL || dataset->name == NULL)
		return broken(err, dataset->name, "no program or no name");

	dataset->confirmed = true;
	pin_json_boolean(pin_json_member(value, "confirmed"), &dataset->confirmed);
	dataset->time_column = pin_json_member_string(value, "time_column");
	dataset->restated_months = small_integer(value, "restated_months");
	dataset->refresh_days = small_integer(value, "refresh_days");
	dataset->minimum_recurrence_hours = small_integer(value, "minimum_recurrence_hours");
	dataset->system_timespan = pin_json_member_string(system, "timespan");

	return read_columns(value, dataset, err) &&
		read_strings(pin_json_member(value, "date_ranges"), &dataset->date_ranges,
					 &dataset->ndate_ranges, dataset->name, err) &&
		read_strings(pin_json_member(system, "columns"), &dataset->system_columns,
					 &dataset->nsystem_columns, dataset->name, err);
}

/* Reads all datasets; false if one is broken, or there is none. */
static bool
read_datasets(PinCatalogFile *file, PinError *err)
{
	const PinJson *datasets = pin_json_member(file->document, "datasets");
	size_t		n = pin_json_is_array(datasets) ? pin_json_count(datasets) : 0;

	if (n == 0)
		return broken(err, NULL, "there is none");
	file->datasets = calloc(n, sizeof(*file->datasets));
	if (file->datasets == NULL)
		return no_memory(err);
	file->catalog.datasets = file->datasets;
	for (size_t i = 0; i < n; i++)
	{
		/* counted first, so that what it allocates is freed if it fails */
		file->catalog.count++;
		if (!read_dataset(pin_json_element(datasets, i), &file->datasets[i], err))
			return false;
	}
	return true;
}

PinCatalogFile *
pin_catalog_parse(const char *json, size_t len, PinError *err)
{
	PinCatalogFile *file = calloc(1, sizeof(*file));

	if (file == NULL)
	{
		no_memory(err);
		return NULL;
	}
	file->document = pin_json_parse(json, len, "the catalogue of datasets", err);
	if (file->document == NULL && err->kind != PIN_ERROR_OUT_OF_MEMORY)
		err->kind = PIN_ERROR_INTERNAL;
	if (file->document != NULL && read_datasets(file, err))
		return file;
	pin_catalog_free(file);
	return NULL;
}

const PinCatalog *
pin_catalog_of(const PinCatalogFile *file)
{
	return &file->catalog;
}

void
pin_catalog_free(PinCatalogFile *file)
{
	if (file == NULL)
		return;
	for (size_t i = 0; i < file->catalog.count; i++)
	{
		free((void *) file->datasets[i].columns);
		free((void *) file->datasets[i].date_ranges);
		free((void *) file->datasets[i].system_columns);
	}
	free(file->datasets);
	pin_json_free(file->document);
	free(file);
}
