/*
 * query_parse.c
 *		From a report query's text to its tree, by recursive descent.
 *
 *	query  := SELECT [DISTINCT] name {, name} FROM dataset
 *			  [WHERE filter {AND filter}]
 *			  [ORDER BY name [ASC|DESC] {, name [ASC|DESC]}]
 *			  [LIMIT positive integer] [TIMESPAN span]
 *	filter := name operator value | name [NOT] LIKE value
 *			| name [NOT] IN ( value {, value} )
 *
 * Keywords and names have no case.  A name is a column or a metric, in every
 * clause alike.  The first error wins; it is the service's own text where one
 * is documented.
 */
#define _GNU_SOURCE
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Parser
{
	const EmuCatalog *catalog;
	const char *program;
	const char *rest;			/* text after the current token */
	EmuToken	token;			/* the current one */
	EmuQuery   *query;
	char	   *err;
	size_t		errsize;
} Parser;

static bool
fail(Parser *p, const char *message)
{
	snprintf(p->err, p->errsize, "%s", message);
	return false;
}

/* A missing piece and a wrong piece have different texts. */
static bool
fail_here(Parser *p)
{
	int			length = p->token.length < 40 ? (int) p->token.length : 40;

	if (p->token.kind == EMU_TOKEN_END)
		return fail(p, "Null or missing value");
	if (p->token.kind == EMU_TOKEN_UNCLOSED)
		return fail(p, "Unclosed quotation mark");
	snprintf(p->err, p->errsize, "Incorrect syntax near '%.*s'", length, p->token.text);
	return false;
}

static void
advance(Parser *p)
{
	p->token = emu_query_token(&p->rest);
}

static bool
at_keyword(const Parser *p, const char *word)
{
	return p->token.kind == EMU_TOKEN_NAME &&
		p->token.length == strlen(word) &&
		strncasecmp(p->token.text, word, p->token.length) == 0;
}

static bool
take_keyword(Parser *p, const char *word)
{
	if (!at_keyword(p, word))
		return false;
	advance(p);
	return true;
}

static bool
take_punctuation(Parser *p, char c)
{
	if (p->token.kind != EMU_TOKEN_PUNCTUATION || *p->token.text != c)
		return false;
	advance(p);
	return true;
}

/*
 * Makes room for one more element behind n and clears it.  Returns the array,
 * perhaps moved; NULL (and the old one stays) if memory ran out.
 */
static void *
grow(Parser *p, void *array, int n, size_t size)
{
	char	   *grown = realloc(array, ((size_t) n + 1) * size);

	if (grown == NULL)
	{
		fail(p, "Service unavailable");
		return NULL;
	}
	memset(grown + (size_t) n * size, 0, size);
	return grown;
}

/* A column or metric of the dataset. */
static const EmuColumn *
take_column(Parser *p)
{
	const EmuColumn *column;

	if (p->token.kind != EMU_TOKEN_NAME)
	{
		fail_here(p);
		return NULL;
	}
	column = emu_dataset_column(p->query->dataset, p->token.text, p->token.length);
	if (column == NULL)
	{
		fail(p, "Incorrect column name");
		return NULL;
	}
	if (column->metric != EMU_PLAIN)
		p->query->has_metric = true;
	advance(p);
	return column;
}

static bool
parse_select(Parser *p)
{
	EmuQuery   *query = p->query;

	if (!take_keyword(p, "SELECT"))
		return fail_here(p);
	query->distinct = take_keyword(p, "DISTINCT");
	do
	{
		EmuSelectItem *items;

		if (at_keyword(p, "FROM"))
			return fail(p, "Null or missing value");
		if (p->token.kind != EMU_TOKEN_NAME)
			return fail_here(p);
		items = grow(p, query->select, query->nselect, sizeof(*items));
		if (items == NULL)
			return false;
		query->select = items;
		items += query->nselect++;
		items->spelling = strndup(p->token.text, p->token.length);
		if (items->spelling == NULL)
			return fail(p, "Service unavailable");
		advance(p);
	} while (take_punctuation(p, ','));
	return true;
}

