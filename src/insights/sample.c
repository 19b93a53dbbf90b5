/*-------------------------------------------------------------------------
 *
 * sample.c
 *		Types of unknown columns, from the first rows of a dataset.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/column_type.h"
#include "insights/query_text.h"
#include "insights/sample.h"

/* A preview's query travels in the address, which cannot hold many names. */
#define COLUMNS_AT_ONCE 40

/* Columns that are asked for together. */
typedef struct Batch
{
	const char *const *columns; /* remote names */
	int			ncolumns;		/* how many */
	const char **types;			/* their types, to be filled */
} Batch;

/* The type of one column from its values in all rows. */
static const char *
guess(const Batch *batch, const PinPreview *preview, int column)
{
	const char *values[PIN_PREVIEW_ROWS];

	for (size_t row = 0; row < preview->nrows; row++)
		values[row] = preview->values[row * preview->ncolumns + column];
	return pin_type_from_values(batch->columns[column], values, preview->nrows);
}

static bool
read_preview(const PinReply *reply, void *arg, PinError *err)
{
	Batch	   *batch = arg;
	PinPreview	preview;

	if (!pin_api_preview_reply(reply, batch->columns, batch->ncolumns, &preview, err))
		return false;
	for (int i = 0; i < batch->ncolumns; i++)
		batch->types[i] = guess(batch, &preview, i);
	pin_api_preview_free(&preview);
	return true;
}

static bool
sample_batch(PinAsker *asker, const char *dataset, const char *timespan,
			 Batch *batch, PinError *err)
{
	PinApiRequest request;
	PinQueryParts parts = {
		.dataset = dataset,.columns = batch->columns,.ncolumns = batch->ncolumns,
		.timespan = timespan
	};
	char	   *text = pin_query_text(&parts, err);
	bool		built;

	if (text == NULL)
		return false;
	built = pin_api_preview(pin_ask_api(asker), text, NULL, NULL, &request, err);
	free(text);
	return built && pin_ask(asker, &request, read_preview, batch, err);
}

bool
pin_sample_types(PinAsker *asker, const char *dataset, const char *timespan,
				 const char *const *columns, int ncolumns,
				 const char **types, PinError *err)
{
	for (int i = 0; i < ncolumns; i += COLUMNS_AT_ONCE)
	{
		Batch		batch = {columns + i, Min(ncolumns - i, COLUMNS_AT_ONCE), types + i};

		if (!sample_batch(asker, dataset, timespan, &batch, err))
			return false;
	}
	return true;
}
