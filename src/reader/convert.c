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
#include "compat.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "reader/convert.h"
#include "reader/day_text.h"
#include "reader/uuid_text.h"
#include "wire_time.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

StaticAssertDecl(PIN_FIELD_SLACK >= PIN_NUMBER_SLACK, "numbers are read beyond their end");

/* Longest piece of a cell that an error repeats, bytes. */
#define CELL_SHOWN_MAX 100

/*
 * No value of a type of fixed length takes more to write.  Input functions
 * repeat the whole text in their errors, so longer ones are kept from them.
 */
#define FIXED_LENGTH_TEXT_MAX 1024

/* Longest text of a value that is remembered, bytes. */
#define REPEATED_TEXT_MAX 32

typedef enum PinCellStatus
{
	PIN_CELL_GOOD,				/* *value is set */
	PIN_CELL_MALFORMED,			/* the text is not spelled as the type is */
	PIN_CELL_OUT_OF_RANGE,		/* well spelled, but no value of the type */
	PIN_CELL_UNUSUAL			/* the type's input function has to look at it */
} PinCellStatus;

/*
 * Reads a value from a field, without blanks around it unless it is a string.
 * The value may be in the room.
 */
typedef PinCellStatus (*PinCellReader) (PinColumn *column, const PinField *field,
										PinValueRoom *room, Datum *value);

struct PinColumn
{
	Oid			type;			/* column's type, or that under its domain */
	int32		typmod;			/* modifier of that type */
	Oid			domain;			/* column's type if a domain, or InvalidOid */
	void	   *domain_state;	/* what the server remembers of it */
	MemoryContext context;		/* where it does */
	bool		is_string;		/* blanks and the empty string are values */
	bool		utf8;			/* text is stored as the file has it */
	const PinMapKernel *kernel; /* how it is looked at */
	PinUuidReader uuid_reader;	/* how a UUID is read */
	PinNumberReader number_reader;	/* how a numeric is */
	PinCellReader reader;		/* reads what is not NULL */
	PinCellReader fresh;		/* where values are repeated: reads another */
	PinRunReader run_reader;	/* reads what is common of many rows */
	int			malformed_code; /* SQLSTATE of malformed text */
	int			range_code;		/* SQLSTATE of a value out of range */
	FmgrInfo	input;			/* input function of type */
	Oid			input_param;	/* its second argument */
	size_t		text_max;		/* longest text to give to it */

	PinValueRoom room;			/* the value converted last, if it needs one */

	/* the value read last, where the same one often follows */
	char		repeated[REPEATED_TEXT_MAX];	/* its text */
	size_t		repeated_len;	/* bytes of that; 0: none */
	Datum		repeated_value; /* passed by value */
};

/* Readers of types. */
typedef struct TypeReader
{
	Oid			type;			/* type it reads */
	PinCellReader reader;		/* how */
	PinRunReader run_reader;	/* how it is done for many rows, or NULL */
	int			malformed_code; /* SQLSTATE of malformed text */
	int			range_code;		/* SQLSTATE of a value out of range */
	bool		repeats;		/* row after row may have the same value */
} TypeReader;

/*
 * Are blanks, and nothing at all, values of a type?  So they are of strings; bytea
 * and xml are not called such.
 */
static bool
takes_any_text(Oid type)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	return category == TYPCATEGORY_STRING || type == BYTEAOID || type == XMLOID || type == CHAROID;
}

/* Text as the database has it; throws where it cannot be expressed. */
static char *
to_server(char *text, size_t len)
{
	return pg_any_to_server(text, len, PG_UTF8);
}

bool
pin_column_is_valid(const PinColumn *column, const PinField *text)
{
	return column->utf8 && column->kernel->is_utf8(text->data, text->len);
}

static PinCellStatus
read_text(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	char	   *converted = field->data;
	size_t		len = field->len;

	if (!field->ascii && !pin_column_is_valid(column, field))
	{
		converted = to_server(field->data, len);
		if (converted != field->data)
			len = strlen(converted);
	}
	if (converted == field->data && len <= PIN_TEXT_SHORT_MAX)
		*value = pin_text_in_place(converted, len);
	else
		*value = PointerGetDatum(cstring_to_text_with_len(converted, len));
	return PIN_CELL_GOOD;
}

static PinCellStatus
read_by_input_function(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	char	   *cell = field->data;

	if (field->len > column->text_max)
		return PIN_CELL_MALFORMED;
	if (!field->ascii)
		cell = to_server(cell, field->len);
	if (cell == field->data)
		cell = pnstrdup(cell, field->len);
	*value = InputFunctionCall(&column->input, cell, column->input_param, column->typmod);
	return PIN_CELL_GOOD;
}

