/*-------------------------------------------------------------------------
 *
 * convert.c
 *		Readers of text, one for each type that needs its own.
 *
 * A type has its own reader for one of two reasons: the server's input
 * function depends on the session (dates and times) or takes other spellings
 * than the service writes (booleans, whole numbers written with a fraction of
 * zeros); or it is common and reading it directly is several times faster.
 * All others go through their input function.  A domain is read as the type
 * under it, then checked.
 *
 * The readers see text as the file has it, in UTF-8.  All but that of text take
 * ASCII alone, so only what is kept or repeated to the user is ever converted
 * to the database's encoding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "reader/convert.h"
#include "wire_time.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Longest piece of a cell that an error repeats, bytes. */
#define CELL_SHOWN_MAX 100

/*
 * No value of a type of fixed length takes more to write.  Input functions
 * repeat the whole text in their errors, so longer ones are kept from them.
 */
#define FIXED_LENGTH_TEXT_MAX 1024

typedef enum CellStatus
{
	CELL_GOOD,					/* *value is set */
	CELL_MALFORMED,				/* the text is not spelled as the type is */
	CELL_OUT_OF_RANGE			/* well spelled, but no value of the type */
} CellStatus;

/*
 * Reads a value from text of len bytes, terminated, without blanks around it
 * unless the type is a string.
 */
typedef CellStatus (*CellReader) (PinColumn *column, char *text, size_t len,
								  Datum *value);

struct PinColumn
{
	Oid			type;			/* column's type, or that under its domain */
	int32		typmod;			/* modifier of that type */
	Oid			domain;			/* column's type if a domain, or InvalidOid */
	void	   *domain_state;	/* what the server remembers of it */
	MemoryContext context;		/* where it does */
	bool		is_string;		/* blanks and the empty string are values */
	CellReader	reader;			/* reads what is not NULL */
	int			malformed_code; /* SQLSTATE of malformed text */
	int			range_code;		/* SQLSTATE of a value out of range */
	FmgrInfo	input;			/* input function of type */
	Oid			input_param;	/* its second argument */
	size_t		text_max;		/* longest text to give to it */
};

/* Readers of types. */
typedef struct TypeReader
{
	Oid			type;			/* type it reads */
	CellReader	reader;			/* how */
	int			malformed_code; /* SQLSTATE of malformed text */
	int			range_code;		/* SQLSTATE of a value out of range */
} TypeReader;

/* Text as the database has it; throws where it cannot be expressed. */
static char *
to_server(char *text, size_t len)
{
	return pg_any_to_server(text, len, PG_UTF8);
}

static CellStatus
read_text(PinColumn *column, char *text, size_t len, Datum *value)
{
	char	   *converted = to_server(text, len);

	if (converted != text)
		len = strlen(converted);
	*value = PointerGetDatum(cstring_to_text_with_len(converted, len));
	return CELL_GOOD;
}

static CellStatus
read_by_input_function(PinColumn *column, char *text, size_t len, Datum *value)
{
	if (len > column->text_max)
		return CELL_MALFORMED;
	*value = InputFunctionCall(&column->input, to_server(text, len),
							   column->input_param, column->typmod);
	return CELL_GOOD;
}

static CellStatus
read_bool(PinColumn *column, char *text, size_t len, Datum *value)
{
	static const struct
	{
		const char *word;
		bool		value;
	}			words[] = {
		{"0", false}, {"1", true}, {"n", false}, {"y", true},
		{"no", false}, {"yes", true}, {"false", false}, {"true", true}
	};

	for (int i = 0; i < lengthof(words); i++)
	{
		if (pg_strcasecmp(text, words[i].word) == 0)
		{
			*value = BoolGetDatum(words[i].value);
			return CELL_GOOD;
		}
	}
	return CELL_MALFORMED;
}

/*
 * Reads a whole number between min and max: a sign, digits, and perhaps a
 * point with zeros behind it, since the service may write 12 as 12.0.
 */
