/*-------------------------------------------------------------------------
 *
 * convert.h
 *		From a field's text to a column's datum.
 *
 * What is nothing: an unquoted empty field is NULL for every type.  For types
 * other than strings a quoted empty field is NULL too, and so are blanks alone;
 * blanks around a value do not count.  For strings (text, varchar, char, name,
 * every other type of the string category, and domains over them) a quoted
 * empty field is the empty string, and blanks are text.
 *
 * Dates, times, booleans and whole numbers are read as the service writes them,
 * whatever the session's settings are; see convert.c.  Text, numbers and UUIDs
 * in their common spellings are read directly, to the same values.  Everything
 * else is read by the type's own input function, with the column's modifier.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_CONVERT_H
#define PIN_CONVERT_H

#include "catalog/pg_attribute.h"
#include "compat.h"
#include "reader/csv.h"
#include "reader/number.h"
#include "utils/uuid.h"

/* Conversion prepared for one column. */
typedef struct PinColumn PinColumn;

/* Room for a value that is not passed by value and needs no more. */
typedef union PinValueRoom
{
	PinNumber	number;
	pg_uuid_t	uuid;
} PinValueRoom;

/* A column's fields in records that were found ahead, and where their values go. */
typedef struct PinFieldRun
{
	PinRecord	record;			/* the first one */
	int			n;				/* records, at most PIN_CSV_AHEAD */
	int			field;			/* number of the field in each */
	Datum	   *values;			/* the first one's value */
	bool	   *isnull;			/* whether it is null */
	int			stride;			/* from one value to the next */
	PinValueRoom *rooms;		/* one for each value */
} PinFieldRun;

/*
 * Reads the most common spellings of a column's values, and nothing else: to the
 * same values as pin_column_convert, as long as what was found is kept.  Never
 * throws, and allocates nothing: a value waits for its row's turn.  Returns a bit
 * for each field that it left as it is.
 */
typedef uint32 (*PinRunReader) (PinColumn *column, const PinFieldRun *run);

/*
 * Prepares the conversion for an attribute's type and modifier.  The result is
 * palloc'd in the current context, which must outlive its use.  Throws if the
 * type has no input function.
 */
extern PinColumn *pin_column_create(Form_pg_attribute att);

/*
 * Does an error of the conversion leave nothing behind but memory, so that it
 * can be caught without a subtransaction?  True where only our own code runs,
 * or the server's own for types whose text it merely looks at.
 */
extern bool pin_column_fails_cleanly(const PinColumn *column);

/*
 * Converts a field.  The result, unless *isnull, is valid as long as the field's
 * bytes are and until the column's next conversion: it may be in the place of
 * the field, whose byte in front is written over, in the column, or palloc'd in
 * the current context.  Throws if the text is no value of the type (22P02,
 * 22007, 22008, 22003, or the input function's own error), breaks a constraint
 * of a domain, or cannot be expressed in the database's encoding.
 */
extern Datum pin_column_convert(PinColumn *column, const PinField *cell, bool *isnull);

/* What reads the column's values in a run; NULL: nothing does. */
extern PinRunReader pin_column_run_reader(const PinColumn *column);

/*
 * Is a text of this column, where it is short and valid, the value as it stands?
 * One of ASCII alone is valid; pin_column_is_valid says whether any other is.
 */
extern bool pin_column_is_in_place(const PinColumn *column);
extern bool pin_column_is_valid(const PinColumn *column, const PinField *text);

/* Longest text that is short, bytes. */
#define PIN_TEXT_SHORT_MAX (VARATT_SHORT_MAX - VARHDRSZ_SHORT)

/* A short text as a value: its header goes in front of it, over a byte that is ours. */
static inline Datum
pin_text_in_place(char *text, size_t len)
{
	SET_VARSIZE_SHORT(text - VARHDRSZ_SHORT, len + VARHDRSZ_SHORT);
	return PointerGetDatum(text - VARHDRSZ_SHORT);
}

#endif							/* PIN_CONVERT_H */
