/*-------------------------------------------------------------------------
 *
 * csv.c
 *		Fields are found and unescaped in the buffer they were read into.
 *
 * There are two ways through the bytes.  Records of the expected width, whose
 * quotes are where the format wants them, are found by a map of the whole
 * buffer (field_map.c).  All others are read byte by byte; so are the header,
 * and the end of a file that has no line end.  What follows is about that way.
 *
 * The buffer holds the current record from its first byte; bytes before it
 * are spent.  Where the buffer ends within a record, the scan stops at a byte
 * it can take up again, more bytes are read behind it (moving or growing the
 * buffer, and with it the fields found so far), and the scan goes on: no byte
 * is scanned twice, however small the pieces are in which they arrive.
 *
 * Behind the last byte there are always PADDING zeros.  A zero stops every
 * search, so the searches need no bound, and they may look eight bytes at a
 * time or a byte ahead without asking.
 *
 * A stop that depends on the next byte (a carriage return, a closing quote)
 * and has none yet is left unscanned: that is why there is no state for it.
 *
 *-------------------------------------------------------------------------
 */
#include "reader/csv.h"

#include <stdlib.h>
#include <string.h>

#include "reader/field_map.h"

/*
 * First size of the buffer: fits into a second-level cache, with what is made of it
 * and what it was copied from.
 */
#define BUFFER_SIZE (64 * 1024)
/* Zeros behind the last byte: a word that starts at the end is all zeros. */
#define PADDING PIN_FIELD_SLACK
/* Bytes in front of the buffer: the first field's that may be written over. */
#define LEAD 8
/* First size of the array of fields: wider than most datasets. */
#define FIELDS_SIZE 64

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define BYTE_ORDER_MARK_LEN 3

typedef enum CsvState
{
	AT_START,					/* no byte of the source taken yet */
	AT_FIELD,					/* before the first byte of a field */
	IN_PLAIN,					/* in a field without quotes */
	IN_QUOTES					/* behind the opening quote of a field */
} CsvState;

typedef enum Step
{
	STEP_FIELD,					/* a field ended, the record goes on */
	STEP_RECORD,				/* a field ended, and the record with it */
	STEP_MORE,					/* the buffer ended before the field did */
	STEP_ERROR					/* csv->failure is filled */
} Step;

struct PinCsv
{
	PinCsvRead	read;			/* source of bytes */
	void	   *arg;			/* its argument */
	char		delimiter;		/* between fields */
	CsvState	state;			/* what the byte at next belongs to */
	bool		source_ended;	/* source has no more bytes */
	char	   *buf;			/* size bytes and PADDING, behind LEAD */
	size_t		size;			/* bytes the buffer can take */
	size_t		record;			/* where the current record starts */
	size_t		next;			/* first byte not scanned yet */
	size_t		end;			/* first byte not filled yet */
	size_t		field;			/* where the current field's text starts */
	size_t		out;			/* in quotes: where unescaped text ends */
	uint64_t	line;			/* line of the byte at next, from 1 */
	uint64_t	record_line;	/* line of the byte at record */
	PinField   *fields;			/* fields of the current record */
	int			nfields;		/* fields found */
	int			fields_size;	/* fields the array can take */
	PinError	failure;		/* set once, then every call returns it */

	/* the way by the map */
	const PinMapKernel *kernel; /* how it is made */
	PinFieldMap map;			/* of the bytes from record to next */
	size_t		taken;			/* records returned of it */
	int			width;			/* fields of a record; 0: no map is wanted */
	uint32_t   *ends;			/* where the record begins, less one, and
								 * where its fields end */
	uint32_t   *ahead;			/* the same of it and of some that follow */
	bool		mapped;			/* the last record came by the map */
	bool		cut;			/* the buffer is known to end in a record */
	uint64_t	map_line;		/* line of the map's first byte */
	size_t		line_at;		/* line_inner is about the bytes before */
	size_t		line_inner;		/* line feeds in quotes in them */
};

