/*-------------------------------------------------------------------------
 *
 * number.c
 *		Readers of numbers against the definition, with every number of digits on
 *		both sides of the point, and with what is no number.
 *
 *-------------------------------------------------------------------------
 */
#include "tap.h"				/* before the server's own printf */

#include "postgres.h"

#include "compat.h"
#include "reader/number.h"

#undef sprintf					/* the server is not linked */

/* Takes digits from the front of a text; returns how many. */
static int
take_digits(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	return *p - start;
}

/* The definition: a sign, digits, and perhaps a point with digits behind it. */
static bool
is_number(const char *text, size_t len)
{
	const char *end = text + len;
	const char *p = text + (len > 0 && *text == '-');
	int			whole = take_digits(&p, end);
	int			scale = 0;

	if (p < end && *p == '.')
	{
		p++;
		scale = take_digits(&p, end);
		if (scale == 0)
			return false;
	}
	return p == end && whole > 0 && whole <= PIN_NUMBER_DIGITS && scale <= PIN_NUMBER_DIGITS &&
		len <= 2 * PIN_NUMBER_DIGITS;
}

/* The text of a number, without zeros before it and without a sign of zero. */
static void
normalize(const char *text, size_t len, char *out)
{
	bool		negative = *text == '-';

	text += negative;
	len -= negative;
	if (negative && strspn(text, "0.") < len)
		*out++ = '-';
	for (; len > 1 && *text == '0' && text[1] != '.'; len--)
		text++;
	memcpy(out, text, len);
	out[len] = '\0';
}

/* The digit with that power of the base. */
static int
digit_at(const PinNumber *number, int count, int weight, int power)
{
	int			i = weight - power;

	return i >= 0 && i < count ? number->digits[i] : 0;
}

/* Spells a value; false if it is not as the server would have it. */
static bool
spell(const PinNumber *number, char *out)
{
	int			count = (VARSIZE(number) - offsetof(PinNumber, digits)) / sizeof(int16);
	int			weight = (number->header & 0x3F) - (number->header & 0x40);
	int			scale = number->header >> 7 & 0x3F;
	bool		negative = (number->header & 0x2000) != 0;
	char		text[200];
	size_t		n = 0;
	size_t		zeros;

	for (int power = weight > 0 ? weight : 0; power >= 0; power--)
		n += sprintf(text + n, "%04d", digit_at(number, count, weight, power));
	zeros = strspn(text, "0");
	if (zeros == n)
		zeros--;
	out += sprintf(out, "%s%s", negative ? "-" : "", text + zeros);
	n = 0;
	for (int power = -1; power >= -(PIN_NUMBER_DIGITS / 4); power--)
		n += sprintf(text + n, "%04d", digit_at(number, count, weight, power));
	sprintf(out, "%s%.*s", scale > 0 ? "." : "", scale, text);

	return (number->header & 0xC000) == 0x8000 &&
		(count == 0 ? weight == 0 && !negative :
		 number->digits[0] != 0 && number->digits[count - 1] != 0);
}

/* On text behind which there is no more memory than a reader may look at. */
static bool
agrees(PinNumberReader reader, const char *text, size_t len)
{
	char	   *exact = malloc(len + PIN_NUMBER_SLACK);
	PinNumber	number;
	char		expected[100];
	char		got[100];
	bool		same;

	if (exact == NULL)
		abort();
	memcpy(exact, text, len);
	memset(exact + len, '7', PIN_NUMBER_SLACK);
	same = reader(exact, len, &number) == is_number(text, len);
	if (same && is_number(text, len))
	{
		normalize(text, len, expected);
		same = spell(&number, got) && strcmp(got, expected) == 0;
	}
	free(exact);
	return same;
}

/* Writes digits: zeros, nines or any. */
static int
put_digits(char *out, int n)
{
	int			kind = rand() % 4;

	for (int i = 0; i < n; i++)
		out[i] = kind == 0 ? '0' : kind == 1 ? '9' : '0' + rand() % 10;
	return n;
}

/* Makes a number up, with a point if scale is not negative. */
static int
make_up(char *out, bool negative, int whole, int scale)
{
	int			n = 0;

	if (negative)
		out[n++] = '-';
	n += put_digits(out + n, whole);
	if (scale >= 0)
	{
		out[n++] = '.';
		n += put_digits(out + n, scale);
	}
	out[n] = '\0';
	return n;
}

/* How many texts with so many digits a reader does not read as it should. */
static int
count_bad(PinNumberReader reader, bool negative, int whole, int scale)
{
	static const char others[] = ".-+eN/: ,\"\xB0";
	char		text[2 * PIN_NUMBER_DIGITS + 8];
	int			bad = 0;

	for (int i = 0; i < 20; i++)
	{
		int			n = make_up(text, negative, whole, scale);

		bad += !agrees(reader, text, n);
		if (n == 0)
			continue;
		text[rand() % n] = others[rand() % (sizeof(others) - 1)];
		bad += !agrees(reader, text, n);
	}
	return bad;
}

int
main(void)
{
	PinNumberReader reader;

	srand(7);
	for (int k = 0; (reader = pin_number_reader_at(k)) != NULL; k++)
	{
		for (int negative = 0; negative <= 1; negative++)
		{
			int			bad = 0;

			for (int whole = 0; whole <= PIN_NUMBER_DIGITS + 1; whole++)
				for (int scale = -1; scale <= PIN_NUMBER_DIGITS + 1; scale++)
					bad += count_bad(reader, negative, whole, scale);
			is_int(bad, 0, "reader %d: %s", k, negative ? "with a sign" : "without one");
		}
	}
	ok(pin_number_reader_at(0) != NULL, "there is a reader");
	return done_testing();
}
