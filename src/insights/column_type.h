/*-------------------------------------------------------------------------
 *
 * column_type.h
 *		Which SQL type may hold a column that the catalogue does not know.
 *
 * The service tells no types.  A wrong guess ends scans in errors, so what is
 * not plain is text.  By name (words as in name_words.h):
 *
 *	the last word is Date, or the name is Month		date
 *	the last word is USD							numeric
 *	the last word is Count							bigint
 *	the first of several words is Is				boolean
 *	anything else									text
 *
 * By sample values, if there is any that is not empty, the first type that can
 * hold all of them: uuid; boolean (True/False, Yes/No, Y/N; 0/1 only where the
 * name says so); date (times at midnight only); timestamptz; bigint; numeric;
 * else text.  What is called Id, Key, Code or Number is no number even if it
 * looks like one, nor is anything with a leading zero or plus.
 *
 * Plain C; nothing here fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_COLUMN_TYPE_H
#define PIN_COLUMN_TYPE_H

#include <stddef.h>

/* Name of a type, a constant. */
extern const char *pin_type_from_name(const char *remote);

/* values may hold NULLs; they are count of one column. */
extern const char *pin_type_from_values(const char *remote,
										const char *const *values, size_t count);

#endif							/* PIN_COLUMN_TYPE_H */