/*
 * Returns the first byte at or after p that equals stop or is below 0x0E: line
 * ends, tab and zero are.  There must be one, and PADDING bytes behind it.
 *
 * Eight bytes at a time.  The borrow of a subtraction can mark a byte wrongly,
 * but only one that follows a byte marked rightly; we take the first.
 */
static inline char *
find_stop(char *p, char stop)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = UINT64_C(0x8080808080808080);
	const uint64_t stops = ones * (unsigned char) stop;

	for (;;)
	{
		uint64_t	word;
		uint64_t	differs;
		uint64_t	found;

		memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		differs = word ^ stops;
		found = ((word - ones * 0x0E) & ~word) | ((differs - ones) & ~differs);
		found &= highs;
		if (found != 0)
			return p + (__builtin_ctzll(found) >> 3);
		p += sizeof(word);
	}
}

/* Notes a broken structure, by the line where its record starts. */
static Step
fail(PinCsv *csv, const char *what)
{
	pin_error_set(&csv->failure, PIN_ERROR_FILE_CORRUPT,
				  "%s in record at line %llu of report file",
				  what, (unsigned long long) csv->record_line);
	return STEP_ERROR;
}

static bool
out_of_memory(PinCsv *csv)
{
	pin_error_set(&csv->failure, PIN_ERROR_OUT_OF_MEMORY,
				  "out of memory in record at line %llu of report file",
				  (unsigned long long) csv->record_line);
	return false;
}

/* Doubles the array of fields.  False with csv->failure filled. */
static bool
grow_fields(PinCsv *csv)
{
	int			size = csv->fields_size * 2;
	PinField   *fields;

	if (size > PIN_CSV_FIELDS_MAX)
	{
		fail(csv, "too many fields");
		return false;
	}
	fields = realloc(csv->fields, size * sizeof(PinField));
	if (fields == NULL)
		return out_of_memory(csv);
	csv->fields = fields;
	csv->fields_size = size;
	return true;
}

/*
 * Ends the current field, whose text is from csv->field to text_end, and goes
 * to rest.  Returns the given step, or STEP_ERROR.
 */
static inline Step
end_field(PinCsv *csv, char *text_end, char *rest, Step step)
{
	PinField   *field;

	if (csv->nfields == csv->fields_size && !grow_fields(csv))
		return STEP_ERROR;
	field = &csv->fields[csv->nfields++];
	field->data = csv->buf + csv->field;
	field->len = (uint32_t) (text_end - field->data);
	field->quoted = csv->state == IN_QUOTES;
	field->ascii = false;
	*text_end = '\0';
	csv->next = rest - csv->buf;
	csv->state = AT_FIELD;
	return step;
}

/* Same for the last field of a record; its line end is before rest. */
static Step
end_record(PinCsv *csv, char *text_end, char *rest)
{
	csv->line++;
	return end_field(csv, text_end, rest, STEP_RECORD);
}

/* Same for the last field of a file that does not end in a line end. */
static Step
end_file(PinCsv *csv, char *text_end, char *rest)
{
	return end_field(csv, text_end, rest, STEP_RECORD);
}

/* Stops where the buffer ends, to go on at p. */
static Step
need_more(PinCsv *csv, char *p)
{
	csv->next = p - csv->buf;
	return STEP_MORE;
}

/*
 * Scans a field without quotes.  A quote within it is a character like any
 * other, and so is a carriage return that no line feed follows.
 */
static inline Step
scan_plain(PinCsv *csv)
{
	char	   *end = csv->buf + csv->end;
	char	   *p = csv->buf + csv->next;

	for (;; p++)
	{
		p = find_stop(p, csv->delimiter);
		if (*p == csv->delimiter)
			return end_field(csv, p, p + 1, STEP_FIELD);
		if (*p == '\n')
			return end_record(csv, p, p + 1);
		if (*p == '\r')
		{
			if (p + 1 == end && !csv->source_ended)
				return need_more(csv, p);
			if (p[1] == '\n')
				return end_record(csv, p, p + 2);
		}
		else if (p == end)
			return csv->source_ended ? end_file(csv, p, p) : need_more(csv, p);
		else if (*p == '\0')
			return fail(csv, "zero byte");
	}
}

