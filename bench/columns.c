/*
 * columns.c
 *		What a snapshot kept as typed columns would cost, and what it would save.
 *
 * usage: columns FILE.csv OUT NAME:TYPE...
 *
 * Converts a report once into blocks of columns, then answers the benchmark's
 * queries from both files as far as a scan would: up to the values of the rows
 * that the executor would be handed.  What the executor adds is the same for
 * any format, and is measured elsewhere (see floor.c).
 *
 * The format is made for reading: a block has ROWS rows; in it a column is a
 * dictionary of values as the server keeps them (dates and booleans as numbers,
 * everything else with its length word, so that a value in the file is a datum
 * as it stands), with the least and the greatest of them, and a code of no, one
 * or two bytes for each row.  A column of which most values differ has an offset
 * for each row instead.  Reading a value is looking it up.
 *
 * A prototype, for the decision in docs/snapshot-format.md.
 */
#define _GNU_SOURCE
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compat.h"
#include "reader/csv.h"
#include "reader/number.h"

#undef printf
#undef fprintf
#undef qsort

#define ROWS 16384				/* of a block */
#define SLOTS (2 * ROWS)		/* of a hash table */
#define COLUMNS_MAX 128
#define BATCH 1024				/* rows decoded at once */
#define NO_CODE UINT32_MAX
#define ROUNDS 7

typedef enum Kind
{
	TEXT, UUID, NUMERIC, DATE, BOOLEAN
} Kind;

/* One column of one block, in the file. */
typedef struct Part
{
	uint32		distinct;		/* values in the dictionary; 0: one a row */
	uint32		nulls;			/* rows without a value */
	uint32		width;			/* bytes of a code; 4: an offset */
	uint32		codes;			/* where they begin, from the block's start */
	uint32		offsets;		/* of the dictionary's values */
	uint32		values;			/* where these begin */
	uint32		least,			/* offsets of values */
				greatest;
} Part;

typedef struct Block
{
	uint32		rows;
	uint32		bytes;			/* of the whole block */
	Part		parts[];		/* one a column */
} Block;

typedef struct Slot
{
	uint32		hash;
	uint16		block;			/* low bits of the block that it is of; of
								 * another: it is free */
	uint16		code;
} Slot;

/* One column while a block is made. */
typedef struct Column
{
	const char *name;
	Kind		kind;
	Slot	   *slots;			/* from texts to codes */
	uint32		codes[ROWS];
	char	   *texts;			/* of the distinct values, in a row */
	size_t		texts_size;
	uint32		text_at[ROWS + 1];
	uint32		distinct;
	uint32		nulls;
} Column;

static Column *columns;
static int	ncolumns;

static void
fail(const char *what)
{
	fprintf(stderr, "columns: %s\n", what);
	exit(1);
}

static void *
must(void *p)
{
	if (p == NULL || p == MAP_FAILED)
		fail("out of memory");
	return p;
}

/* Processor time: other work on the machine counts less. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return 1000.0 * t.tv_sec + t.tv_nsec / 1e6;
}

/* --- converting ------------------------------------------------------- */

static inline uint32
hash_text(const char *text, uint32 len)
{
	uint64		h = len * UINT64CONST(0x9E3779B97F4A7C15);

	while (len > 0)
	{
		uint64		word = 0;
		uint32		n = len < 8 ? len : 8;

		if (n == 8)
			memcpy(&word, text, 8);
		else
			memcpy(&word, text, n);
		h = (h ^ word) * UINT64CONST(0xD6E8FEB86659FD93);
		h ^= h >> 32;
		text += n;
		len -= n;
	}
	return (uint32) h;
}

static const char *
text_of(const Column *c, uint32 code, uint32 *len)
{
	*len = c->text_at[code + 1] - c->text_at[code];
	return c->texts + c->text_at[code];
}

static inline bool
has_text(const Column *c, uint32 code, const char *text, uint32 len)
{
	uint32		had;
	const char *old = text_of(c, code, &had);

	return had == len && memcmp(old, text, len) == 0;
}

