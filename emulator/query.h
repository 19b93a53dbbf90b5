/*
 * query.h
 *		A report query: its words, its tree, its SQL.
 *
 * query_lex.c cuts the text into words, query_parse.c makes the tree and
 * checks it against the catalogue, query_sql.c turns the tree into SQL for
 * SQLite.  The tree is never changed after it is parsed.
 */
#ifndef EMU_QUERY_H
#define EMU_QUERY_H

#include <stdint.h>

#include "catalog.h"
#include "engine.h"
#include "engine_text.h"

typedef enum EmuTokenKind
{
	EMU_TOKEN_END,
	EMU_TOKEN_NAME,				/* keyword or name */
	EMU_TOKEN_NUMBER,
	EMU_TOKEN_STRING,			/* text without its quotes */
	EMU_TOKEN_OPERATOR,			/* = > < >= <= != */
	EMU_TOKEN_PUNCTUATION,		/* ( ) , */
	EMU_TOKEN_UNCLOSED,			/* a quote that never closes */
	EMU_TOKEN_UNKNOWN
} EmuTokenKind;

typedef struct EmuToken
{
	EmuTokenKind kind;
	const char *text;			/* points into the query text */
	size_t		length;
} EmuToken;

/* Cuts the next token off *text; at its end returns EMU_TOKEN_END for ever. */
extern EmuToken emu_query_token(const char **text);

typedef enum EmuOperator
{
	EMU_OP_EQUAL,
	EMU_OP_UNEQUAL,
	EMU_OP_LESS,
	EMU_OP_LESS_EQUAL,
	EMU_OP_GREATER,
	EMU_OP_GREATER_EQUAL,
	EMU_OP_LIKE,
	EMU_OP_NOT_LIKE,
	EMU_OP_IN,
	EMU_OP_NOT_IN
} EmuOperator;

typedef struct EmuSelectItem
{
	const EmuColumn *column;
	char	   *spelling;		/* as the query wrote it */
} EmuSelectItem;

typedef struct EmuFilter
{
	const EmuColumn *column;
	EmuOperator op;
	char	  **values;			/* in the column's stored form */
	int			nvalues;
} EmuFilter;

typedef struct EmuOrderItem
{
	const EmuColumn *column;
	bool		ascending;
} EmuOrderItem;

typedef enum EmuSpanUnit
{
	EMU_SPAN_DAYS,
	EMU_SPAN_MONTHS,
	EMU_SPAN_ALL
} EmuSpanUnit;

typedef struct EmuTimespan
{
	const char *name;
	EmuSpanUnit unit;
	int			back;			/* units before today the span starts */
	int			end_back;		/* days before today it ends */
} EmuTimespan;

struct EmuQuery
{
	const EmuDataset *dataset;
	bool		distinct;
	bool		has_metric;		/* selected, filtered or ordered by */
	EmuSelectItem *select;
	int			nselect;
	EmuFilter  *filters;
	int			nfilters;
	EmuOrderItem *order;
	int			norder;
	int64_t		limit;			/* 0: none */
	const EmuTimespan *timespan;	/* NULL: the default */
};

/* Returns NULL if there is none. */
extern const EmuTimespan *emu_timespan_find(const char *name, size_t length);

/* Six months, for datasets that have ranges. */
extern const EmuTimespan *emu_timespan_default(void);

/*
 * Brings a literal into the form the column is stored in; malloc'd, NULL if it
 * is no value of the column's type (or memory ran out).
 */
extern char *emu_literal_convert(const EmuColumn *column, const char *text, size_t length);

extern EmuQuery *emu_query_parse_catalog(const EmuCatalog *catalog, const char *program,
										 const char *text, char *err, size_t errsize);

/* SQL and the texts bound to its ?1, ?2, ...; the texts live in the query. */
typedef struct EmuSql
{
	EmuText		text;
	const char **values;
	int			nvalues;
	char		window[2][32];	/* time bounds, bound like the rest */
} EmuSql;

/*
 * Builds the SQL; column i of its result is select[i].  limit caps the query's
 * own; 0: no cap.  False if memory ran out.  Release with emu_sql_free.
 */
extern bool emu_query_sql(const EmuQuery *query, EmuWindow override, const EmuSwitches *switches,
						  int today, int64_t limit, EmuSql *sql);
extern void emu_sql_free(EmuSql *sql);

#endif							/* EMU_QUERY_H */
