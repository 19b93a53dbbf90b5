/*-------------------------------------------------------------------------
 *
 * field_map.c
 *		The kernels that map a text against each other, bit for bit, and what
 *		they take for UTF-8 against the definition.
 *
 * Links: src/reader/field_map.c
 *
 *-------------------------------------------------------------------------
 */
#include "reader/field_map.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static uint64_t state = 5;

static uint32_t
next_random(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (state >> 33);
}

/* Maps a text that ends where its memory does. */
static void
map_text(PinFieldMap *map, const PinMapKernel *kernel, const char *text, size_t len,
		 char delimiter, int fields)
{
	char	   *exact = malloc(len > 0 ? len : 1);

	memset(map, 0, sizeof(*map));
	if (exact == NULL || !pin_map_reserve(map, len))
		abort();
	memcpy(exact, text, len);
	kernel->fill(map, exact, len, delimiter, fields);
	free(exact);
}

static bool
same_map(const PinFieldMap *a, const PinFieldMap *b)
{
	size_t		blocks = a->len / PIN_MAP_BLOCK;	/* a last part may differ */

	return a->len == b->len && a->rows == b->rows && a->inner == b->inner &&
		a->stuck == b->stuck && a->full == b->full &&
		memcmp(a->records, b->records, (a->rows + 1) * sizeof(uint32_t)) == 0 &&
		memcmp(a->ends, b->ends, blocks * sizeof(uint64_t)) == 0 &&
		memcmp(a->marks, b->marks, blocks) == 0;
}

/*
 * Do both find the same fields in their maps, one record's and all from some on,
 * and does the last one end where the record does?
 */
static bool
same_fields(const PinMapKernel *k, const PinFieldMap *a, const PinFieldMap *b, int fields)
{
	uint32_t	x[8 + PIN_MAP_BLOCK];
	uint32_t	y[8 + PIN_MAP_BLOCK];
	uint32_t	all[1000 + PIN_MAP_BLOCK];
	size_t		since = a->rows > 0 ? next_random() % a->rows : 0;

	if (a->rows > 0)
		k->find_all(b, since, (a->rows - since) * fields, all);
	for (size_t i = 0; i < a->rows; i++)
	{
		int			first = next_random() % fields;
		int			end = first + 1 + next_random() % (fields - first);
		int			from = first > 0 ? first - 1 : 0;

		pin_map_kernel()->find(a, i, 0, fields, x);
		k->find(b, i, first, end, y);
		if (i >= since && memcmp(x, all + (i - since) * fields, fields * sizeof(uint32_t)) != 0)
			return false;
		if (memcmp(x + from, y + from, (end - from) * sizeof(uint32_t)) != 0 || x[fields - 1] + 1 != a->records[i + 1])
			return false;
	}
	return a->records[0] == 0 && a->records[a->rows] == a->len;
}

static void
test_kernels(const PinMapKernel *kernel)
{
	int			bad = 0;
	size_t		rows = 0;

	for (int texts = 0; texts < 3000 && bad < 3; texts++)
	{
		char		text[1000];
		size_t		len = next_random() % sizeof(text);
		int			fields = 1 + next_random() % 4;
		const char *alphabet = texts % 2 ? "aaaaaaa,\n\"\"\xC3" : "aaaaaaaaaaaaa,,,,\n";
		size_t		letters = strlen(alphabet);
		PinFieldMap a;
		PinFieldMap b;
		int			field = 0;

		for (size_t i = 0; i < len; i++)
		{
			text[i] = alphabet[next_random() % letters];

			/* mostly of the right width */
			if (texts % 4 != 1 && (text[i] == ',' || text[i] == '\n'))
				text[i] = ++field % fields == 0 ? '\n' : ',';
		}
		if (texts % 64 == 0 && len > 0)
			text[next_random() % len] = '\0';
		map_text(&a, pin_map_kernel(), text, len, ',', fields);
		map_text(&b, kernel, text, len, ',', fields);
		rows += a.rows;
		bad += !same_map(&a, &b) || !same_fields(kernel, &a, &b, fields);
		pin_map_free(&a);
		pin_map_free(&b);
	}
	is_int(bad, 0, "%s maps as %s does", kernel->name, pin_map_kernel()->name);
	ok(rows > 10000, "%zu records are in the texts", rows);
}

