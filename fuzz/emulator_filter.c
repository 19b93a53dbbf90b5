/*-------------------------------------------------------------------------
 *
 * emulator_filter.c
 *		Fuzzes the conditions of a report query against the emulator's parser:
 *		no value escapes its literal, and no row that PostgreSQL would keep is
 *		left out.
 *
 * Each input is a few values, with zeros between them.  They are tried as they
 * are, and once more spelled in an alphabet so small that matches happen.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>

#include "calendar.h"
#include "fuzz.h"
#include "insights/filter.h"
#include "insights/query_text.h"
#include "query.h"

#define VALUES_MAX 8

/* Longest pattern that is tried on all short texts. */
#define SHORT_PATTERN_MAX 8

static const char small_alphabet[] = "aA1 _%\\'";

static const char catalog_json[] =
"{\"datasets\": [{\"program\": \"mpn\", \"name\": \"Trial\", \"columns\": ["
"{\"name\": \"T\", \"type\": \"text\"}, {\"name\": \"N\", \"type\": \"numeric\"},"
"{\"name\": \"D\", \"type\": \"date\"}], \"metrics\": [], \"date_ranges\": [\"LIFETIME\"],"
"\"time_column\": \"D\"}]}";

/* The columns of a trial query, as it selects them. */
enum
{
	TEXT,
	NUMBER,
	DATE,
	NCOLUMNS
};
static const char *const columns[NCOLUMNS] = {"T", "N", "D"};

/* ---- from a condition to a tree ---- */

static const EmuCatalog *
trial_catalog(void)
{
	static EmuCatalog *catalog;
	char		err[256] = "";

	if (catalog == NULL)
		catalog = emu_catalog_parse(catalog_json, strlen(catalog_json), NULL, 0, err, sizeof(err));
	if (catalog == NULL)
		fprintf(stderr, "%s\n", err);
	FUZZ_EXPECT(catalog != NULL);
	return catalog;
}

/* What was written, which the caller frees; NULL: no condition, so nothing was. */
static char *
take_condition(PinTextBuffer *out, bool written)
{
	size_t		len = 0;
	char	   *condition = pin_text_buffer_take(out, &len);

	FUZZ_EXPECT(condition != NULL);
	FUZZ_EXPECT(written == (len > 0));
	if (written)
		return condition;
	free(condition);
	return NULL;
}

/*
 * The query around a condition, parsed; frees the condition.  It is one filter
 * on one column, and what comes behind it is still there.
 */
static EmuQuery *
parse_condition(char *condition, int column)
{
	const char *const filters[] = {condition};
	PinQueryParts parts = {
		.dataset = "Trial",.columns = columns,.ncolumns = NCOLUMNS,
		.filters = filters,.nfilters = 1,.limit = 7,.timespan = "LIFETIME"
	};
	PinError	error;
	char		err[256];
	char	   *text = pin_query_text(&parts, &error);
	EmuQuery   *query;

	FUZZ_EXPECT(text != NULL);
	query = emu_query_parse_catalog(trial_catalog(), "mpn", text, err, sizeof(err));
	if (query == NULL)
		fprintf(stderr, "%s: %s\n", err, text);
	FUZZ_EXPECT(query != NULL);
	FUZZ_EXPECT(query->nfilters == 1 && query->nselect == NCOLUMNS);
	FUZZ_EXPECT(query->filters[0].column == query->select[column].column);
	FUZZ_EXPECT(query->limit == 7 && query->timespan != NULL && query->norder == 0);
	free(text);
	free(condition);
	return query;
}

/* ---- what a literal may hold ---- */

static bool
is_proven(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("_-.:/@+&,", c) != NULL);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Proven characters, blanks between two of them, and % if it is a pattern. */
static void
check_literal(const char *value, bool pattern)
{
	FUZZ_EXPECT(*value != '\0');
	for (const char *c = value; *c; c++)
	{
		if (*c == ' ')
			FUZZ_EXPECT(c > value && is_proven(c[-1]) && is_proven(c[1]));
		else
			FUZZ_EXPECT(is_proven(*c) || (pattern && *c == '%'));
	}
}

/* ---- what LIKE accepts ---- */