/* The select list comes before the dataset, so its names are looked up later. */
static bool
resolve_select(Parser *p)
{
	for (int i = 0; i < p->query->nselect; i++)
	{
		EmuSelectItem *item = &p->query->select[i];

		item->column = emu_dataset_column(p->query->dataset, item->spelling,
										  strlen(item->spelling));
		if (item->column == NULL)
			return fail(p, "Incorrect column name");
		if (item->column->metric != EMU_PLAIN)
			p->query->has_metric = true;
	}
	return true;
}

static bool
parse_from(Parser *p)
{
	if (!take_keyword(p, "FROM") || p->token.kind != EMU_TOKEN_NAME)
		return fail_here(p);
	p->query->dataset = emu_catalog_dataset(p->catalog, p->program,
											p->token.text, p->token.length);
	if (p->query->dataset == NULL)
		return fail(p, "Invalid table name");
	advance(p);
	return resolve_select(p);
}

static bool
take_value(Parser *p, EmuFilter *filter)
{
	bool		pattern = filter->op == EMU_OP_LIKE || filter->op == EMU_OP_NOT_LIKE;
	char	  **values;

	if (p->token.kind != EMU_TOKEN_STRING && p->token.kind != EMU_TOKEN_NUMBER)
		return fail_here(p);
	values = grow(p, filter->values, filter->nvalues, sizeof(*values));
	if (values == NULL)
		return false;
	filter->values = values;
	values += filter->nvalues++;
	*values = pattern ? strndup(p->token.text, p->token.length)
		: emu_literal_convert(filter->column, p->token.text, p->token.length);
	if (*values == NULL)
	{
		snprintf(p->err, p->errsize, "Invalid value for column %s", filter->column->name);
		return false;
	}
	advance(p);
	return true;
}

static bool
take_list(Parser *p, EmuFilter *filter)
{
	EmuTokenKind kind;

	if (!take_punctuation(p, '('))
		return fail_here(p);
	kind = p->token.kind;
	if (kind == EMU_TOKEN_PUNCTUATION)
		return fail(p, "Null or missing value");
	do
	{
		/* A list is all numbers or all strings. */
		if (p->token.kind != kind || !take_value(p, filter))
			return *p->err ? false : fail_here(p);
	} while (take_punctuation(p, ','));
	return take_punctuation(p, ')') ? true : fail_here(p);
}

static bool
take_operator(Parser *p, EmuOperator *op)
{
	static const struct
	{
		const char *text;
		EmuOperator op;
	}			operators[] =
	{
		{"=", EMU_OP_EQUAL}, {"!=", EMU_OP_UNEQUAL},
		{"<", EMU_OP_LESS}, {"<=", EMU_OP_LESS_EQUAL},
		{">", EMU_OP_GREATER}, {">=", EMU_OP_GREATER_EQUAL},
	};
	bool		negated;

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
	{
		if (p->token.kind == EMU_TOKEN_OPERATOR &&
			p->token.length == strlen(operators[i].text) &&
			memcmp(p->token.text, operators[i].text, p->token.length) == 0)
		{
			*op = operators[i].op;
			advance(p);
			return true;
		}
	}
	negated = take_keyword(p, "NOT");
	if (take_keyword(p, "LIKE"))
		*op = negated ? EMU_OP_NOT_LIKE : EMU_OP_LIKE;
	else if (take_keyword(p, "IN"))
		*op = negated ? EMU_OP_NOT_IN : EMU_OP_IN;
	else
		return fail_here(p);
	return true;
}

static bool
parse_filter(Parser *p)
{
	EmuQuery   *query = p->query;
	EmuFilter  *filter = grow(p, query->filters, query->nfilters, sizeof(*filter));

	if (filter == NULL)
		return false;
	query->filters = filter;
	filter += query->nfilters++;
	filter->column = take_column(p);
	if (filter->column == NULL || !take_operator(p, &filter->op))
		return false;
	if (filter->op == EMU_OP_IN || filter->op == EMU_OP_NOT_IN)
		return take_list(p, filter);
	return take_value(p, filter);
}

static bool
parse_where(Parser *p)
{
	if (!take_keyword(p, "WHERE"))
		return true;
	do
	{
		if (!parse_filter(p))
			return false;
	} while (take_keyword(p, "AND"));
	return true;
}

