/*-------------------------------------------------------------------------
 *
 * record_count.c
 *		How many rows a report file has, counted while its bytes pass by.
 *
 * Only line ends and quotes matter, and memchr() finds them faster than a
 * download brings them.
 *
 *-------------------------------------------------------------------------
 */
#include "snapshot/record_count.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define BYTE_ORDER_MARK_LEN 3

void
pin_record_count_begin(PinRecordCount *count, char delimiter)
{
	memset(count, 0, sizeof(*count));
	count->delimiter = delimiter;
}

/* An empty line in a file of several columns is padding, not a row. */
static void
end_record(PinRecordCount *count, uint64_t end, char last)
{
	uint64_t	len = end - count->record;
	bool		blank = len == 0 || (len == 1 && last == '\r');

	if (count->records == 0 || !blank || !count->wide)
		count->records++;
	count->record = end + 1;
}

/* Does a quote after these bytes open a field, or make a pair with the last? */
static bool
opens(const PinRecordCount *count, uint64_t offset, char last)
{
	return offset == count->record || last == count->delimiter ||
		(offset == BYTE_ORDER_MARK_LEN && count->mark == BYTE_ORDER_MARK_LEN);
}

/*
 * The bytes up to a quote or line end, outside quotes: whether the header is
 * wide is all there is to see.
 */
static void
pass(PinRecordCount *count, const char *from, const char *to)
{
	if (count->records == 0 && !count->wide)
		count->wide = memchr(from, count->delimiter, to - from) != NULL;
}

/* The first field begins behind a byte order mark. */
static void
look_for_mark(PinRecordCount *count, const char *data, size_t len)
{
	for (size_t i = 0; i < len && count->offset + i < BYTE_ORDER_MARK_LEN; i++)
		count->mark += data[i] == BYTE_ORDER_MARK[count->offset + i];
}

void
pin_record_count_add(PinRecordCount *count, const char *data, size_t len)
{
	const char *end = data + len;
	const char *p = data;
	const char *line_end = data - 1;	/* the next one, once it is looked for */

	if (count->offset < BYTE_ORDER_MARK_LEN)
		look_for_mark(count, data, len);
	while (p < end)
	{
		const char *stop;
		char		last;

		if (count->in_quotes)
		{
			stop = memchr(p, '"', end - p);
			p = stop != NULL ? stop + 1 : end;
			count->in_quotes = stop == NULL;
			count->after_quote = stop != NULL;
			continue;
		}
		if (line_end < p)
			line_end = memchr(p, '\n', end - p);
		if (line_end == NULL)
			line_end = end;
		stop = memchr(p, '"', line_end - p);
		if (stop == NULL)
			stop = line_end;
		pass(count, p, stop);
		if (stop == end)
			break;

		last = stop > data ? stop[-1] : count->last;
		if (*stop == '\n')
			end_record(count, count->offset + (stop - data), last);
		else
			count->in_quotes = (count->after_quote && stop == p) ||
				opens(count, count->offset + (stop - data), last);
		count->after_quote = false;
		p = stop + 1;
	}

	/* a quote at the very end may be the first of a pair */
	if (len == 0)
		return;
	count->after_quote = count->after_quote && end[-1] == '"';
	count->last = end[-1];
	count->offset += len;
}

int64_t
pin_record_count_rows(const PinRecordCount *count)
{
	uint64_t	records = count->records + (count->offset > count->record ? 1 : 0);

	return records > 0 ? (int64_t) (records - 1) : 0;
}