/* How a pattern is read. */
typedef struct Reading
{
	bool		underscore;		/* _ is any one character */
	bool		escapes;		/* \ makes the next character an ordinary one */
	bool		folded;			/* letters have no case */
} Reading;

static const Reading postgres_like = {.underscore = true,.escapes = true};
static const Reading postgres_ilike = {.underscore = true,.escapes = true,.folded = true};

/* All that the service may do. */
static const Reading readings[] = {
	{.underscore = false,.folded = false},
	{.underscore = false,.folded = true},
	{.underscore = true,.folded = false},
	{.underscore = true,.folded = true},
};

static const char *
next_character(const char *c)
{
	do
		c++;
	while ((*c & 0xC0) == 0x80);
	return c;
}

static char
folded(char c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Only the last % is ever tried again: the ones before have matched all they must. */
static bool
matches(const char *text, const char *pattern, Reading reading)
{
	const char *retry_text = NULL;
	const char *retry_pattern = NULL;

	while (*text)
	{
		bool		escaped = reading.escapes && *pattern == '\\';

		if (*pattern == '%')
		{
			retry_pattern = ++pattern;
			retry_text = text;
		}
		else if (*pattern == '_' && reading.underscore)
		{
			text = next_character(text);
			pattern++;
		}
		else if (folded(pattern[escaped], reading.folded) == folded(*text, reading.folded))
		{
			text++;
			pattern += 1 + escaped;
		}
		else if (retry_text)
		{
			text = retry_text = next_character(retry_text);
			pattern = retry_pattern;
		}
		else
			return false;
	}
	return pattern[strspn(pattern, "%")] == '\0';
}

/* Copies a text as a service has it that makes nothing of additional blanks. */
static void
squeeze(const char *text, char *out)
{
	char	   *start = out;

	for (; *text; text++)
	{
		if (*text != ' ' || (out > start && out[-1] != ' '))
			*out++ = *text;
	}
	if (out > start && out[-1] == ' ')
		out--;
	*out = '\0';
}

/* A text that PostgreSQL accepts is one that the service finds, however it reads. */
static void
check_found(const char *text, const EmuFilter *filter)
{
	const char *literal = filter->values[0];
	char	   *squeezed = malloc(strlen(text) + 1);

	FUZZ_EXPECT(squeezed != NULL);
	squeeze(text, squeezed);
	if (filter->op == EMU_OP_EQUAL)
		FUZZ_EXPECT(strcmp(text, literal) == 0 && strcmp(squeezed, literal) == 0);
	for (size_t i = 0; filter->op == EMU_OP_LIKE && i < 4; i++)
	{
		FUZZ_EXPECT(matches(text, literal, readings[i]));
		FUZZ_EXPECT(matches(squeezed, literal, readings[i]));
	}
	free(squeezed);
}

/* ---- texts ---- */

static bool
has_proven(const char *text)
{
	for (; *text; text++)
		if (is_proven(*text))
			return true;
	return false;
}

static void
check_text(const char *text)
{
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_text(&out, "T", text));
	EmuQuery   *query;
	const EmuFilter *filter;

	FUZZ_EXPECT((condition != NULL) == has_proven(text));
	if (condition == NULL)
		return;
	query = parse_condition(condition, TEXT);
	filter = &query->filters[0];
	FUZZ_EXPECT(filter->op == EMU_OP_EQUAL || filter->op == EMU_OP_LIKE);
	FUZZ_EXPECT(filter->nvalues == 1);
	check_literal(filter->values[0], filter->op == EMU_OP_LIKE);
	FUZZ_EXPECT((filter->op == EMU_OP_LIKE) == (strcmp(text, filter->values[0]) != 0 ||
												strchr(text, '%') != NULL));
	check_found(text, filter);
	emu_query_free(query);
}

static void
check_texts(char *const *texts, size_t count)
{
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_texts(&out, "T",
																  (const char *const *) texts, count));
	EmuQuery   *query;
	const EmuFilter *filter;

	if (condition == NULL)
		return;
	query = parse_condition(condition, TEXT);
	filter = &query->filters[0];
	FUZZ_EXPECT(filter->op == EMU_OP_IN && filter->nvalues == (int) count);
	for (size_t i = 0; i < count; i++)
	{
		check_literal(filter->values[i], false);
		FUZZ_EXPECT(strcmp(filter->values[i], texts[i]) == 0);
	}
	emu_query_free(query);
}