/*
 * Decides what the quote at p means, which ends a run of quoted text.  Sets
 * *escaped if it is the first of a pair; otherwise the step is the answer.
 */
static inline Step
after_quote(PinCsv *csv, char *p, bool *escaped)
{
	char	   *end = csv->buf + csv->end;
	char	   *text_end = csv->buf + csv->out;

	*escaped = false;
	if (p + 1 == end)
		return csv->source_ended ?
			end_file(csv, text_end, p + 1) : need_more(csv, p);
	if (p[1] == csv->delimiter)
		return end_field(csv, text_end, p + 2, STEP_FIELD);
	if (p[1] == '\n')
		return end_record(csv, text_end, p + 2);
	if (p[1] == '\r')
	{
		if (p + 2 == end && !csv->source_ended)
			return need_more(csv, p);
		if (p[2] == '\n')
			return end_record(csv, text_end, p + 3);
	}
	*escaped = p[1] == '"';
	return *escaped ? STEP_MORE : fail(csv, "text after closing quote");
}

/* Appends the text from run to p to the field's unescaped text. */
static inline void
append_run(PinCsv *csv, const char *run, const char *p)
{
	char	   *out = csv->buf + csv->out;

	if (out != run)
		memmove(out, run, p - run);
	csv->out += p - run;
}

/* Scans a field in quotes, from behind the opening one. */
static inline Step
scan_quoted(PinCsv *csv)
{
	char	   *end = csv->buf + csv->end;
	char	   *run = csv->buf + csv->next;
	char	   *p = run;

	for (;; p++)
	{
		p = find_stop(p, '"');
		if (*p == '"')
		{
			bool		escaped;
			Step		step;

			append_run(csv, run, p);
			step = after_quote(csv, p, &escaped);
			if (!escaped)
				return step;
			run = ++p;
		}
		else if (*p == '\n')
			csv->line++;
		else if (p == end)
		{
			append_run(csv, run, p);
			return csv->source_ended ?
				fail(csv, "unterminated quoted field") : need_more(csv, p);
		}
		else if (*p == '\0')
			return fail(csv, "zero byte");
	}
}

/* Looks at the first byte of a field, if it is there. */
static inline Step
start_field(PinCsv *csv)
{
	if (csv->next == csv->end && !csv->source_ended)
		return STEP_MORE;
	csv->state = IN_PLAIN;
	if (csv->buf[csv->next] == '"')
	{
		csv->state = IN_QUOTES;
		csv->next++;
	}
	csv->field = csv->next;
	csv->out = csv->next;
	return STEP_FIELD;
}

/* Scans until the record or the buffer ends; never returns STEP_FIELD. */
static Step
scan_record(PinCsv *csv)
{
	for (;;)
	{
		Step		step;

		if (csv->state == AT_FIELD && start_field(csv) == STEP_MORE)
			return STEP_MORE;
		step = csv->state == IN_QUOTES ? scan_quoted(csv) : scan_plain(csv);
		if (step != STEP_FIELD)
			return step;
	}
}

static char *
allocate(size_t size)
{
	char	   *block = malloc(LEAD + size + PADDING);

	return block != NULL ? block + LEAD : NULL;
}

/*
 * Moves the current record to the start of a buffer of the given size, which
 * may be the present one.  False with csv->failure filled.
 */
static bool
move_record(PinCsv *csv, size_t size)
{
	char	   *from = csv->buf + csv->record;
	char	   *to = csv->buf;

	if (size != csv->size)
	{
		to = allocate(size);
		if (to == NULL)
			return out_of_memory(csv);
	}
	for (int i = 0; i < csv->nfields; i++)
		csv->fields[i].data = to + (csv->fields[i].data - from);
	memmove(to, from, csv->end - csv->record);
	if (to != csv->buf)
		free(csv->buf - LEAD);
	csv->buf = to;
	csv->size = size;
	csv->next -= csv->record;
	csv->field -= csv->record;
	csv->out -= csv->record;
	csv->end -= csv->record;
	csv->record = 0;
	return true;
}

