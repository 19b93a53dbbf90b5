/*-------------------------------------------------------------------------
 *
 * csv.c
 *		The CSV reader against cases written by hand, and against a second
 *		parser too simple to be wrong, in pieces of every size; then its way by
 *		the map, with each kernel, against its way byte by byte.
 *
 * Links: src/reader/csv.c src/reader/field_map.c src/error.c
 *
 *-------------------------------------------------------------------------
 */
#include "reader/csv.h"

#include <stdlib.h>

#include "tap.h"

/*
 * What a parser made of a text, spelled out:
 * "@line" starts a record, then each field is "pLEN:text" or "qLEN:text";
 * "$" ends a file, "!" one with an error.
 */
typedef struct Dump
{
	char	   *input;			/* zero-terminated */
	size_t		len;			/* bytes */
	size_t		size;			/* bytes allocated */
} Dump;

/* Text handed to the reader in pieces of a fixed size. */
typedef struct Pieces
{
	const char *input;			/* whole text */
	size_t		len;			/* its bytes */
	size_t		piece;			/* most bytes in one call */
	size_t		given;			/* bytes handed out */
	size_t		fail_at;		/* bytes after which reading fails; 0: never */
} Pieces;

static void
dump_bytes(Dump *dump, const char *bytes, size_t len)
{
	if (dump->len + len + 1 > dump->size)
	{
		dump->size = (dump->len + len + 1) * 2;
		dump->input = realloc(dump->input, dump->size);
		if (dump->input == NULL)
			abort();
	}
	memcpy(dump->input + dump->len, bytes, len);
	dump->len += len;
	dump->input[dump->len] = '\0';
}

static void
dump_record(Dump *dump, uint64_t line)
{
	char		head[32];

	dump_bytes(dump, head, snprintf(head, sizeof(head), "@%" PRIu64, line));
}

static void
dump_field(Dump *dump, bool quoted, const char *input, size_t len)
{
	char		head[32];

	dump_bytes(dump, head, snprintf(head, sizeof(head), " %c%zu:",
									quoted ? 'q' : 'p', len));
	dump_bytes(dump, input, len);
}

/*
 * The simple parser: one field at a time, byte by byte, into a copy.
 */
typedef struct Simple
{
	const char *input;			/* rest of the text */
	size_t		len;			/* its bytes */
	char	   *field;			/* unescaped copy of the field */
	size_t		field_len;		/* its bytes */
	bool		bad;			/* the text is no CSV */
} Simple;

/* The byte i places ahead, or -1 behind the end. */
static int
peek(const Simple *s, size_t i)
{
	return i < s->len ? (unsigned char) s->input[i] : -1;
}

static void
skip(Simple *s, size_t n)
{
	s->input += n;
	s->len -= n;
}

/* Length of the line end here, 0 if there is none. */
static size_t
line_end(const Simple *s)
{
	if (peek(s, 0) == '\n')
		return 1;
	return peek(s, 0) == '\r' && peek(s, 1) == '\n' ? 2 : 0;
}

static void
take(Simple *s)
{
	if (peek(s, 0) == 0)
		s->bad = true;
	s->field[s->field_len++] = *s->input;
	skip(s, 1);
}

static void
simple_field(Simple *s, char delimiter, bool *quoted)
{
	s->field_len = 0;
	*quoted = peek(s, 0) == '"';
	if (!*quoted)
	{
		while (s->len > 0 && peek(s, 0) != delimiter && line_end(s) == 0)
			take(s);
		return;
	}
	skip(s, 1);
	while (peek(s, 0) != '"' || peek(s, 1) == '"')
	{
		if (s->len == 0)
		{
			s->bad = true;
			return;
		}
		if (peek(s, 0) == '"')
			skip(s, 1);
		take(s);
	}
	skip(s, 1);
	if (s->len > 0 && peek(s, 0) != delimiter && line_end(s) == 0)
		s->bad = true;
}

