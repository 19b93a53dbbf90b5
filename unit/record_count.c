/*-------------------------------------------------------------------------
 *
 * record_count.c
 *		How many rows are counted in files written by hand, in pieces of every
 *		size.  (fuzz/record_count.c compares with the reader.)
 *
 * Links: src/snapshot/record_count.c
 *
 *-------------------------------------------------------------------------
 */
#include "snapshot/record_count.h"

#include "tap.h"

static int64_t
count_in_pieces(const char *text, char delimiter, size_t piece)
{
	PinRecordCount count;
	size_t		len = strlen(text);

	pin_record_count_begin(&count, delimiter);
	for (size_t at = 0; at < len; at += piece)
		pin_record_count_add(&count, text + at, piece < len - at ? piece : len - at);
	return pin_record_count_rows(&count);
}

static void
check(const char *text, char delimiter, int64_t rows, const char *what)
{
	int64_t		got = rows;

	for (size_t piece = 1; piece <= strlen(text) && got == rows; piece++)
		got = count_in_pieces(text, delimiter, piece);
	is_int(got, rows, "%s", what);
}

static void
test_so_far(void)
{
	PinRecordCount count;

	pin_record_count_begin(&count, ',');
	is_int(pin_record_count_rows(&count), 0, "before the first byte");
	pin_record_count_add(&count, "a,b\n", 4);
	is_int(pin_record_count_rows(&count), 0, "after the header");
	pin_record_count_add(&count, "1,2\n3", 5);
	is_int(pin_record_count_rows(&count), 2, "within the second row");
	pin_record_count_add(&count, "", 0);
	pin_record_count_add(&count, ",4\n", 3);
	is_int(pin_record_count_rows(&count), 2, "after it");
	pin_record_count_begin(&count, ',');
	is_int(pin_record_count_rows(&count), 0, "begun anew");
}

int
main(void)
{
	check("a,b", ',', 0, "a header without an end");
	check("a,b\n", ',', 0, "a header");
	check("a,b\n1,2", ',', 1, "a last line without an end");
	check("a,b\r\n1,2\r\n3,4\r\n", ',', 2, "carriage returns");
	check("a,b\n\"1\n2\",3\n4,5\n", ',', 2, "a line end in quotes");
	check("a,b\n\"1\"\"\n\"\"2\",3\n", ',', 1, "pairs of quotes");
	check("a,b\n\"\"\"\n\"\"\",\"\"\n", ',', 1, "pairs of quotes at both ends");
	check("a,b\n5\",6\n7,8\n", ',', 2, "a quote within a field opens nothing");
	check("a,b\n5,\"\n\"\n", ',', 1, "a quote after the delimiter does");
	check("a\tb\n5,\"\t6\n", '\t', 1, "but not after a comma between tabs");
	check("a\tb\n5\t\"\n6\"\n", '\t', 1, "tabs");
	check("\xEF\xBB\xBF\"a\n\",b\n1,2\n", ',', 1, "a quote after a byte order mark");
	check("ab\xBF\"\n1\n", ',', 1, "which has to be whole");
	check("\"a\nb\",c\n1,2\n", ',', 1, "a header with a line end");
	check("a,b\n1,2\n\n\r\n", ',', 1, "empty lines after several columns are padding");
	check("a\n1\n\n\r\n", ',', 3, "of a single column they are rows");
	check("\"a,b\"\n\n", ',', 1, "which a delimiter in quotes does not change");
	test_so_far();
	return done_testing();
}
