/*
 * decimal.c
 *		Decimal numbers as text.
 */
#include "decimal.h"

#include <stdbool.h>
#include <string.h>

typedef struct Parts
{
	bool		negative;
	const char *whole;			/* digits before the point, no leading zero */
	size_t		nwhole;
	const char *fraction;		/* digits behind it, no trailing zero */
	size_t		nfraction;
} Parts;

static Parts
split(const char *text, size_t length)
{
	Parts		parts = {0};
	const char *end = text + length;
	const char *point;

	if (text < end && *text == '-')
	{
		parts.negative = true;
		text++;
	}
	while (text < end && *text == '0')
		text++;
	point = memchr(text, '.', (size_t) (end - text));
	parts.whole = text;
	parts.nwhole = (size_t) ((point ? point : end) - text);
	parts.fraction = point ? point + 1 : end;
	while (end > parts.fraction && end[-1] == '0')
		end--;
	parts.nfraction = (size_t) (end - parts.fraction);
	if (parts.nwhole == 0 && parts.nfraction == 0)
		parts.negative = false; /* -0 is 0 */
	return parts;
}

static int
compare_magnitude(const Parts *a, const Parts *b)
{
	size_t		common = a->nfraction < b->nfraction ? a->nfraction : b->nfraction;
	int			result;

	if (a->nwhole != b->nwhole)
		return a->nwhole < b->nwhole ? -1 : 1;
	result = memcmp(a->whole, b->whole, a->nwhole);
	if (result == 0)
		result = memcmp(a->fraction, b->fraction, common);
	if (result == 0 && a->nfraction != b->nfraction)
		result = a->nfraction < b->nfraction ? -1 : 1;
	return result;
}

int
emu_decimal_compare(const char *a, size_t alength, const char *b, size_t blength)
{
	Parts		x = split(a, alength);
	Parts		y = split(b, blength);

	if (x.negative != y.negative)
		return x.negative ? -1 : 1;
	return x.negative ? compare_magnitude(&y, &x) : compare_magnitude(&x, &y);
}

EmuDecimal
emu_decimal_read(const char *text, size_t length)
{
	Parts		parts = split(text, length);
	EmuDecimal	value = 0;

	for (size_t i = 0; i < parts.nwhole; i++)
		value = value * 10 + (parts.whole[i] - '0');
	for (size_t i = 0; i < EMU_DECIMAL_SCALE; i++)
		value = value * 10 + (i < parts.nfraction ? parts.fraction[i] - '0' : 0);
	return parts.negative ? -value : value;
}

int
emu_decimal_print(EmuDecimal value, int scale, char *out)
{
	char		digits[EMU_DECIMAL_MAX];
	char	   *end = digits + sizeof(digits);
	char	   *p = end;
	bool		negative = value < 0;

	if (negative)
		value = -value;
	for (; scale > 0 && value % 10 == 0; scale--)
		value /= 10;			/* no trailing zeros */
	if (scale > 0)
	{
		for (; scale > 0; scale--, value /= 10)
			*--p = (char) ('0' + (int) (value % 10));
		*--p = '.';
	}
	do
	{
		*--p = (char) ('0' + (int) (value % 10));
		value /= 10;
	} while (value != 0);
	if (negative)
		*--p = '-';
	memcpy(out, p, (size_t) (end - p));
	out[end - p] = '\0';
	return (int) (end - p);
}