/* Whatever its characters are, a text has no more of them than bytes. */
static PinCellStatus
read_varchar(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	if (column->typmod >= VARHDRSZ && field->len > column->typmod - VARHDRSZ)
		return PIN_CELL_UNUSUAL;
	return read_text(column, field, room, value);
}

static pg_attribute_always_inline PinCellStatus
read_numeric(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	if (column->typmod >= 0 || !column->number_reader(field->data, field->len, &room->number))
		return PIN_CELL_UNUSUAL;
	*value = NumericGetDatum((Numeric) &room->number);
	return PIN_CELL_GOOD;
}

static pg_attribute_always_inline PinCellStatus
read_uuid(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	if (field->len != PIN_UUID_TEXT_LEN || !column->uuid_reader(field->data, room->uuid.data))
		return PIN_CELL_UNUSUAL;
	*value = UUIDPGetDatum(&room->uuid);
	return PIN_CELL_GOOD;
}

static PinCellStatus
read_bool(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	static const struct
	{
		const char *word;
		size_t		len;
		bool		value;
	}			words[] = {
		{"false", 5, false}, {"true", 4, true}, {"n", 1, false}, {"y", 1, true}, {"no", 2, false}, {"yes", 3, true}
	};

	/* zeros and ones are the most common */
	if (field->len == 1 && (*field->data == '0' || *field->data == '1'))
	{
		*value = BoolGetDatum(*field->data == '1');
		return PIN_CELL_GOOD;
	}
	for (int i = 0; i < lengthof(words); i++)
	{
		if (field->len == words[i].len &&
			pg_strncasecmp(field->data, words[i].word, words[i].len) == 0)
		{
			*value = BoolGetDatum(words[i].value);
			return PIN_CELL_GOOD;
		}
	}
	return PIN_CELL_MALFORMED;
}

/*
 * Reads a whole number between min and max: a sign, digits, and perhaps a
 * point with zeros behind it, since the service may write 12 as 12.0.
 */
static PinCellStatus
read_whole(const PinField *field, int64 min, int64 max, int64 *number)
{
	const char *p = field->data;
	const char *end = p + field->len;
	bool		negative = p < end && *p == '-';
	uint64		limit = negative ? -(uint64) min : (uint64) max;
	uint64		sum = 0;
	bool		overflow = false;

	*number = 0;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || !isdigit((unsigned char) *p))
		return PIN_CELL_MALFORMED;
	for (; p < end && isdigit((unsigned char) *p); p++)
	{
		int			digit = *p - '0';

		if (sum > (limit - digit) / 10)
			overflow = true;
		else
			sum = sum * 10 + digit;
	}
	if (p < end && *p == '.')
	{
		if (++p == end)
			return PIN_CELL_MALFORMED;
		while (p < end && *p == '0')
			p++;
	}
	if (p < end)
		return PIN_CELL_MALFORMED;
	*number = (int64) (negative ? -sum : sum);
	return overflow ? PIN_CELL_OUT_OF_RANGE : PIN_CELL_GOOD;
}

static PinCellStatus
read_int2(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	int64		number;
	PinCellStatus status = read_whole(field, PG_INT16_MIN, PG_INT16_MAX, &number);

	*value = Int16GetDatum((int16) number);
	return status;
}

static PinCellStatus
read_int4(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	int64		number;
	PinCellStatus status = read_whole(field, PG_INT32_MIN, PG_INT32_MAX, &number);

	*value = Int32GetDatum((int32) number);
	return status;
}

static PinCellStatus
read_int8(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	int64		number;
	PinCellStatus status = read_whole(field, PG_INT64_MIN, PG_INT64_MAX, &number);

	*value = Int64GetDatum(number);
	return status;
}

/*
 * What the service spells is between the years 1 and 9999, well within the
 * range of the server's types, so the sums below cannot overflow.
 */
static PinCellStatus
read_wire_time(const PinField *field, PinWireTime *time)
{
	if (pin_wire_time_parse(field->data, field->len, time))
		return PIN_CELL_GOOD;
	return time->out_of_range ? PIN_CELL_OUT_OF_RANGE : PIN_CELL_MALFORMED;
}

static DateADT
date_of(const PinWireTime *time)
{
	return date2j(time->year, time->month, time->day) - POSTGRES_EPOCH_JDATE;
}

/* The date as it is written, whatever time and offset go with it. */
static pg_noinline PinCellStatus
read_any_date(const PinField *field, Datum *value)
{
	PinWireTime time;
	PinCellStatus status = read_wire_time(field, &time);

	if (status == PIN_CELL_GOOD)
		*value = DateADTGetDatum(date_of(&time));
	return status;
}

