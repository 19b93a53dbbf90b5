/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		The catalogue of datasets: names, columns, types, ranges.
 *
 * All strings are borrowed from the parsed document, which the catalogue owns;
 * only the arrays of structs and of pointers are its own.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"
#include "insights/json.h"

struct PinCatalog
{
	PinJson    *document;		/* owns every string */
	PinCatalogDataset *datasets;	/* in the catalogue's order */
	size_t		count;			/* how many */
};

/* Longest name that is compared by distance, bytes. */
#define NAME_MAX_NEAR 128

/* ---- reading ---- */

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
	dataset->system_query_id = pin_json_member_string(system, "id");
	dataset->system_timespan = pin_json_member_string(system, "timespan");

	return read_columns(value, dataset, err) &&
		read_strings(pin_json_member(value, "date_ranges"), &dataset->date_ranges,
					 &dataset->ndate_ranges, dataset->name, err) &&
		read_strings(pin_json_member(system, "columns"), &dataset->system_columns,
					 &dataset->nsystem_columns, dataset->name, err);
}

PinCatalog *
pin_catalog_parse(const char *json, size_t len, PinError *err)
{
	PinCatalog *catalog = calloc(1, sizeof(*catalog));
	const PinJson *datasets;
	size_t		n;

	if (catalog == NULL)
	{
		no_memory(err);
		return NULL;
	}
	catalog->document = pin_json_parse(json, len, "the catalogue of datasets", err);
	if (catalog->document == NULL)
	{
		if (err->kind != PIN_ERROR_OUT_OF_MEMORY)
			err->kind = PIN_ERROR_INTERNAL;
		pin_catalog_free(catalog);
		return NULL;
	}

	datasets = pin_json_member(catalog->document, "datasets");
	n = pin_json_is_array(datasets) ? pin_json_count(datasets) : 0;
	catalog->datasets = calloc(n > 0 ? n : 1, sizeof(*catalog->datasets));
	if (catalog->datasets == NULL)
		no_memory(err);
	else if (n == 0)
		broken(err, NULL, "there is none");
	for (size_t i = 0; i < n && err->kind == PIN_ERROR_NONE; i++)
	{
		/* counted first, so that what it allocates is freed if it fails */
		catalog->count++;
		read_dataset(pin_json_element(datasets, i), &catalog->datasets[i], err);
	}
	if (err->kind == PIN_ERROR_NONE)
		return catalog;
	pin_catalog_free(catalog);
	return NULL;
}

void
pin_catalog_free(PinCatalog *catalog)
{
	if (catalog == NULL)
		return;
	for (size_t i = 0; i < catalog->count; i++)
	{
		free((void *) catalog->datasets[i].columns);
		free((void *) catalog->datasets[i].date_ranges);
		free((void *) catalog->datasets[i].system_columns);
	}
	free(catalog->datasets);
	pin_json_free(catalog->document);
	free(catalog);
}

size_t
pin_catalog_count(const PinCatalog *catalog)
{
	return catalog->count;
}

const PinCatalogDataset *
pin_catalog_at(const PinCatalog *catalog, size_t i)
{
	return i < catalog->count ? &catalog->datasets[i] : NULL;
}

/* ---- matching names ---- */

/* The next character that counts in a comparison, in lower case; moves on. */
static char
next_counting(const char **name)
{
	while (**name == '_' || **name == '(' || **name == ')')
		(*name)++;
	return **name ? pin_ascii_lower(*(*name)++) : '\0';
}

bool
pin_catalog_same_name(const char *a, const char *b)
{
	char		c;

	do
	{
		c = next_counting(&a);
		if (c != next_counting(&b))
			return false;
	} while (c);
	return true;
}

/* How well a local name fits a remote one; 0 is not at all. */
static int
fit(const char *remote, const char *local)
{
	if (strcmp(remote, local) == 0)
		return 3;
	if (pin_ascii_equal(remote, local))
		return 2;
	return *local && pin_catalog_same_name(remote, local) ? 1 : 0;
}