/*
 * Sees to room behind the last byte: a quarter of the buffer if possible, so
 * that a record is moved rarely even if its bytes arrive one by one.  False
 * with csv->failure filled.
 */
static bool
make_room(PinCsv *csv)
{
	size_t		kept = csv->end - csv->record;
	size_t		size = csv->size;

	if (kept > 0 && size - csv->end >= size / 4)
		return true;
	if (kept > size / 2 && size < PIN_CSV_RECORD_MAX)
		size *= 2;
	if ((csv->record > 0 || size != csv->size) && !move_record(csv, size))
		return false;
	if (csv->end < csv->size)
		return true;
	fail(csv, "too many bytes");
	return false;
}

/*
 * Reads what the source has to give behind the last byte, or notes its end.
 * False with csv->failure filled.  The source may leave by longjmp: the buffer
 * is in order then, though the record is lost.
 */
static bool
fill(PinCsv *csv)
{
	ptrdiff_t	got;

	if (!make_room(csv))
		return false;
	got = csv->read(csv->arg, csv->buf + csv->end, csv->size - csv->end,
					&csv->failure);
	if (got < 0)
	{
		if (csv->failure.kind == PIN_ERROR_NONE)
			pin_error_set(&csv->failure, PIN_ERROR_INTERNAL,
						  "could not read report file");
		return false;
	}
	csv->end += got;
	csv->source_ended = got == 0;
	memset(csv->buf + csv->end, 0, PADDING);
	return true;
}

/* Skips the byte order mark, if any.  False with csv->failure filled. */
static bool
skip_byte_order_mark(PinCsv *csv)
{
	while (!csv->source_ended && csv->end < BYTE_ORDER_MARK_LEN &&
		   memcmp(csv->buf, BYTE_ORDER_MARK, csv->end) == 0)
	{
		if (!fill(csv))
			return false;
	}
	if (csv->end >= BYTE_ORDER_MARK_LEN &&
		memcmp(csv->buf, BYTE_ORDER_MARK, BYTE_ORDER_MARK_LEN) == 0)
		csv->next = BYTE_ORDER_MARK_LEN;
	csv->state = AT_FIELD;
	return true;
}

/* Sees to at least one byte to scan.  False with csv->failure filled. */
static bool
fill_if_empty(PinCsv *csv)
{
	if (csv->state == AT_START && !skip_byte_order_mark(csv))
		return false;
	while (csv->next == csv->end && !csv->source_ended)
	{
		csv->record = csv->next;
		if (!fill(csv))
			return false;
	}
	return true;
}

/* Scans and fills until the record ends.  False with csv->failure filled. */
static bool
read_record(PinCsv *csv)
{
	Step		step;

	csv->record = csv->next;
	while ((step = scan_record(csv)) == STEP_MORE)
	{
		if (!fill(csv))
			return false;
	}
	return step == STEP_RECORD;
}

/* ---- by the map ---- */

/* Maps the records from next on, as many as the buffer holds whole. */
static bool
map_buffer(PinCsv *csv)
{
	size_t		len = csv->end - csv->next;

	csv->record = csv->next;
	if (!pin_map_reserve(&csv->map, len))
		return out_of_memory(csv);
	csv->kernel->fill(&csv->map, csv->buf + csv->next, len, csv->delimiter, csv->width);
	csv->taken = 0;
	csv->cut = !csv->map.stuck && !csv->map.full && csv->map.len < len;
	return csv->map.rows > 0;
}

/*
 * Maps the next records.  Where the buffer ends within the next one it is
 * filled, but only once: a record that still is not whole is read byte by byte,
 * so that no byte is looked at more than twice, however small the pieces.
 * False: the next record has to be read otherwise, or csv->failure is filled.
 */
