/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		The catalogue of datasets: names, columns, types, ranges.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/catalog.h"

#include <string.h>

#include "insights/ascii.h"

/* Longest name that is compared by distance, bytes. */
#define NAME_MAX_NEAR 128

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

/* How well a local name fits a remote one. */
enum
{
	NO_FIT,
	LIKE,						/* the same but for what does not count */
	SAME_LETTERS,				/* the same but for case */
	EXACT
};

static int
fit(const char *remote, const char *local)
{
	if (!*local || !pin_catalog_same_name(remote, local))
		return NO_FIT;
	return strcmp(remote, local) == 0 ? EXACT :
		pin_ascii_equal(remote, local) ? SAME_LETTERS : LIKE;
}

const PinCatalogDataset *
pin_catalog_dataset(const PinCatalog *catalog, const char *program,
					const char *name)
{
	const PinCatalogDataset *best = NULL;
	int			best_fit = NO_FIT;

	for (size_t i = 0; i < catalog->count && best_fit < EXACT; i++)
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
	int			best_fit = NO_FIT;

	for (size_t i = 0; i < dataset->ncolumns + dataset->nmetrics && best_fit < EXACT; i++)
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

/* The nearest of the names seen so far. */
typedef struct Nearest
{
	char		wanted[NAME_MAX_NEAR + 1];	/* folded; empty: none will do */
	const char *name;			/* NULL: none yet */
	int			limit;			/* what is nearer is less than that away */
} Nearest;

/* A third of the letters may be wrong; more is another word. */
static void
begin_nearest(Nearest *nearest, const char *wanted)
{
	nearest->name = NULL;
	if (!fold(wanted, nearest->wanted))
		nearest->wanted[0] = '\0';
	nearest->limit = (int) strlen(nearest->wanted) / 3 + 2;
}

static void
consider(Nearest *nearest, const char *name)
{
	char		folded[NAME_MAX_NEAR + 1];
	int			this_distance;

	if (nearest->wanted[0] == '\0' || !fold(name, folded))
		return;
	this_distance = distance(nearest->wanted, folded);
	if (this_distance < nearest->limit)
	{
		nearest->name = name;
		nearest->limit = this_distance;
	}
}

const char *
pin_catalog_nearest_dataset(const PinCatalog *catalog, const char *program,
							const char *name)
{
	Nearest		nearest;

	begin_nearest(&nearest, name);
	for (size_t i = 0; i < catalog->count; i++)
		if (pin_ascii_equal(catalog->datasets[i].program, program))
			consider(&nearest, catalog->datasets[i].name);
	return nearest.name;
}

const char *
pin_catalog_nearest_name(const char *const *names, size_t count, const char *name)
{
	Nearest		nearest;

	begin_nearest(&nearest, name);
	for (size_t i = 0; i < count; i++)
		consider(&nearest, names[i]);
	return nearest.name;
}
