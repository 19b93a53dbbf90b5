/*-------------------------------------------------------------------------
 *
 * uuid_text.c
 *		UUIDs in their usual spelling: 8-4-4-4-12 hexadecimal digits.
 *
 *-------------------------------------------------------------------------
 */
#include "reader/uuid_text.h"

#include <stddef.h>

static inline bool
has_hyphens(const char *text)
{
	return text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

/* What a hexadecimal digit stands for, marked; 0: it is none. */
#define HEX_MARK 0x10
#define HEX(value) (HEX_MARK | (value))

static const uint8_t hex_values[256] = {
	['0'] = HEX(0), HEX(1), HEX(2), HEX(3), HEX(4), HEX(5), HEX(6), HEX(7), HEX(8), HEX(9),
	['A'] = HEX(10), HEX(11), HEX(12), HEX(13), HEX(14), HEX(15),
	['a'] = HEX(10), HEX(11), HEX(12), HEX(13), HEX(14), HEX(15)
};

static bool
read_scalar(const char *text, uint8_t *uuid)
{
	/* where the digits of each byte stand */
	static const uint8_t places[PIN_UUID_BYTES] =
	{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
	uint8_t		marks = HEX_MARK;

	if (!has_hyphens(text))
		return false;
	for (int i = 0; i < PIN_UUID_BYTES; i++)
	{
		uint8_t		high = hex_values[(unsigned char) text[places[i]]];
		uint8_t		low = hex_values[(unsigned char) text[places[i] + 1]];

		marks &= high & low;
		uuid[i] = (uint8_t) (high << 4) | (low & 0x0F);
	}
	return marks != 0;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define SSSE3 __attribute__((target("ssse3")))

/* What sixteen digits stand for; *good loses the bits of those that are none. */
SSSE3 static inline __m128i
values(__m128i digits, __m128i *good)
{
	__m128i		number = _mm_sub_epi8(digits, _mm_set1_epi8('0'));
	__m128i		letter = _mm_sub_epi8(_mm_or_si128(digits, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i		is_number = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
	__m128i		is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);

	*good = _mm_and_si128(*good, _mm_or_si128(is_number, is_letter));
	return _mm_or_si128(_mm_and_si128(is_number, number),
						_mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));
}

SSSE3 static bool
read_ssse3(const char *text, uint8_t *uuid)
{
	/* three overlapping parts: bytes 0 to 15, 16 to 31, 20 to 35 */
	__m128i		a = _mm_loadu_si128((const __m128i *) text);
	__m128i		b = _mm_loadu_si128((const __m128i *) (text + 16));
	__m128i		c = _mm_loadu_si128((const __m128i *) (text + 20));
	__m128i		first =
	_mm_or_si128(_mm_shuffle_epi8(a, _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, -1, -1)),
				 _mm_shuffle_epi8(b, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1)));
	__m128i		second =
	_mm_or_si128(_mm_shuffle_epi8(b, _mm_setr_epi8(3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1)),
				 _mm_shuffle_epi8(c, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 13, 14, 15)));
	__m128i		good = _mm_set1_epi8(-1);
	__m128i		pairs = _mm_set1_epi16(0x0110); /* 16 times the first, and the
												 * second */

	first = _mm_maddubs_epi16(values(first, &good), pairs);
	second = _mm_maddubs_epi16(values(second, &good), pairs);
	_mm_storeu_si128((__m128i *) uuid, _mm_packus_epi16(first, second));
	return _mm_movemask_epi8(good) == 0xFFFF && has_hyphens(text);
}

#endif							/* x86 */

PinUuidReader
pin_uuid_reader_at(int i)
{
	PinUuidReader readers[3] = {NULL};
	int			n = 0;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("ssse3"))
		readers[n++] = read_ssse3;
#endif
	readers[n++] = read_scalar;
	return i < n ? readers[i] : NULL;
}