/* One record. */
static void
simple_record(Simple *s, char delimiter, Dump *dump, uint64_t *line)
{
	size_t		end;

	dump_record(dump, *line);
	for (;;)
	{
		bool		quoted;

		simple_field(s, delimiter, &quoted);
		if (s->bad)
			return;
		dump_field(dump, quoted, s->field, s->field_len);
		for (size_t i = 0; i < s->field_len; i++)
			*line += s->field[i] == '\n';
		if (peek(s, 0) != delimiter)
			break;
		skip(s, 1);
	}
	end = line_end(s);
	skip(s, end);
	*line += end > 0;
}

/* What should come out; the dump of a bad record is taken back. */
static Dump
expected_dump(const char *input, size_t len, char delimiter)
{
	Dump		dump = {0};
	Simple		s = {0};
	uint64_t	line = 1;

	s.input = input;
	s.len = len;
	s.field = malloc(len + 1);
	if (len >= 3 && memcmp(input, "\xEF\xBB\xBF", 3) == 0)
		skip(&s, 3);
	while (s.len > 0 && !s.bad)
	{
		size_t		start = dump.len;

		simple_record(&s, delimiter, &dump, &line);
		if (s.bad)
			dump.len = start;
	}
	dump_bytes(&dump, s.bad ? "!" : "$", 1);
	free(s.field);
	return dump;
}

static ptrdiff_t
read_piece(void *arg, char *buf, size_t size, PinError *err)
{
	Pieces	   *p = arg;
	size_t		n = p->len - p->given;

	if (p->fail_at > 0 && p->given >= p->fail_at)
	{
		pin_error_set(err, PIN_ERROR_CONNECTION_LOST, "lost it");
		return -1;
	}
	if (n > p->piece)
		n = p->piece;
	if (n > size)
		n = size;
	if (n > 0)
		memcpy(buf, p->input + p->given, n);
	p->given += n;
	return n;
}

/* Dumps what the reader makes of its source, up to end or error. */
static Dump
reader_dump(PinCsv *csv, PinError *err)
{
	Dump		dump = {0};
	PinRecord	record;
	PinCsvStatus status;

	while ((status = pin_csv_next(csv, &record, err)) == PIN_CSV_RECORD)
	{
		dump_record(&dump, pin_csv_line(csv));
		for (int i = 0; i < record.nfields; i++)
		{
			PinField   *field = &record.fields[i];

			if (field->data[field->len] != '\0')
				dump_bytes(&dump, "(no zero)", 9);
			dump_field(&dump, field->quoted, field->data, field->len);
		}
	}
	dump_bytes(&dump, status == PIN_CSV_ERROR ? "!" : "$", 1);
	return dump;
}

static Dump
dump_in_pieces(const char *input, size_t len, char delimiter, size_t piece,
			   PinError *err)
{
	Pieces		pieces = {input, len, piece, 0, 0};
	PinCsv	   *csv = pin_csv_open(delimiter, read_piece, &pieces);
	Dump		dump;

	if (csv == NULL)
		abort();
	pin_error_reset(err);
	dump = reader_dump(csv, err);
	pin_csv_free(csv);
	return dump;
}

/* A reader that is told how wide records are, once it has read the first. */
typedef struct Mapped
{
	Pieces		pieces;			/* its source */
	PinCsv	   *csv;			/* it */
	int			width;			/* fields of the first record */
	uint32_t	mask;			/* bit i: fields i, i + 32, ... are taken */
	uint32_t	late;			/* the same: after the others */

	/* records whose fields were found at once */
	PinRecord	run;			/* the next one */
	int			first;			/* the first field that was looked for */
	int			left;			/* records */
} Mapped;

static bool
is_in(uint32_t mask, int i)
{
	return mask >> (i % 32) & 1;
}

static void
expect(Mapped *m, int width)
{
	m->width = width;
	if (!pin_csv_expect(m->csv, width))
		abort();
}

static bool
is_ascii(const PinField *field)
{
	for (uint32_t i = 0; i < field->len; i++)
	{
		if ((unsigned char) field->data[i] >= 0x80)
			return false;
	}
	return true;
}