static uint32
add_text(Column *c, const char *text, uint32 len)
{
	uint32		at = c->text_at[c->distinct];

	if (at + len > c->texts_size)
	{
		c->texts_size = 2 * (at + len) + 65536;
		c->texts = must(realloc(c->texts, c->texts_size));
	}
	memcpy(c->texts + at, text, len);
	c->text_at[c->distinct + 1] = at + len;
	return c->distinct++;
}

/* The code of a text in this block; a new one if it is new. */
static inline uint32
code_of(Column *c, uint16 block, const char *text, uint32 len)
{
	uint32		hash = hash_text(text, len);
	uint32		i = hash % SLOTS;

	for (;; i = (i + 1) % SLOTS)
	{
		Slot	   *slot = &c->slots[i];

		if (slot->block != block)
		{
			slot->block = block;
			slot->hash = hash;
			slot->code = add_text(c, text, len);
			return slot->code;
		}
		if (slot->hash == hash && has_text(c, slot->code, text, len))
			return slot->code;
	}
}

static void
add_field(Column *c, uint16 block, uint32 row, PinField f)
{
	if (f.len == 0 && !f.quoted)
	{
		c->codes[row] = NO_CODE;
		c->nulls++;
	}
	else if (row > 0 && c->codes[row - 1] != NO_CODE &&
			 has_text(c, c->codes[row - 1], f.data, f.len))
		c->codes[row] = c->codes[row - 1];
	else
		c->codes[row] = code_of(c, block, f.data, f.len);
}

static int
digits(const char *p, int n)
{
	int			value = 0;

	while (n-- > 0)
		value = value * 10 + (*p++ - '0');
	return value;
}