static bool
map_records(PinCsv *csv)
{
	csv->nfields = 0;
	if (csv->cut || csv->next == csv->end || !map_buffer(csv))
	{
		csv->record = csv->next;
		if (csv->map.stuck || csv->source_ended || !fill(csv))
			return false;
		if (csv->next == csv->end || !map_buffer(csv))
			return false;
	}
	csv->map_line = csv->line;
	csv->line += csv->map.rows + csv->map.inner;
	csv->next += csv->map.len;
	csv->line_at = csv->line_inner = 0;
	return true;
}

/* Forgets the map. */
static void
leave_map(PinCsv *csv)
{
	csv->taken = csv->map.rows = 0;
	csv->map.stuck = false;
	csv->mapped = false;
	csv->cut = false;
}

/*
 * The bytes that are left over at its end become blanks, so that no line feed is
 * counted twice.
 */
void
pin_csv_unescape(PinField *field)
{
	char	   *end = field->data + field->len;
	char	   *out = memchr(field->data, '"', field->len);

	if (out == NULL)
		return;
	for (const char *p = out; p < end; p++)
	{
		*out++ = *p;
		p += *p == '"';
	}
	memset(out, ' ', end - out);
	field->len = (uint32_t) (out - field->data);
}

/* The record with that number in the map. */
static inline void
describe_record(PinCsv *csv, PinRecord *record)
{
	record->nfields = csv->width;
	record->fields = NULL;
	record->map = &csv->map;
	record->origin = csv->buf + csv->record;
	record->ends = csv->ends + 1;
}

/* Finds fields of the record with that number in the map. */
static inline void
find_fields(const PinCsv *csv, size_t number, int first, int end, uint32_t *ends)
{
	const char *origin = csv->buf + csv->record;

	ends[-1] = csv->map.records[number] - 1;
	csv->kernel->find(&csv->map, number, first, end, ends);

	/* a line end of two bytes */
	if (end == csv->width && ends[end - 1] - ends[end - 2] > 1 &&
		origin[ends[end - 1] - 1] == '\r')
		ends[end - 1]--;
}

void
pin_csv_find(PinCsv *csv, PinRecord *record, int first, int end)
{
	if (record->fields != NULL)
		return;
	record->ends = csv->ends + 1;
	find_fields(csv, csv->taken - 1, first, end, csv->ends + 1);
}

/*
 * Finds all fields of n records, whose ends are side by side: then the end of one
 * record is that before the first field of the next.  False: there are line ends
 * of two bytes, where it is not.
 */
static bool
find_all_fields(PinCsv *csv, size_t number, int n, uint32_t *ends)
{
	const char *origin = csv->buf + csv->record;

	ends[-1] = csv->map.records[number] - 1;
	csv->kernel->find_all(&csv->map, number, (size_t) n * csv->width, ends);
	for (int i = 0; i < n; i++)
	{
		ends += csv->width;
		if (ends[-1] > 0 && origin[ends[-1] - 1] == '\r')
			return false;
	}
	return true;
}

int
pin_csv_find_ahead(PinCsv *csv, PinRecord *record, int first, int end, int most)
{
	size_t		number = csv->taken - 1;
	size_t		rows = csv->map.rows - number;
	int			n = rows < (size_t) most ? (int) rows : most;
	uint32_t   *ends = csv->ahead + 1;

	record->ends = ends;
	record->stride = csv->width;
	if (2 * (end - first) > csv->width && find_all_fields(csv, number, n, ends))
		return n;
	record->stride = csv->width + 1;
	for (int i = 0; i < n; i++)
		find_fields(csv, number + i, first, end, ends + i * record->stride);
	return n;
}

