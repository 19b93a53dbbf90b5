/*
 * data.h
 *		Synthetic rows for every dataset.
 *
 * Each value is a function of the seed, the row and the column, so a dataset
 * of any size is made row by row, and the same seed makes the same rows.
 *
 * A dataset with a time column tells of things (subscriptions, customers) over
 * 25 months: the current one and 24 before.  Row i is month i % 25 (0: the
 * current one) of thing i / 25.  Without a time column row i is thing i.
 * Customers, partners and subscriptions are the same in all datasets, so that
 * they can be joined.
 *
 * Where a dataset has metrics and a subscription's id, that id and the time
 * column together are a key: no two rows share them.  Elsewhere one row in 97
 * is a copy of the one before it.
 *
 * Storage: one table <program>_<dataset> per dataset, columns named as the
 * service names them, values as the report file shows them by default:
 *	text, uuid		TEXT
 *	date			TEXT yyyy-mm-dd
 *	timestamptz		TEXT yyyy-mm-ddThh:mm:ssZ
 *	boolean			TEXT, the words of the catalogue ("0"/"1", "Yes"/"No", ...)
 *	bigint			INTEGER
 *	numeric			TEXT, decimal digits without superfluous zeros: exact
 * A metric that no column explains has a column of its own name, with each
 * row's share of the sum.
 */
#ifndef EMU_DATA_H
#define EMU_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog.h"

#define EMU_DATA_MONTHS 25		/* the current month and 24 before */

typedef struct EmuDataOptions
{
	int64_t		rows;
	uint64_t	seed;
	int			today;			/* days since 1970-01-01 */
} EmuDataOptions;

typedef enum EmuValueKind
{
	EMU_VALUE_NULL,
	EMU_VALUE_INTEGER,
	EMU_VALUE_TEXT
} EmuValueKind;

typedef struct EmuValue
{
	EmuValueKind kind;
	int64_t		integer;
	const char *text;
	int			length;
} EmuValue;

typedef struct EmuRows EmuRows;

/*
 * The column that, with the time column, tells rows apart; NULL if there is
 * none.
 */
extern const EmuColumn *emu_data_key(const EmuDataset *dataset);

/* Makes the rows of a dataset; NULL if memory ran out. */
extern EmuRows *emu_rows_open(const EmuDataset *dataset, const EmuDataOptions *options);
extern void emu_rows_close(EmuRows *rows);

/* Stored columns of the dataset in the order of a row's values. */
extern int	emu_rows_width(const EmuRows *rows);
extern const EmuColumn *emu_rows_column(const EmuRows *rows, int i);

/* Row number i; the values are good until the next call. */
extern const EmuValue *emu_rows_make(EmuRows *rows, int64_t i);

#endif							/* EMU_DATA_H */