/* Days since 2000-01-01. */
static int32
read_date(const char *p)
{
	int			y = digits(p, 4);
	int			m = digits(p + 5, 2);
	int			era;

	y -= m <= 2;
	era = y / 400;
	y -= era * 400;
	return era * 146097 + y * 365 + y / 4 - y / 100 +
		(153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + digits(p + 8, 2) - 1 - 719468 - 10957;
}

static int
nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Writes a value as the server keeps it; returns its bytes. */
static uint32
write_value(Kind kind, const char *text, uint32 len, char *out)
{
	switch (kind)
	{
		case TEXT:
			if (len + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
			{
				SET_VARSIZE_SHORT(out, len + VARHDRSZ_SHORT);
				memcpy(out + VARHDRSZ_SHORT, text, len);
				return len + VARHDRSZ_SHORT;
			}
			SET_VARSIZE(out, len + VARHDRSZ);
			memcpy(out + VARHDRSZ, text, len);
			return len + VARHDRSZ;
		case UUID:
			if (len != 36)
				fail("not a UUID");
			for (int i = 0; i < 16; i++)
			{
				const char *p = text + 2 * i + (i >= 4) + (i >= 6) + (i >= 8) + (i >= 10);

				out[i] = (char) (nibble(p[0]) << 4 | nibble(p[1]));
			}
			return 16;
		case NUMERIC:
			if (!pin_number_reader_at(0) (text, len, (PinNumber *) out))
				fail("not a number");
			return VARSIZE(out);
		case DATE:
			if (len < 10)
				fail("not a date");
			*(int32 *) out = read_date(text);
			return sizeof(int32);
		case BOOLEAN:
			*(int32 *) out = text[0] == '1' || text[0] == 't' || text[0] == 'T' ||
				text[0] == 'Y' || text[0] == 'y';
			return sizeof(int32);
	}
	return 0;
}

/* A number to compare values of a kind by; texts are compared as such. */
static double
rank_of(Kind kind, const char *text, uint32 len)
{
	double		value = 0;
	double		scale = 1;
	bool		point = false;

	if (kind == DATE)
		return read_date(text);
	for (uint32 i = 0; i < len; i++)
	{
		if (text[i] == '.')
			point = true;
		else if (text[i] >= '0' && text[i] <= '9')
		{
			value = value * 10 + (text[i] - '0');
			scale *= point ? 10 : 1;
		}
	}
	return (text[0] == '-' ? -value : value) / scale;
}

static int
compare_texts(const Column *c, uint32 a, uint32 b)
{
	uint32		a_len;
	uint32		b_len;
	const char *a_text = text_of(c, a, &a_len);
	const char *b_text = text_of(c, b, &b_len);
	int			order = memcmp(a_text, b_text, Min(a_len, b_len));

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static void
find_extremes(const Column *c, uint32 *least, uint32 *greatest)
{
	double		low = 0;
	double		high = 0;

	*least = *greatest = 0;
	for (uint32 i = 0; i < c->distinct; i++)
	{
		uint32		len;
		const char *text = text_of(c, i, &len);

		if (c->kind == TEXT || c->kind == UUID)
		{
			if (compare_texts(c, i, *least) < 0)
				*least = i;
			if (compare_texts(c, i, *greatest) > 0)
				*greatest = i;
		}
		else
		{
			double		rank = rank_of(c->kind, text, len);

			if (i == 0 || rank < low)
			{
				low = rank;
				*least = i;
			}
			if (i == 0 || rank > high)
			{
				high = rank;
				*greatest = i;
			}
		}
	}
}

/* Writes a column's part at the end of a block. */
static uint32
write_part(const Column *c, uint32 rows, Block *block, Part *part, uint32 end)
{
	char	   *base = (char *) block;
	bool		each = c->distinct > ROWS / 2;
	uint32		least;
	uint32		greatest;
	uint32	   *offsets;

	part->nulls = c->nulls;
	part->distinct = each ? 0 : c->distinct;
	part->offsets = end;
	offsets = (uint32 *) (base + end);
	part->values = end + (c->distinct + 1) * sizeof(uint32);
	end = part->values;
	for (uint32 i = 0; i < c->distinct; i++)
	{
		uint32		len;
		const char *text = text_of(c, i, &len);

		/* a length word of four bytes has to be aligned, one of one needs not */
		if (c->kind != TEXT || len + VARHDRSZ_SHORT > VARATT_SHORT_MAX)
			end = INTALIGN(end);
		offsets[i] = end - part->values;
		end += write_value(c->kind, text, len, base + end);
	}
	offsets[c->distinct] = end - part->values;
	find_extremes(c, &least, &greatest);
	part->least = c->distinct ? offsets[least] : 0;
	part->greatest = c->distinct ? offsets[greatest] : 0;

	end = INTALIGN(end);
	part->codes = end;
	if (each)
	{
		uint32	   *out = (uint32 *) (base + end);

		part->width = 4;
		for (uint32 r = 0; r < rows; r++)
			out[r] = c->codes[r] == NO_CODE ? NO_CODE : offsets[c->codes[r]];
		return end + rows * 4;
	}
	part->width = c->distinct + (c->nulls > 0) <= 1 ? 0 : c->distinct < 256 ? 1 : 2;
	for (uint32 r = 0; r < rows && part->width > 0; r++)
	{
		uint32		code = c->codes[r] == NO_CODE ? c->distinct : c->codes[r];

		if (part->width == 1)
			((uint8 *) (base + end))[r] = code;
		else
			((uint16 *) (base + end))[r] = code;
	}
	return MAXALIGN(end + rows * part->width);
}

static void
write_block(int fd, uint32 rows)
{
	static char *buf;
	static size_t size;
	size_t		need = 4096;
	Block	   *block;
	uint32		end = sizeof(Block) + ncolumns * sizeof(Part);

	for (int i = 0; i < ncolumns; i++)
		need += columns[i].text_at[columns[i].distinct] + (size_t) ROWS * 40;
	if (need > size)
	{
		free(buf);
		buf = must(malloc(size = need));
	}
	block = (Block *) buf;
	for (int i = 0; i < ncolumns; i++)
	{
		end = write_part(&columns[i], rows, block, &block->parts[i], MAXALIGN(end));
		columns[i].distinct = columns[i].nulls = 0;
	}
	block->rows = rows;
	block->bytes = MAXALIGN(end);
	for (size_t done = 0; done < block->bytes;)
	{
		ssize_t		n = write(fd, buf + done, block->bytes - done);

		if (n <= 0)
			fail("could not write");
		done += n;
	}
}

static ptrdiff_t
read_file(void *arg, char *buf, size_t size, PinError *err)
{
	return read(*(int *) arg, buf, size);
}

/* Opens a report behind its header line. */
static PinCsv *
open_csv(const char *path, int *fd)
{
	PinCsv	   *csv;
	PinRecord	record;
	PinError	err = {0};

	*fd = open(path, O_RDONLY);
	csv = pin_csv_open(',', read_file, fd);
	if (*fd < 0 || csv == NULL || pin_csv_next(csv, &record, &err) != PIN_CSV_RECORD ||
		record.nfields != ncolumns || !pin_csv_expect(csv, ncolumns))
		fail("could not read the report");
	return csv;
}

/* The next record, of which some fields will be taken; false at the end. */
static bool
next_record(PinCsv *csv, const int *wanted, int nwanted, PinRecord *record)
{
	PinError	err = {0};

	if (pin_csv_next(csv, record, &err) == PIN_CSV_RECORD)
	{
		if (record->fields == NULL && nwanted > 0)
			pin_csv_find(csv, record, wanted[0], wanted[nwanted - 1] + 1);
		return true;
	}
	if (err.kind != PIN_ERROR_NONE)
		fail("could not read a record");
	return false;
}

static PinField
take_field(const PinRecord *record, int number)
{
	PinField	field;

	pin_csv_field(record, number, &field);
	return field;
}

/* The number of another block; where they are used up, nothing is known any more. */
static uint16
next_block(uint16 block)
{
	if (++block != 0)
		return block;
	for (int i = 0; i < ncolumns; i++)
		memset(columns[i].slots, 0, SLOTS * sizeof(Slot));
	return 1;
}

static void
convert(const char *from, const char *to)
{
	int			all[COLUMNS_MAX];
	int			in;
	int			out = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
	PinCsv	   *csv;
	PinRecord	record;
	static uint16 block = 1;
	uint32		rows = 0;

	for (int i = 0; i < ncolumns; i++)
		all[i] = i;
	if (out < 0)
		fail("could not make a file");
	csv = open_csv(from, &in);
	while (next_record(csv, all, ncolumns, &record))
	{
		for (int i = 0; i < ncolumns; i++)
			add_field(&columns[i], block, rows, take_field(&record, i));
		if (++rows == ROWS)
		{
			write_block(out, rows);
			rows = 0;
			block = next_block(block);
		}
	}
	if (rows > 0)
		write_block(out, rows);
	block = next_block(block);
	pin_csv_free(csv);
	close(in);
	close(out);
}

/* --- reading ---------------------------------------------------------- */

/* A column of a block, ready to be read. */
typedef struct Reader
{
	bool		by_value;
	const char *base;			/* of the block */
	const Part *part;
	Datum		values[ROWS + 1];	/* by code */
	bool		nulls[ROWS + 1];
} Reader;

static void
start_part(Reader *r, Kind kind, const Block *block, const Part *part)
{
	const char *values = (const char *) block + part->values;
	const uint32 *offsets = (const uint32 *) ((const char *) block + part->offsets);

	r->by_value = kind == DATE || kind == BOOLEAN;
	r->base = (const char *) block;
	r->part = part;
	for (uint32 i = 0; i < part->distinct; i++)
	{
		r->values[i] = r->by_value ? (Datum) *(const int32 *) (values + offsets[i]) :
			PointerGetDatum(values + offsets[i]);
		r->nulls[i] = false;
	}
	r->values[part->distinct] = 0;
	r->nulls[part->distinct] = true;
}

/* Values of rows from first on. */
static void
decode(const Reader *r, uint32 first, uint32 n, Datum *values, bool *nulls)
{
	const char *codes = r->base + r->part->codes;

	switch (r->part->width)
	{
		case 0:
			for (uint32 i = 0; i < n; i++)
			{
				values[i] = r->values[0];
				nulls[i] = r->nulls[0];
			}
			break;
		case 1:
			for (uint32 i = 0; i < n; i++)
			{
				uint8		code = ((const uint8 *) codes)[first + i];

				values[i] = r->values[code];
				nulls[i] = r->nulls[code];
			}
			break;
		case 2:
			for (uint32 i = 0; i < n; i++)
			{
				uint16		code = ((const uint16 *) codes)[first + i];

				values[i] = r->values[code];
				nulls[i] = r->nulls[code];
			}
			break;
		default:
			for (uint32 i = 0; i < n; i++)
			{
				uint32		offset = ((const uint32 *) codes)[first + i];
				const char *value = r->base + r->part->values + offset;

				nulls[i] = offset == NO_CODE;
				values[i] = nulls[i] ? 0 : r->by_value ? (Datum) *(const int32 *) value :
					PointerGetDatum(value);
			}
	}
}

/* What a query of the benchmark needs. */
typedef struct Question
{
	const char *name;
	int			wanted[COLUMNS_MAX];	/* ascending */
	int			nwanted;
	int			is_text;		/* a column that has to be this text, or -1 */
	const char *text;
	int			is_false;		/* a column that has to be false, or -1 */
} Question;

#define QUESTIONS_MAX 8

static Question questions[QUESTIONS_MAX];
static int	nquestions;

static uint64 sink;				/* of values: nothing is optimized away */
static uint64 rows_out;			/* rows that the executor would see */

static inline void
hand_over(Datum values[][BATCH], bool nulls[][BATCH], int n, uint32 row, Datum *slot, bool *isnull)
{
	for (int i = 0; i < n; i++)
	{
		slot[i] = values[i][row];
		isnull[i] = nulls[i][row];
	}
	rows_out++;
	sink += slot[n - 1];
}

static bool
is_text(Datum value, const char *text)
{
	size_t		len = strlen(text);

	return VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), text, len) == 0;
}

/* Which rows of a batch fulfill a query's condition. */
static void
test_batch(const Question *q, Reader *readers, uint32 first, uint32 n, bool *passes)
{
	static bool pass_code[ROWS + 1];
	static Datum values[BATCH];
	static bool nulls[BATCH];
	static const Part *known;
	Reader	   *r = &readers[q->is_text];

	if (known != r->part)
	{
		/* a condition on a dictionary is one on its values */
		for (uint32 i = 0; i < r->part->distinct; i++)
			pass_code[i] = is_text(r->values[i], q->text);
		pass_code[r->part->distinct] = false;
		known = r->part;
	}
	for (uint32 i = 0; i < n && r->part->width == 1; i++)
		passes[i] = pass_code[((const uint8 *) (r->base + r->part->codes))[first + i]];
	if (r->part->width != 1)
	{
		decode(r, first, n, values, nulls);
		for (uint32 i = 0; i < n; i++)
			passes[i] = !nulls[i] && is_text(values[i], q->text);
	}
	decode(&readers[q->is_false], first, n, values, nulls);
	for (uint32 i = 0; i < n; i++)
		passes[i] &= !nulls[i] && !values[i];
}

static void
scan_block(const Question *q, const Block *block, Reader *readers)
{
	static Datum values[COLUMNS_MAX][BATCH];
	static bool nulls[COLUMNS_MAX][BATCH];
	static bool passes[BATCH];
	Datum		slot[COLUMNS_MAX];
	bool		isnull[COLUMNS_MAX];

	for (int i = 0; i < q->nwanted; i++)
		start_part(&readers[q->wanted[i]], columns[q->wanted[i]].kind, block,
				   &block->parts[q->wanted[i]]);
	for (uint32 first = 0; first < block->rows; first += BATCH)
	{
		uint32		n = Min(BATCH, block->rows - first);
		bool		any = true;

		if (q->is_text >= 0)
		{
			test_batch(q, readers, first, n, passes);
			any = memchr(passes, true, n) != NULL;
		}
		for (int i = 0; i < q->nwanted && any; i++)
			decode(&readers[q->wanted[i]], first, n, values[i], nulls[i]);
		for (uint32 r = 0; r < n; r++)
		{
			if (q->is_text < 0 || passes[r])
				hand_over(values, nulls, q->nwanted, r, slot, isnull);
		}
	}
}

/* The whole file in memory. */
static char *
map_file(const char *path, size_t *size)
{
	int			fd = open(path, O_RDONLY);
	struct stat st;
	char	   *map;

	if (fd < 0 || fstat(fd, &st) != 0)
		fail("could not open the columns");
	map = must(mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);
	*size = st.st_size;
	return map;
}

static double
scan_columns(const Question *q, const char *path)
{
	static Reader readers[COLUMNS_MAX];
	double		start = now();
	size_t		size;
	char	   *map = map_file(path, &size);

	for (size_t at = 0; at < size; at += ((Block *) (map + at))->bytes)
	{
		const Block *block = (const Block *) (map + at);

		if (q->nwanted > 0)
			scan_block(q, block, readers);
		else
			rows_out += block->rows;
	}
	munmap(map, size);
	return now() - start;
}

/* The same rows from the report as it came, its fields found but not converted. */
static double
scan_csv(const Question *q, const char *path)
{
	double		start = now();
	int			fd;
	PinCsv	   *csv = open_csv(path, &fd);
	PinRecord	record;

	while (next_record(csv, q->wanted, q->nwanted, &record))
	{
		bool		passes = true;

		for (int i = 0; i < q->nwanted; i++)
		{
			int			number = q->wanted[i];
			PinField	f = take_field(&record, number);

			if (number == q->is_text)
				passes &= f.len == strlen(q->text) && memcmp(f.data, q->text, f.len) == 0;
			else if (number == q->is_false)
				passes &= f.len > 0 && f.data[0] == '0';
			sink += f.len;
		}
		rows_out += passes;
	}
	pin_csv_free(csv);
	close(fd);
	return now() - start;
}

/* Is a value what its field says? */
static bool
is_value(const Reader *r, Kind kind, uint32 row, PinField f)
{
	static char expected[65536];
	Datum		value;
	bool		null;
	uint32		len;

	decode(r, row, 1, &value, &null);
	if (null || (f.len == 0 && !f.quoted))
		return null && f.len == 0 && !f.quoted;
	if (f.len > sizeof(expected) - 64)
		fail("a very long value");
	len = write_value(kind, f.data, f.len, expected);
	return r->by_value ? (int32) value == *(int32 *) expected :
		memcmp(DatumGetPointer(value), expected, len) == 0;
}

/* Fails unless the columns have the report's values, each of them. */
static void
verify(const char *from, const char *to)
{
	static Reader readers[COLUMNS_MAX];
	const Question *all = &questions[nquestions - 1];
	size_t		size;
	char	   *map = map_file(to, &size);
	const Block *block = (const Block *) map;
	uint32		row = 0;
	int			fd;
	PinCsv	   *csv = open_csv(from, &fd);
	PinRecord	record;

	while (next_record(csv, all->wanted, all->nwanted, &record))
	{
		if (row == block->rows)
		{
			block = (const Block *) ((const char *) block + block->bytes);
			row = 0;
		}
		for (int i = 0; i < ncolumns; i++)
		{
			if (row == 0)
				start_part(&readers[i], columns[i].kind, block, &block->parts[i]);
			if (!is_value(&readers[i], columns[i].kind, row, take_field(&record, i)))
				fail("a value is not what it was");
		}
		row++;
	}
	pin_csv_free(csv);
	close(fd);
	munmap(map, size);
}

/* --- measuring -------------------------------------------------------- */

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *times)
{
	qsort(times, ROUNDS, sizeof(double), compare_doubles);
	return times[ROUNDS / 2];
}

