/*-------------------------------------------------------------------------
 *
 * literal.c
 *		A condition with its value, in the service's words.
 *
 * A value that cannot be written without loss is not written at all: then more
 * rows are fetched.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fdw/literal.h"
#include "insights/filter.h"
#include "mb/pg_wchar.h"
#include "text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/formatting.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/*
 * Whole numbers up to this are sent: the service may hold a column as 32 bits,
 * and refuse what does not fit.
 */
#define MAX_INTEGER INT64CONST(2147483647)

/*
 * Bounds up to this are sent for numbers with a fraction: as far as a double
 * that is rounded to its digits stays within one of itself.
 */
#define MAX_DECIMAL INT64CONST(100000000000000)

/* Days that have a date of four digits, and a day before and behind. */
#define FIRST_DAY (date2j(1, 1, 2) - POSTGRES_EPOCH_JDATE)
#define LAST_DAY (date2j(9999, 12, 29) - POSTGRES_EPOCH_JDATE)

static const char unwritable[] = "its value cannot be written in a report query";

/* ---- one filter ---- */

/* Ends a filter's text, and keeps it if there is one. */
static bool
keep(PinWritten *w, PinTextBuffer *buffer, bool written)
{
	char	   *text;

	if (!written)
	{
		pin_text_buffer_wipe(buffer);
		return false;
	}
	text = pin_text_buffer_take(buffer, NULL);
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	w->filters = lappend(w->filters, pstrdup(text));
	free(text);
	return true;
}

static void
add_number(PinWritten *w, const PinCondition *c, PinFilterOp op, int64 number)
{
	PinTextBuffer buffer;
	char		digits[32];

	pin_text_buffer_init(&buffer);
	snprintf(digits, sizeof(digits), INT64_FORMAT, number);
	(void) keep(w, &buffer, pin_filter_number(&buffer, c->column, op, digits));
}

static void
add_date(PinWritten *w, const PinCondition *c, PinFilterOp op, DateADT date)
{
	PinTextBuffer buffer;
	int			year;
	int			month;
	int			day;

	if (!c->filter || date < FIRST_DAY || date > LAST_DAY)
		return;
	pin_text_buffer_init(&buffer);
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	(void) keep(w, &buffer, pin_filter_date(&buffer, c->column, op, year, month, day));
}

/* ---- a list's values ---- */

/* The elements of an array that are not null. */
typedef struct Elements
{
	Oid			type;
	Datum	   *values;
	int			count;
	bool		has_null;
} Elements;

static Elements
elements_of(const PinValue *value)
{
	ArrayType  *array = DatumGetArrayTypeP(value->value);
	Elements	e = {.type = ARR_ELEMTYPE(array)};
	bool	   *nulls;
	int			n;
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(e.type, &len, &byval, &align);
	deconstruct_array(array, e.type, len, byval, align, &e.values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			e.has_null = true;
		else
			e.values[e.count++] = e.values[i];
	}
	return e;
}

/* A value alone is a list of one. */
static Elements
elements_of_any(const PinCondition *c, const PinValue *value)
{
	Elements	e = {.type = value->type,.count = 1};

	if (c->op == PIN_OP_IN || c->op == PIN_OP_NOT_IN)
		return elements_of(value);
	e.values = palloc(sizeof(Datum));
	e.values[0] = value->value;
	return e;
}

/* ---- numbers ---- */

/*
 * The largest whole number that is not above a value, and whether it is the
 * value.  False if it is none of reasonable size.
 */
static bool
floor_of(Datum value, Oid type, int64 max, int64 *number, bool *whole)
{
	*whole = true;
	switch (type)
	{
		case INT2OID:
			*number = DatumGetInt16(value);
			break;
		case INT4OID:
			*number = DatumGetInt32(value);
			break;
		case INT8OID:
			*number = DatumGetInt64(value);
			break;
		case NUMERICOID:
			{
				Numeric		exact = DatumGetNumeric(value);
				Datum		floored;
				char	   *digits;

				if (numeric_is_nan(exact) || numeric_is_inf(exact))
					return false;
				floored = DirectFunctionCall1(numeric_floor, value);
				digits = DatumGetCString(DirectFunctionCall1(numeric_out, floored));
				if (strlen(digits) > 18)
					return false;
				*number = strtoll(digits, NULL, 10);
				*whole = DatumGetBool(DirectFunctionCall2(numeric_eq, value, floored));
				break;
			}
		default:
			return false;
	}
	return *number > -max && *number < max;
}

