/*-------------------------------------------------------------------------
 *
 * text_block.h
 *		What matters in 64 bytes of a report: a bit for each of them.
 *
 * Each way to find out (classify_...) gives the same; which the machine has is
 * chosen by those who use them, once, at run time.  They are inlined, so the
 * functions that call one built for AVX2 have to be AVX2 as well.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_TEXT_BLOCK_H
#define PIN_TEXT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TEXT_BLOCK 64

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What matters in a block: a bit for each of its bytes. */
typedef struct Block
{
	uint64_t	quote;			/* double quotes */
	uint64_t	delimiter;		/* delimiters */
	uint64_t	newline;		/* line feeds */
	bool		wide;			/* bytes that are not ASCII are in it */
	bool		zero;			/* zero bytes are in it */
} Block;

typedef Block (*Classify) (const char *text, char delimiter);
typedef uint64_t (*Prefix) (uint64_t bits);

/* What a block leaves to the next one. */
typedef struct Carry
{
	uint64_t	inside;			/* all ones: it begins in quotes */
	uint64_t	opens_well;		/* 1: a quote may open in its first byte */
	uint64_t	after_close;	/* 1: a closing quote is before its first byte */
} Carry;

/* What quotes make of a block: a bit for each of its bytes. */
typedef struct Outline
{
	uint64_t	inside;			/* in quotes, and the quotes that open */
	uint64_t	opening;		/* quotes that open, or stand for one */
	uint64_t	closing;		/* quotes that close, or are doubled */
	uint64_t	ends;			/* delimiters and line feeds that end a field */
	uint64_t	behind;			/* what follows closing */
	uint64_t	astray;			/* of that, what may not: but a CR may */
	uint64_t	bad;			/* quotes that open within a field */
} Outline;

/* The bits below the lowest one of bits, which is not 0. */
ALWAYS_INLINE uint64_t
below(uint64_t bits)
{
	return (bits & -bits) - 1;
}

/*
 * Quotes open where a field begins, close where one ends, and are doubled within:
 * then the first one closes and the second opens again.
 */
ALWAYS_INLINE Outline
outline(Block block, const Carry *carry, Prefix prefix)
{
	Outline		o;

	o.inside = prefix(block.quote) ^ carry->inside;
	o.opening = block.quote & o.inside;
	o.closing = block.quote & ~o.inside;
	o.ends = (block.delimiter | block.newline) & ~o.inside;
	o.behind = o.closing << 1 | carry->after_close;
	o.astray = o.behind & ~(block.delimiter | block.newline | block.quote);
	o.bad = o.opening & ~((o.ends | o.closing) << 1 | carry->opens_well);
	return o;
}

/* What a block in which nothing is bad leaves. */
ALWAYS_INLINE Carry
carry_on(const Outline *o)
{
	Carry		carry = {
		.inside = (uint64_t) ((int64_t) o->inside >> 63),
		.opens_well = (o->ends | o->closing) >> 63,
		.after_close = o->closing >> 63
	};

	return carry;
}

