/*
 * catalog.c
 *		Reads catalog/datasets.json.
 *
 * The names in it end up inside SQL (quoted), so a name that is not letters,
 * digits, underscores and parentheses is refused here, once.
 */
#define _GNU_SOURCE
#include "catalog.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine_text.h"

static const struct
{
	const char *name;
	EmuType		type;
}			types[] =

{
	{"text", EMU_TEXT},
	{"uuid", EMU_UUID},
	{"date", EMU_DATE},
	{"timestamptz", EMU_TIMESTAMPTZ},
	{"boolean", EMU_BOOLEAN},
	{"bigint", EMU_BIGINT},
	{"numeric", EMU_NUMERIC},
};

static const struct
{
	const char *wire;
	const char *yes;
	const char *no;
}			wires[] =

{
	{"0/1", "1", "0"},
	{"Y/N", "Y", "N"},
	{"Yes/No", "Yes", "No"},
	{"True/False", "True", "False"},
};

static bool
name_is_safe(const char *name)
{
	return name != NULL && *name != '\0' &&
		name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_()")] == '\0';
}

static bool
read_type(EmuColumn *column, const char *name)
{
	for (size_t i = 0; name && i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(types[i].name, name) == 0)
		{
			column->type = types[i].type;
			return true;
		}
	}
	return false;
}

static bool
read_wire(EmuColumn *column, const char *wire)
{
	for (size_t i = 0; wire && i < sizeof(wires) / sizeof(wires[0]); i++)
	{
		if (strcmp(wires[i].wire, wire) == 0)
		{
			column->wire_true = wires[i].yes;
			column->wire_false = wires[i].no;
			return true;
		}
	}
	return false;
}

static bool
read_column(EmuColumn *column, json_t *item)
{
	column->name = json_string_value(json_object_get(item, "name"));
	return name_is_safe(column->name) &&
		read_type(column, json_string_value(json_object_get(item, "type"))) &&
		(column->type != EMU_BOOLEAN ||
		 read_wire(column, json_string_value(json_object_get(item, "wire"))));
}

/*
 * The id a count metric counts: of the columns whose name starts like the
 * metric and ends in "id", the one with the shortest name.
 */
static const EmuColumn *
counted_id(const EmuDataset *dataset, const char *what, size_t length)
{
	const EmuColumn *best = NULL;

	for (int i = 0; i < dataset->plain; i++)
	{
		const char *name = dataset->columns[i].name;
		size_t		n = strlen(name);

		if (n >= length + 2 && strncasecmp(name, what, length) == 0 &&
			strcasecmp(name + n - 2, "id") == 0 &&
			(best == NULL || n < strlen(best->name)))
			best = &dataset->columns[i];
	}
	return best;
}

/*
 * A metric is computed from a plain column if one fits its name (Total<column>,
 * <thing>Count); else its table has one more column, named like the metric.
 */
static void
relate_metric(const EmuDataset *dataset, EmuColumn *metric)
{
	size_t		n = strlen(metric->name);

	if (n > 5 && strcmp(metric->name + n - 5, "Count") == 0)
	{
		metric->metric = EMU_COUNT;
		metric->of = counted_id(dataset, metric->name, n - 5);
	}
	else
	{
		metric->metric = EMU_SUM;
		if (strncmp(metric->name, "Total", 5) == 0)
			metric->of = emu_dataset_column(dataset, metric->name + 5, n - 5);
		if (metric->of && metric->of->type != metric->type)
			metric->of = NULL;
	}
	metric->stored = metric->of == NULL;
	if (metric->stored)
		metric->of = metric;
}

static bool
read_columns(EmuDataset *dataset, json_t *columns, json_t *metrics)
{
	dataset->plain = (int) json_array_size(columns);
	dataset->total = dataset->plain + (int) json_array_size(metrics);
	dataset->columns = calloc((size_t) dataset->total + 1, sizeof(EmuColumn));
	if (dataset->columns == NULL || dataset->plain == 0)
		return false;
	for (int i = 0; i < dataset->total; i++)
	{
		EmuColumn  *column = &dataset->columns[i];

		if (!read_column(column, i < dataset->plain
						 ? json_array_get(columns, (size_t) i)
						 : json_array_get(metrics, (size_t) (i - dataset->plain))))
			return false;
		if (i < dataset->plain)
			column->stored = true;
		else
			relate_metric(dataset, column);
	}
	return true;
}

static bool
read_ranges(EmuDataset *dataset, json_t *ranges)
{
	dataset->nranges = (int) json_array_size(ranges);
	dataset->ranges = calloc((size_t) dataset->nranges + 1, sizeof(char *));
	if (dataset->ranges == NULL)
		return false;
	for (int i = 0; i < dataset->nranges; i++)
	{
		dataset->ranges[i] = json_string_value(json_array_get(ranges, (size_t) i));
		if (!name_is_safe(dataset->ranges[i]))
			return false;
	}
	return true;
}