/* Without a direction the order is descending. */
static bool
parse_order(Parser *p)
{
	EmuQuery   *query = p->query;

	if (!take_keyword(p, "ORDER"))
		return true;
	if (!take_keyword(p, "BY"))
		return fail_here(p);
	do
	{
		EmuOrderItem *item = grow(p, query->order, query->norder, sizeof(*item));

		if (item == NULL)
			return false;
		query->order = item;
		item += query->norder++;
		item->column = take_column(p);
		if (item->column == NULL)
			return false;
		item->ascending = take_keyword(p, "ASC");
		if (!item->ascending)
			take_keyword(p, "DESC");
	} while (take_punctuation(p, ','));
	return true;
}

static bool
parse_limit(Parser *p)
{
	char		digits[32];

	if (!take_keyword(p, "LIMIT"))
		return true;
	if (p->token.kind != EMU_TOKEN_NUMBER)
		return fail_here(p);
	snprintf(digits, sizeof(digits), "%.*s", (int) p->token.length, p->token.text);
	errno = 0;
	if (strspn(digits, "0123456789") == p->token.length)
		p->query->limit = strtoll(digits, NULL, 10);
	if (p->query->limit <= 0 || errno == ERANGE)
		return fail(p, "Limit must be a positive integer");
	advance(p);
	return true;
}

static bool
offers_range(const EmuDataset *dataset, const EmuTimespan *span)
{
	for (int i = 0; i < dataset->nranges; i++)
	{
		if (strcasecmp(dataset->ranges[i], span->name) == 0)
			return true;
	}
	return false;
}

static bool
parse_timespan(Parser *p)
{
	if (!take_keyword(p, "TIMESPAN"))
		return true;
	if (p->token.kind != EMU_TOKEN_NAME)
		return fail_here(p);
	p->query->timespan = emu_timespan_find(p->token.text, p->token.length);
	if (p->query->timespan == NULL || !offers_range(p->query->dataset, p->query->timespan))
		return fail(p, "Invalid timespan");
	advance(p);
	return true;
}

/*
 * Rows that are grouped (by metrics, or as DISTINCT does) have no value left
 * for a column that is not selected.
 */
static bool
check_order(Parser *p)
{
	const EmuQuery *query = p->query;

	if (!query->has_metric && !query->distinct)
		return true;
	for (int i = 0; i < query->norder; i++)
	{
		bool		selected = query->order[i].column->metric != EMU_PLAIN;

		for (int j = 0; j < query->nselect && !selected; j++)
			selected = query->select[j].column == query->order[i].column;
		if (!selected)
			return fail(p, "Incorrect column name");
	}
	return true;
}

static bool
parse_query(Parser *p)
{
	advance(p);
	if (!parse_select(p) || !parse_from(p) || !parse_where(p) || !parse_order(p) ||
		!parse_limit(p) || !parse_timespan(p))
		return false;
	return p->token.kind == EMU_TOKEN_END ? check_order(p) : fail_here(p);
}

EmuQuery *
emu_query_parse_catalog(const EmuCatalog *catalog, const char *program, const char *text,
						char *err, size_t errsize)
{
	Parser		p = {.catalog = catalog,.program = program,
		.rest = text ? text : "",.err = err,.errsize = errsize
	};

	err[0] = '\0';
	p.query = calloc(1, sizeof(EmuQuery));
	if (p.query == NULL)
	{
		fail(&p, "Service unavailable");
		return NULL;
	}
	if (!parse_query(&p))
	{
		emu_query_free(p.query);
		return NULL;
	}
	return p.query;
}

void
emu_query_free(EmuQuery *query)
{
	if (query == NULL)
		return;
	for (int i = 0; i < query->nselect; i++)
		free(query->select[i].spelling);
	for (int i = 0; i < query->nfilters; i++)
	{
		for (int j = 0; j < query->filters[i].nvalues; j++)
			free(query->filters[i].values[j]);
		free(query->filters[i].values);
	}
	free(query->select);
	free(query->filters);
	free(query->order);
	free(query);
}