static CellStatus
read_whole(const char *p, int64 min, int64 max, int64 *number)
{
	bool		negative = *p == '-';
	uint64		limit = negative ? -(uint64) min : (uint64) max;
	uint64		sum = 0;
	bool		overflow = false;

	*number = 0;
	if (*p == '-' || *p == '+')
		p++;
	if (!isdigit((unsigned char) *p))
		return CELL_MALFORMED;
	for (; isdigit((unsigned char) *p); p++)
	{
		int			digit = *p - '0';

		if (sum > (limit - digit) / 10)
			overflow = true;
		else
			sum = sum * 10 + digit;
	}
	if (*p == '.')
	{
		if (*++p != '0')
			return CELL_MALFORMED;
		while (*p == '0')
			p++;
	}
	if (*p != '\0')
		return CELL_MALFORMED;
	*number = (int64) (negative ? -sum : sum);
	return overflow ? CELL_OUT_OF_RANGE : CELL_GOOD;
}

static CellStatus
read_int2(PinColumn *column, char *text, size_t len, Datum *value)
{
	int64		number;
	CellStatus	status = read_whole(text, PG_INT16_MIN, PG_INT16_MAX, &number);

	*value = Int16GetDatum((int16) number);
	return status;
}

static CellStatus
read_int4(PinColumn *column, char *text, size_t len, Datum *value)
{
	int64		number;
	CellStatus	status = read_whole(text, PG_INT32_MIN, PG_INT32_MAX, &number);

	*value = Int32GetDatum((int32) number);
	return status;
}

static CellStatus
read_int8(PinColumn *column, char *text, size_t len, Datum *value)
{
	int64		number;
	CellStatus	status = read_whole(text, PG_INT64_MIN, PG_INT64_MAX, &number);

	*value = Int64GetDatum(number);
	return status;
}

/*
 * What the service spells is between the years 1 and 9999, well within the
 * range of the server's types, so the sums below cannot overflow.
 */
static CellStatus
read_wire_time(const char *text, size_t len, PinWireTime *time)
{
	if (pin_wire_time_parse(text, len, time))
		return CELL_GOOD;
	return time->out_of_range ? CELL_OUT_OF_RANGE : CELL_MALFORMED;
}

static DateADT
date_of(const PinWireTime *time)
{
	return date2j(time->year, time->month, time->day) - POSTGRES_EPOCH_JDATE;
}

/* The date as it is written, whatever time and offset go with it. */
static CellStatus
read_date(PinColumn *column, char *text, size_t len, Datum *value)
{
	PinWireTime time;
	CellStatus	status = read_wire_time(text, len, &time);

	if (status == CELL_GOOD)
		*value = DateADTGetDatum(date_of(&time));
	return status;
}

/* The moment in UTC, which is also what a time without an offset means. */
static CellStatus
read_moment(char *text, size_t len, Timestamp *moment)
{
	PinWireTime time;
	CellStatus	status = read_wire_time(text, len, &time);
	int64		minutes;

	if (status != CELL_GOOD)
		return status;
	if (!time.has_day)
		return CELL_MALFORMED;	/* a month is no point in time */
	minutes = (int64) time.hour * MINS_PER_HOUR + time.minute - time.offset;
	*moment = date_of(&time) * USECS_PER_DAY + minutes * USECS_PER_MINUTE +
		time.second * USECS_PER_SEC + time.usec;
	return CELL_GOOD;
}

static CellStatus
read_timestamp(PinColumn *column, char *text, size_t len, Datum *value)
{
	Timestamp	moment;
	CellStatus	status = read_moment(text, len, &moment);

	if (status != CELL_GOOD)
		return status;
	*value = TimestampGetDatum(moment);
	if (column->typmod >= 0)
		*value = DirectFunctionCall2(timestamp_scale, *value,
									 Int32GetDatum(column->typmod));
	return CELL_GOOD;
}

static CellStatus
read_timestamptz(PinColumn *column, char *text, size_t len, Datum *value)
{
	TimestampTz moment;
	CellStatus	status = read_moment(text, len, &moment);

	if (status != CELL_GOOD)
		return status;
	*value = TimestampTzGetDatum(moment);
	if (column->typmod >= 0)
		*value = DirectFunctionCall2(timestamptz_scale, *value,
									 Int32GetDatum(column->typmod));
	return CELL_GOOD;
}

