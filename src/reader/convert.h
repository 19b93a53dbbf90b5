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

/* Conversion prepared for one column. */
typedef struct PinColumn PinColumn;

/* What all columns have, for pin_column_convert. */
typedef struct PinColumnHead
{
	bool		in_place;		/* a short text of ASCII is the value as it
								 * stands */
	bool		free_null;		/* NULL need not be checked */
} PinColumnHead;

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

/* The same as pin_column_convert, for whatever is not as simple. */
extern Datum pin_column_convert_any(PinColumn *column, const PinField *cell, bool *isnull);

/*
 * Converts a field.  The result, unless *isnull, is valid as long as the field's
 * bytes are and until the column's next conversion: it may be in the place of
 * the field, whose byte in front is written over, in the column, or palloc'd in
 * the current context.  Throws if the text is no value of the type (22P02,
 * 22007, 22008, 22003, or the input function's own error), breaks a constraint
 * of a domain, or cannot be expressed in the database's encoding.
 */
static inline Datum
pin_column_convert(PinColumn *column, const PinField *cell, bool *isnull)
{
	const PinColumnHead *head = (PinColumnHead *) column;

	if (cell->len == 0 && !cell->quoted && head->free_null)
	{
		*isnull = true;
		return (Datum) 0;
	}
	/* not empty, and short: its header goes in front of it, where it stands */
	if (head->in_place && cell->ascii &&
		cell->len - 1 < VARATT_SHORT_MAX - VARHDRSZ_SHORT)
	{
		*isnull = false;
		SET_VARSIZE_SHORT(cell->data - VARHDRSZ_SHORT, cell->len + VARHDRSZ_SHORT);
		return PointerGetDatum(cell->data - VARHDRSZ_SHORT);
	}
	return pin_column_convert_any(column, cell, isnull);
}

#endif							/* PIN_CONVERT_H */