/* ---- patterns ---- */

/* Does a pattern end in an escape that escapes nothing? */
static bool
ends_in_escape(const char *pattern)
{
	for (; *pattern; pattern++)
		if (*pattern == '\\' && *++pattern == '\0')
			return true;
	return false;
}

/* Does it demand a proven character?  Letters are none where case is not minded. */
static bool
demands_proven(const char *pattern, bool any_case)
{
	for (; *pattern; pattern++)
	{
		if (*pattern == '%' || *pattern == '_')
			continue;
		if (*pattern == '\\')
			pattern++;
		if (is_proven(*pattern) && !(any_case && is_letter(*pattern)))
			return true;
	}
	return false;
}

static size_t
choose(uint64_t *state, size_t bound)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % bound;
}

/* Writes a text that a pattern accepts; out has room for three bytes for each. */
static void
make_accepted(const char *pattern, bool any_case, uint64_t *state, char *out)
{
	static const char *const any[] = {"", "a", " ", "B_", "\xC3\xA4", " x ", "%", "  "};
	static const char *const one[] = {"a", " ", "\xC3\xA4", "_", "%", "'"};

	for (; *pattern; pattern++)
	{
		const char *piece = *pattern == '%' ? any[choose(state, 8)] :
		*pattern == '_' ? one[choose(state, 6)] : NULL;

		if (piece)
		{
			out = stpcpy(out, piece);
			continue;
		}
		if (*pattern == '\\')
			pattern++;
		*out = *pattern;
		if (any_case && is_letter(*out) && choose(state, 2) == 0)
			*out ^= 'a' ^ 'A';
		out++;
	}
	*out = '\0';
}

/* All texts of up to three letters of the small alphabet. */
static void
check_short_texts(const char *pattern, Reading postgres, const EmuFilter *filter)
{
	const size_t letters = sizeof(small_alphabet);	/* its zero ends a text */
	char		text[4] = "";

	for (size_t i = 0; i < letters * letters * letters; i++)
	{
		text[0] = small_alphabet[i % letters];
		text[1] = small_alphabet[i / letters % letters];
		text[2] = small_alphabet[i / letters / letters];
		if (matches(text, pattern, postgres))
			check_found(text, filter);
	}
}

/* Bytes of other characters may run together with what a _ was replaced by. */
static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return false;
	return true;
}

/* Texts that are made for the pattern. */
static void
check_made_texts(const char *pattern, Reading postgres, const EmuFilter *filter)
{
	char	   *text = malloc(strlen(pattern) * 3 + 1);
	uint64_t	state = 0;

	FUZZ_EXPECT(text != NULL);
	for (const char *c = pattern; *c; c++)
		state = state * 31 + (unsigned char) *c;
	for (int i = 0; i < 6; i++)
	{
		make_accepted(pattern, postgres.folded, &state, text);
		if (matches(text, pattern, postgres))
			check_found(text, filter);
		else
			FUZZ_EXPECT(!is_ascii(pattern));
	}
	free(text);
}

/* The pattern is the first value, the others are texts to try it on. */
static void
check_like(char *const *texts, size_t count, bool any_case)
{
	const char *pattern = texts[0];
	Reading		postgres = any_case ? postgres_ilike : postgres_like;
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_like(&out, "T", pattern, any_case));
	EmuQuery   *query;
	const EmuFilter *filter;

	FUZZ_EXPECT((condition != NULL) ==
				(!ends_in_escape(pattern) && demands_proven(pattern, any_case)));
	if (condition == NULL)
		return;
	query = parse_condition(condition, TEXT);
	filter = &query->filters[0];
	FUZZ_EXPECT(filter->op == EMU_OP_LIKE && filter->nvalues == 1);
	check_literal(filter->values[0], true);
	for (size_t i = 1; i < count; i++)
		if (matches(texts[i], pattern, postgres))
			check_found(texts[i], filter);
	check_made_texts(pattern, postgres, filter);
	if (strlen(pattern) <= SHORT_PATTERN_MAX)
		check_short_texts(pattern, postgres, filter);
	emu_query_free(query);
}

/* ---- numbers and dates ---- */

