/*
 * decimal.h
 *		Decimal numbers as text, in one form each: no sign but '-', no
 *		superfluous zero, no point without digits behind it.
 */
#ifndef EMU_DECIMAL_H
#define EMU_DECIMAL_H

#include <stddef.h>

/* Digits behind the point that sums keep; all data has fewer. */
#define EMU_DECIMAL_SCALE 10

/* Long enough for any number emu_decimal_print writes. */
#define EMU_DECIMAL_MAX 48

__extension__ typedef __int128 EmuDecimal;	/* times 10^EMU_DECIMAL_SCALE */

/* Both texts must be numbers; leading and trailing zeros make no difference. */
extern int	emu_decimal_compare(const char *a, size_t alength, const char *b, size_t blength);

/* Digits beyond the scale are cut off. */
extern EmuDecimal emu_decimal_read(const char *text, size_t length);

/* Writes value / 10^scale into out; returns the length. */
extern int	emu_decimal_print(EmuDecimal value, int scale, char *out);

#endif							/* EMU_DECIMAL_H */