static void
write_integer(PinWritten *w, const PinCondition *c, int64 number, bool whole)
{
	switch (c->op)
	{
		case PIN_OP_EQUAL:
			w->never = !whole;
			if (whole)
				add_number(w, c, PIN_FILTER_EQUAL, number);
			break;
		case PIN_OP_UNEQUAL:
			if (whole)
				add_number(w, c, PIN_FILTER_UNEQUAL, number);
			break;
		case PIN_OP_LESS:
			add_number(w, c, PIN_FILTER_LESS, whole ? number : number + 1);
			break;
		case PIN_OP_LESS_EQUAL:
			add_number(w, c, PIN_FILTER_LESS_EQUAL, number);
			break;
		case PIN_OP_GREATER:
			add_number(w, c, PIN_FILTER_GREATER, number);
			break;
		case PIN_OP_GREATER_EQUAL:
			add_number(w, c, whole ? PIN_FILTER_GREATER_EQUAL : PIN_FILTER_GREATER, number);
			break;
		default:
			break;
	}
}

/* A fraction in the list equals no whole number, and can be left out. */
static void
write_integers(PinWritten *w, const PinCondition *c, const Elements *e)
{
	const char **numbers = palloc(sizeof(char *) * (e->count + 1));
	PinTextBuffer buffer;
	int			count = 0;

	for (int i = 0; i < e->count; i++)
	{
		int64		number;
		bool		whole;

		if (!floor_of(e->values[i], e->type, MAX_INTEGER, &number, &whole))
			return;
		if (whole)
			numbers[count++] = psprintf(INT64_FORMAT, number);
	}
	w->never = count == 0 && c->op == PIN_OP_IN;
	pin_text_buffer_init(&buffer);
	(void) keep(w, &buffer, pin_filter_numbers(&buffer, c->column, c->op == PIN_OP_IN,
											   numbers, count));
}

/* Moves both bounds outwards by more than rounding can. */
static void
write_decimals(PinWritten *w, const PinCondition *c, const Elements *e)
{
	int64		low = PG_INT64_MAX;
	int64		high = PG_INT64_MIN;

	for (int i = 0; i < e->count; i++)
	{
		int64		number;
		bool		whole;

		if (!floor_of(e->values[i], e->type, MAX_DECIMAL, &number, &whole))
			return;
		low = Min(low, number - 1);
		high = Max(high, number + (whole ? 1 : 2));
	}
	if (c->op != PIN_OP_LESS && c->op != PIN_OP_LESS_EQUAL)
		add_number(w, c, PIN_FILTER_GREATER_EQUAL, low);
	if (c->op != PIN_OP_GREATER && c->op != PIN_OP_GREATER_EQUAL)
		add_number(w, c, PIN_FILTER_LESS_EQUAL, high);
}

static void
write_number(PinWritten *w, const PinCondition *c, const Elements *e)
{
	int64		number;
	bool		whole;

	if (c->comparison == PIN_COMPARE_DECIMAL)
		write_decimals(w, c, e);
	else if (c->op == PIN_OP_IN || c->op == PIN_OP_NOT_IN)
		write_integers(w, c, e);
	else if (floor_of(e->values[0], e->type, MAX_INTEGER, &number, &whole))
		write_integer(w, c, number, whole);
}

/* ---- dates and times ---- */

/*
 * Is the session's time zone within a day of UTC then?  All that people live in are,
 * but others can be set.
 */
static bool
zone_is_near(Timestamp time)
{
	Timestamp	local =
	DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(time)));

	return local - time <= USECS_PER_DAY && time - local <= USECS_PER_DAY;
}

/*
 * The first and the last day that a value may stand for, whatever the time zone.
 * False if it has none, or none with a date of four digits.
 */
