/*-------------------------------------------------------------------------
 *
 * record_count.c
 *		How many rows a report file has, and where some of them begin, found
 *		while its bytes pass by.
 *
 * Only line ends, quotes and the number of delimiters matter.  A block of bytes
 * in which all of them are where the format wants them is taken at once, by
 * arithmetic (text_block.h; field_map.c finds more in it); any other is walked
 * through.
 *
 *-------------------------------------------------------------------------
 */
#include "snapshot/record_count.h"

#include <string.h>

#include "text_block.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define BYTE_ORDER_MARK_LEN 3

/*
 * What is longer or wider than this is left to the reader, whose bounds are
 * wider, but has some.
 */
#define REGULAR_RECORD_MAX (1024 * 1024)
#define REGULAR_FIELDS_MAX 4096

void
pin_record_count_begin(PinRecordCount *count, char delimiter)
{
	memset(count, 0, sizeof(*count));
	count->delimiter = delimiter;
	count->line = count->record_line = 1;
	count->spacing = PIN_RECORD_RANGE_BYTES;
	count->kernel = pin_count_kernel_at(0);
}

/* How often a byte occurs. */
static uint64_t
count_byte(const char *from, const char *to, char byte)
{
	uint64_t	n = 0;

	for (; from < to; from++)
		n += *from == byte;
	return n;
}

/* ---- ranges ---- */

/* Makes room: of two ranges one. */
static void
join_ranges(PinRecordCount *count)
{
	count->nranges /= 2;
	count->spacing *= 2;
	for (int i = 0; i < count->nranges; i++)
	{
		count->ranges[i] = count->ranges[2 * i];
		count->ranges[i].rows += count->ranges[2 * i + 1].rows;
	}
}

/* The current record is a row: of the last range, or of a new one. */
static void
add_to_ranges(PinRecordCount *count)
{
	PinRecordRange *range;

	if (count->nranges == 0 ||
		count->record - count->ranges[count->nranges - 1].offset >= count->spacing)
	{
		if (count->nranges == PIN_RECORD_RANGES_MAX)
			join_ranges(count);
		range = &count->ranges[count->nranges++];
		range->offset = count->record;
		range->line = count->record_line;
		range->rows = 0;
	}
	count->ranges[count->nranges - 1].rows++;
}

/* ---- records ---- */

static void
end_header(PinRecordCount *count)
{
	count->width = count->delimiters + 1;
	if (count->width > REGULAR_FIELDS_MAX)
		count->irregular = true;
	count->records = 1;
}

static void
end_row(PinRecordCount *count, uint64_t len)
{
	if (count->padded || count->delimiters + 1 != count->width || len > REGULAR_RECORD_MAX)
		count->irregular = true;
	add_to_ranges(count);
	count->records++;
}

static void
begin_record(PinRecordCount *count, uint64_t offset)
{
	count->record = offset;
	count->record_line = count->line;
	count->delimiters = 0;
}

/* An empty line in a file of several columns is padding, not a row. */
static void
end_line(PinRecordCount *count, uint64_t end, char last)
{
	uint64_t	len = end - count->record;
	bool		blank = len == 0 || (len == 1 && last == '\r');

	count->line++;
	if (count->records == 0)
		end_header(count);
	else if (blank && count->width > 1)
		count->padded = true;
	else
		end_row(count, len);
	begin_record(count, end + 1);
}

/* ---- bytes ---- */

/* Does a quote after these bytes open a field? */
static bool
opens(const PinRecordCount *count, uint64_t offset, char last)
{
	return offset == count->record || last == count->delimiter ||
		(offset == BYTE_ORDER_MARK_LEN && count->mark == BYTE_ORDER_MARK_LEN);
}

/* The first field begins behind a byte order mark. */
static void
look_for_mark(PinRecordCount *count, const char *data, size_t len)
{
	for (size_t i = 0; i < len && count->offset + i < BYTE_ORDER_MARK_LEN; i++)
		count->mark += data[i] == BYTE_ORDER_MARK[count->offset + i];
}

/* The bytes up to the next quote, within quotes; returns what is behind it. */
static const char *
pass_quoted(PinRecordCount *count, const char *p, const char *end)
{
	const char *stop = memchr(p, '"', end - p);

	count->line += count_byte(p, stop != NULL ? stop : end, '\n');
	if (stop == NULL)
		return end;
	count->in_quotes = false;
	count->after = PIN_AFTER_QUOTE;
	return stop + 1;
}

/* The byte behind a quoted field; true if there is no more to it. */
static bool
pass_after_quote(PinRecordCount *count, char c)
{
	PinAfterQuote after = count->after;

	count->after = PIN_AFTER_OTHER;
	if (after == PIN_AFTER_QUOTE && c == '"')
		count->in_quotes = true;
	else if (after == PIN_AFTER_QUOTE && c == '\r')
		count->after = PIN_AFTER_RETURN;
	else
	{
		if (c != '\n' && (after == PIN_AFTER_RETURN || c != count->delimiter))
			count->irregular = true;
		return false;
	}
	return true;
}

