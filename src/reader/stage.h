/*-------------------------------------------------------------------------
 *
 * stage.h
 *		Columns of a report that are converted at the same time.
 *
 * Most cells are simple: a short text, a number, a date in its common spelling.
 * These are converted for many rows at once, column by column, so that the
 * processor does the same again and again.  What is not simple is left for its
 * row's turn, unchanged, since it may be an error, which nobody shall see who
 * never asks for that row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_STAGE_H
#define PIN_STAGE_H

#include "access/attnum.h"
#include "nodes/bitmapset.h"
#include "reader/convert.h"

/* How a cell is converted.  In this order. */
typedef enum PinWay
{
	PIN_IN_PLACE,				/* a short text is the value as it stands */
	PIN_QUICK,					/* what is simple is read for many rows */
	PIN_CLEAN,					/* by its type; what fails leaves nothing
								 * behind */
	PIN_GUARDED					/* likewise, but within a subtransaction if
								 * errors are caught */
} PinWay;

#define PIN_WAYS (PIN_GUARDED + 1)

/* One needed column: where it stands in the file and how it is converted. */
typedef struct PinCell
{
	AttrNumber	attnum;			/* of the table's column */
	int			field;			/* number of the file's field, from 0 */
	const char *remote_name;	/* as the header says it */
	PinColumn  *column;			/* conversion */
	PinRunReader quick;			/* reads what is simple, where the way is
								 * QUICK */
	PinWay		way;			/* how */
	bool		not_null;		/* declared so */
	const PinField *same;		/* what an earlier cell took of the same
								 * field, or NULL */
	PinField	text;			/* what was taken of it */
} PinCell;

typedef struct PinStage
{
	PinCell    *cells;			/* the columns, by way */
	int			ncells;			/* their number */
	int			ends[PIN_WAYS]; /* behind the last one of each way */
	int			nstrict;		/* of them, how many are not_null */
	int			first;			/* the first field they are read from */
	int			end;			/* the last one, plus one */
	PinValueRoom *rooms;		/* of each QUICK one, for each row of a run */
	uint64	   *left;			/* of each row of a run, a bit for each cell
								 * that has no value yet */
	int			words;			/* so many of these are a row's */
	Bitmapset  *bad_lines;		/* lines whose bad cells were counted */
} PinStage;

/* Where the values of some rows go: those of the first one, one per attribute. */
typedef struct PinRowValues
{
	Datum	   *values;
	bool	   *isnull;
	int			natts;			/* from one row to the next */
} PinRowValues;

/* Once all cells are there: puts those side by side that go the same way. */
extern void pin_stage_arrange(PinStage *stage);

/*
 * Converts what is simple of n records, at most PIN_CSV_AHEAD, of which this is the
 * first; they are in a map and their fields are found.  Never throws.
 */
extern void pin_stage_convert(PinStage *stage, const PinRecord *record, int n,
							  const PinRowValues *to);

/* Leaves all of a record's cells, as if it were the first of a run. */
extern void pin_stage_leave_all(PinStage *stage);

/* The cells of a row of the run that are left; pin_stage_is_left asks for one. */
static inline const uint64 *
pin_stage_left(const PinStage *stage, int row)
{
	return stage->left + row * stage->words;
}

static inline bool
pin_stage_is_left(const uint64 *left, int cell)
{
	return (left[cell / 64] >> cell % 64 & 1) != 0;
}

#endif							/* PIN_STAGE_H */