static int
column_named(const char *name)
{
	for (int i = 0; i < ncolumns; i++)
	{
		if (strcmp(columns[i].name, name) == 0)
			return i;
	}
	fail("no such column");
	return -1;
}

/* Another question, about some columns, whose names ascend as they do. */
static Question *
ask(const char *name, int n, const char *const *names)
{
	Question   *q = &questions[nquestions++];

	q->name = name;
	q->is_text = q->is_false = -1;
	for (int i = 0; i < n; i++)
		q->wanted[q->nwanted++] = column_named(names[i]);
	return q;
}

static void
ask_all(void)
{
	static const char *const few[] = {
		"CustomerName", "CustomerMarket", "IsACRDuplicateAtPGALevel",
		"MonthlySubscriptionLevelACR"
	};
	static const char *const grouped[] = {
		"CustomerMarket", "MonthlySubscriptionLevelACR"
	};
	Question   *q;

	ask("count", 0, NULL);
	ask("count1", 1, few + 2);
	ask("sum", 1, few + 3);
	ask("group", 2, grouped);
	q = ask("filter", 4, few);
	q->is_text = q->wanted[1];
	q->text = "Germany";
	q->is_false = q->wanted[2];
	q = ask("all", 0, NULL);	/* the last one */
	while (q->nwanted < ncolumns)
	{
		q->wanted[q->nwanted] = q->nwanted;
		q->nwanted++;
	}
}

