/*
 * report_preview.c
 *		The JSON rows of a preview.
 *
 * Written by hand: a decimal goes out with every digit it has, which no JSON
 * library that goes through double would do.
 */
#include "report_file.h"

#include <string.h>

static void
add_json_string(EmuText *out, const char *text, size_t length)
{
	emu_text_puts(out, "\"");
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '"' || c == '\\')
			emu_text_printf(out, "\\%c", c);
		else if (c == '\n')
			emu_text_puts(out, "\\n");
		else if (c < 0x20)
			emu_text_printf(out, "\\u%04x", c);
		else
			emu_text_add(out, text + i, 1);
	}
	emu_text_puts(out, "\"");
}

static void
add_value(EmuText *out, sqlite3_stmt *statement, int i, EmuType type)
{
	const char *text = (const char *) sqlite3_column_text(statement, i);
	size_t		length = (size_t) sqlite3_column_bytes(statement, i);

	if (text == NULL)
		emu_text_puts(out, "null");
	else if (type == EMU_BIGINT || type == EMU_NUMERIC)
		emu_text_add(out, text, length);
	else
		add_json_string(out, text, length);
}

int64_t
emu_report_preview(sqlite3_stmt *statement, const EmuQuery *query, EmuText *out)
{
	int64_t		rows = 0;
	int			rc;

	emu_text_puts(out, "[");
	while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
	{
		emu_text_puts(out, rows++ ? ",{" : "{");
		for (int i = 0; i < query->nselect; i++)
		{
			const EmuColumn *column = query->select[i].column;

			if (i > 0)
				emu_text_puts(out, ",");
			add_json_string(out, column->name, strlen(column->name));
			emu_text_puts(out, ":");
			add_value(out, statement, i, column->type);
		}
		emu_text_puts(out, "}");
	}
	emu_text_puts(out, "]");
	return rc == SQLITE_DONE ? rows : -2;
}
