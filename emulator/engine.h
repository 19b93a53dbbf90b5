/*
 * engine.h
 *		The emulator's inner half: catalogue, synthetic data, report queries.
 *
 * The outer half (server, sign-in, endpoints, faults) knows nothing of SQLite
 * or of the grammar; it opens an engine, asks what datasets there are, checks
 * query texts and runs them.  Thread-safe: every function may be called from
 * several threads at once; runs proceed in parallel with each other.
 *
 * Texts returned through err are the service's documented messages ("Invalid
 * table name", "Incorrect column name", ...), to be sent with status 400.
 */
#ifndef EMU_ENGINE_H
#define EMU_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

typedef struct EmuEngine EmuEngine;
typedef struct EmuQuery EmuQuery;

typedef struct EmuEngineOptions
{
	const char *catalog;		/* path of catalog/datasets.json */
	const char *database;		/* path of the SQLite file; NULL: a temporary
								 * one, removed on close */
	int64_t		rows;			/* rows in each dataset (default 1000) */
	uint64_t	seed;			/* same seed, same data */
	const char *today;			/* yyyy-mm-dd the data ends at; NULL: today */
} EmuEngineOptions;

/*
 * What the facts leave open, settable at run time; see emulator/README.md.
 * The engine reads it at the start of each run.
 */
typedef struct EmuSwitches
{
	bool		case_sensitive; /* values compare with case (documented:
								 * without) */
	bool		nulls_first;	/* where NULL sorts, both directions */
	bool		like_underscore;	/* _ in LIKE matches one character */
	bool		window_end_exclusive;	/* TIMESPAN/Query*Time exclude the
										 * last day */
	bool		csv_bom;		/* file starts with a byte order mark */
	bool		csv_crlf;		/* CRLF line ends */
	bool		csv_quote_all;	/* quote every field */
	bool		csv_no_final_newline;	/* last line without a line end */
	bool		csv_no_header_when_empty;	/* no rows: no header line either */
	bool		csv_header_lower;	/* header in lower case, not query
									 * spelling */
	bool		csv_shuffle_columns;	/* header order is not SELECT order */
	bool		csv_extra_column;	/* one more column than asked for */
	int			date_format;	/* 0: 2026-03-01, 1: 2026-03-01T00:00:00, 2:
								 * with Z, 3: 3/1/2026 12:00:00 AM */
	int			bool_format;	/* 0: as the catalogue says, 1: 0/1, 2: Y/N,
								 * 3: Yes/No, 4: True/False */
	bool		null_literal;	/* NULL written as the word NULL */
} EmuSwitches;

/* Returns NULL with a message in err.  Data is made lazily, per dataset. */
extern EmuEngine *emu_engine_open(const EmuEngineOptions *options, char *err, size_t errsize);
extern void emu_engine_close(EmuEngine *engine);

/* The catalogue that is served, as a JSON text; malloc'd. */
extern char *emu_engine_catalog(EmuEngine *engine);

/*
 * From now on serves another catalogue, a text of the same form; NULL: the
 * original again.  Queries that were parsed before keep to what they know.
 * False with a message in err.
 */
extern bool emu_engine_alter(EmuEngine *engine, const char *text, size_t length,
							 char *err, size_t errsize);

/*
 * Datasets of a program ("mpn", "cmp") as the JSON array the API's endpoint 1
 * returns under "value" (camelCase keys); name filters without case, NULL for
 * all.  malloc'd; "[]" if there are none.
 */
extern char *emu_engine_datasets(EmuEngine *engine, const char *program, const char *name);

/* System queries of a program as a JSON array of query objects (endpoint 3). */
extern char *emu_engine_system_queries(EmuEngine *engine, const char *program);

/*
 * Parses and validates a report query.  NULL with the service's message in err.
 * The result is immutable; free with emu_query_free.
 */
extern EmuQuery *emu_query_parse(EmuEngine *engine, const char *program, const char *text,
								 char *err, size_t errsize);
extern void emu_query_free(EmuQuery *query);

/* A time window that overrides TIMESPAN; 0 in both: none. */
typedef struct EmuWindow
{
	time_t		start;
	time_t		end;
} EmuWindow;

/*
 * Runs the query and writes the report file (delimiter ',' or '\t', header line
 * first) to out, uncompressed, streaming.  Returns the number of rows, -1 with
 * a message in err.
 */
extern int64_t emu_query_write(EmuEngine *engine, const EmuQuery *query, EmuWindow window,
							   const EmuSwitches *switches, char delimiter, FILE *out,
							   char *err, size_t errsize);

/*
 * Runs the query for at most limit rows and returns them as the JSON array of
 * testQueryResult (objects keyed by column name).  malloc'd; NULL with err.
 */
extern char *emu_query_preview(EmuEngine *engine, const EmuQuery *query, EmuWindow window,
							   const EmuSwitches *switches, int limit,
							   char *err, size_t errsize);

#endif							/* EMU_ENGINE_H */