static bool
read_time_column(EmuDataset *dataset, json_t *item)
{
	const char *name = json_string_value(item);

	if (name == NULL)
		return true;
	dataset->time = emu_dataset_column(dataset, name, strlen(name));
	return dataset->time != NULL && dataset->time->metric == EMU_PLAIN;
}

static void
add_where(EmuText *text, json_t *where)
{
	json_t	   *values = json_object_get(where, "in");
	size_t		i;
	json_t	   *value;

	emu_text_printf(text, " WHERE %s IN (", json_string_value(json_object_get(where, "name")));
	json_array_foreach(values, i, value)
		emu_text_printf(text, "%s'%s'", i ? "," : "", json_string_value(value));
	emu_text_puts(text, ")");
}

static bool
read_system_query(EmuDataset *dataset, json_t *item)
{
	EmuText		text = {0};
	json_t	   *where = json_object_get(item, "where");
	const char *timespan = json_string_value(json_object_get(item, "timespan"));
	size_t		i;
	json_t	   *name;

	dataset->system.id = json_string_value(json_object_get(item, "id"));
	if (dataset->system.id == NULL)
		return true;
	json_array_foreach(json_object_get(item, "columns"), i, name)
		emu_text_printf(&text, "%s%s", i ? "," : "SELECT ", json_string_value(name));
	emu_text_printf(&text, " FROM %s", dataset->name);
	if (where)
		add_where(&text, where);
	if (timespan)
		emu_text_printf(&text, " TIMESPAN %s", timespan);
	dataset->system.text = emu_text_take(&text);
	return dataset->system.text != NULL;
}

/* Is the dataset just as in the original? */
static bool
is_original(const EmuCatalog *original, json_t *item)
{
	size_t		i;
	json_t	   *other;

	if (original == NULL)
		return true;
	json_array_foreach(json_object_get(original->json, "datasets"), i, other)
	{
		if (json_equal(item, other))
			return true;
	}
	return false;
}

static bool
read_dataset(EmuDataset *dataset, json_t *item, int generation)
{
	EmuText		table = {0};

	dataset->program = json_string_value(json_object_get(item, "program"));
	dataset->name = json_string_value(json_object_get(item, "name"));
	dataset->minimum_recurrence =
		(int) json_integer_value(json_object_get(item, "minimum_recurrence_hours"));
	if (!name_is_safe(dataset->program) || !name_is_safe(dataset->name))
		return false;
	emu_text_printf(&table, "%s_%s", dataset->program, dataset->name);
	if (generation > 0)
		emu_text_printf(&table, "_%d", generation);
	dataset->table = emu_text_take(&table);
	return dataset->table != NULL &&
		read_columns(dataset, json_object_get(item, "columns"),
					 json_object_get(item, "metrics")) &&
		read_ranges(dataset, json_object_get(item, "date_ranges")) &&
		read_time_column(dataset, json_object_get(item, "time_column")) &&
		read_system_query(dataset, json_object_get(item, "system_query"));
}

/* Reads all datasets of the document; false with a message in err. */
static bool
read_datasets(EmuCatalog *catalog, const EmuCatalog *original, const char *name,
			  char *err, size_t errsize)
{
	json_t	   *list = json_object_get(catalog->json, "datasets");
	size_t		count = json_array_size(list);

	if (!json_is_array(list))
	{
		snprintf(err, errsize, "could not read catalogue \"%s\": no list of datasets", name);
		return false;
	}
	catalog->datasets = calloc(count + 1, sizeof(EmuDataset));
	catalog->made = calloc(count + 1, sizeof(bool));
	if (catalog->datasets == NULL || catalog->made == NULL)
	{
		snprintf(err, errsize, "out of memory");
		return false;
	}
	while (catalog->count < (int) count)
	{
		int			i = catalog->count++;
		json_t	   *item = json_array_get(list, (size_t) i);

		catalog->datasets[i].made = &catalog->made[i];
		if (read_dataset(&catalog->datasets[i], item,
						 is_original(original, item) ? 0 : catalog->generation))
			continue;
		snprintf(err, errsize, "catalogue \"%s\": dataset number %d is malformed",
				 name, catalog->count);
		return false;
	}
	return true;
}

