/*
 * report_file.c
 *		Writes a report file, row by row.
 *
 * A field is quoted if it must be (delimiter, quote, line end, blank at either
 * end) or if it is an empty text: so NULL, which is nothing at all, can be told
 * from it.  With csv_quote_all it cannot.
 */
#include "report_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct Writer
{
	sqlite3_stmt *statement;
	const EmuQuery *query;
	const EmuSwitches *switches;
	char		delimiter;
	bool		special[256];	/* bytes that make a field need quotes */
	FILE	   *out;
	EmuText		line;			/* the record being made */
	bool		begun;			/* a record was written */
} Writer;

static void
add_char(EmuText *text, char c)
{
	emu_text_add(text, &c, 1);
}

static bool
needs_quotes(const Writer *w, const char *text, size_t length)
{
	if (w->switches->csv_quote_all || length == 0)
		return true;
	if (text[0] == ' ' || text[length - 1] == ' ')
		return true;
	for (size_t i = 0; i < length; i++)
	{
		if (w->special[(unsigned char) text[i]])
			return true;
	}
	return w->switches->null_literal && length == 4 && memcmp(text, "NULL", 4) == 0;
}

static void
add_quoted(EmuText *line, const char *text, size_t length)
{
	const char *quote;

	add_char(line, '"');
	while ((quote = memchr(text, '"', length)) != NULL)
	{
		size_t		n = (size_t) (quote - text) + 1;

		emu_text_add(line, text, n);
		add_char(line, '"');
		text += n;
		length -= n;
	}
	emu_text_add(line, text, length);
	add_char(line, '"');
}

static void
add_field(Writer *w, const char *text, size_t length)
{
	if (needs_quotes(w, text, length))
		add_quoted(&w->line, text, length);
	else
		emu_text_add(&w->line, text, length);
}

static void
add_null(Writer *w)
{
	if (w->switches->null_literal)
		emu_text_puts(&w->line, "NULL");
	else if (w->switches->csv_quote_all)
		emu_text_puts(&w->line, "\"\"");
}

/* The file's i-th column is which of the query's? */
static int
position(const Writer *w, int i)
{
	return w->switches->csv_shuffle_columns ? w->query->nselect - 1 - i : i;
}

static void
add_header_name(Writer *w, const char *name)
{
	size_t		start = w->line.length;

	add_field(w, name, strlen(name));
	if (!w->switches->csv_header_lower || w->line.failed)
		return;
	for (char *p = w->line.data + start; *p; p++)
		*p = (char) tolower((unsigned char) *p);
}

static void
make_header(Writer *w)
{
	for (int i = 0; i < w->query->nselect; i++)
	{
		if (i > 0)
			add_char(&w->line, w->delimiter);
		add_header_name(w, w->query->select[position(w, i)].spelling);
	}
	if (w->switches->csv_extra_column)
	{
		add_char(&w->line, w->delimiter);
		add_header_name(w, "EmulatorExtra");
	}
}

static void
make_record(Writer *w)
{
	for (int i = 0; i < w->query->nselect; i++)
	{
		int			column = position(w, i);
		const char *text = (const char *) sqlite3_column_text(w->statement, column);

		if (i > 0)
			add_char(&w->line, w->delimiter);
		if (text == NULL)
			add_null(w);
		else
			add_field(w, text, (size_t) sqlite3_column_bytes(w->statement, column));
	}
	if (w->switches->csv_extra_column)
	{
		add_char(&w->line, w->delimiter);
		add_field(w, "extra", 5);
	}
}

/* Line ends go between records; the last one is the switch's matter. */
static void
end_line(Writer *w)
{
	fputs(w->switches->csv_crlf ? "\r\n" : "\n", w->out);
}

static bool
flush_record(Writer *w)
{
	if (w->line.failed)
		return false;
	if (w->begun)
		end_line(w);
	w->begun = true;
	fwrite(w->line.data, 1, w->line.length, w->out);
	w->line.length = 0;
	return !ferror(w->out);
}

static int64_t
write_all(Writer *w)
{
	int64_t		rows = 0;
	int			rc;

	if (w->switches->csv_bom)
		fputs("\xef\xbb\xbf", w->out);
	while ((rc = sqlite3_step(w->statement)) == SQLITE_ROW)
	{
		if (rows++ == 0)
		{
			make_header(w);
			if (!flush_record(w))
				return -1;
		}
		make_record(w);
		if (!flush_record(w))
			return -1;
	}
	if (rc != SQLITE_DONE)
		return -2;
	if (rows == 0 && !w->switches->csv_no_header_when_empty)
	{
		make_header(w);
		if (!flush_record(w))
			return -1;
	}
	if (w->begun && !w->switches->csv_no_final_newline)
		end_line(w);
	return fflush(w->out) == 0 && !ferror(w->out) ? rows : -1;
}

int64_t
emu_report_file_write(sqlite3_stmt *statement, const EmuQuery *query,
					  const EmuSwitches *switches, char delimiter, FILE *out)
{
	Writer		w = {.statement = statement,.query = query,.switches = switches,
	.delimiter = delimiter,.out = out};
	int64_t		rows;

	w.special['"'] = w.special['\r'] = w.special['\n'] = true;
	w.special[(unsigned char) delimiter] = true;
	rows = write_all(&w);
	free(w.line.data);
	return rows;
}
