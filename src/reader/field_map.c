/*-------------------------------------------------------------------------
 *
 * field_map.c
 *		Where the fields of a text end, found 64 bytes at a time.
 *
 * A kernel compares 64 bytes with the few that matter, which gives a bit for
 * each byte; all the rest is arithmetic on such words and the same for every
 * kernel.  Whether a byte is within quotes is the parity of the quotes before
 * it.  That is true only as long as each quote is where the format wants it:
 * an opening one at the beginning of a field, a closing one at its end; a
 * doubled one looks like a closing and an opening one side by side.  This is
 * looked at for each quote, so the first one that is elsewhere is noticed and
 * the map ends before its record.
 *
 *-------------------------------------------------------------------------
 */
#include "reader/field_map.h"

#include <stdlib.h>
#include <string.h>

#include "text_block.h"

_Static_assert(PIN_MAP_BLOCK == TEXT_BLOCK, "a map is made block by block");

/* Records there is room for in each block, on average. */
#define BLOCK_RECORDS 4

typedef uint32_t (*Lowest) (uint64_t bits);

/* Where a walk over a text has got to. */
typedef struct Walk
{
	const char *text;			/* all of it */
	size_t		len;			/* its bytes */
	Carry		carry;			/* to the next block */
	size_t		ends;			/* ends of fields so far */
	size_t		due;			/* of these there have to be so many at the
								 * next line feed */
	size_t		inner;			/* line feeds in quotes so far */
} Walk;

/*
 * Takes from the bytes behind closing quotes those that begin a line end of
 * two bytes.
 */
static uint64_t
without_line_ends(const Walk *walk, size_t offset, uint64_t bits)
{
	uint64_t	left = bits;

	for (; bits != 0; bits &= bits - 1)
	{
		size_t		at = offset + __builtin_ctzll(bits);

		if (at + 1 < walk->len && walk->text[at] == '\r' && walk->text[at + 1] == '\n')
			left &= ~(bits & -bits);
	}
	return left;
}

/* A bit for each zero byte of a block of n bytes. */
static uint64_t
zero_bytes(const char *text, size_t n)
{
	uint64_t	bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= (uint64_t) (text[i] == '\0') << i;
	return bits;
}

/*
 * Takes note of the records that end in a block.  False: one is of other width,
 * or has no room.
 */
ALWAYS_INLINE bool
end_records(PinFieldMap *map, Walk *walk, size_t offset, uint64_t newlines,
			uint64_t ends, uint64_t inner, int fields)
{
	for (; newlines != 0; newlines &= newlines - 1)
	{
		uint64_t	before = below(newlines);

		if (walk->ends + __builtin_popcountll(ends & before) + 1 != walk->due)
			return false;
		map->full = map->rows == map->room;
		if (map->full)
			return false;
		walk->due += fields;
		map->len = offset + __builtin_ctzll(newlines) + 1;
		map->records[++map->rows] = (uint32_t) map->len;
		map->inner = walk->inner;
		if (inner != 0)
			map->inner += __builtin_popcountll(inner & before);
	}
	return true;
}

/* One block, of n bytes that count.  False: the map ends in it. */
ALWAYS_INLINE bool
walk_block(PinFieldMap *map, Walk *walk, size_t offset, size_t n, Block block,
		   int fields, Prefix prefix)
{
	size_t		i = offset / PIN_MAP_BLOCK;
	Outline		o = outline(block, &walk->carry, prefix);
	uint64_t	newlines = block.newline & ~o.inside;
	uint64_t	inner = block.newline & o.inside;

	map->marks[i] = (block.wide ? PIN_MAP_WIDE : 0) |
		((o.behind & o.opening) != 0 ? PIN_MAP_DOUBLED : 0);
	if (__builtin_expect((o.astray | o.bad) != 0 || block.zero, 0))
	{
		if (n < PIN_MAP_BLOCK)
			o.astray &= (UINT64_C(1) << n) - 1;
		o.bad |= without_line_ends(walk, offset, o.astray);
		if (block.zero)
			o.bad |= zero_bytes(walk->text + offset, n);
	}
	if (__builtin_expect(o.bad != 0, 0))
	{
		o.ends &= below(o.bad);
		newlines &= below(o.bad);
	}

	map->ends[i] = o.ends;
	if (!end_records(map, walk, offset, newlines, o.ends, inner, fields) || o.bad != 0)
		return false;
	walk->ends += __builtin_popcountll(o.ends);
	if (inner != 0)
		walk->inner += __builtin_popcountll(inner);
	walk->carry = carry_on(&o);
	return true;
}

/* Forgets what was found. */
static void
begin(PinFieldMap *map)
{
	map->len = map->rows = map->inner = 0;
	map->records[0] = 0;
	map->full = map->stuck = false;
}

