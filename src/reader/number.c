/*-------------------------------------------------------------------------
 *
 * number.c
 *		Numbers with a fraction, read straight into the server's form.
 *
 * The form on disk is stable, since databases are upgraded with their files
 * as they are: a header of sixteen bits, then digits to the base of 10000,
 * without zeros at either end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "reader/number.h"

/* The header of a short numeric, in numeric.c called NUMERIC_SHORT_... */
#define SHORT_FORM 0x8000
#define SHORT_NEGATIVE 0x2000
#define SHORT_SCALE_SHIFT 7
#define SHORT_WEIGHT_MASK 0x7F	/* with its sign */

/* One digit of the form, and how many decimal ones it holds. */
#define BASE 10000
#define BASE_DIGITS 4

/* Reads digits up to end or to anything else; returns where it stopped. */
static inline const char *
read_digits(const char *p, const char *end, uint64 *value)
{
	uint64		sum = 0;

	for (; p < end && (unsigned char) (*p - '0') <= 9; p++)
		sum = sum * 10 + (*p - '0');
	*value = sum;
	return p;
}

/* Writes value as n digits, the last one first; returns how many are there. */
static inline int
put_digits(int16 *digits, int n, uint64 value)
{
	for (int i = n - 1; i >= 0; i--)
	{
		digits[i] = value % BASE;
		value /= BASE;
	}
	return n;
}

/* The digits of a number, with zeros at either end. */
typedef struct Digits
{
	int16		digits[2 * PIN_NUMBER_DIGITS / BASE_DIGITS];
	int			count;			/* digits */
	int			weight;			/* of the first one: power of the base */
} Digits;

static inline void
split(Digits *d, uint64 whole, uint64 fraction, int scale)
{
	static const int16 padding[] = {1, 1000, 100, 10};
	int			n = whole == 0 ? 0 : whole < BASE ? 1 :
	whole < BASE * BASE ? 2 : PIN_NUMBER_DIGITS / BASE_DIGITS;

	d->count = put_digits(d->digits, n, whole);
	d->weight = n - 1;
	d->count += put_digits(d->digits + n, (scale + BASE_DIGITS - 1) / BASE_DIGITS,
						   fraction * padding[scale % BASE_DIGITS]);
}

/* Writes the value without the zeros at either end. */
static inline void
compose(PinNumber *number, const Digits *d, bool negative, int scale)
{
	int			first = 0;
	int			last = d->count;
	int			weight;

	while (first < last && d->digits[first] == 0)
		first++;
	while (last > first && d->digits[last - 1] == 0)
		last--;
	weight = first == last ? 0 : d->weight - first;
	number->header = SHORT_FORM | (negative && first < last ? SHORT_NEGATIVE : 0) |
		scale << SHORT_SCALE_SHIFT | (weight & SHORT_WEIGHT_MASK);
	memcpy(number->digits, d->digits + first, (last - first) * sizeof(int16));
	SET_VARSIZE(number, offsetof(PinNumber, digits) + (last - first) * sizeof(int16));
}

bool
pin_number_read(const char *text, size_t len, PinNumber *number)
{
	const char *end = text + len;
	bool		negative = len > 0 && *text == '-';
	const char *p = text + negative;
	const char *point;
	uint64		whole;
	uint64		fraction = 0;
	int			scale = 0;
	Digits		d;

	/* sums of more digits would overflow; a sign and a point make two more */
	if (len > 2 * PIN_NUMBER_DIGITS)
		return false;
	point = read_digits(p, end, &whole);
	if (point == p || point - p > PIN_NUMBER_DIGITS)
		return false;
	if (point < end)
	{
		if (*point != '.')
			return false;
		scale = end - (point + 1);
		if (scale == 0 || scale > PIN_NUMBER_DIGITS ||
			read_digits(point + 1, end, &fraction) != end)
			return false;
	}
	split(&d, whole, fraction, scale);
	compose(number, &d, negative, scale);
	return true;
}