static void
measure(const Question *q, const char *csv, const char *out)
{
	double		by_columns[ROUNDS];
	double		by_csv[ROUNDS];
	uint64		rows[2];

	for (int i = 0; i < ROUNDS; i++)
	{
		rows_out = 0;
		by_columns[i] = scan_columns(q, out);
		rows[0] = rows_out;
		rows_out = 0;
		by_csv[i] = scan_csv(q, csv);
		rows[1] = rows_out;
	}
	if (rows[0] != rows[1])
		fail("the formats differ");
	printf("%-10s %9.1f %9.1f %9llu\n", q->name, median(by_columns), median(by_csv),
		   (unsigned long long) rows[0]);
}

static void
open_columns(char **definitions, int n)
{
	static const char *const kinds[] = {"text", "uuid", "numeric", "date", "boolean"};

	columns = must(calloc(n, sizeof(Column)));
	ncolumns = n;
	for (int i = 0; i < n; i++)
	{
		char	   *type = strchr(definitions[i], ':');
		int			kind = 0;

		if (type == NULL)
			fail("a column is NAME:TYPE");
		*type++ = '\0';
		while (kind < (int) lengthof(kinds) && strcmp(kinds[kind], type) != 0)
			kind++;
		if (kind == (int) lengthof(kinds))
			fail("not a type");
		columns[i].name = definitions[i];
		columns[i].kind = (Kind) kind;
		columns[i].slots = must(calloc(SLOTS, sizeof(Slot)));
	}
}

int
main(int argc, char **argv)
{
	double		times[ROUNDS];
	struct stat before;
	struct stat after;

	if (argc < 4 || argc - 3 > COLUMNS_MAX)
		fail("usage: columns FILE.csv OUT NAME:TYPE...");
	open_columns(argv + 3, argc - 3);
	ask_all();
	for (int i = 0; i < ROUNDS; i++)
	{
		double		start = now();

		convert(argv[1], argv[2]);
		times[i] = now() - start;
	}
	verify(argv[1], argv[2]);
	if (stat(argv[1], &before) != 0 || stat(argv[2], &after) != 0)
		fail("no files");
	printf("\nas typed columns: converted in %.0f ms of processor time, %.1f MB instead of %.1f\n\n",
		   median(times), after.st_size / 1e6, before.st_size / 1e6);
	printf("%-10s %9s %9s %9s\n", "ms", "columns", "csv", "rows");
	for (int i = 0; i < nquestions; i++)
		measure(&questions[i], argv[1], argv[2]);
	/* something has to depend on what was read */
	return sink == 1;
}