ALWAYS_INLINE void
fill(PinFieldMap *map, const char *text, size_t len, char delimiter, int fields,
	 Classify classify, Prefix prefix)
{
	Walk		walk = {.text = text,.len = len,.carry.opens_well = 1,.due = fields};
	size_t		offset;

	begin(map);
	for (offset = 0; len - offset >= PIN_MAP_BLOCK && !map->stuck; offset += PIN_MAP_BLOCK)
		map->stuck = !walk_block(map, &walk, offset, PIN_MAP_BLOCK,
								 classify(text + offset, delimiter), fields, prefix);
	if (offset < len && !map->stuck)
	{
		char		rest[PIN_MAP_BLOCK];

		memset(rest, ' ', sizeof(rest));
		memcpy(rest, text + offset, len - offset);
		map->stuck = !walk_block(map, &walk, offset, len - offset,
								 classify(rest, delimiter), fields, prefix);
	}
	map->stuck &= !map->full;
}

/*
 * Eight bits are taken at a time: more than most blocks have, so that how many
 * there are need not be asked before.
 */
#define TAKE(i) (ends[done + (i)] = base + lowest(bits), bits &= bits - 1)

/* Blocks before the one in which the first field begins are only counted. */
ALWAYS_INLINE void
find(const PinFieldMap *map, size_t record, int first, int n, uint32_t *ends, Lowest lowest)
{
	size_t		start = map->records[record];
	const uint64_t *word = &map->ends[start / PIN_MAP_BLOCK];
	uint32_t	base = (uint32_t) (start - start % PIN_MAP_BLOCK);
	uint64_t	bits = *word & ~UINT64_C(0) << start % PIN_MAP_BLOCK;
	int			count;

	for (; (count = __builtin_popcountll(bits)) < first; first -= count, n -= count, ends += count)
	{
		bits = *++word;
		base += PIN_MAP_BLOCK;
	}
	for (;;)
	{
		for (int done = 0; done < count; done += 8)
		{
			TAKE(0), TAKE(1), TAKE(2), TAKE(3);
			TAKE(4), TAKE(5), TAKE(6), TAKE(7);
		}
		if (count >= n)
			return;
		n -= count;
		ends += count;
		bits = *++word;
		base += PIN_MAP_BLOCK;
		count = __builtin_popcountll(bits);
	}
}

/* All fields of several records: they follow one another like those of one. */
ALWAYS_INLINE void
find_all(const PinFieldMap *map, size_t record, size_t n, uint32_t *ends, Lowest lowest)
{
	size_t		start = map->records[record];
	const uint64_t *word = &map->ends[start / PIN_MAP_BLOCK];
	uint32_t	base = (uint32_t) (start - start % PIN_MAP_BLOCK);
	uint64_t	bits = *word & ~UINT64_C(0) << start % PIN_MAP_BLOCK;
	const uint32_t *end = ends + n;

	for (;;)
	{
		int			count = __builtin_popcountll(bits);

		for (int done = 0; done < count; done += 8)
		{
			TAKE(0), TAKE(1), TAKE(2), TAKE(3);
			TAKE(4), TAKE(5), TAKE(6), TAKE(7);
		}
		ends += count;
		if (ends >= end)
			return;
		bits = *++word;
		base += PIN_MAP_BLOCK;
	}
}

/* Number of the lowest bit that is set; anything if there is none. */
ALWAYS_INLINE uint32_t
lowest_anywhere(uint64_t bits)
{
	return bits != 0 ? (uint32_t) __builtin_ctzll(bits) : 0;
}

/* ---- UTF-8, byte by byte ---- */