/* The record b, as one of those whose fields were found at once. */
static PinRecord
take_from_run(Mapped *m, const PinRecord *b)
{
	PinRecord	record;

	if (m->left == 0)
	{
		m->run = *b;
		m->first = (int) (m->mask >> 8) % m->width;
		m->left = pin_csv_find_ahead(m->csv, &m->run, m->first, m->width,
									 1 + (int) (m->mask % PIN_CSV_AHEAD));
	}
	record = m->run;
	pin_csv_step(&m->run, 1);
	m->left--;
	return record;
}

/*
 * Are the fields in the mask the same, and is what is said of them true?  Then
 * they are written over as far as they may be, from the last to the first.  run:
 * has those that need not be looked for one by one, or NULL.
 */
static bool
same_fields(Mapped *m, const PinRecord *a, PinRecord *b, const PinRecord *run, uint32_t mask)
{
	for (int i = a->nfields - 1; i >= 0; i--)
	{
		PinField	x = a->fields[i];
		PinField	y;

		if (!is_in(mask, i))
			continue;
		if (run != NULL && i >= m->first)
			pin_csv_field(run, i, &y);
		else
		{
			pin_csv_find(m->csv, b, i - (int) (mask % (i + 1)), i + 1);
			pin_csv_field(b, i, &y);
		}
		if (x.len != y.len || x.quoted != y.quoted || memcmp(x.data, y.data, x.len) != 0 ||
			(y.ascii && !is_ascii(&y)))
			return false;
		y.data[-1] = (char) (y.len * 2 + 1);
	}
	return true;
}

static bool
same_record(Mapped *m, const PinRecord *a, PinRecord *b)
{
	PinRecord	run;

	if (a->nfields != b->nfields)
		return false;
	if (b->fields != NULL)
		return m->left == 0 && same_fields(m, a, b, NULL, UINT32_MAX);
	if (a->nfields != m->width)
		return false;
	run = take_from_run(m, b);
	return same_fields(m, a, b, &run, m->mask & ~m->late) &&
		same_fields(m, a, b, NULL, m->mask & m->late);
}

/* Whether the way by the map and that byte by byte find the same. */
static bool
ways_agree(const char *input, size_t len, char delimiter, size_t piece,
		   const PinMapKernel *kernel, uint32_t mask)
{
	Pieces		pieces = {input, len, piece, 0, 0};
	Mapped		m = {.pieces = pieces,.mask = mask,.late = 0x6CCCC8F0 * (uint32_t) (len % 3)};
	PinCsv	   *plain = pin_csv_open(delimiter, read_piece, &pieces);
	PinRecord	a;
	PinRecord	b;
	PinError	a_err = {0};
	PinError	b_err = {0};
	PinCsvStatus status;
	bool		same;

	m.csv = pin_csv_open(delimiter, read_piece, &m.pieces);
	if (plain == NULL || m.csv == NULL)
		abort();
	pin_csv_use(m.csv, kernel);
	do
	{
		status = pin_csv_next(plain, &a, &a_err);
		same = pin_csv_next(m.csv, &b, &b_err) == status;
		if (same && status == PIN_CSV_RECORD)
		{
			/* the line is worked out: not for each record */
			same = (a.fields[0].len % 3 != 0 || pin_csv_line(plain) == pin_csv_line(m.csv)) &&
				same_record(&m, &a, &b);
			if (m.width == 0)
				expect(&m, a.nfields);
		}
	} while (same && status == PIN_CSV_RECORD);
	same = same && (status != PIN_CSV_ERROR || strcmp(a_err.message, b_err.message) == 0) &&
		pin_csv_line(plain) == pin_csv_line(m.csv);
	if (!same && len < 1000)
		diag("%s, %08x, in pieces of %zu: %.*s", kernel->name, (unsigned) mask, piece,
			 (int) len, input);
	pin_csv_free(plain);
	pin_csv_free(m.csv);
	return same;
}