static const TypeReader type_readers[] = {
	{TEXTOID, read_text, 0, 0},
	{BOOLOID, read_bool,
	ERRCODE_INVALID_TEXT_REPRESENTATION, 0},
	{INT2OID, read_int2,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE},
	{INT4OID, read_int4,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE},
	{INT8OID, read_int8,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE},
	{DATEOID, read_date,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW},
	{TIMESTAMPOID, read_timestamp,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW},
	{TIMESTAMPTZOID, read_timestamptz,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW}
};

static void
choose_reader(PinColumn *column)
{
	column->reader = read_by_input_function;
	column->malformed_code = ERRCODE_INVALID_TEXT_REPRESENTATION;
	for (int i = 0; i < lengthof(type_readers); i++)
	{
		if (type_readers[i].type == column->type)
		{
			column->reader = type_readers[i].reader;
			column->malformed_code = type_readers[i].malformed_code;
			column->range_code = type_readers[i].range_code;
		}
	}
}

PinColumn *
pin_column_create(Form_pg_attribute att)
{
	PinColumn  *column = palloc0(sizeof(PinColumn));
	Oid			function;
	char		category;
	bool		preferred;

	column->context = CurrentMemoryContext;
	column->typmod = att->atttypmod;
	column->type = getBaseTypeAndTypmod(att->atttypid, &column->typmod);
	if (column->type != att->atttypid)
		column->domain = att->atttypid;

	get_type_category_preferred(column->type, &category, &preferred);
	column->is_string = category == TYPCATEGORY_STRING;
	getTypeInputInfo(column->type, &function, &column->input_param);
	fmgr_info(function, &column->input);
	column->text_max = att->attlen > 0 && !column->is_string ?
		FIXED_LENGTH_TEXT_MAX : SIZE_MAX;
	choose_reader(column);
	return column;
}

bool
pin_column_fails_cleanly(const PinColumn *column)
{
	if (OidIsValid(column->domain))
		return false;			/* a constraint may call anything */
	if (column->reader != read_by_input_function)
		return true;
	switch (column->type)
	{
		case BPCHAROID:
		case FLOAT4OID:
		case FLOAT8OID:
		case JSONBOID:
		case JSONOID:
		case NUMERICOID:
		case UUIDOID:
		case VARCHAROID:
			return true;
		default:
			return false;
	}
}

/* The cell in the database's encoding, cut to what an error should repeat. */
static char *
shown_cell(char *text, size_t len)
{
	char	   *cell = to_server(text, len);
	size_t		shown;

	if (cell != text)
		len = strlen(cell);
	shown = pg_mbcliplen(cell, len, CELL_SHOWN_MAX);
	return shown < len ? psprintf("%.*s...", (int) shown, cell) : cell;
}

static void
throw_bad_cell(PinColumn *column, CellStatus status, char *text, size_t len)
{
	const char *cell = shown_cell(text, len);
	const char *type = format_type_be(column->type);

	if (status == CELL_MALFORMED)
		ereport(ERROR,
				(errcode(column->malformed_code),
				 errmsg("invalid input syntax for type %s: \"%s\"", type, cell)));
	if (column->range_code == ERRCODE_DATETIME_FIELD_OVERFLOW)
		ereport(ERROR,
				(errcode(column->range_code),
				 errmsg("date/time field value out of range: \"%s\"", cell)));
	ereport(ERROR,
			(errcode(column->range_code),
			 errmsg("value \"%s\" is out of range for type %s", cell, type)));
}

/* Takes the blanks off both ends of a field. */
static void
trim(PinField *field)
{
	while (field->len > 0 && (*field->data == ' ' || *field->data == '\t'))
	{
		field->data++;
		field->len--;
	}
	while (field->len > 0 && (field->data[field->len - 1] == ' ' ||
							  field->data[field->len - 1] == '\t'))
		field->len--;
	field->data[field->len] = '\0';
}

Datum
pin_column_convert(PinColumn *column, PinField *field, bool *isnull)
{
	Datum		value = (Datum) 0;

	if (!column->is_string)
		trim(field);
	*isnull = field->len == 0 && !(column->is_string && field->quoted);
	if (!*isnull)
	{
		CellStatus	status;

		status = column->reader(column, field->data, field->len, &value);
		if (status != CELL_GOOD)
			throw_bad_cell(column, status, field->data, field->len);
	}
	if (OidIsValid(column->domain))
		domain_check(value, *isnull, column->domain, &column->domain_state,
					 column->context);
	return value;
}
