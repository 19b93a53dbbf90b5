/*-------------------------------------------------------------------------
 *
 * wish.c
 *		Which objects are wanted, and what the service is told of that.
 *
 * Where it is not certain that the service understands a value as we do, it is
 * not told: then more objects come.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "objects/wish.h"

/*
 * Several values may have so many bytes together.  What stands in front of the
 * service may refuse a longer address, and do so with the very status that says
 * that there are no such objects.
 */
#define VALUES_MAX 800

/* May a value be sent?  Not if the service might read anything else in it. */
static bool
is_plain(const char *value)
{
	size_t		len = strlen(value);

	if (len == 0 || len > PIN_REMOTE_NAME_MAX || value[0] == ' ' || value[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] < ' ' || value[i] > '~' || strchr(";%*\\\"'", value[i]) != NULL)
			return false;
	return true;
}

/* A value as it is sent; NULL if it may not be, or is a word that nobody knows. */
static const char *
sendable(const PinObjectWish *wish, const PinObjectColumn *column, const char *value)
{
	const char *word = pin_object_word(column, value);

	if (wish->shown && value[0] == '{')
		return value;
	if (!is_plain(word) || (column->words != NULL && word == value))
		return NULL;
	return word;
}

/* The values with semicolons between them; NULL if they may not be sent. */
static char *
joined(const PinObjectWish *wish, const PinObjectColumn *column, const List *values)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, values)
	{
		const char *value = sendable(wish, column, lfirst(lc));

		if (value == NULL || text.len + strlen(value) > VALUES_MAX)
			return NULL;
		appendStringInfo(&text, "%s%s", text.len > 0 ? ";" : "", value);
	}
	return text.data;
}

/* What the query parameter of a column is to say; NULL: nothing. */
static const char *
parameter_value(const PinObjectWish *wish, const PinObjectColumn *column, const List *values)
{
	if (values == NIL ||
		(column->use != PIN_USE_SEVERAL && list_length(values) != 1))
		return NULL;
	return joined(wish, column, values);
}

static int
add_parameter(PinParameter *parameters, int n, const char *name, const char *value)
{
	if (value == NULL)
		return n;
	Assert(n < PIN_WISH_PARAMETERS_MAX);
	parameters[n].name = name;
	parameters[n].value = value;
	return n + 1;
}

/* System queries are asked for in so many words: what is left out may vary. */
static int
add_system(const PinObjectWish *wish, const PinObjectColumn *column, const List *values,
		   PinParameter *parameters, int n)
{
	const char *type = list_length(values) == 1 ? pin_object_word(column, linitial(values)) : "";

	if (strcmp(type, "system") == 0)
		return add_parameter(parameters, n, "includeOnlySystemQueries", "true");
	if (wish->shown && type[0] == '{')
		return add_parameter(parameters, n, "includeSystemQueries", type);
	return add_parameter(parameters, n, "includeSystemQueries",
						 strcmp(type, "userDefined") == 0 ? "false" : "true");
}

/* All words for a status, or all that are documented. */
static char *
all_statuses(const PinObjectColumn *column, bool documented)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *const *word = column->words; *word != NULL; word++)
	{
		if (!documented || strcmp(*word, "Failed") != 0)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ";" : "", *word);
	}
	return text.data;
}

/*
 * Which statuses: where none is told, all, for the service would choose some.  A
 * wish that it has refused it is not told again.
 */
static const char *
status_value(const PinObjectWish *wish, const PinObjectColumn *column, const char *value)
{
	return value != NULL && !wish->documented ? value : all_statuses(column, wish->documented);
}

/*
 * The latest execution is the latest of all, whatever else is wanted of it.
 */
int
pin_wish_parameters(const PinObjectWish *wish, bool latest, PinParameter *parameters)
{
	int			n = 0;

	for (int i = 0; i < wish->object->ncolumns; i++)
	{
		const PinObjectColumn *column = &wish->object->columns[i];
		const char *value = latest ? NULL : parameter_value(wish, column, wish->values[i]);

		switch (column->use)
		{
			case PIN_USE_SYSTEM:
				n = add_system(wish, column, wish->values[i], parameters, n);
				break;
			case PIN_USE_LATEST:
				n = add_parameter(parameters, n, column->parameter, latest ? "true" : "false");
				break;
			case PIN_USE_SEVERAL:
				if (column->type == PIN_OBJECT_WORD)
					value = status_value(wish, column, value);
				n = add_parameter(parameters, n, column->parameter, value);
				break;
			case PIN_USE_PARAMETER:
				n = add_parameter(parameters, n, column->parameter, value);
				break;
			case PIN_USE_PATH:
			case PIN_USE_NONE:
				break;
		}
	}
	return n;
}

List *
pin_wish_reports(const PinObjectWish *wish)
{
	for (int i = 0; i < wish->object->ncolumns; i++)
	{
		if (wish->object->columns[i].use == PIN_USE_PATH)
			return wish->values[i];
	}
	return NIL;
}