/* The same with each kernel, and several choices of fields. */
static bool
all_ways_agree(const char *input, size_t len, char delimiter, size_t piece)
{
	static const uint32_t masks[] = {0xFFFFFFFF, 0, 1, 0x80000002, 0x55555555, 0x00F0F00C};
	const PinMapKernel *kernel;

	for (int k = 0; (kernel = pin_map_kernel_at(k)) != NULL; k++)
	{
		for (int i = 0; i < 6; i++)
		{
			if (!ways_agree(input, len, delimiter, piece, kernel, masks[i]))
				return false;
		}
	}
	return true;
}

/* Whether reader and simple parser agree; says so if not. */
static bool
agree(const char *input, size_t len, char delimiter, size_t piece)
{
	PinError	err;
	Dump		expected = expected_dump(input, len, delimiter);
	Dump		got = dump_in_pieces(input, len, delimiter, piece, &err);
	bool		same;

	same = got.len == expected.len &&
		memcmp(got.input, expected.input, got.len) == 0;
	if (!same && len < 1000)
	{
		diag("text in pieces of %zu: %.*s", piece, (int) len, input);
		diag("     got: %s", got.input);
		diag("expected: %s", expected.input);
	}
	free(got.input);
	free(expected.input);
	return same;
}

static void
check(const char *input, char delimiter, const char *expected, const char *name)
{
	PinError	err;
	Dump		whole = dump_in_pieces(input, strlen(input), delimiter, 1000, &err);
	Dump		bytes = dump_in_pieces(input, strlen(input), delimiter, 1, &err);

	is_str(whole.input, expected, "%s", name);
	is_str(bytes.input, expected, "%s, byte by byte", name);
	free(whole.input);
	free(bytes.input);
}

static void
test_shapes(void)
{
	check("", ',', "$", "no bytes");
	check("\xEF\xBB\xBF", ',', "$", "nothing but a byte order mark");
	check("\xEF\xBB", ',', "@1 p2:\xEF\xBB$", "half a byte order mark is data");
	check("\xEF\xBB\xBF\"a\",b\n", ',', "@1 q1:a p1:b$",
		  "quotes behind a byte order mark");
	check("a,b\n1,2\n", ',', "@1 p1:a p1:b@2 p1:1 p1:2$", "plain lines");
	check("a,b\r\n1,2\n3,4\r\n", ',',
		  "@1 p1:a p1:b@2 p1:1 p1:2@3 p1:3 p1:4$", "mixed line ends");
	check("a,b", ',', "@1 p1:a p1:b$", "last line without an end");
	check("a,\n,\n", ',', "@1 p1:a p0:@2 p0: p0:$", "empty fields");
	check("a,", ',', "@1 p1:a p0:$", "empty field at the end of the file");
	check("a\n\nb\n", ',', "@1 p1:a@2 p0:@3 p1:b$", "empty line");
	check("\"\",\n", ',', "@1 q0: p0:$", "empty string and nothing differ");
	check("\"a\"\"b\"\"\",\"\"\"\"\n", ',', "@1 q4:a\"b\" q1:\"$",
		  "doubled quotes");
	check("\"a\nb\r\nc\",d\ne\n", ',', "@1 q6:a\nb\r\nc p1:d@4 p1:e$",
		  "line ends in quotes count as lines");
	check("a\rb,c\r\r\n", ',', "@1 p3:a\rb p2:c\r$", "lone carriage return");
	check("a\r", ',', "@1 p2:a\r$", "carriage return at the end of the file");
	check("5\" pipe,\"x\"", ',', "@1 p7:5\" pipe q1:x$",
		  "quote within a plain field");
	check("a\t\"b\tc\"\td,e\n", '\t', "@1 p1:a q3:b\tc p3:d,e$",
		  "tabs with quotes");
	check("5\"\tb\n", '\t', "@1 p2:5\" p1:b$", "tabs without quotes");
	check("a\tb\x01\x0d,c\n", ',', "@1 p5:a\tb\x01\x0d p1:c$",
		  "control characters are data");
}

static void
check_error(const char *input, size_t len, const char *message, const char *name)
{
	for (size_t piece = 1; piece <= len; piece++)
	{
		PinError	err;
		Dump		dump = dump_in_pieces(input, len, ',', piece, &err);

		is_int(err.kind, PIN_ERROR_FILE_CORRUPT, "%s: kind", name);
		is_str(err.message, message, "%s: message", name);
		ok(dump.input[dump.len - 1] == '!', "%s: no end of file", name);
		free(dump.input);
	}
}