static pg_attribute_always_inline PinCellStatus
read_date(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	DateADT		date;

	if (field->len != PIN_DAY_TEXT_LEN || !pin_day_text_read(field->data, &date))
	{
		PinField	other = *field;

		return read_any_date(&other, value);
	}
	*value = DateADTGetDatum(date);
	return PIN_CELL_GOOD;
}

/* The moment in UTC, which is also what a time without an offset means. */
static PinCellStatus
read_moment(const PinField *field, Timestamp *moment)
{
	PinWireTime time;
	PinCellStatus status = read_wire_time(field, &time);
	int64		minutes;

	if (status != PIN_CELL_GOOD)
		return status;
	if (!time.has_day)
		return PIN_CELL_MALFORMED;	/* a month is no point in time */
	minutes = (int64) time.hour * MINS_PER_HOUR + time.minute - time.offset;
	*moment = date_of(&time) * USECS_PER_DAY + minutes * USECS_PER_MINUTE +
		time.second * USECS_PER_SEC + time.usec;
	return PIN_CELL_GOOD;
}

static PinCellStatus
read_timestamp(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	Timestamp	moment;
	PinCellStatus status = read_moment(field, &moment);

	if (status != PIN_CELL_GOOD)
		return status;
	*value = TimestampGetDatum(moment);
	if (column->typmod >= 0)
		*value = DirectFunctionCall2(timestamp_scale, *value,
									 Int32GetDatum(column->typmod));
	return PIN_CELL_GOOD;
}

static PinCellStatus
read_timestamptz(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	TimestampTz moment;
	PinCellStatus status = read_moment(field, &moment);

	if (status != PIN_CELL_GOOD)
		return status;
	*value = TimestampTzGetDatum(moment);
	if (column->typmod >= 0)
		*value = DirectFunctionCall2(timestamptz_scale, *value,
									 Int32GetDatum(column->typmod));
	return PIN_CELL_GOOD;
}

/* Dates are so short that a call costs more than to look at their words. */
static inline bool
same_text(const char *a, const char *b, size_t len)
{
	uint64		x;
	uint64		y;

	if (len < sizeof(x))
		return memcmp(a, b, len) == 0;
	for (size_t i = 0;; i += sizeof(x))
	{
		i = Min(i, len - sizeof(x));	/* the last word may overlap */
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			return false;
		if (i == len - sizeof(x))
			return true;
	}
}

/* Reads what is not the same text as the last time. */
static PinCellStatus
read_repeated(PinColumn *column, const PinField *field, PinValueRoom *room, Datum *value)
{
	PinCellStatus status;

	if (field->len == column->repeated_len &&
		same_text(field->data, column->repeated, field->len))
	{
		*value = column->repeated_value;
		return PIN_CELL_GOOD;
	}
	status = column->fresh(column, field, room, value);
	if (status == PIN_CELL_GOOD && field->len <= REPEATED_TEXT_MAX)
	{
		memcpy(column->repeated, field->data, field->len);
		column->repeated_len = field->len;
		column->repeated_value = *value;
	}
	return status;
}

/* Whatever reads a value, the loop is the same; but it is compiled for each. */
static pg_attribute_always_inline uint32
read_run(PinCellReader reader, PinColumn *column, const PinFieldRun *run)
{
	PinRecord	record = run->record;
	Datum	   *value = run->values;
	bool	   *isnull = run->isnull;
	uint32		left = 0;

	for (int i = 0; i < run->n; i++)
	{
		PinField	field;

		pin_csv_raw_field(&record, run->field, &field);
		*isnull = field.len == 0;
		*value = (Datum) 0;
		if (field.len != 0 && reader(column, &field, &run->rooms[i], value) != PIN_CELL_GOOD)
			left |= UINT32_C(1) << i;
		pin_csv_step(&record, 1);
		value += run->stride;
		isnull += run->stride;
	}
	return left;
}

#define RUN_READER(name, reader) \
static uint32 \
name(PinColumn *column, const PinFieldRun *run) \
{ \
	return read_run(reader, column, run); \
}

RUN_READER(read_numerics, read_numeric)
RUN_READER(read_uuids, read_uuid)
RUN_READER(read_bools, read_bool)
RUN_READER(read_int2s, read_int2)
RUN_READER(read_int4s, read_int4)
RUN_READER(read_int8s, read_int8)
RUN_READER(read_dates, read_date)
RUN_READER(read_repeateds, read_repeated)