/* More records than there is room for are left to the next map. */
static void
test_room(void)
{
	char		text[4096];
	PinFieldMap map;

	memset(text, '\n', sizeof(text));
	map_text(&map, pin_map_kernel(), text, sizeof(text), ',', 1);
	ok(map.full && !map.stuck, "short records fill the map");
	is_int(map.rows, map.room, "as many as there is room for");
	is_int(map.len, map.rows, "it ends behind the last of them");
	pin_map_free(&map);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	map_text(&map, pin_map_kernel(), text, sizeof(text), ',', 1);
	ok(!map.full && !map.stuck && map.rows == 1, "a long one does not");
	pin_map_free(&map);
}

/* Is it the one shortest way to write a character?  By writing it. */
static bool
is_character(const unsigned char *p, int n)
{
	static const unsigned char leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
	static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	static const uint32_t first[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t	code = p[0] & masks[n];

	if ((p[0] & (unsigned char) ~masks[n]) != leads[n])
		return false;
	for (int i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return false;
		code = code << 6 | (p[i] & 0x3F);
	}
	return code >= first[n] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* The definition: a sequence of characters. */
static bool
is_utf8(const unsigned char *p, size_t len)
{
	while (len > 0)
	{
		size_t		n = 1;

		while (n <= 4 && (n > len || !is_character(p, (int) n)))
			n++;
		if (n > 4)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool
judges_well(const PinMapKernel *kernel, const unsigned char *text, size_t len)
{
	char	   *exact = malloc(len + PIN_MAP_SLACK);
	bool		well;

	/*
	 * what follows shall not matter, not even if it is the rest of a
	 * character
	 */
	memset(exact + len, 0xA9, PIN_MAP_SLACK);
	memcpy(exact, text, len);
	well = kernel->is_utf8(exact, len) == is_utf8(text, len);
	free(exact);
	return well;
}

static void
test_utf8(const PinMapKernel *kernel)
{
	unsigned char text[80];
	int			bad = 0;

	memset(text, 'x', sizeof(text));
	for (uint32_t code = 0; code < 0x1000000; code += 7)
	{
		/* three bytes, or four of which the last is a continuation */
		size_t		at = code % 19;
		size_t		n = 3 + (code >> 20 == 0xF);

		text[at] = code >> 16;
		text[at + 1] = code >> 8 & 0xFF;
		text[at + 2] = code & 0xFF;
		text[at + 3] = n == 4 ? 0x80 + code % 64 : 'x';
		bad += kernel->is_utf8((char *) text, at + n) != is_utf8(text, at + n);
		if (code % 4 == 1)
			bad += kernel->is_utf8((char *) text, 40) != is_utf8(text, 40);
		memset(text + at, 'x', 4);
	}
	is_int(bad, 0, "%s: three bytes and four", kernel->name);

	for (int i = 0; i < 40000; i++)
	{
		static const char *const parts[] = {
			"a", "plain text", "\xC3\xA9", "\xE6\x9D\xB1", "\xF0\x9F\x98\x80", "\xC3", "\xA9",
			"\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xED\xA0\x80", "\xF0\x9F"
		};
		size_t		len = 0;
		int			kinds = i % 2 ? 5 : 12;

		for (int n = next_random() % 8; n > 0; n--)
		{
			const char *part = parts[next_random() % kinds];

			memcpy(text + len, part, strlen(part));
			len += strlen(part);
		}
		bad += !judges_well(kernel, text, len);
	}
	is_int(bad, 0, "%s: texts", kernel->name);
}

int
main(void)
{
	const PinMapKernel *kernel;

	for (int i = 0; (kernel = pin_map_kernel_at(i)) != NULL; i++)
	{
		test_kernels(kernel);
		test_utf8(kernel);
	}
	test_room();
	is_str(pin_map_kernel_at(0)->name, pin_map_kernel()->name, "the first is the best");
	return done_testing();
}
