/*
 * data_rows.c
 *		Makes rows: from a rule, a seed and a row number to a value.
 *
 * Every random choice is a hash of what it depends on, so rows need no state
 * but their number.  Texts of a row live in one buffer that the next row reuses.
 */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "data_rules.h"
#include "decimal.h"

#define PARTNERS 12
#define RESELLERS 30
#define COPY_EVERY 97			/* one row in so many repeats its neighbour */
#define TEXT_MAX 160			/* longest text made for one value */

typedef struct Field
{
	const EmuColumn *column;
	EmuRule		rule;
	uint64_t	salt;			/* of the column's name */
} Field;

struct EmuRows
{
	EmuDataOptions options;
	Field	   *fields;
	EmuValue   *values;
	int			width;
	bool		monthly;		/* things over months, not one row each */
	bool		copies;			/* some rows are copies */
	uint64_t	customers;		/* how many there are */
	int			month_start[EMU_DATA_MONTHS];	/* days since 1970 */
	char		month_text[EMU_DATA_MONTHS][16];	/* yyyy-mm-dd */
	char	   *buffer;			/* width * TEXT_MAX bytes */
	char	   *free;			/* unused part of it */

	/* The row being made. */
	uint64_t	thing;
	uint64_t	customer;		/* the thing's */
	int			month;			/* months before the current one */
	uint64_t	owner[EMU_OWNER_PERSON + 1];	/* hash of each owner */
};

/* splitmix64's finisher: every bit of the result depends on every bit of x. */
static inline uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t
hash_name(const char *name)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (uint64_t) (*name | 0x20)) * UINT64_C(1099511628211);
	return mix(hash);
}

static void
put(EmuValue *value, const char *text, size_t length)
{
	value->kind = EMU_VALUE_TEXT;
	value->text = text;
	value->length = (int) length;
}

static void
put_string(EmuValue *value, const char *text)
{
	put(value, text, strlen(text));
}

static void
put_word(EmuValue *value, const EmuWords *words, uint64_t hash)
{
	put_string(value, words->words[hash % words->count]);
}

/* Takes what was just written at rows->free into the value. */
static void
put_written(EmuRows *rows, EmuValue *value, int length)
{
	if (length > TEXT_MAX - 1)
		length = TEXT_MAX - 1;
	put(value, rows->free, (size_t) length);
	rows->free += length;
}

