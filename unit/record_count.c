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

#include <stdlib.h>

#include "tap.h"

static PinRecordCount count;

static void
add_in_pieces(const char *text, size_t piece)
{
	size_t		len = strlen(text);

	for (size_t at = 0; at < len; at += piece)
		pin_record_count_add(&count, text + at, piece < len - at ? piece : len - at);
}

static int64_t
count_in_pieces(const char *text, char delimiter, size_t piece)
{
	int64_t		rows;

	pin_record_count_begin(&count, delimiter);
	add_in_pieces(text, piece);
	rows = pin_record_count_rows(&count);
	(void) pin_record_count_end(&count);
	return rows == pin_record_count_rows(&count) ? rows : -1;
}

static bool
is_regular(const char *text, size_t piece)
{
	pin_record_count_begin(&count, ',');
	add_in_pieces(text, piece);
	return pin_record_count_end(&count);
}

static void
check_regular(const char *text, bool regular, const char *what)
{
	bool		got = regular;

	for (size_t piece = 1; piece <= strlen(text) && got == regular; piece++)
		got = is_regular(text, piece);
	ok(got == regular, "%s: %s", regular ? "regular" : "irregular", what);
}

static void
test_regular(void)
{
	check_regular("a,b\n", true, "a header");
	check_regular("a,b\r\n1,\"2\"\r\n\"\",\"\"\"\"\n3,4", true, "rows");
	check_regular("a,b\n1,\"2\"", true, "a last quote without a line end");
	check_regular("a,b\n1\"\"2,3\n", true, "quotes within a field");
	check_regular("a,b\n1,2\n\n\r\n", true, "empty lines at the end");
	check_regular("a\n1\n\n2\n", true, "empty rows of a single column");
	check_regular("a,b\n1,2\n\n3,4\n", false, "an empty line among rows");
	check_regular("a,b\n1\n", false, "a field too few");
	check_regular("a,b\n1,2,3\n", false, "a field too many");
	check_regular("a,b\n\"1,2\"\n", false, "a delimiter in quotes divides nothing");
	check_regular("a,b\n\"1\"2,3\n", false, "text after a closing quote");
	check_regular("a,b\n1,\"2\"\r3\n", false, "a carriage return after a closing quote");
	check_regular("a,b\n1,\"2\"\r", false, "with nothing behind it");
	check_regular("a,b\n1,\"2\n", false, "a quote that never closes");
	check_regular("a,b\n1,2\n\r", false, "a carriage return alone is a field");
	pin_record_count_begin(&count, ',');
	pin_record_count_add(&count, "a,b\n1,\0\n", 9);
	ok(!pin_record_count_end(&count), "irregular: a zero byte");
}

static void
check_ended(const char *text, int64_t rows, uint64_t size, const char *what)
{
	uint64_t	end = size;
	int64_t		got = rows;

	for (size_t piece = 1; piece <= strlen(text) && got == rows && end == size; piece++)
	{
		pin_record_count_begin(&count, ',');
		add_in_pieces(text, piece);
		got = pin_record_count_ended(&count, &end);
	}
	is_int(got, rows, "rows that have ended: %s", what);
	if (rows >= 0)
		is_int(end, size, "and where: %s", what);
}

static void
test_ended(void)
{
	check_ended("a,b", 0, 0, "not even the header");
	check_ended("a,b\n1,2", 0, 4, "a row that may go on");
	check_ended("a,b\n1,2\r", 0, 4, "a line end that may, too");
	check_ended("a,b\n1,2\n3,\"4\"", 1, 8, "one of two");
	check_ended("a,b\n1,\"2\n\n3\n", 0, 4, "line ends in quotes");
	check_ended("a,b\n1,\"2\n\"\"\n\"\r\n3,4", 1, 15, "and behind them");
	check_ended("a,b\n1,2\n3\n4,5", -1, 0, "a row of another width");
	check_ended("a,b\n1,2\n\n3,4\n", -1, 0, "an empty line among rows");
}

static void
test_ranges(void)
{
	const char *text = "a,b\n1,2\n\"3\n\n\",4\r\n5,6\n7,8\n9,10";
	uint64_t	rows = 0;

	pin_record_count_begin(&count, ',');
	count.spacing = 5;
	add_in_pieces(text, 1);
	ok(pin_record_count_end(&count), "a file with ranges is regular");
	is_int(count.nranges, 3, "its ranges");
	is_int(count.ranges[0].offset, 4, "the first begins behind the header");
	is_int(count.ranges[0].line, 2, "on the second line");
	is_int(count.ranges[0].rows, 2, "has the rows that begin within its length");
	is_int(count.ranges[1].offset, 17, "the next begins behind them");
	is_int(count.ranges[1].line, 6, "line ends in quotes are counted");
	is_int(count.ranges[2].rows, 1, "the last has what is left");

	pin_record_count_begin(&count, ',');
	count.spacing = 1;
	add_in_pieces("a,b\n", 4);
	for (int i = 0; i < 5000; i++)
		add_in_pieces("1,2\n", 4);
	ok(pin_record_count_end(&count), "a long file is regular");
	ok(count.nranges > PIN_RECORD_RANGES_MAX / 2 && count.nranges <= PIN_RECORD_RANGES_MAX,
	   "it has no more ranges than there is room for, nor much fewer");
	for (int i = 0; i < count.nranges; i++)
	{
		if (count.ranges[i].offset != 4 + 4 * rows || count.ranges[i].line != 2 + rows)
			break;
		rows += count.ranges[i].rows;
	}
	is_int(rows, 5000, "and they follow one another");
}

