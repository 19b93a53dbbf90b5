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

/* What fills a fraction of so many decimal digits, modulo 4, up to whole ones. */
static const int16 padding[BASE_DIGITS] = {1, 1000, 100, 10};

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
	int			n = whole == 0 ? 0 : whole < BASE ? 1 :
	whole < BASE * BASE ? 2 : PIN_NUMBER_DIGITS / BASE_DIGITS;

	d->count = put_digits(d->digits, n, whole);
	d->weight = n - 1;
	d->count += put_digits(d->digits + n, (scale + BASE_DIGITS - 1) / BASE_DIGITS,
						   fraction * padding[scale % BASE_DIGITS]);
}

/*
 * Writes a value without its zeros at either end, which has no more than one
 * digit before the point and one behind it.
 */
static inline void
compose_short(PinNumber *number, int16 whole, int16 fraction, bool negative, int scale)
{
	int			weight = whole != 0 || fraction == 0 ? 0 : -1;
	int			n = (whole != 0) + (fraction != 0);

	number->header = SHORT_FORM | (negative && n > 0 ? SHORT_NEGATIVE : 0) |
		scale << SHORT_SCALE_SHIFT | (weight & SHORT_WEIGHT_MASK);
	number->digits[0] = whole != 0 ? whole : fraction;
	number->digits[1] = fraction;
	SET_VARSIZE(number, offsetof(PinNumber, digits) + n * sizeof(int16));
}

/* The same of any other. */
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

static bool
read_scalar(const char *text, size_t len, PinNumber *number)
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
	if (whole < BASE && scale <= BASE_DIGITS)
	{
		compose_short(number, whole, fraction * padding[scale % BASE_DIGITS], negative, scale);
		return true;
	}
	split(&d, whole, fraction, scale);
	compose(number, &d, negative, scale);
	return true;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define SSSE3 __attribute__((target("ssse3")))

/* So many digits before the point, and behind it, are read side by side. */
#define HALF 8

/*
 * From digits as they are written to the two halves: those before the point end
 * in the middle, those behind it begin there, and nothing is on either side.
 * For each number of digits before and behind.
 */
#define NOTHING (-1)
#define FRONT(whole, i) ((i) < HALF - (whole) ? NOTHING : (i) - (HALF - (whole)))
#define BACK(whole, scale, i) ((i) < (scale) ? (whole) + 1 + (i) : NOTHING)
#define PLACES(whole, scale) { \
	FRONT(whole, 0), FRONT(whole, 1), FRONT(whole, 2), FRONT(whole, 3), \
	FRONT(whole, 4), FRONT(whole, 5), FRONT(whole, 6), FRONT(whole, 7), \
	BACK(whole, scale, 0), BACK(whole, scale, 1), BACK(whole, scale, 2), BACK(whole, scale, 3), \
	BACK(whole, scale, 4), BACK(whole, scale, 5), BACK(whole, scale, 6), BACK(whole, scale, 7)}
#define SCALES(whole) { \
	PLACES(whole, 0), PLACES(whole, 1), PLACES(whole, 2), PLACES(whole, 3), PLACES(whole, 4), \
	PLACES(whole, 5), PLACES(whole, 6), PLACES(whole, 7), PLACES(whole, 8)}

static const int8 places[HALF + 1][HALF + 1][2 * HALF] = {
	SCALES(0), SCALES(1), SCALES(2), SCALES(3), SCALES(4), SCALES(5), SCALES(6), SCALES(7), SCALES(8)
};

/*
 * Sixteen characters at once, without a branch that depends on how many digits
 * there are: no processor could foresee it.
 */
SSSE3 static bool
read_ssse3(const char *text, size_t len, PinNumber *number)
{
	bool		negative = len > 0 && *text == '-';
	size_t		n = len - negative;
	__m128i		v = _mm_loadu_si128((const __m128i *) (text + negative));
	__m128i		digits = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	__m128i		is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
	uint32		others = ~_mm_movemask_epi8(is_digit) & ((UINT32_C(1) << (n & 31)) - 1);
	uint32		point = others != 0 ? __builtin_ctz(others) : n;
	uint32		scale = n - point - (others != 0);
	uint32		zeros;
	uint64		four;
	int			first;
	int			count;

	if (n == 0 || n > 2 * HALF || (others & (others - 1)) != 0 ||
		point == 0 || point > HALF || scale > HALF ||
		(others != 0 && (scale == 0 || text[negative + point] != '.')))
		return read_scalar(text, len, number);

	/* two digits, four digits, and the four numbers side by side */
	digits = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *) places[point][scale]));
	digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
	digits = _mm_madd_epi16(digits, _mm_set1_epi32(1 << 16 | 100));
	digits = _mm_packs_epi32(digits, digits);
	four = _mm_cvtsi128_si64(digits);
	zeros = _mm_movemask_epi8(_mm_cmpeq_epi16(digits, _mm_setzero_si128())) & 0xFF;
	if (zeros == 0xFF)
	{
		compose_short(number, 0, 0, false, scale);
		return true;
	}
	first = __builtin_ctz(~zeros) / 2;
	count = (31 - __builtin_clz(~zeros & 0xFF)) / 2 + 1 - first;
	four >>= first * 16;
	number->header = SHORT_FORM | (negative ? SHORT_NEGATIVE : 0) |
		scale << SHORT_SCALE_SHIFT | ((HALF / BASE_DIGITS - 1 - first) & SHORT_WEIGHT_MASK);
	memcpy(number->digits, &four, sizeof(four));
	SET_VARSIZE(number, offsetof(PinNumber, digits) + count * sizeof(int16));
	return true;
}

#endif							/* x86 */

PinNumberReader
pin_number_reader_at(int i)
{
	PinNumberReader readers[3] = {NULL};
	int			n = 0;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("ssse3"))
		readers[n++] = read_ssse3;
#endif
	readers[n++] = read_scalar;
	return i < n ? readers[i] : NULL;
}