bool
pin_csv_expect(PinCsv *csv, int nfields)
{
	size_t		width = 1 + nfields;
	uint32_t   *ends = realloc(csv->ends, (width + PIN_MAP_BLOCK) * sizeof(uint32_t));
	uint32_t   *ahead = realloc(csv->ahead, (PIN_CSV_AHEAD * width + PIN_MAP_BLOCK) * sizeof(uint32_t));

	csv->ends = ends != NULL ? ends : csv->ends;
	csv->ahead = ahead != NULL ? ahead : csv->ahead;
	if (ends == NULL || ahead == NULL)
		return false;
	csv->width = nfields;
	return true;
}

/*
 * Line feeds that are in quotes before the record that was taken last.  Those
 * that end fields are in the map, whatever has been written over them.
 */
static size_t
inner_lines(PinCsv *csv, size_t until)
{
	for (; csv->line_at < until; csv->line_at++)
	{
		size_t		i = csv->line_at;
		bool		ends = csv->map.ends[i / PIN_MAP_BLOCK] >> (i % PIN_MAP_BLOCK) & 1;

		csv->line_inner += csv->buf[csv->record + i] == '\n' && !ends;
	}
	return csv->line_inner;
}

uint64_t
pin_csv_line(PinCsv *csv)
{
	if (!csv->mapped)
		return csv->record_line;
	return csv->map_line + csv->taken - 1 +
		(csv->map.inner > 0 ? inner_lines(csv, csv->map.records[csv->taken - 1]) : 0);
}

PinCsvStatus
pin_csv_next(PinCsv *csv, PinRecord *record, PinError *err)
{
	csv->mapped = csv->taken < csv->map.rows ||
		(csv->width > 0 && csv->state == AT_FIELD &&
		 csv->failure.kind == PIN_ERROR_NONE && map_records(csv));
	if (csv->mapped)
	{
		csv->taken++;
		describe_record(csv, record);
		return PIN_CSV_RECORD;
	}

	leave_map(csv);
	csv->nfields = 0;
	csv->record_line = csv->line;
	if (csv->failure.kind == PIN_ERROR_NONE && fill_if_empty(csv))
	{
		if (csv->next == csv->end)
			return PIN_CSV_END;
		if (read_record(csv))
		{
			record->fields = csv->fields;
			record->nfields = csv->nfields;
			return PIN_CSV_RECORD;
		}
	}
	*err = csv->failure;
	return PIN_CSV_ERROR;
}

void
pin_csv_rewind(PinCsv *csv)
{
	csv->state = AT_START;
	csv->source_ended = false;
	csv->record = csv->next = csv->end = 0;
	csv->field = csv->out = 0;
	csv->line = csv->record_line = 1;
	csv->nfields = 0;
	csv->width = 0;
	leave_map(csv);
	memset(csv->buf, 0, PADDING);
	pin_error_reset(&csv->failure);
}

void
pin_csv_rewind_to(PinCsv *csv, uint64_t line)
{
	pin_csv_rewind(csv);
	csv->state = AT_FIELD;
	csv->line = csv->record_line = line;
}

PinCsv *
pin_csv_open(char delimiter, PinCsvRead read, void *arg)
{
	PinCsv	   *csv = calloc(1, sizeof(PinCsv));

	if (csv == NULL)
		return NULL;
	csv->read = read;
	csv->arg = arg;
	csv->delimiter = delimiter;
	csv->kernel = pin_map_kernel();
	csv->size = BUFFER_SIZE;
	csv->fields_size = FIELDS_SIZE;
	csv->buf = allocate(BUFFER_SIZE);
	csv->fields = malloc(FIELDS_SIZE * sizeof(PinField));
	if (csv->buf == NULL || csv->fields == NULL)
	{
		pin_csv_free(csv);
		return NULL;
	}
	pin_csv_rewind(csv);
	return csv;
}

void
pin_csv_use(PinCsv *csv, const PinMapKernel *kernel)
{
	csv->kernel = kernel;
}

void
pin_csv_free(PinCsv *csv)
{
	if (csv == NULL)
		return;
	if (csv->buf != NULL)
		free(csv->buf - LEAD);
	free(csv->fields);
	free(csv->ends);
	free(csv->ahead);
	pin_map_free(&csv->map);
	free(csv);
}