static bool
days_of(Datum value, Oid type, bool exact, DateADT *first, DateADT *last)
{
	if (type == DATEOID)
	{
		*first = DatumGetDateADT(value);
		if (DATE_NOT_FINITE(*first))
			return false;
	}
	else
	{
		Timestamp	time = DatumGetTimestamp(value);

		if (TIMESTAMP_NOT_FINITE(time))
			return false;
		*first = time / USECS_PER_DAY - (time % USECS_PER_DAY < 0 ? 1 : 0);
	}
	*last = *first;
	if (!exact)
	{
		(*first)--;
		(*last)++;
	}
	return *first >= FIRST_DAY && *last < LAST_DAY &&
		(exact || zone_is_near((Timestamp) *first * USECS_PER_DAY));
}

/* Days that all elements lie in. */
static bool
span_of(const Elements *e, bool exact, DateADT *first, DateADT *last)
{
	*first = LAST_DAY;
	*last = FIRST_DAY;
	for (int i = 0; i < e->count; i++)
	{
		DateADT		begin;
		DateADT		end;

		if (!days_of(e->values[i], e->type, exact, &begin, &end))
			return false;
		*first = Min(*first, begin);
		*last = Max(*last, end);
	}
	return true;
}

static void
write_days(PinWritten *w, const PinCondition *c, const Elements *e)
{
	bool		exact = c->comparison == PIN_COMPARE_DATE && e->type == DATEOID;
	bool		below = c->op == PIN_OP_LESS || c->op == PIN_OP_LESS_EQUAL;
	bool		above = c->op == PIN_OP_GREATER || c->op == PIN_OP_GREATER_EQUAL;
	PinDays		days = {.has_first = !below,.has_last = !above};

	if (!span_of(e, exact, &days.first, &days.last))
		return;
	if (exact && c->op == PIN_OP_LESS)
		days.last--;
	if (exact && c->op == PIN_OP_GREATER)
		days.first++;
	if (days.has_first)
		add_date(w, c, PIN_FILTER_GREATER_EQUAL, days.first);
	if (days.has_last)
		add_date(w, c, PIN_FILTER_LESS, days.last + 1);
	if (c->window)
		w->days = days;
	if (!exact && w->class == PIN_CONDITION_EXACT)
	{
		w->class = PIN_CONDITION_SUPERSET;
		w->reason = "asked for in whole days";
	}
}

/* ---- texts ---- */

/*
 * May a value that was cut off when it was read fulfill a condition that the
 * service's own does not?  Only if what is asked for fills the column, and who
 * knows that of a pattern.
 */
static bool
may_be_cut(const PinCondition *c, const char *text)
{
	return c->max_chars > 0 &&
		(c->op == PIN_OP_LIKE || c->op == PIN_OP_ILIKE || pg_mbstrlen(text) == c->max_chars);
}

/* With any end; a backslash at the end is one already, unless it is an error. */
static const char *
with_any_end(const char *text)
{
	size_t		len = strlen(text);

	return len > 0 && text[len - 1] == '\\' ? text : psprintf("%s%%", text);
}

/* In UTF-8; NULL if it cannot be sent. */
static const char *
text_of(const PinCondition *c, Datum value)
{
	const char *string = TextDatumGetCString(value);

	return pin_text_to_utf8(may_be_cut(c, string) ? with_any_end(string) : string);
}

static void
write_texts(PinWritten *w, const PinCondition *c, const Elements *e)
{
	const char **texts = palloc(sizeof(char *) * (e->count + 1));
	PinTextBuffer buffer;

	for (int i = 0; i < e->count; i++)
	{
		texts[i] = text_of(c, e->values[i]);
		if (texts[i] == NULL)
			return;
	}
	pin_text_buffer_init(&buffer);
	if (c->op == PIN_OP_IN)
		(void) keep(w, &buffer, pin_filter_texts(&buffer, c->column, texts, e->count));
	else if (c->op == PIN_OP_EQUAL)
		(void) keep(w, &buffer, pin_filter_text(&buffer, c->column, texts[0]));
	else
		(void) keep(w, &buffer, pin_filter_like(&buffer, c->column, texts[0],
												c->op == PIN_OP_ILIKE));
}

