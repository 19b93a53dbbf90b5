/*-------------------------------------------------------------------------
 *
 * field_map.h
 *		Where the fields of a text end, found 64 bytes at a time.
 *
 * A map has a bit for each byte of a text: set where the byte is a delimiter or
 * a line feed outside quotes.  It reaches as far as the text consists of whole
 * records of the expected width that follow the letter of RFC 4180, and no
 * further: a stray quote, a zero byte, a record of another width are left to
 * whoever reads byte by byte.  So what a map says needs no second look.
 *
 * The work is done by one of several kernels that do the same with other
 * instructions; the best one this machine has is chosen when it runs.
 *
 * Plain C.  Never raises.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_FIELD_MAP_H
#define PIN_FIELD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a map's bits of one block are about. */
#define PIN_MAP_BLOCK 64

/* Bytes behind a text that a kernel may look at, for nothing. */
#define PIN_MAP_SLACK 16

/* What a block is marked with, and so are all spans that touch it. */
#define PIN_MAP_WIDE 1			/* not all of it is ASCII */
#define PIN_MAP_DOUBLED 2		/* a doubled quote is in it */

typedef struct PinFieldMap
{
	uint64_t   *ends;			/* one word a block: bytes that end a field */
	uint8_t    *marks;			/* one byte a block: what is in it */
	uint32_t   *records;		/* offset of each record, and behind the last */
	size_t		blocks;			/* blocks there is room for */
	size_t		room;			/* records there is room for */

	/* what was found */
	size_t		len;			/* bytes of the records below */
	size_t		rows;			/* records, from the text's first byte on */
	size_t		inner;			/* line feeds in quotes, among them */
	bool		full;			/* there was no room for more of them */
	bool		stuck;			/* what follows has to be read otherwise; if
								 * neither, it is the beginning of a record */
} PinFieldMap;

/* Part of a text: [start, end). */
typedef struct PinSpan
{
	uint32_t	start;			/* offset of its first byte */
	uint32_t	end;			/* offset behind its last */
} PinSpan;

typedef struct PinMapKernel
{
	const char *name;			/* "avx2", "sse2", "neon", "scalar" */

	/*
	 * Maps a text of at most blocks * 64 bytes, which begins with a record.
	 * fields: of each record.
	 */
	void		(*fill) (PinFieldMap *map, const char *text, size_t len,
						 char delimiter, int fields);

	/*
	 * Finds where fields end in the record with that number: those before n
	 * from the one before first on, if there is one.  Sets members of ends by
	 * the fields' numbers; others before, and up to PIN_MAP_BLOCK behind, may
	 * be written, too, to no meaning.  The line feed is not in the last
	 * field, a carriage return before it is.
	 */
	void		(*find) (const PinFieldMap *map, size_t record, int first, int n,
						 uint32_t *ends);

	/*
	 * Finds where all fields end in records that follow one another: n ends
	 * from that record's first on.  Up to PIN_MAP_BLOCK behind them may be
	 * written, too, to no meaning.  A carriage return before a line feed is
	 * in the last field, too.
	 */
	void		(*find_all) (const PinFieldMap *map, size_t record, size_t n, uint32_t *ends);

	/*
	 * Is it UTF-8, as strict as the standard?  Zero bytes count as valid.
	 * PIN_MAP_SLACK bytes behind it can be read, whatever they are.
	 */
	bool		(*is_utf8) (const char *text, size_t len);
} PinMapKernel;

/* The best kernel this machine can run. */
extern const PinMapKernel *pin_map_kernel(void);

/* The kernels it can run, the best first; NULL behind the last. */
extern const PinMapKernel *pin_map_kernel_at(int i);

/* Makes room for a text.  False if memory ran out. */
extern bool pin_map_reserve(PinFieldMap *map, size_t len);

/* A zeroed map is fine. */
extern void pin_map_free(PinFieldMap *map);

/*
 * The marks of the blocks in which a span's bytes are.  Mostly these are two at
 * most, so that no loop is needed.
 */
static inline int
pin_map_marks(const PinFieldMap *map, const PinSpan *span)
{
	size_t		first = span->start / PIN_MAP_BLOCK;
	size_t		last = span->end / PIN_MAP_BLOCK;
	int			marks = map->marks[first] | map->marks[last];

	while (++first < last)
		marks |= map->marks[first];
	return marks;
}

#endif							/* PIN_FIELD_MAP_H */