static const TypeReader type_readers[] = {
	{TEXTOID, read_text, NULL, 0, 0, false},
	{VARCHAROID, read_varchar, NULL, 0, 0, false},
	{NUMERICOID, read_numeric, read_numerics, ERRCODE_INVALID_TEXT_REPRESENTATION, 0, false},
	{UUIDOID, read_uuid, read_uuids, ERRCODE_INVALID_TEXT_REPRESENTATION, 0, false},
	{BOOLOID, read_bool, read_bools,
	ERRCODE_INVALID_TEXT_REPRESENTATION, 0, false},
	{INT2OID, read_int2, read_int2s,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, false},
	{INT4OID, read_int4, read_int4s,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, false},
	{INT8OID, read_int8, read_int8s,
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, false},
	{DATEOID, read_date, read_dates,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW, false},
	{TIMESTAMPOID, read_timestamp, read_repeateds,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW, true},
	{TIMESTAMPTZOID, read_timestamptz, read_repeateds,
	ERRCODE_INVALID_DATETIME_FORMAT, ERRCODE_DATETIME_FIELD_OVERFLOW, true}
};

/*
 * allocates: values are in memory of their own, as those of eight bytes are where
 * a datum has four.  So they are not kept, neither for a row that has the same text
 * nor until a row's turn comes.
 */
static void
choose_reader(PinColumn *column, bool allocates)
{
	column->reader = read_by_input_function;
	column->malformed_code = ERRCODE_INVALID_TEXT_REPRESENTATION;
	for (int i = 0; i < lengthof(type_readers); i++)
	{
		if (type_readers[i].type == column->type)
		{
			column->fresh = type_readers[i].reader;
			column->reader = type_readers[i].repeats && !allocates ?
				read_repeated : column->fresh;
			column->run_reader = allocates ? NULL : type_readers[i].run_reader;
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

	column->context = CurrentMemoryContext;
	column->typmod = att->atttypmod;
	column->type = getBaseTypeAndTypmod(att->atttypid, &column->typmod);
	if (column->type != att->atttypid)
		column->domain = att->atttypid;

	column->is_string = takes_any_text(column->type);
	getTypeInputInfo(column->type, &function, &column->input_param);
	fmgr_info(function, &column->input);
	column->text_max = att->attlen > 0 && !column->is_string ?
		FIXED_LENGTH_TEXT_MAX : SIZE_MAX;
	choose_reader(column, att->attlen == sizeof(int64) && !att->attbyval);
	column->utf8 = GetDatabaseEncoding() == PG_UTF8;
	column->kernel = pin_map_kernel();
	column->uuid_reader = pin_uuid_reader_at(0);
	column->number_reader = pin_number_reader_at(0);
	return column;
}

PinRunReader
pin_column_run_reader(const PinColumn *column)
{
	return OidIsValid(column->domain) ? NULL : column->run_reader;
}

bool
pin_column_is_in_place(const PinColumn *column)
{
	return column->reader == read_text && !OidIsValid(column->domain);
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
			return true;
		default:
			return false;
	}
}

/* The cell in the database's encoding, cut to what an error should repeat. */
static char *
shown_cell(const PinField *field)
{
	char	   *cell = to_server(field->data, field->len);
	size_t		len = cell != field->data ? strlen(cell) : field->len;
	size_t		shown = pg_mbcliplen(cell, len, CELL_SHOWN_MAX);

	return psprintf("%.*s%s", (int) shown, cell, shown < len ? "..." : "");
}

static void
throw_bad_cell(PinColumn *column, PinCellStatus status, const PinField *field)
{
	const char *cell = shown_cell(field);
	const char *type = format_type_be(column->type);

	if (status == PIN_CELL_MALFORMED)
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

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the blanks off both ends of a field that is not empty. */
static PinField
trim(const PinField *cell)
{
	PinField	field = *cell;

	while (field.len > 0 && is_blank(*field.data))
	{
		field.data++;
		field.len--;
	}
	while (field.len > 0 && is_blank(field.data[field.len - 1]))
		field.len--;
	return field;
}

Datum
pin_column_convert(PinColumn *column, const PinField *cell, bool *isnull)
{
	PinField	trimmed;
	Datum		value = (Datum) 0;

	if (!column->is_string && cell->len > 0 &&
		(is_blank(*cell->data) || is_blank(cell->data[cell->len - 1])))
	{
		trimmed = trim(cell);
		cell = &trimmed;
	}
	*isnull = cell->len == 0 && !(column->is_string && cell->quoted);
	if (!*isnull)
	{
		PinCellStatus status;

		status = column->reader(column, cell, &column->room, &value);
		if (status == PIN_CELL_UNUSUAL)
			status = read_by_input_function(column, cell, &column->room, &value);
		if (status != PIN_CELL_GOOD)
			throw_bad_cell(column, status, cell);
	}
	if (OidIsValid(column->domain))
		domain_check(value, *isnull, column->domain, &column->domain_state,
					 column->context);
	return value;
}
