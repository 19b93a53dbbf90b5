/*-------------------------------------------------------------------------
 *
 * analyze.c
 *		ANALYZE of a foreign table: a sample of its report's rows.
 *
 * There is no way to get a few rows only that are worth as much: the preview
 * holds the first ones, which are alike.  So the whole report is fetched, as
 * a scan would, and sampled while it is read once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fdw/fdw.h"
#include "fdw/report.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

/* About the bytes of a row, to tell pages where there are none. */
#define ROW_BYTES 200

/* The sample on its way. */
typedef struct Sample
{
	TupleDesc	tupdesc;		/* the table's row type */
	HeapTuple  *rows;			/* the caller's array */
	int			target;			/* its size */
	int			count;			/* rows in it */
	double		seen;			/* rows read */
	double		skip;			/* rows to pass over; -1: not yet known */
	ReservoirStateData state;	/* of the random choice */
	MemoryContext context;		/* of the rows */
} Sample;

/* Where in the sample the row that was just read goes; -1: nowhere. */
static int
choose_place(Sample *sample)
{
	if (sample->count < sample->target)
		return sample->count++;
	if (sample->skip < 0)
		sample->skip = reservoir_get_next_S(&sample->state, sample->seen, sample->target);
	if (sample->skip-- > 0)
		return -1;
	return (int) (sample->target * sampler_random_fract(&sample->state.randstate));
}

static void
take_row(Sample *sample, Datum *values, bool *isnull)
{
	int			count = sample->count;
	int			place = choose_place(sample);
	MemoryContext old;

	sample->seen++;
	if (place < 0)
		return;
	if (place < count)
	{
		heap_freetuple(sample->rows[place]);
		sample->skip = -1;
	}
	old = MemoryContextSwitchTo(sample->context);
	sample->rows[place] = heap_form_tuple(sample->tupdesc, values, isnull);
	MemoryContextSwitchTo(old);
}

static Bitmapset *
all_columns(TupleDesc tupdesc)
{
	Bitmapset  *columns = NULL;

	for (AttrNumber attnum = 1; attnum <= tupdesc->natts; attnum++)
		columns = bms_add_member(columns, attnum);
	return columns;
}

/* Reads all rows. */
static void
read_rows(Sample *sample, PinRows *rows)
{
	Datum	   *values = palloc(sizeof(Datum) * sample->tupdesc->natts);
	bool	   *isnull = palloc(sizeof(bool) * sample->tupdesc->natts);

	while (pin_rows_next(rows, values, isnull))
	{
		CHECK_FOR_INTERRUPTS();
		take_row(sample, values, isnull);
	}
	pin_rows_close(rows);
}

/* AcquireSampleRowsFunc.  ANALYZE runs as the table's owner. */
static int
acquire_sample(Relation relation, int elevel, HeapTuple *rows, int target,
			   double *totalrows, double *totaldeadrows)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinsight sample",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PinOptions *options = pin_options_scan(RelationGetRelid(relation), GetUserId());
	List	   *plan = pin_plan_table(pin_table_resolve(relation, options));
	PinScanQuery *query = pin_query_of_table(plan);
	PinResolution *resolution = pin_report_begin(relation, GetUserId(), options, plan, query);
	Sample		sample = {.tupdesc = RelationGetDescr(relation),.rows = rows,.target = target};

	sample.skip = -1;
	sample.context = old;
	reservoir_init_selection_state(&sample.state, target);
	pin_report_await(resolution, relation, options, plan, query);
	read_rows(&sample, pin_report_open(relation, sample.tupdesc, options, plan,
									   all_columns(sample.tupdesc), NULL,
									   pin_resolve_snapshot(resolution)));
	pin_report_counted(relation, options, plan, sample.seen);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	*totalrows = sample.seen;
	*totaldeadrows = 0;
	ereport(elevel,
			(errmsg("\"%s\": report contains %.0f rows; %d rows in sample",
					RelationGetRelationName(relation), *totalrows, sample.count)));
	return sample.count;
}

bool
pinsightAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
							BlockNumber *totalpages)
{
	PinOptions *options = pin_options_plan(RelationGetRelid(relation));
	double		rows = pin_plan_rows(relation, options, pin_table_resolve(relation, options));

	*totalpages = (BlockNumber) (rows * ROW_BYTES / BLCKSZ) + 1;
	*func = acquire_sample;
	return true;
}