/* Length of the character that starts at p, 0 if there is none. */
static inline size_t
character(const unsigned char *p, const unsigned char *end)
{
	size_t		n = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;

	if ((size_t) (end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	if ((*p == 0xE0 && p[1] < 0xA0) ||	/* overlong */
		(*p == 0xED && p[1] > 0x9F) ||	/* surrogates */
		(*p == 0xF0 && p[1] < 0x90) ||	/* overlong */
		(*p == 0xF4 && p[1] > 0x8F))	/* beyond U+10FFFF */
		return 0;
	return n;
}

static bool
is_utf8_scalar(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + len;

	while (p < end)
	{
		size_t		n = character(p, end);

		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

/*
 * UTF-8 sixteen bytes at a time, by three look-ups (J. Keiser, D. Lemire,
 * "Validating UTF-8 in less than one instruction per byte").  Each looks at a
 * half of a byte: the two of the byte before, and the upper one of the byte
 * itself.  A bit names a mistake that a pair of bytes can be; it remains only
 * if all three halves fit.
 */
#define TOO_SHORT 0x01			/* a lead byte, and no continuation */
#define TOO_LONG 0x02			/* ASCII, and a continuation */
#define OVERLONG_3 0x04			/* E0 and less than A0 */
#define TOO_LARGE 0x08			/* F4 and 90 or more, or F5 and more */
#define SURROGATE 0x10			/* ED and A0 or more */
#define OVERLONG_2 0x20			/* C0 or C1 */
#define TOO_LARGE_1000 0x40		/* F5 and more, and 80 to 8F */
#define OVERLONG_4 0x40			/* F0 and less than 90 */
#define TWO_CONTS 0x80			/* two continuations: fine if a third byte */
#define CARRY (TOO_SHORT | TOO_LONG | TWO_CONTS)
#define LARGE (TOO_LARGE | TOO_LARGE_1000)

#if defined(__x86_64__) || defined(__aarch64__)
static const uint8_t upper_of_first[16] = {
	TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
	TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
	TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
	TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4
};
static const uint8_t lower_of_first[16] = {
	CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY,
	CARRY | TOO_LARGE, CARRY | LARGE, CARRY | LARGE, CARRY | LARGE,
	CARRY | LARGE, CARRY | LARGE, CARRY | LARGE, CARRY | LARGE,
	CARRY | LARGE, CARRY | LARGE | SURROGATE, CARRY | LARGE, CARRY | LARGE
};
static const uint8_t upper_of_second[16] = {
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
	TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
	TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
	TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
	TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT
};
#endif

/* ---- eight bytes at a time, anywhere ---- */

static void
fill_scalar(PinFieldMap *map, const char *text, size_t len, char delimiter, int fields)
{
	fill(map, text, len, delimiter, fields, classify_scalar, prefix_by_shifts);
}

static void
find_scalar(const PinFieldMap *map, size_t record, int first, int n, uint32_t *ends)
{
	find(map, record, first, n, ends, lowest_anywhere);
}

static void
find_all_scalar(const PinFieldMap *map, size_t record, size_t n, uint32_t *ends)
{
	find_all(map, record, n, ends, lowest_anywhere);
}

static const PinMapKernel scalar = {
	"scalar", fill_scalar, find_scalar, find_all_scalar, is_utf8_scalar
};

/* ---- x86 ---- */

#if defined(__x86_64__)

static void
fill_sse2(PinFieldMap *map, const char *text, size_t len, char delimiter, int fields)
{
	fill(map, text, len, delimiter, fields, classify_sse2, prefix_by_shifts);
}

static const PinMapKernel sse2 = {"sse2", fill_sse2, find_scalar, find_all_scalar, is_utf8_scalar};

AVX2 static void
fill_avx2(PinFieldMap *map, const char *text, size_t len, char delimiter, int fields)
{
	fill(map, text, len, delimiter, fields, classify_avx2, prefix_avx2);
}

AVX2		ALWAYS_INLINE uint32_t
lowest_avx2(uint64_t bits)
{
	return (uint32_t) _tzcnt_u64(bits);
}

AVX2 static void
find_avx2(const PinFieldMap *map, size_t record, int first, int n, uint32_t *ends)
{
	find(map, record, first, n, ends, lowest_avx2);
}

AVX2 static void
find_all_avx2(const PinFieldMap *map, size_t record, size_t n, uint32_t *ends)
{
	find_all(map, record, n, ends, lowest_avx2);
}

AVX2		ALWAYS_INLINE __m128i
upper_half(__m128i v)
{
	return _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0F));
}

AVX2		ALWAYS_INLINE __m128i
look_up(const uint8_t *table, __m128i halves)
{
	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) table), halves);
}

/* Mistakes in v, which follows before. */
AVX2		ALWAYS_INLINE __m128i
mistakes_avx2(__m128i v, __m128i before)
{
	__m128i		one = _mm_alignr_epi8(v, before, 15);
	__m128i		two = _mm_alignr_epi8(v, before, 14);
	__m128i		three = _mm_alignr_epi8(v, before, 13);
	__m128i		pairs = look_up(upper_of_first, upper_half(one));

	/* third and fourth bytes of a character have to be continuations */
	__m128i		third = _mm_subs_epu8(two, _mm_set1_epi8(0xE0 - 0x80));
	__m128i		fourth = _mm_subs_epu8(three, _mm_set1_epi8(0xF0 - 0x80));

	pairs = _mm_and_si128(pairs, look_up(lower_of_first, _mm_and_si128(one, _mm_set1_epi8(0x0F))));
	pairs = _mm_and_si128(pairs, look_up(upper_of_second, upper_half(v)));
	return _mm_xor_si128(pairs, _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8(-128)));
}