static void
test_errors(void)
{
	check_error("a\n\"b\"c\n", 7,
				"text after closing quote in record at line 2 of report file",
				"text after closing quote");
	check_error("\"a\"\rb", 5,
				"text after closing quote in record at line 1 of report file",
				"lone carriage return after closing quote");
	check_error("\"a\n\nb", 5,
				"unterminated quoted field in record at line 1 of report file",
				"quote never closed");
	check_error("\"a\"\"", 4,
				"unterminated quoted field in record at line 1 of report file",
				"file ends after a doubled quote");
	check_error("a\0b\n", 4,
				"zero byte in record at line 1 of report file", "zero byte");
	check_error("\"a\0\"\n", 5,
				"zero byte in record at line 1 of report file",
				"zero byte in quotes");
}

static void
test_read_failure(void)
{
	Pieces		pieces = {"a\nb\n", 4, 3, 0, 3};
	PinCsv	   *csv = pin_csv_open(',', read_piece, &pieces);
	PinRecord	record;
	PinError	err;
	Dump		dump;

	pin_error_reset(&err);
	ok(pin_csv_next(csv, &record, &err) == PIN_CSV_RECORD, "record before failure");
	ok(pin_csv_next(csv, &record, &err) == PIN_CSV_ERROR, "failure to read");
	is_int(err.kind, PIN_ERROR_CONNECTION_LOST, "failure is the source's own");
	pin_error_reset(&err);
	ok(pin_csv_next(csv, &record, &err) == PIN_CSV_ERROR, "failure stays");
	is_str(err.message, "lost it", "and keeps its words");

	pieces.input = "x\n";
	pieces.len = 2;
	pieces.given = 0;
	pieces.fail_at = 0;
	pin_csv_rewind(csv);
	dump = reader_dump(csv, &err);
	is_str(dump.input, "@1 p1:x$", "rewind starts again after a failure");
	ok(pin_csv_next(csv, &record, &err) == PIN_CSV_END, "the end stays");
	free(dump.input);
	pin_csv_free(csv);
	pin_csv_free(NULL);
}

/* A small generator, so that every run sees the same texts. */
static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (*state >> 33);
}

static size_t
random_text(char *input, size_t max, uint64_t *state)
{
	static const char *const parts[] = {
		",", ",", "\n", "\r\n", "\r", "\"", "\"\"", "\t", "a", "bcdefghijk",
		"\xC3\xA9", "\xEF\xBB\xBF", "\",\"", "\"\n\"", "\x0e", "-"
	};
	size_t		len = 0;
	size_t		wanted = next_random(state) % max;

	while (len + 10 < wanted)
	{
		const char *part = parts[next_random(state) % 16];

		memcpy(input + len, part, strlen(part));
		len += strlen(part);
	}
	if (len > 0 && next_random(state) % 64 == 0)
		input[next_random(state) % len] = '\0';
	return len;
}

static void
test_random(void)
{
	uint64_t	state = 20260301;
	int			texts = 0;
	int			bad = 0;

	for (; texts < 1200 && bad < 5; texts++)
	{
		char		input[80];
		size_t		len = random_text(input, sizeof(input), &state);
		char		delimiter = texts % 3 == 0 ? '\t' : ',';

		for (size_t piece = 1; piece <= len + 1 && bad < 5; piece++)
			bad += !agree(input, len, delimiter, piece);
		if (texts % 8 == 0)
			bad += !all_ways_agree(input, len, delimiter, 1 + texts % 40);
	}
	is_int(bad, 0, "%d random texts in pieces of every size", texts);
}