/* Takes bytes whatever they are. */
static void
walk(PinRecordCount *count, const char *data, size_t len)
{
	const char *end = data + len;
	const char *p = data;
	const char *line_end = data - 1;	/* the next one, once it is looked for */

	if (count->offset < BYTE_ORDER_MARK_LEN)
		look_for_mark(count, data, len);
	if (memchr(data, '\0', len) != NULL)
		count->irregular = true;
	while (p < end)
	{
		const char *stop;
		char		last;

		if (count->in_quotes)
		{
			p = pass_quoted(count, p, end);
			continue;
		}
		if (count->after != PIN_AFTER_OTHER && pass_after_quote(count, *p))
		{
			p++;
			continue;
		}
		if (line_end < p)
			line_end = memchr(p, '\n', end - p);
		if (line_end == NULL)
			line_end = end;
		stop = memchr(p, '"', line_end - p);
		if (stop == NULL)
			stop = line_end;
		count->delimiters += count_byte(p, stop, count->delimiter);
		if (stop == end)
			break;

		last = stop > data ? stop[-1] : count->last;
		if (*stop == '\n')
			end_line(count, count->offset + (stop - data), last);
		else
			count->in_quotes = opens(count, count->offset + (stop - data), last);
		p = stop + 1;
	}
	count->last = end[-1];
	count->offset += len;
}

/* ---- blocks ---- */

/* Lines end in a block that begins at an offset of data. */
ALWAYS_INLINE void
end_lines(PinRecordCount *count, const char *data, size_t offset, uint64_t newlines,
		  uint64_t delimiters, uint64_t inner)
{
	for (; newlines != 0; newlines &= newlines - 1)
	{
		uint64_t	before = below(newlines);
		size_t		end = offset + __builtin_ctzll(newlines);

		count->delimiters += __builtin_popcountll(delimiters & before);
		count->line += __builtin_popcountll(inner & before);
		delimiters &= ~before;
		inner &= ~before;
		end_line(count, count->offset + end, end > 0 ? data[end - 1] : count->last);
	}
	count->delimiters += __builtin_popcountll(delimiters);
	count->line += __builtin_popcountll(inner);
}

/*
 * Takes whole blocks, up to one in which something is not where it should be;
 * returns how many bytes they are.
 */
ALWAYS_INLINE size_t
take_blocks(PinRecordCount *count, const char *data, size_t len, Classify classify,
			Prefix prefix)
{
	Carry		carry = {
		.inside = count->in_quotes ? ~UINT64_C(0) : 0,
		.after_close = count->after == PIN_AFTER_QUOTE
	};
	size_t		offset;

	if (count->after == PIN_AFTER_RETURN)
		return 0;
	carry.opens_well = carry.after_close | opens(count, count->offset, count->last);
	for (offset = 0; len - offset >= TEXT_BLOCK; offset += TEXT_BLOCK)
	{
		Block		block = classify(data + offset, count->delimiter);
		Outline		o = outline(block, &carry, prefix);

		if ((o.astray | o.bad) != 0 || block.zero)
			break;
		end_lines(count, data, offset, block.newline & ~o.inside,
				  block.delimiter & ~o.inside, block.newline & o.inside);
		carry = carry_on(&o);
	}
	if (offset == 0)
		return 0;
	count->in_quotes = carry.inside != 0;
	count->after = carry.after_close != 0 ? PIN_AFTER_QUOTE : PIN_AFTER_OTHER;
	count->last = data[offset - 1];
	count->offset += offset;
	return offset;
}

static size_t
take_scalar(PinRecordCount *count, const char *data, size_t len)
{
	return take_blocks(count, data, len, classify_scalar, prefix_by_shifts);
}

#if defined(__x86_64__)

static size_t
take_sse2(PinRecordCount *count, const char *data, size_t len)
{
	return take_blocks(count, data, len, classify_sse2, prefix_by_shifts);
}

AVX2 static size_t
take_avx2(PinRecordCount *count, const char *data, size_t len)
{
	return take_blocks(count, data, len, classify_avx2, prefix_avx2);
}

#elif defined(__aarch64__)

static size_t
take_neon(PinRecordCount *count, const char *data, size_t len)
{
	return take_blocks(count, data, len, classify_neon, prefix_by_shifts);
}

#endif

PinCountKernel
pin_count_kernel_at(int i)
{
	PinCountKernel kernels[4] = {NULL};
	int			n = 0;

#if defined(__x86_64__)
	if (has_avx2())
		kernels[n++] = take_avx2;
	kernels[n++] = take_sse2;
#elif defined(__aarch64__)
	kernels[n++] = take_neon;
#endif
	kernels[n++] = take_scalar;
	return i < n ? kernels[i] : NULL;
}

/* The first bytes are walked through: a byte order mark may be among them. */
void
pin_record_count_add(PinRecordCount *count, const char *data, size_t len)
{
	while (len > 0)
	{
		size_t		n = count->offset > BYTE_ORDER_MARK_LEN ? count->kernel(count, data, len) : 0;

		data += n;
		len -= n;
		n = len < TEXT_BLOCK ? len : TEXT_BLOCK;
		if (n > 0)
			walk(count, data, n);
		data += n;
		len -= n;
	}
}

int64_t
pin_record_count_rows(const PinRecordCount *count)
{
	uint64_t	records = count->records + (count->offset > count->record ? 1 : 0);

	return records > 0 ? (int64_t) (records - 1) : 0;
}

int64_t
pin_record_count_ended(const PinRecordCount *count, uint64_t *size)
{
	*size = count->record;
	return count->irregular ? -1 : count->records > 0 ? (int64_t) (count->records - 1) : 0;
}

bool
pin_record_count_end(PinRecordCount *count)
{
	if (count->in_quotes || count->after == PIN_AFTER_RETURN)
		count->irregular = true;
	if (count->offset > count->record)
	{
		if (count->records == 0)
			end_header(count);
		else
			end_row(count, count->offset - count->record);
		begin_record(count, count->offset);
	}
	return !count->irregular;
}