/* The service may mind case after all: ids are written in either. */
static void
write_uuids(PinWritten *w, const PinCondition *c, const Elements *e)
{
	const char **texts = palloc(sizeof(char *) * (2 * e->count + 1));
	PinTextBuffer buffer;

	for (int i = 0; i < e->count; i++)
	{
		char	   *lower = DatumGetCString(DirectFunctionCall1(uuid_out, e->values[i]));

		texts[2 * i] = lower;
		texts[2 * i + 1] = asc_toupper(lower, strlen(lower));
	}
	pin_text_buffer_init(&buffer);
	(void) keep(w, &buffer, pin_filter_texts(&buffer, c->column, texts, 2 * e->count));
}

/* ---- booleans ---- */

/* The catalogue names the words as people do: "0/1", but "Y/N". */
static void
write_boolean(PinWritten *w, const PinCondition *c, bool value)
{
	const char *slash = strchr(c->words, '/');
	bool		second = strcmp(c->words, "0/1") == 0 ? value : !value;
	PinTextBuffer buffer;

	if (slash == NULL)
		return;
	pin_text_buffer_init(&buffer);
	(void) keep(w, &buffer,
				pin_filter_text(&buffer, c->column,
								second ? slash + 1 : pnstrdup(c->words, slash - c->words)));
}

/* ---- all of them ---- */

/* The value is there and not null. */
static void
write_value(PinWritten *w, const PinCondition *c, const PinValue *value)
{
	Elements	e = elements_of_any(c, value);

	if (c->op == PIN_OP_IN || c->op == PIN_OP_NOT_IN)
		w->never = c->op == PIN_OP_IN ? e.count == 0 : e.has_null;
	if (w->never || e.count == 0)
		return;
	switch (c->comparison)
	{
		case PIN_COMPARE_TEXT:
			write_texts(w, c, &e);
			break;
		case PIN_COMPARE_UUID:
			write_uuids(w, c, &e);
			break;
		case PIN_COMPARE_INTEGER:
		case PIN_COMPARE_DECIMAL:
			write_number(w, c, &e);
			break;
		case PIN_COMPARE_DATE:
		case PIN_COMPARE_TIME:
			write_days(w, c, &e);
			break;
		case PIN_COMPARE_BOOLEAN:
			write_boolean(w, c, DatumGetBool(value->value) == (c->op == PIN_OP_EQUAL));
			break;
	}
}

/* EXPLAIN of a plan whose parameters have no values yet. */
static void
write_unknown(PinWritten *w, const PinCondition *c)
{
	static const char *const words[] = {
		[PIN_OP_EQUAL] = "=",[PIN_OP_UNEQUAL] = "!=",[PIN_OP_LESS] = "<",
		[PIN_OP_LESS_EQUAL] = "<=",[PIN_OP_GREATER] = ">",
		[PIN_OP_GREATER_EQUAL] = ">=",[PIN_OP_IN] = "IN",[PIN_OP_NOT_IN] = "NOT IN",
		[PIN_OP_LIKE] = "LIKE",[PIN_OP_ILIKE] = "LIKE",
	};

	if (c->filter)
		w->filters = list_make1(psprintf("%s %s $%d", c->column, words[c->op],
										 c->value_index + 1));
}

PinWritten *
pin_literal_write(const PinCondition *c, const PinValue *value)
{
	PinWritten *w = palloc0(sizeof(PinWritten));

	w->class = c->class;
	w->reason = c->reason;
	if (c->class == PIN_CONDITION_LOCAL)
		return w;
	if (value == NULL)
		write_boolean(w, c, c->op == PIN_OP_TRUE);
	else if (!value->known)
	{
		write_unknown(w, c);
		return w;
	}
	else if (value->isnull)
		w->never = true;
	else
		write_value(w, c, value);

	if (w->filters == NIL && !w->never && !w->days.has_first && !w->days.has_last)
	{
		w->class = PIN_CONDITION_LOCAL;
		w->reason = unwritable;
	}
	return w;
}