static void
check(const char *text, char delimiter, int64_t rows, const char *what)
{
	int64_t		got = rows;

	for (size_t piece = 1; piece <= strlen(text) && got == rows; piece++)
		got = count_in_pieces(text, delimiter, piece);
	is_int(got, rows, "%s", what);
}

/* A kernel that takes nothing: all is walked through. */
static size_t
take_nothing(PinRecordCount *unused, const char *data, size_t len)
{
	(void) unused;
	(void) data;
	(void) len;
	return 0;
}

static uint64_t state = 7;

static uint32_t
next_random(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (state >> 33) % n;
}

/* Rows of three fields, well made but for what else is put between them. */
static size_t
make_text(char *text, size_t size, uint32_t faults)
{
	static const char *const fields[] = {"", "1", "\"\"", "\"a,b\"", "\"c\n\"", "\"\"\"d\"\"\"",
	"a field of some length that fills no block", "\"\r\n,\"\"\"", "\xC3\xA9", "\r"};
	static const char *const odd[] = {"\"", "\n", "\n\n", "\r", ",", "\"x", "\"\r\n", "\t", "x\"y"};
	size_t		len = 0;

	for (uint32_t i = 0; i % 3 != 0 || len + 200 < size; i++)
	{
		const char *field = fields[next_random(10)];

		if (faults > 0 && next_random(faults) == 0)
			field = odd[next_random(9)];
		len += (size_t) snprintf(text + len, size - len, "%s%s", field,
								 i % 3 < 2 ? "," : next_random(2) ? "\r\n" : "\n");
	}
	if (faults == 1000)
		text[next_random((uint32_t) len)] = '\0';
	return len;
}

/* Counts a text that ends where its memory does, in pieces of some size. */
static void
count_with(PinCountKernel kernel, const char *text, size_t len, size_t piece, PinRecordCount *result)
{
	pin_record_count_begin(result, ',');
	result->kernel = kernel;
	result->spacing = 300;
	for (size_t at = 0; at < len; at += piece)
	{
		size_t		n = piece < len - at ? piece : len - at;
		char	   *exact = malloc(n);

		if (exact == NULL)
			abort();
		memcpy(exact, text + at, n);
		pin_record_count_add(result, exact, n);
		free(exact);
	}
	(void) pin_record_count_end(result);
	result->kernel = NULL;
}

/* Each kernel says what comes of walking through all bytes. */
static void
test_kernels(void)
{
	static PinRecordCount walked;
	static char text[4000];
	PinCountKernel kernel;

	for (int i = 0; (kernel = pin_count_kernel_at(i)) != NULL; i++)
	{
		bool		same = true;
		int			regular = 0;

		for (uint32_t n = 0; n < 2000 && same; n++)
		{
			static const uint32_t faults[] = {0, 5, 100, 1000};
			size_t		len = make_text(text, 300 + next_random(sizeof(text) - 300), faults[n % 4]);
			size_t		piece = n % 3 == 0 ? len : 1 + next_random(300);

			count_with(take_nothing, text, len, len, &walked);
			count_with(kernel, text, len, piece, &count);
			same = memcmp(&walked, &count, sizeof(count)) == 0;
			regular += !count.irregular;
		}
		ok(same, "kernel %d counts as a walk does", i);
		ok(regular > 100, "also in regular files (%d)", regular);
	}
}

/* Something that needs a second look, anywhere in a block and parted anywhere. */
static void
test_edges(void)
{
	static const char *const looked_at[] = {"\"x\"y", "\"x\"\ry", "\"x\"\r\n", "\"x\"\"y\"", "x\"y",
	"\"\"", "\"\n\"", "\"\"\"\"", "\r", "\""};
	static PinRecordCount walked;
	char		text[500];
	PinCountKernel kernel;

	for (int i = 0; (kernel = pin_count_kernel_at(i)) != NULL; i++)
	{
		bool		same = true;

		for (int n = 0; n < 10 * 128; n++)
		{
			const char *what = looked_at[n % 10];
			size_t		at = 4 + (size_t) n / 10 + 1;
			size_t		len = (size_t) snprintf(text, sizeof(text), "a,b\n%*s,%s\n%0100d,2\n%0100d,4\n",
												n / 10, "", what, 1, 3);

			count_with(take_nothing, text, len, len, &walked);
			for (size_t piece = at; piece <= at + strlen(what) + 1; piece++)
			{
				count_with(kernel, text, len, piece, &count);
				same = same && memcmp(&walked, &count, sizeof(count)) == 0;
			}
		}
		ok(same, "kernel %d: at any place of a block", i);
	}
}

static void
test_so_far(void)
{
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
	test_kernels();
	test_edges();
	test_regular();
	test_ended();
	test_ranges();
	return done_testing();
}
