/*-------------------------------------------------------------------------
 *
 * stage.c
 *		Columns of a report that are converted at the same time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "reader/stage.h"

StaticAssertDecl(PIN_CSV_AHEAD <= 32, "a run has a bit for each record");

static int
compare_ways(const void *a, const void *b)
{
	const PinCell *x = a;
	const PinCell *y = b;

	return x->way != y->way ? (int) x->way - (int) y->way : x->attnum - y->attnum;
}

void
pin_stage_arrange(PinStage *stage)
{
	int			nquick;

	qsort(stage->cells, stage->ncells, sizeof(PinCell), compare_ways);
	for (int i = 0; i < stage->ncells; i++)
	{
		for (int way = stage->cells[i].way; way < PIN_WAYS; way++)
			stage->ends[way] = i + 1;
	}
	nquick = stage->ends[PIN_QUICK] - stage->ends[PIN_IN_PLACE];
	stage->rooms = palloc(PIN_CSV_AHEAD * nquick * sizeof(PinValueRoom));
	stage->words = (stage->ncells + 63) / 64;
	stage->left = palloc(PIN_CSV_AHEAD * stage->words * sizeof(uint64));
}

static inline void
leave(PinStage *stage, int row, int cell)
{
	stage->left[row * stage->words + cell / 64] |= UINT64_C(1) << cell % 64;
}

void
pin_stage_leave_all(PinStage *stage)
{
	memset(stage->left, 0xFF, stage->words * sizeof(uint64));
}

/*
 * A text with nothing but ASCII in it and no doubled quotes.  False: it has to be
 * left.  One that is not there gets a header, too, and quotes are taken off without
 * asking for them: there is no branch that no processor could foresee.
 *
 * It is what pin_csv_raw_field and pin_text_in_place do, in fewer steps.
 */
static pg_attribute_always_inline bool
convert_plain(char *origin, const uint32_t *ends, const PinCell *cell, Datum *values, bool *isnull)
{
	int			i = cell->attnum - 1;
	int32		before = ends[cell->field - 1]; /* where the header goes */
	uint32		size = ends[cell->field] - before;	/* with it */
	char	   *text = origin + before;
	bool		quoted = text[1] == '"';

	isnull[i] = size == VARHDRSZ_SHORT;
	text += quoted;
	size -= 2 * quoted;
	if (size > VARATT_SHORT_MAX)
		return false;
	SET_VARSIZE_SHORT(text, size);
	values[i] = PointerGetDatum(text);
	return true;
}

/* A text in whose blocks there are marks, at least one.  False: it has to be left. */
static pg_noinline bool
convert_odd(const PinRecord *record, const PinCell *cell, int marks, Datum *values, bool *isnull)
{
	int			i = cell->attnum - 1;
	PinField	text;

	pin_csv_raw_field(record, cell->field, &text);
	if (text.len > PIN_TEXT_SHORT_MAX ||
		((marks & PIN_MAP_WIDE) != 0 && !pin_column_is_valid(cell->column, &text)))
		return false;
	if ((marks & PIN_MAP_DOUBLED) != 0 && text.quoted)
		pin_csv_unescape(&text);
	values[i] = pin_text_in_place(text.data, text.len);
	isnull[i] = text.len == 0 && !text.quoted;
	return true;
}

/* The texts of a row.  In most rows there are no marks anywhere. */
static inline void
convert_texts(PinStage *stage, const PinRecord *record, int row, Datum *values, bool *isnull)
{
	bool		odd = pin_csv_marks(record, stage->first, stage->end) != 0;
	const PinCell *end = stage->cells + stage->ends[PIN_IN_PLACE];
	const uint32_t *ends = record->ends;
	char	   *origin = record->origin;
	int			marks;

	for (const PinCell *cell = stage->cells; cell < end; cell++)
	{
		if (odd && (marks = pin_csv_marks(record, cell->field, cell->field + 1)) != 0 ?
			!convert_odd(record, cell, marks, values, isnull) :
			!convert_plain(origin, ends, cell, values, isnull))
			leave(stage, row, cell - stage->cells);
	}
}

/* A column's values. */
static inline void
convert_column(PinStage *stage, const PinRecord *record, int n, int i, const PinRowValues *to)
{
	const PinCell *cell = &stage->cells[i];
	PinFieldRun run = {
		.record = *record,
		.n = n,
		.field = cell->field,
		.values = to->values + cell->attnum - 1,
		.isnull = to->isnull + cell->attnum - 1,
		.stride = to->natts,
		.rooms = stage->rooms + (i - stage->ends[PIN_IN_PLACE]) * PIN_CSV_AHEAD
	};

	for (uint32 left = cell->quick(cell->column, &run); left != 0; left &= left - 1)
		leave(stage, pg_rightmost_one_pos32(left), i);
}

void
pin_stage_convert(PinStage *stage, const PinRecord *record, int n, const PinRowValues *to)
{
	PinRecord	r = *record;

	memset(stage->left, 0, n * stage->words * sizeof(uint64));
	for (int i = stage->ends[PIN_IN_PLACE]; i < stage->ends[PIN_QUICK]; i++)
		convert_column(stage, record, n, i, to);
	if (stage->ncells == stage->ends[PIN_QUICK] && stage->ends[PIN_IN_PLACE] == 0)
		return;					/* all are QUICK */
	for (int row = 0; row < n; row++)
	{
		convert_texts(stage, &r, row, to->values + row * to->natts, to->isnull + row * to->natts);
		for (int i = stage->ends[PIN_QUICK]; i < stage->ncells; i++)
			leave(stage, row, i);
		pin_csv_step(&r, 1);
	}
}