/* From so many bytes before its middle on: a mask of so many first bytes. */
static const uint8_t first_bytes[32] = {
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
};

AVX2 static bool
is_utf8_avx2(const char *text, size_t len)
{
	__m128i		before = _mm_setzero_si128();
	__m128i		bad = _mm_setzero_si128();
	__m128i		v;

	for (; len >= 16; text += 16, len -= 16)
	{
		v = _mm_loadu_si128((const __m128i *) text);
		bad = _mm_or_si128(bad, mistakes_avx2(v, before));
		before = v;
	}

	/*
	 * a character that is cut off is seen by the zero in place of what
	 * follows
	 */
	v = _mm_and_si128(_mm_loadu_si128((const __m128i *) text),
					  _mm_loadu_si128((const __m128i *) (first_bytes + 16 - len)));
	bad = _mm_or_si128(bad, mistakes_avx2(v, before));
	return _mm_testz_si128(bad, bad);
}

static const PinMapKernel avx2 = {"avx2", fill_avx2, find_avx2, find_all_avx2, is_utf8_avx2};

#endif							/* x86 */

/* ---- ARM ---- */

#if defined(__aarch64__)

static void
fill_neon(PinFieldMap *map, const char *text, size_t len, char delimiter, int fields)
{
	fill(map, text, len, delimiter, fields, classify_neon, prefix_by_shifts);
}

/* Mistakes in v, which follows before. */
ALWAYS_INLINE uint8x16_t
mistakes_neon(uint8x16_t v, uint8x16_t before)
{
	uint8x16_t	one = vextq_u8(before, v, 15);
	uint8x16_t	third = vqsubq_u8(vextq_u8(before, v, 14), vdupq_n_u8(0xE0 - 0x80));
	uint8x16_t	fourth = vqsubq_u8(vextq_u8(before, v, 13), vdupq_n_u8(0xF0 - 0x80));
	uint8x16_t	pairs = vqtbl1q_u8(vld1q_u8(upper_of_first), vshrq_n_u8(one, 4));

	pairs = vandq_u8(pairs, vqtbl1q_u8(vld1q_u8(lower_of_first), vandq_u8(one, vdupq_n_u8(0x0F))));
	pairs = vandq_u8(pairs, vqtbl1q_u8(vld1q_u8(upper_of_second), vshrq_n_u8(v, 4)));
	return veorq_u8(pairs, vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80)));
}

static bool
is_utf8_neon(const char *text, size_t len)
{
	uint8x16_t	before = vdupq_n_u8(0);
	uint8x16_t	bad = vdupq_n_u8(0);
	uint8x16_t	v;
	uint8_t		rest[16] = {0};

	for (; len >= sizeof(rest); text += sizeof(rest), len -= sizeof(rest))
	{
		v = vld1q_u8((const uint8_t *) text);
		bad = vorrq_u8(bad, mistakes_neon(v, before));
		before = v;
	}
	/* a character that is cut off is seen by the zero behind it */
	memcpy(rest, text, len);
	bad = vorrq_u8(bad, mistakes_neon(vld1q_u8(rest), before));
	return vmaxvq_u8(bad) == 0;
}

static const PinMapKernel neon = {"neon", fill_neon, find_scalar, find_all_scalar, is_utf8_neon};

#endif							/* ARM */

/* ---- choosing ---- */

const PinMapKernel *
pin_map_kernel_at(int i)
{
	const PinMapKernel *kernels[4] = {NULL};
	int			n = 0;

#if defined(__x86_64__)
	if (has_avx2())
		kernels[n++] = &avx2;
	kernels[n++] = &sse2;
#elif defined(__aarch64__)
	kernels[n++] = &neon;
#endif
	kernels[n++] = &scalar;
	return i < n ? kernels[i] : NULL;
}

const PinMapKernel *
pin_map_kernel(void)
{
	return pin_map_kernel_at(0);
}

bool
pin_map_reserve(PinFieldMap *map, size_t len)
{
	size_t		blocks = len / PIN_MAP_BLOCK + 1;

	if (blocks <= map->blocks)
		return true;
	pin_map_free(map);
	map->ends = malloc(blocks * sizeof(uint64_t));
	map->marks = malloc(blocks);
	map->records = malloc((blocks * BLOCK_RECORDS + 1) * sizeof(uint32_t));
	if (map->ends == NULL || map->marks == NULL || map->records == NULL)
	{
		pin_map_free(map);
		return false;
	}
	map->blocks = blocks;
	map->room = blocks * BLOCK_RECORDS;
	return true;
}

void
pin_map_free(PinFieldMap *map)
{
	free(map->ends);
	free(map->marks);
	free(map->records);
	memset(map, 0, sizeof(*map));
}