/* Well-formed random fields, so that long runs without an error are seen. */
static void
test_well_formed(void)
{
	uint64_t	state = 7;
	char	   *input = malloc(700 * 1024);
	size_t		len = 0;

	while (len < 600 * 1024)
	{
		int			nfields = 1 + next_random(&state) % 30;

		for (int i = 0; i < nfields; i++)
		{
			int			body = next_random(&state) % 20;
			bool		quoted = next_random(&state) % 3 == 0;

			if (quoted)
				input[len++] = '"';
			for (int j = 0; j < body; j++)
				input[len++] = "abcdefg,\n\r"[next_random(&state) % (quoted ? 10 : 7)];
			if (quoted)
			{
				memcpy(input + len, "\"\"\"", 3);
				len += 3;
			}
			input[len++] = i < nfields - 1 ? ',' : '\n';
		}
	}
	for (size_t piece = 1; piece <= len * 5; piece = piece * 5 + 2)
		ok(agree(input, len, ',', piece), "%zu bytes in pieces of %zu", len, piece);
	free(input);
}

/* Every place where the first buffer, or a grown one, can end. */
static void
test_buffer_edges(void)
{
	static const char tail[] = "\"\"\r\nx\"\r\ny,\"z\"\r\n,\r,\r\n";
	const size_t tail_len = sizeof(tail) - 1;
	int			bad = 0;

	for (size_t size = 64 * 1024; size <= 256 * 1024; size *= 2)
	{
		for (size_t lead = size - tail_len - 2; lead <= size + 2; lead++)
		{
			char	   *input = malloc(lead + tail_len);

			memset(input, 'm', lead);
			memcpy(input, "k,\"", 3);
			memcpy(input + lead, tail, tail_len);
			bad += !agree(input, lead + tail_len, ',', lead * 2);
			free(input);
		}
	}
	is_int(bad, 0, "quotes and line ends across the buffer's end");
}

/* A source without end: a field that never stops, or fields without number. */
static ptrdiff_t
read_endless(void *arg, char *buf, size_t size, PinError *err)
{
	(void) err;
	memset(buf, *(const char *) arg, size);
	return size;
}

static void
check_bound(char byte, const char *message)
{
	PinCsv	   *csv = pin_csv_open(',', read_endless, &byte);
	PinRecord	record;
	PinError	err;

	pin_error_reset(&err);
	ok(pin_csv_next(csv, &record, &err) == PIN_CSV_ERROR, "endless record");
	is_int(err.kind, PIN_ERROR_FILE_CORRUPT, "endless record: kind");
	is_str(err.message, message, "endless record: message");
	pin_csv_free(csv);
}

static void
test_bounds(void)
{
	const size_t longest = PIN_CSV_RECORD_MAX;
	char	   *input = malloc(longest);

	check_bound('a', "too many bytes in record at line 1 of report file");
	check_bound(',', "too many fields in record at line 1 of report file");

	memset(input, 'a', longest);
	input[longest - 1] = '\n';
	ok(agree(input, longest, ',', longest), "longest record");

	memset(input, ',', PIN_CSV_FIELDS_MAX);
	input[PIN_CSV_FIELDS_MAX - 1] = '\n';
	ok(agree(input, PIN_CSV_FIELDS_MAX, ',', 1000), "most fields");
	free(input);
}

/*
 * A table: records of one width, mostly, in which everything happens that can:
 * a stray quote, another width, an empty line, an end without a line end.
 */
static size_t
random_table(char *input, size_t max, int width, unsigned odd, uint64_t *state)
{
	static const char *const cells[] = {
		"", "\"\"", "1", "-12.50", "plain text", "\"a, b\"", "\"say \"\"hi\"\"\"",
		"\"two\nlines\"", "\"\r\n\"", "\"\"\"\"", "K\xC3\xB6ln", "\xE6\x9D\xB1\xE4\xBA\xAC",
		"2026-01-31T00:00:00", "a\tb", "\"\t\"", "\"'\"",
		"0123456789012345678901234567890123456789012345678901234567890123456789"
	};
	static const char *const odds[] = {
		"5\" pipe", "\r", "x\ry", "\n", ",", "\r\n", "a\"\"b", "\"open", "\"x\"y", "\"a\"\r"
	};
	size_t		len = 0;

	while (len + 200 * (size_t) width < max)
	{
		for (int i = 0; i < width; i++)
		{
			const char *cell = next_random(state) % odd == 0 ?
			odds[next_random(state) % 10] : cells[next_random(state) % 17];

			memcpy(input + len, cell, strlen(cell));
			len += strlen(cell);
			input[len++] = ',';
		}
		len--;
		if (next_random(state) % 4 == 0)
			input[len++] = '\r';
		input[len++] = '\n';
	}
	return len - (next_random(state) % 3 == 0);
}