/* Each bit: the parity of those up to it. */
ALWAYS_INLINE uint64_t
prefix_by_shifts(uint64_t bits)
{
	for (int shift = 1; shift < 64; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* The upper bit of each byte that is zero; no other. */
ALWAYS_INLINE uint64_t
zeros_of_word(uint64_t word)
{
	const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);

	return ~(((word & low) + low) | word | low);
}

/* The upper bits of eight bytes, side by side. */
ALWAYS_INLINE uint64_t
gather(uint64_t uppers)
{
	return (uppers >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

ALWAYS_INLINE Block
classify_scalar(const char *text, char delimiter)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	Block		block = {0};
	uint64_t	all = 0;
	uint64_t	zeros = 0;

	for (int i = 0; i < TEXT_BLOCK; i += 8)
	{
		uint64_t	word;

		memcpy(&word, text + i, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		block.quote |= gather(zeros_of_word(word ^ ones * '"')) << i;
		block.delimiter |= gather(zeros_of_word(word ^ ones * (unsigned char) delimiter)) << i;
		block.newline |= gather(zeros_of_word(word ^ ones * '\n')) << i;
		zeros |= zeros_of_word(word);
		all |= word;
	}
	block.wide = (all & ones * 0x80) != 0;
	block.zero = zeros != 0;
	return block;
}

#if defined(__x86_64__)

#include <immintrin.h>

ALWAYS_INLINE Block
classify_sse2(const char *text, char delimiter)
{
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i newline = _mm_set1_epi8('\n');
	const __m128i end = _mm_set1_epi8(delimiter);
	__m128i		all = _mm_setzero_si128();
	__m128i		least = _mm_set1_epi8(-1);
	Block		block = {0};

	for (int i = 0; i < TEXT_BLOCK; i += 16)
	{
		__m128i		v = _mm_loadu_si128((const __m128i *) (text + i));

		block.quote |= (uint64_t) _mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << i;
		block.delimiter |= (uint64_t) _mm_movemask_epi8(_mm_cmpeq_epi8(v, end)) << i;
		block.newline |= (uint64_t) _mm_movemask_epi8(_mm_cmpeq_epi8(v, newline)) << i;
		all = _mm_or_si128(all, v);
		least = _mm_min_epu8(least, v);
	}
	block.wide = _mm_movemask_epi8(all) != 0;
	block.zero = _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0;
	return block;
}

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))

AVX2		ALWAYS_INLINE uint64_t
mask_avx2(__m256i low, __m256i high)
{
	return (uint64_t) (uint32_t) _mm256_movemask_epi8(low) |
		(uint64_t) (uint32_t) _mm256_movemask_epi8(high) << 32;
}

AVX2		ALWAYS_INLINE Block
classify_avx2(const char *text, char delimiter)
{
	const __m256i quote = _mm256_set1_epi8('"');
	const __m256i newline = _mm256_set1_epi8('\n');
	const __m256i end = _mm256_set1_epi8(delimiter);
	__m256i		a = _mm256_loadu_si256((const __m256i *) text);
	__m256i		b = _mm256_loadu_si256((const __m256i *) (text + 32));
	__m256i		least = _mm256_min_epu8(a, b);
	Block		block;

	block.quote = mask_avx2(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
	block.delimiter = mask_avx2(_mm256_cmpeq_epi8(a, end), _mm256_cmpeq_epi8(b, end));
	block.newline = mask_avx2(_mm256_cmpeq_epi8(a, newline), _mm256_cmpeq_epi8(b, newline));
	block.wide = _mm256_movemask_epi8(_mm256_or_si256(a, b)) != 0;
	block.zero = _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256())) != 0;
	return block;
}

AVX2		ALWAYS_INLINE uint64_t
prefix_avx2(uint64_t bits)
{
	return _mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (long long) bits),
												  _mm_set1_epi8(-1), 0));
}

/* May functions marked AVX2 be called? */
static inline bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
		__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
		__builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__)

#include <arm_neon.h>

/* A bit for each of 64 bytes that are all ones or all zeros. */
ALWAYS_INLINE uint64_t
mask_neon(uint8x16x4_t v)
{
	static const uint8_t place[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t	places = vld1q_u8(place);
	uint8x16_t	low = vpaddq_u8(vandq_u8(v.val[0], places), vandq_u8(v.val[1], places));
	uint8x16_t	high = vpaddq_u8(vandq_u8(v.val[2], places), vandq_u8(v.val[3], places));

	low = vpaddq_u8(low, high);
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

ALWAYS_INLINE uint64_t
equal_neon(uint8x16x4_t v, char byte)
{
	uint8x16_t	bytes = vdupq_n_u8((uint8_t) byte);

	for (int i = 0; i < 4; i++)
		v.val[i] = vceqq_u8(v.val[i], bytes);
	return mask_neon(v);
}

ALWAYS_INLINE Block
classify_neon(const char *text, char delimiter)
{
	uint8x16x4_t v;
	uint8x16_t	most;
	uint8x16_t	least;
	Block		block;

	for (int i = 0; i < 4; i++)
		v.val[i] = vld1q_u8((const uint8_t *) text + i * 16);
	most = vmaxq_u8(vmaxq_u8(v.val[0], v.val[1]), vmaxq_u8(v.val[2], v.val[3]));
	least = vminq_u8(vminq_u8(v.val[0], v.val[1]), vminq_u8(v.val[2], v.val[3]));
	block.quote = equal_neon(v, '"');
	block.delimiter = equal_neon(v, delimiter);
	block.newline = equal_neon(v, '\n');
	block.wide = vmaxvq_u8(most) >= 0x80;
	block.zero = vminvq_u8(least) == 0;
	return block;
}

#endif

#endif							/* PIN_TEXT_BLOCK_H */