/* The emulator's own opinion. */
static bool
is_number(const char *text)
{
	const char *rest = text;
	EmuToken	token = emu_query_token(&rest);

	return token.kind == EMU_TOKEN_NUMBER && token.text == text && *rest == '\0';
}

static void
check_number(const char *text, PinFilterOp op)
{
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_number(&out, "N", op, text));
	EmuQuery   *query;
	const EmuFilter *filter;

	FUZZ_EXPECT((condition != NULL) == is_number(text));
	if (condition == NULL)
		return;
	query = parse_condition(condition, NUMBER);
	filter = &query->filters[0];
	FUZZ_EXPECT((int) filter->op == (int) op && filter->nvalues == 1);
	FUZZ_EXPECT(strcmp(filter->values[0], text) == 0);
	emu_query_free(query);
}

static void
check_numbers(char *const *texts, size_t count, bool in)
{
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_numbers(&out, "N", in,
																	(const char *const *) texts, count));
	bool		all = true;
	EmuQuery   *query;
	const EmuFilter *filter;

	for (size_t i = 0; i < count; i++)
		all = all && is_number(texts[i]);
	FUZZ_EXPECT((condition != NULL) == all);
	if (condition == NULL)
		return;
	query = parse_condition(condition, NUMBER);
	filter = &query->filters[0];
	FUZZ_EXPECT(filter->op == (in ? EMU_OP_IN : EMU_OP_NOT_IN));
	FUZZ_EXPECT(filter->nvalues == (int) count);
	for (size_t i = 0; i < count; i++)
		FUZZ_EXPECT(strcmp(filter->values[i], texts[i]) == 0);
	emu_query_free(query);
}

static void
check_date(int year, int month, int day, PinFilterOp op)
{
	PinTextBuffer out = {0};
	char	   *condition = take_condition(&out, pin_filter_date(&out, "D", op, year, month, day));
	EmuQuery   *query;
	const EmuFilter *filter;
	char		date[40];

	FUZZ_EXPECT((condition != NULL) == (year >= 1 && year <= 9999 &&
										emu_date_is_valid(year, month, day)));
	if (condition == NULL)
		return;
	query = parse_condition(condition, DATE);
	filter = &query->filters[0];
	snprintf(date, sizeof(date), "%04d-%02d-%02d", year, month, day);
	FUZZ_EXPECT((int) filter->op == (int) op && filter->nvalues == 1);
	FUZZ_EXPECT(strcmp(filter->values[0], date) == 0);
	emu_query_free(query);
}

/* ---- one input ---- */

static void
check_values(char *const *texts, size_t count)
{
	PinFilterOp op = strlen(texts[0]) % (PIN_FILTER_GREATER_EQUAL + 1);

	check_text(texts[0]);
	check_texts(texts, count);
	check_like(texts, count, false);
	check_like(texts, count, true);
	check_number(texts[0], op);
	check_numbers(texts, count, true);
	check_numbers(texts, count, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *copy = malloc(size + 1);
	char	   *texts[VALUES_MAX];
	size_t		count = 0;

	FUZZ_EXPECT(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t at = 0; at <= size && count < VALUES_MAX; at += strlen(copy + at) + 1)
		texts[count++] = copy + at;
	check_values(texts, count);
	if (size >= 4)
		check_date(data[0] * 48 - 800, data[1] % 16 - 1, data[2] % 36 - 1, data[3] % 6);

	for (size_t i = 0; i < size; i++)
		if (copy[i] != '\0')
			copy[i] = small_alphabet[data[i] % (sizeof(small_alphabet) - 1)];
	check_values(texts, count);
	free(copy);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("Contoso\0Fabrikam, Inc.\0United States"),
		  FUZZ_SEED("O'Neill' AND N = 1 OR ''='"),
		  FUZZ_SEED("100\\% of a_b\\_c%\\\\"),
		  FUZZ_SEED("%a b_\0Xa b1\0a  b "),
		  FUZZ_SEED(" M\xC3\xBCller  "),
		  FUZZ_SEED("1\0-2.5\0003000000000000000000"),
		  FUZZ_SEED("-0.50"),
		  FUZZ_SEED("+\x03\x1E\x04"),
		  FUZZ_SEED("\xC3\xA4%"),
		  FUZZ_SEED("a"));