static void
test_ways(void)
{
	const size_t max = 800 * 1024;
	char	   *input = malloc(max);
	uint64_t	state = 11;
	int			bad = 0;
	int			texts;

	for (texts = 0; texts < 120 && bad < 5; texts++)
	{
		int			width = 1 + next_random(&state) % 9;
		size_t		len = random_table(input, 4000, width, texts % 2 ? 40 : 100000, &state);

		bad += !all_ways_agree(input, len, texts % 5 == 0 ? '\t' : ',', len + 1);
		bad += !all_ways_agree(input, len, ',', 1 + next_random(&state) % 300);
	}
	is_int(bad, 0, "%d random tables by the map and byte by byte", texts);

	for (int i = 0; i < 3; i++)
	{
		size_t		len = random_table(input, max, 27, i == 0 ? 1000000 : 5000, &state);

		ok(all_ways_agree(input, len, ',', max), "a table of %zu bytes", len);
	}
	free(input);
}

/* Each place in a word and a buffer for what is longer than a byte. */
static void
test_way_edges(void)
{
	static const char *const middles[] = {
		"\"\"\"x\"\"\",\"\"\r\n", "\"\r\n\",b\r\n", "a\r,\r\r\n", "\"x\"\r,b\n", "a\"\"b,c\n", "\"\",\"\n\n\"\n"
	};
	int			bad = 0;

	for (int i = 0; i < 6; i++)
	{
		for (size_t lead = 0; lead < 140; lead++)
		{
			char		input[400];
			size_t		len = 0;

			len += snprintf(input, sizeof(input), "k,v\n1,\"");
			memset(input + len, 'm', lead);
			len += lead;
			len += snprintf(input + len, sizeof(input) - len, "\"\n%sx,y\n\"\xC3\xA9\",", middles[i]);
			bad += !all_ways_agree(input, len, ',', len + 1);
		}
	}
	is_int(bad, 0, "quotes and line ends across words");

	bad = 0;
	for (size_t lead = 64 * 1024 - 40; lead <= 64 * 1024 + 4; lead++)
	{
		char	   *input = malloc(lead + 100);
		size_t		len = lead;

		memset(input, 'm', lead);
		memcpy(input, "k,v\na,\"", 7);
		len += snprintf(input + len, 100, "\"\"\"\r\n\"\",\"\n\n\"\r\nx,y\nlast,one");
		bad += !ways_agree(input, len, ',', lead * 2, pin_map_kernel(), 3);
		bad += !ways_agree(input, len, ',', 25000, pin_map_kernel(), 2);
		free(input);
	}
	is_int(bad, 0, "quotes and line ends across buffers");
}

/* A record that is far longer than the buffer, with line ends in it. */
static void
test_long_record(void)
{
	const size_t body = 5 * 1024 * 1024;
	char	   *input = malloc(body + 100);
	size_t		len = 0;

	len += sprintf(input, "k,v\n1,2\n3,\"");
	for (size_t i = 0; i < body; i++)
		input[len++] = "abc\n"[i % 4];
	len += sprintf(input + len, "\"\n5,6\n7,8\n");
	ok(ways_agree(input, len, ',', len, pin_map_kernel(), 3), "a record of 5 MB");
	ok(ways_agree(input, len, ',', 30000, pin_map_kernel(), 1), "a record of 5 MB in pieces");
	free(input);
}

int
main(void)
{
	test_shapes();
	test_errors();
	test_read_failure();
	test_random();
	test_well_formed();
	test_buffer_edges();
	test_bounds();
	test_ways();
	test_way_edges();
	test_long_record();
	return done_testing();
}