const PinCatalogDataset *
pin_catalog_dataset(const PinCatalog *catalog, const char *program,
					const char *name)
{
	const PinCatalogDataset *best = NULL;
	int			best_fit = 0;

	for (size_t i = 0; i < catalog->count; i++)
	{
		const PinCatalogDataset *dataset = &catalog->datasets[i];
		int			this_fit = fit(dataset->name, name);

		if (this_fit > best_fit && pin_ascii_equal(dataset->program, program))
		{
			best = dataset;
			best_fit = this_fit;
		}
	}
	return best;
}

const PinCatalogColumn *
pin_catalog_column(const PinCatalogDataset *dataset, const char *name)
{
	const PinCatalogColumn *best = NULL;
	int			best_fit = 0;

	for (size_t i = 0; i < dataset->ncolumns + dataset->nmetrics; i++)
	{
		int			this_fit = fit(dataset->columns[i].name, name);

		if (this_fit > best_fit)
		{
			best = &dataset->columns[i];
			best_fit = this_fit;
		}
	}
	return best;
}

bool
pin_catalog_is_usual(const PinCatalogDataset *dataset, const char *column)
{
	for (size_t i = 0; i < dataset->nsystem_columns; i++)
		if (pin_ascii_equal(dataset->system_columns[i], column))
			return true;
	return false;
}

bool
pin_catalog_has_range(const PinCatalogDataset *dataset, const char *timespan)
{
	for (size_t i = 0; i < dataset->ndate_ranges; i++)
		if (pin_ascii_equal(dataset->date_ranges[i], timespan))
			return true;
	return false;
}

/* ---- nearest names ---- */

/* A name's counting characters; false if it is too long to compare. */
static bool
fold(const char *name, char folded[NAME_MAX_NEAR + 1])
{
	size_t		len = 0;
	char		c;

	while ((c = next_counting(&name)) != '\0')
	{
		if (len == NAME_MAX_NEAR)
			return false;
		folded[len++] = c;
	}
	folded[len] = '\0';
	return true;
}

static int
smallest(int a, int b, int c)
{
	int			d = a < b ? a : b;

	return d < c ? d : c;
}

/* How many letters must be added, removed or changed. */
static int
distance(const char *a, const char *b)
{
	int			row[NAME_MAX_NEAR + 1];
	int			nb = (int) strlen(b);

	for (int j = 0; j <= nb; j++)
		row[j] = j;
	for (int i = 1; a[i - 1]; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= nb; j++)
		{
			int			above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1,
							  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

/* The nearest name seen so far. */
typedef struct Nearest
{
	char		wanted[NAME_MAX_NEAR + 1];	/* folded */
	const char *name;			/* NULL: none near enough yet */
	int			distance;		/* its distance, or one more than allowed */
} Nearest;

/* A third of the letters may be wrong; more is another word. */
static bool
start_nearest(Nearest *nearest, const char *wanted)
{
	nearest->name = NULL;
	if (!fold(wanted, nearest->wanted) || nearest->wanted[0] == '\0')
		return false;
	nearest->distance = (int) strlen(nearest->wanted) / 3 + 2;
	return true;
}

static void
consider(Nearest *nearest, const char *name)
{
	char		folded[NAME_MAX_NEAR + 1];
	int			this_distance;

	if (!fold(name, folded))
		return;
	this_distance = distance(nearest->wanted, folded);
	if (this_distance < nearest->distance)
	{
		nearest->name = name;
		nearest->distance = this_distance;
	}
}

const char *
pin_catalog_nearest_dataset(const PinCatalog *catalog, const char *program,
							const char *name)
{
	Nearest		nearest;

	if (!start_nearest(&nearest, name))
		return NULL;
	for (size_t i = 0; i < catalog->count; i++)
		if (pin_ascii_equal(catalog->datasets[i].program, program))
			consider(&nearest, catalog->datasets[i].name);
	return nearest.name;
}

const char *
pin_catalog_nearest_column(const PinCatalogDataset *dataset, const char *name)
{
	Nearest		nearest;

	if (!start_nearest(&nearest, name))
		return NULL;
	for (size_t i = 0; i < dataset->ncolumns + dataset->nmetrics; i++)
		consider(&nearest, dataset->columns[i].name);
	return nearest.name;
}