static int
write_number(char *out, uint64_t number, int width)
{
	char		digits[24];
	int			n = 0;

	do
		digits[n++] = (char) ('0' + number % 10);
	while ((number /= 10) != 0 || n < width);
	for (int i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return n;
}

static int
write_date(char *out, int days)
{
	int			year;
	int			month;
	int			day;

	emu_days_to_date(days, &year, &month, &day);
	write_number(out, (uint64_t) year, 4);
	out[4] = '-';
	write_number(out + 5, (uint64_t) month, 2);
	out[7] = '-';
	write_number(out + 8, (uint64_t) day, 2);
	return 10;
}

static void
put_uuid(EmuRows *rows, EmuValue *value, uint64_t hash)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t	half[2] = {hash, mix(hash ^ rows->options.seed)};
	char	   *p = rows->free;

	half[0] = (half[0] & ~UINT64_C(0xf000)) | 0x4000;	/* version 4 */
	half[1] = (half[1] & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
	for (int i = 0; i < 32; i++)
	{
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*p++ = '-';
		*p++ = hex[half[i / 16] >> (60 - 4 * (i % 16)) & 15];
	}
	put_written(rows, value, 36);
}

/* Every fifth customer has an odd name, the first ones each another. */
static void
put_company(EmuRows *rows, EmuValue *value, uint64_t hash, EmuOwner owner)
{
	if (owner == EMU_OWNER_CUSTOMER && rows->customer % 5 == 2)
		put_word(value, &emu_name_odd, rows->customer / 5);
	else
		put_written(rows, value,
					snprintf(rows->free, TEXT_MAX, "%s %s %s",
							 emu_name_first.words[(hash >> 8) % emu_name_first.count],
							 emu_name_second.words[(hash >> 20) % emu_name_second.count],
							 emu_name_legal.words[(hash >> 32) % emu_name_legal.count]));
}

static void
put_person(EmuRows *rows, EmuValue *value, uint64_t hash, EmuShape shape)
{
	const char *given = emu_given.words[(hash >> 8) % emu_given.count];
	const char *family = emu_family.words[(hash >> 20) % emu_family.count];

	if (shape == EMU_SHAPE_GIVEN)
		put_string(value, given);
	else if (shape == EMU_SHAPE_FAMILY)
		put_string(value, family);
	else
		put_written(rows, value, snprintf(rows->free, TEXT_MAX, "%s %s", given, family));
}

/* Ids and addresses; the number in them is the owner's. */
static void
put_code(EmuRows *rows, EmuValue *value, uint64_t hash, EmuShape shape)
{
	unsigned	n = (unsigned) (hash >> 40);
	const char *format = "SKU-%06X";

	switch (shape)
	{
		case EMU_SHAPE_EMAIL:
			format = "user%u@example.com";
			break;
		case EMU_SHAPE_DOMAIN:
			format = "customer%u.example.net";
			break;
		case EMU_SHAPE_PATH:
			format = "/resourceGroups/rg-%u/providers/Compute/virtualMachines";
			break;
		case EMU_SHAPE_DIGITS:
			n = 1000000 + n % 9000000;
			format = "%u";
			break;
		default:
			break;
	}
	put_written(rows, value, snprintf(rows->free, TEXT_MAX, format, n));
}

/* A day of the row's month, but none after today. */
static int
day_in_month(const EmuRows *rows, uint64_t hash)
{
	int			day = rows->month_start[rows->month] + (int) (hash % 28);

	return day > rows->options.today ? rows->options.today : day;
}

static void
put_month(EmuRows *rows, EmuValue *value, uint64_t hash, EmuShape shape)
{
	const char *text = rows->month_text[rows->month];
	int			n;

	if (shape == EMU_SHAPE_MONTH)
	{
		put(value, text, 10);
		return;
	}
	if (shape == EMU_SHAPE_MONTH_NAME)
		n = snprintf(rows->free, TEXT_MAX, "%s, %.4s",
					 emu_months.words[(text[5] - '0') * 10 + text[6] - '0' - 1], text);
	else if (shape == EMU_SHAPE_MONTH_KEY)
		n = snprintf(rows->free, TEXT_MAX, "%.4s%.2s", text, text + 5);
	else
	{
		char		day[16];

		write_date(day, day_in_month(rows, hash));
		n = snprintf(rows->free, TEXT_MAX, "%.4s%.2s%.2s", day, day + 5, day + 8);
	}
	put_written(rows, value, n);
}

static void
put_day(EmuRows *rows, EmuValue *value, uint64_t hash, EmuShape shape)
{
	int			day = rows->options.today;

	if (shape == EMU_SHAPE_DAY || shape == EMU_SHAPE_MOMENT)
		day = day_in_month(rows, hash);
	else if (shape == EMU_SHAPE_PAST_DAY)
		day -= EMU_DATA_MONTHS * 31 + (int) (hash % 1500);
	else
		day += (int) (hash % 1100);
	write_date(rows->free, day);
	if (shape != EMU_SHAPE_MOMENT)
	{
		put_written(rows, value, 10);
		return;
	}
	hash >>= 16;
	rows->free[10] = 'T';
	write_number(rows->free + 11, hash % 24, 2);
	rows->free[13] = ':';
	write_number(rows->free + 14, (hash >> 8) % 60, 2);
	rows->free[16] = ':';
	write_number(rows->free + 17, (hash >> 16) % 60, 2);
	rows->free[19] = 'Z';
	put_written(rows, value, 20);
}

/* Mostly small; now and then past 32 bits, rarely past a double's digits. */
static void
put_count(EmuValue *value, uint64_t hash)
{
	uint64_t	pick = hash >> 44;

	value->kind = EMU_VALUE_INTEGER;
	if (pick % 100003 == 0)
		value->integer = INT64_C(9007199254740993);
	else if (pick % 1009 == 0)
		value->integer = INT64_C(3000000000) + (int64_t) (hash & 0xffffff);
	else if (pick % 7 == 0)
		value->integer = 0;
	else
		value->integer = (int64_t) (hash % (pick % 11 == 0 ? 100000 : 500));
}

/*
 * Most amounts are small money; one in five has up to ten decimals, a few are
 * negative, zero or large.
 */
static void
put_decimal(EmuRows *rows, EmuValue *value, uint64_t hash, EmuShape shape)
{
	static const uint64_t powers[] = {1000, 10000, 100000, 1000000, 10000000};
	uint64_t	pick = hash >> 40;
	EmuDecimal	number = (EmuDecimal) (hash % powers[pick % 5]);
	int			scale = 2;

	if (shape == EMU_SHAPE_PERCENT)
		number %= 10001;
	else if (shape == EMU_SHAPE_QUANTITY)
		scale = (int) (pick / 5 % 7);
	else if (pick / 5 % 5 == 0)
	{
		number = (EmuDecimal) (hash % UINT64_C(100000000000));
		scale = 7 + (int) (pick % 4);
	}
	else if (pick % 1009 == 0)
		number = (EmuDecimal) (hash % UINT64_C(1000000000000000));
	if (shape == EMU_SHAPE_AMOUNT && pick % 23 == 0)
		number = -number;
	if (pick % 41 == 0)
		number = 0;
	put_written(rows, value, emu_decimal_print(number, scale, rows->free));
}

static void
make_value(EmuRows *rows, const Field *field, EmuValue *value)
{
	const EmuRule *rule = &field->rule;
	uint64_t	hash = mix(rows->owner[rule->owner] ^ field->salt);

	value->kind = EMU_VALUE_NULL;
	if (rule->nullable && (hash >> 56) < 20)
	{
		if ((hash >> 56) < 6 && field->column->type == EMU_TEXT)
			put(value, "", 0);
		return;
	}
	switch (rule->shape)
	{
		case EMU_SHAPE_UUID:
			put_uuid(rows, value, hash);
			break;
		case EMU_SHAPE_COMPANY:
			put_company(rows, value, hash, rule->owner);
			break;
		case EMU_SHAPE_GIVEN:
		case EMU_SHAPE_FAMILY:
		case EMU_SHAPE_PERSON:
			put_person(rows, value, hash, rule->shape);
			break;
		case EMU_SHAPE_DIGITS:
		case EMU_SHAPE_CODE:
		case EMU_SHAPE_EMAIL:
		case EMU_SHAPE_DOMAIN:
		case EMU_SHAPE_PATH:
			put_code(rows, value, hash, rule->shape);
			break;
		case EMU_SHAPE_WORD:
			put_word(value, rule->words, hash);
			break;
		case EMU_SHAPE_YES_NO:
			put_string(value, hash & 1 ? "Yes" : "No");
			break;
		case EMU_SHAPE_BOOLEAN:
			put_string(value, hash % 4 == 0 ? field->column->wire_true : field->column->wire_false);
			break;
		case EMU_SHAPE_MONTH_KEY:
		case EMU_SHAPE_DATE_KEY:
		case EMU_SHAPE_MONTH_NAME:
		case EMU_SHAPE_MONTH:
			put_month(rows, value, hash, rule->shape);
			break;
		case EMU_SHAPE_DAY:
		case EMU_SHAPE_PAST_DAY:
		case EMU_SHAPE_FUTURE_DAY:
		case EMU_SHAPE_MOMENT:
			put_day(rows, value, hash, rule->shape);
			break;
		case EMU_SHAPE_COUNT:
			put_count(value, hash);
			break;
		case EMU_SHAPE_AMOUNT:
		case EMU_SHAPE_QUANTITY:
		case EMU_SHAPE_PERCENT:
			put_decimal(rows, value, hash, rule->shape);
			break;
	}
}

/*
 * Who owns the row: the same thing has the same customer in every dataset, a
 * customer the same name in every row.  The salt of a value is that of its
 * column's name or, where names of one meaning differ, of its meaning.
 */
static void
choose_owners(EmuRows *rows, int64_t i)
{
	uint64_t	seed = mix(rows->options.seed);
	uint64_t	thing;

	rows->thing = (uint64_t) (rows->monthly ? i / EMU_DATA_MONTHS : i);
	rows->month = rows->monthly ? (int) (i % EMU_DATA_MONTHS) : 0;
	thing = mix(seed + rows->thing);

	/* Each customer gets one thing first, then they are dealt at random. */
	rows->customer = rows->thing < rows->customers ? rows->thing : thing % rows->customers;
	rows->owner[EMU_OWNER_ROW] = mix(seed ^ ~(uint64_t) i);
	rows->owner[EMU_OWNER_PROGRAM] = mix(seed + 1);
	rows->owner[EMU_OWNER_PARTNER] = mix(seed ^ (UINT64_C(2) << 60 | (thing >> 32) % PARTNERS));
	rows->owner[EMU_OWNER_RESELLER] = mix(seed ^ (UINT64_C(3) << 60 | (thing >> 24) % RESELLERS));
	rows->owner[EMU_OWNER_CUSTOMER] = mix(seed ^ (UINT64_C(4) << 60 | rows->customer));
	rows->owner[EMU_OWNER_THING] = mix(seed ^ (UINT64_C(5) << 60 | rows->thing));
	rows->owner[EMU_OWNER_PERSON] = mix(seed ^ (UINT64_C(6) << 60 | (thing >> 8) % (4 * rows->customers)));
}

const EmuValue *
emu_rows_make(EmuRows *rows, int64_t i)
{
	if (rows->copies && i % COPY_EVERY == COPY_EVERY - 1)
		i--;
	choose_owners(rows, i);
	rows->free = rows->buffer;
	for (int f = 0; f < rows->width; f++)
		make_value(rows, &rows->fields[f], &rows->values[f]);
	return rows->values;
}

/*
 * Columns of one meaning have one salt, so that a customer's tenant id or name
 * is the same in every dataset however the column is called there.
 */
static uint64_t
salt_of(const EmuColumn *column, const EmuRule *rule)
{
	if (column->metric == EMU_PLAIN && rule->shape == EMU_SHAPE_UUID && rule->owner == EMU_OWNER_THING)
		return hash_name("SubscriptionId");
	if (rule->shape == EMU_SHAPE_COMPANY)
		return hash_name("company");
	if (rule->words == &emu_countries || rule->words == &emu_country_codes)
		return hash_name("country");
	if (rule->owner == EMU_OWNER_PARTNER && rule->shape == EMU_SHAPE_DIGITS)
		return hash_name("MpnId");
	if (rule->owner == EMU_OWNER_PERSON)
		return hash_name(rule->shape == EMU_SHAPE_UUID ? "UserId" : "person");
	return hash_name(column->name);
}

const EmuColumn *
emu_data_key(const EmuDataset *dataset)
{
	if (dataset->time == NULL || dataset->total == dataset->plain)
		return NULL;
	for (int i = 0; i < dataset->plain; i++)
	{
		EmuRule		rule = emu_rule_for(dataset, &dataset->columns[i]);

		if (dataset->columns[i].type == EMU_UUID && rule.owner == EMU_OWNER_THING)
			return &dataset->columns[i];
	}
	return NULL;
}

static void
fill_months(EmuRows *rows)
{
	for (int i = 0; i < EMU_DATA_MONTHS; i++)
	{
		rows->month_start[i] = emu_month_start(rows->options.today, i);
		write_date(rows->month_text[i], rows->month_start[i]);
	}
}

EmuRows *
emu_rows_open(const EmuDataset *dataset, const EmuDataOptions *options)
{
	EmuRows    *rows = calloc(1, sizeof(EmuRows));
	size_t		total = (size_t) dataset->total;

	if (rows == NULL)
		return NULL;
	rows->options = *options;
	rows->fields = calloc(total, sizeof(Field));
	rows->values = calloc(total, sizeof(EmuValue));
	rows->buffer = malloc(total * TEXT_MAX);
	if (rows->fields == NULL || rows->values == NULL || rows->buffer == NULL)
	{
		emu_rows_close(rows);
		return NULL;
	}
	rows->monthly = dataset->time != NULL;
	rows->copies = emu_data_key(dataset) == NULL;
	rows->customers = (uint64_t) options->rows / EMU_DATA_MONTHS / 2 + 8;
	fill_months(rows);
	for (int i = 0; i < dataset->total; i++)
	{
		Field	   *field = &rows->fields[rows->width];

		if (!dataset->columns[i].stored)
			continue;
		field->column = &dataset->columns[i];
		field->rule = emu_rule_for(dataset, field->column);
		field->salt = salt_of(field->column, &field->rule);
		rows->width++;
	}
	return rows;
}

void
emu_rows_close(EmuRows *rows)
{
	if (rows == NULL)
		return;
	free(rows->fields);
	free(rows->values);
	free(rows->buffer);
	free(rows);
}

int
emu_rows_width(const EmuRows *rows)
{
	return rows->width;
}

const EmuColumn *
emu_rows_column(const EmuRows *rows, int i)
{
	return rows->fields[i].column;
}