/* Takes over json, which is NULL if it could not be read. */
static EmuCatalog *
read_catalog(json_t *json, const char *why, const EmuCatalog *original, int generation,
			 const char *name, char *err, size_t errsize)
{
	EmuCatalog *catalog = calloc(1, sizeof(EmuCatalog));

	if (catalog == NULL)
	{
		snprintf(err, errsize, "out of memory");
		json_decref(json);
		return NULL;
	}
	catalog->json = json;
	catalog->generation = generation;
	if (json == NULL)
		snprintf(err, errsize, "could not read catalogue \"%s\": %s", name, why);
	else if (read_datasets(catalog, original, name, err, errsize))
		return catalog;
	emu_catalog_free(catalog);
	return NULL;
}

EmuCatalog *
emu_catalog_load(const char *path, char *err, size_t errsize)
{
	json_error_t why;
	json_t	   *json = json_load_file(path, 0, &why);

	return read_catalog(json, why.text, NULL, 0, path, err, errsize);
}

EmuCatalog *
emu_catalog_parse(const char *text, size_t length, const EmuCatalog *original,
				  int generation, char *err, size_t errsize)
{
	json_error_t why;
	json_t	   *json = json_loadb(text, length, 0, &why);

	return read_catalog(json, why.text, original, generation, "altered", err, errsize);
}

void
emu_catalog_free(EmuCatalog *catalog)
{
	if (catalog == NULL)
		return;
	for (int i = 0; i < catalog->count; i++)
	{
		free(catalog->datasets[i].table);
		free(catalog->datasets[i].columns);
		free(catalog->datasets[i].ranges);
		free(catalog->datasets[i].system.text);
	}
	free(catalog->datasets);
	free(catalog->made);
	json_decref(catalog->json);
	free(catalog);
}

static bool
same_name(const char *name, const char *other, size_t length)
{
	return strlen(name) == length && strncasecmp(name, other, length) == 0;
}

const EmuDataset *
emu_catalog_dataset(const EmuCatalog *catalog, const char *program, const char *name, size_t length)
{
	for (int i = 0; i < catalog->count; i++)
	{
		const EmuDataset *dataset = &catalog->datasets[i];

		if (strcmp(dataset->program, program) == 0 && same_name(dataset->name, name, length))
			return dataset;
	}
	return NULL;
}

const EmuColumn *
emu_dataset_column(const EmuDataset *dataset, const char *name, size_t length)
{
	for (int i = 0; i < dataset->total; i++)
	{
		const char *candidate = dataset->columns[i].name;

		/* Metrics not read yet have no name. */
		if (candidate && same_name(candidate, name, length))
			return &dataset->columns[i];
	}
	return NULL;
}

static json_t *
dataset_json(const EmuDataset *dataset)
{
	json_t	   *columns = json_array();
	json_t	   *metrics = json_array();
	json_t	   *ranges = json_array();
	json_t	   *object;

	for (int i = 0; i < dataset->total; i++)
		json_array_append_new(i < dataset->plain ? columns : metrics,
							  json_string(dataset->columns[i].name));
	for (int i = 0; i < dataset->nranges; i++)
		json_array_append_new(ranges, json_string(dataset->ranges[i]));
	object = json_pack("{s:s, s:o, s:o, s:o}",
					   "datasetName", dataset->name,
					   "selectableColumns", columns,
					   "availableMetrics", metrics,
					   "availableDateRanges", ranges);

	/* Only mpn shows the minimum; 24 hours wherever it was ever published. */
	if (strcmp(dataset->program, "mpn") == 0)
		json_object_set_new(object, "minimumRecurrenceInterval",
							json_integer(dataset->minimum_recurrence
										 ? dataset->minimum_recurrence : 24));
	return object;
}

static char *
dump_and_free(json_t *json)
{
	char	   *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

char *
emu_catalog_json(const EmuCatalog *catalog)
{
	return json_dumps(catalog->json, JSON_COMPACT);
}

char *
emu_catalog_datasets_json(const EmuCatalog *catalog, const char *program, const char *name)
{
	json_t	   *list = json_array();

	for (int i = 0; i < catalog->count; i++)
	{
		const EmuDataset *dataset = &catalog->datasets[i];

		if (strcmp(dataset->program, program) == 0 &&
			(name == NULL || strcasecmp(dataset->name, name) == 0))
			json_array_append_new(list, dataset_json(dataset));
	}
	return dump_and_free(list);
}

char *
emu_catalog_system_json(const EmuCatalog *catalog, const char *program)
{
	json_t	   *list = json_array();

	for (int i = 0; i < catalog->count; i++)
	{
		const EmuDataset *dataset = &catalog->datasets[i];

		if (strcmp(dataset->program, program) != 0 || dataset->system.id == NULL)
			continue;
		json_array_append_new(list,
							  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
										"queryId", dataset->system.id,
										"name", dataset->name,
										"description", "",
										"query", dataset->system.text,
										"type", "system",
										"user", "System",
										"createdTime", "2021-01-01T00:00:00Z"));
	}
	return dump_and_free(list);
}
