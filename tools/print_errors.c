/*-------------------------------------------------------------------------
 *
 * print_errors.c
 *		Prints docs/errors.md from the tables in the code.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "error.h"
#include "insights/aadsts.h"

static void
print_head(void)
{
	puts("# Errors\n");
	puts("<!-- Printed by `make doc-tables` from src/error.c and src/insights/aadsts.c. -->\n");
	puts("Every error that comes from the service, or from the way to it, is of one of");
	puts("the kinds below. The message says what failed, the detail repeats the");
	puts("service's own words (at most 512 bytes of them, without control characters),");
	puts("the hint says what can be done, and the context names the foreign table.\n");
	puts("A cancelled query ends with SQLSTATE `57014` and nothing else ever does.");
	puts("Errors of options are described in [options.md](options.md); a value that");
	puts("cannot be read is reported with the SQLSTATE of its type's input function,");
	puts("the line of the report file, the field and the column. A file that was kept");
	puts("and turns out to be damaged is read again and again until");
	puts("[`pinsight_forget()`](sharing.md#taking-things-away) removes it, as the hint says.\n");
}

static void
print_kinds(void)
{
	puts("## Kinds\n");
	puts("| kind | SQLSTATE | meaning | what to do |");
	puts("|---|---|---|---|");
	for (int kind = PIN_ERROR_NONE + 1; kind < PIN_ERROR_KINDS; kind++)
	{
		const PinErrorRow *row = pin_error_row(kind);

		printf("| `%s` | `%s` | %s | %s |\n", row->name, row->sqlstate, row->meaning,
			   row->hint != NULL ? row->hint : "");
	}
}

static void
print_aadsts(void)
{
	size_t		count;
	const PinAadsts *table = pin_aadsts_table(&count);

	puts("\n## Sign-in errors\n");
	puts("The sign-in service numbers its refusals; the number is in the detail.\n");
	puts("| AADSTS | kind | what to do |");
	puts("|---|---|---|");
	for (size_t i = 0; i < count; i++)
	{
		printf("| %d", table[i].code);
		if (table[i].last_code != table[i].code)
			printf("–%d", table[i].last_code);
		printf(" | `%s` | %s |\n", pin_error_row(table[i].kind)->name, table[i].hint);
	}
}

int
main(void)
{
	print_head();
	print_kinds();
	print_aadsts();
	return ferror(stdout) != 0;
}
