/*-------------------------------------------------------------------------
 *
 * import.c
 *		IMPORT FOREIGN SCHEMA: every dataset as a foreign table.
 *
 * The service says which datasets and columns there are, the catalogue what
 * types they have.  What comes out is text that PostgreSQL executes: one
 * CREATE FOREIGN TABLE for each dataset, in which nothing is left to defaults
 * that could change later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "fdw/fdw.h"
#include "foreign/foreign.h"
#include "insights/ascii.h"
#include "insights/catalog.h"
#include "insights/column_type.h"
#include "insights/local_name.h"
#include "insights/offer.h"
#include "insights/sample.h"
#include "insights/timespan.h"
#include "nodes/parsenodes.h"
#include "option_value.h"
#include "text.h"
#include "throw.h"
#include "utils/builtins.h"

/* The statement, understood. */
typedef struct Import
{
	ImportForeignSchemaStmt *stmt;	/* as it was written */
	const char *program;		/* "mpn" or "cmp": the remote schema */
	bool		other_program;	/* not the server's own */
	PinNameStyle style;			/* option case */
	const char *prefix;			/* option prefix; "" without */
	bool		metrics;		/* option metrics: all of them */
	bool		sample;			/* option sample */
	bool		not_null;		/* option not_null */
	const char *timespan;		/* option timespan; NULL: the widest */
	bool		timespan_met;	/* some dataset offers it */
	bool		timespan_missed;	/* some dataset offers others only */
	List	   *table_options;	/* DefElems for every table */
	PinAsker   *asker;			/* asks the service */
	List	   *offers;			/* of PinOffer: what it answered */
	PinLocalName *tables;		/* local names of the offers, in step */
} Import;

/* A dataset on its way to be a table. */
typedef struct Source
{
	const PinOffer *offer;		/* what the service says */
	const PinCatalogDataset *known; /* what the catalogue says; may be NULL */
	const char *timespan;		/* of the table; NULL: none */
	const char **remotes;		/* remote names: columns, then metrics */
	const char **types;			/* SQL types, in step */
	PinLocalName *locals;		/* local names, in step */
	int			ncolumns;		/* all of them */
	int			nmetrics;		/* the last of them */
} Source;

/* ---- the statement ---- */

static bool
boolean_option(List *options, const char *name)
{
	char	   *value = pin_option_get(options, name);
	bool		result = false;

	if (value != NULL)
		(void) parse_bool(value, &result);
	return result;
}

/* Options that are not for the tables. */
static bool
is_import_option(const char *name)
{
	static const char *const names[] = {
		"case", "prefix", "metrics", "sample", "not_null", "timespan"
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void
read_options(Import *import, List *options)
{
	char	   *name_case = pin_option_get(options, "case");
	char	   *prefix = pin_option_get(options, "prefix");
	ListCell   *lc;

	pin_options_check_import(options);
	import->style = name_case != NULL && strcmp(name_case, "preserve") == 0 ?
		PIN_NAME_PRESERVE : PIN_NAME_SNAKE;
	import->prefix = prefix != NULL ? prefix : "";
	import->metrics = boolean_option(options, "metrics");
	import->sample = boolean_option(options, "sample");
	import->not_null = boolean_option(options, "not_null");
	import->timespan = pin_option_get(options, "timespan");
	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (!is_import_option(def->defname))
			import->table_options = lappend(import->table_options, def);
	}
}

/* The program that a remote schema is. */
static const char *
program_of(const char *remote_schema, const char *server_name)
{
	static const char *const programs[] = {"mpn", "cmp"};

	for (int i = 0; i < lengthof(programs); i++)
	{
		if (pin_ascii_equal(remote_schema, programs[i]))
			return programs[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
			 errmsg("server \"%s\" has no foreign schema \"%s\"", server_name, remote_schema),
			 errhint("Foreign schemas are \"mpn\" (partner insights), \"cmp\" (commercial marketplace) and \"api\" (the service's own objects).")));
}

/* ---- which datasets ---- */

/*
 * Does a name in the statement mean this dataset?  It may be the remote or the
 * local one; case and underscores do not count, for who writes AzureUsage
 * without quotes has written azureusage.
 */
static bool
means(const RangeVar *name, const PinOffer *offer, const char *table)
{
	return pin_catalog_same_name(name->relname, offer->name) ||
		pin_ascii_equal(name->relname, table);
}

static bool
is_listed(const List *list, const PinOffer *offer, const char *table)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		if (means(lfirst_node(RangeVar, lc), offer, table))
			return true;
	}
	return false;
}

static bool
is_wanted(const Import *import, const PinOffer *offer, const char *table)
{
	const ImportForeignSchemaStmt *stmt = import->stmt;

	if (stmt->list_type == FDW_IMPORT_SCHEMA_ALL)
		return true;
	return is_listed(stmt->table_list, offer, table) ==
		(stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO);
}

static bool
is_offered(const Import *import, const RangeVar *name)
{
	for (int i = 0; i < list_length(import->offers); i++)
	{
		if (means(name, list_nth(import->offers, i), import->tables[i]))
			return true;
	}
	return false;
}

/* Throws if LIMIT TO names something that is not there. */
static void
check_limit(const Import *import)
{
	ListCell   *lc;

	if (import->stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		return;
	foreach(lc, import->stmt->table_list)
	{
		RangeVar   *name = lfirst_node(RangeVar, lc);
		const char *nearest;

		if (is_offered(import, name))
			continue;
		nearest = pin_catalog_nearest_dataset(&pin_shipped_catalog, import->program,
											  name->relname);
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("the service offers no dataset \"%s\" in program \"%s\"",
						name->relname, import->program),
				 nearest != NULL && pin_offer_find(import->offers, nearest) != NULL ?
				 errhint("Perhaps you meant the dataset \"%s\".", nearest) : 0));
	}
}

/*
 * PostgreSQL compares the names in LIMIT TO and EXCEPT with those of the tables
 * once more, and letter by letter.  What is left out is left out already.
 */
static void
disarm_filter(ImportForeignSchemaStmt *stmt)
{
	stmt->list_type = FDW_IMPORT_SCHEMA_ALL;
	stmt->table_list = NIL;
}

/* ---- one dataset ---- */

/* Columns first, then the metrics that are wanted. */
static void
choose_columns(const Import *import, Source *source)
{
	const PinOffer *offer = source->offer;
	ListCell   *lc;

	source->remotes = palloc(sizeof(char *) *
							 (list_length(offer->columns) + list_length(offer->metrics) + 1));
	foreach(lc, offer->columns)
		source->remotes[source->ncolumns++] = strVal(lfirst(lc));
	foreach(lc, offer->metrics)
	{
		const char *metric = strVal(lfirst(lc));

		if (!import->metrics &&
			!(source->known != NULL && pin_catalog_is_usual(source->known, metric)))
			continue;
		source->remotes[source->ncolumns++] = metric;
		source->nmetrics++;
	}
}

/* The timespans the dataset offers, else those the catalogue has for it. */
static int
timespans_of(const Source *source, const char ***timespans)
{
	int			count = 0;
	ListCell   *lc;

	if (!source->offer->ranges_told && source->known != NULL)
	{
		*timespans = (const char **) source->known->date_ranges;
		return source->known->ndate_ranges;
	}
	*timespans = palloc(sizeof(char *) * (list_length(source->offer->ranges) + 1));
	foreach(lc, source->offer->ranges)
		(*timespans)[count++] = strVal(lfirst(lc));
	return count;
}

/* The wanted timespan if the dataset offers it, else its widest. */
static void
choose_timespan(Import *import, Source *source)
{
	const char **timespans;
	int			count = timespans_of(source, &timespans);

	source->timespan = pin_timespan_widest(timespans, count);
	if (import->timespan == NULL || count == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		if (!pin_ascii_equal(timespans[i], import->timespan))
			continue;
		source->timespan = timespans[i];
		import->timespan_met = true;
		return;
	}
	import->timespan_missed = true;
	ereport(NOTICE,
			(errmsg("dataset \"%s\" offers no timespan \"%s\", its table covers \"%s\"",
					source->offer->name, import->timespan, source->timespan)));
}

/* Types of the columns in unknown (indexes) from a sample of rows. */
static void
sample_types(Import *import, Source *source, List *unknown)
{
	int			n = list_length(unknown);
	const char **columns = palloc(sizeof(char *) * (n + 1));
	const char **types = palloc(sizeof(char *) * (n + 1));
	PinError	err;

	for (int i = 0; i < n; i++)
	{
		columns[i] = source->remotes[list_nth_int(unknown, i)];
		types[i] = source->types[list_nth_int(unknown, i)];
	}
	if (!pin_sample_types(import->asker, source->offer->name, source->timespan,
						  columns, n, types, &err))
		ereport(WARNING,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("dataset \"%s\" could not be sampled: types of its unknown columns come from their names",
						source->offer->name),
				 errdetail("%s", pin_text_to_server(err.message))));
	for (int i = 0; i < n; i++)
		source->types[list_nth_int(unknown, i)] = types[i];
}

static void
choose_types(Import *import, Source *source)
{
	List	   *unknown = NIL;

	source->types = palloc(sizeof(char *) * (source->ncolumns + 1));
	for (int i = 0; i < source->ncolumns; i++)
	{
		const PinCatalogColumn *column = source->known == NULL ? NULL :
		pin_catalog_column(source->known, source->remotes[i]);

		if (column != NULL)
			source->types[i] = column->type;
		else
		{
			source->types[i] = pin_type_from_name(source->remotes[i]);
			unknown = lappend_int(unknown, i);
		}
	}
	if (import->sample && unknown != NIL)
		sample_types(import, source, unknown);
}

/* ---- the statements ---- */

static void
append_option(StringInfo sql, bool *first, const char *name, const char *value)
{
	appendStringInfo(sql, "%s%s %s", *first ? "" : ", ",
					 quote_identifier(name), quote_literal_cstr(value));
	*first = false;
}

/*
 * Only rows with a time fall into a timespan, so that alone is known to be
 * never null.
 */
static bool
is_never_null(const Import *import, const Source *source, int i)
{
	return import->not_null && source->timespan != NULL && source->known != NULL &&
		source->known->time_column != NULL &&
		pin_ascii_equal(source->known->time_column, source->remotes[i]);
}

static void
append_column(StringInfo sql, const Import *import, const Source *source, int i)
{
	bool		first = true;

	appendStringInfo(sql, "%s\n\t%s %s OPTIONS (", i > 0 ? "," : "",
					 quote_identifier(source->locals[i]), source->types[i]);
	append_option(sql, &first, "column_name", source->remotes[i]);
	if (i >= source->ncolumns - source->nmetrics)
		append_option(sql, &first, "metric", "true");
	appendStringInfoChar(sql, ')');
	if (is_never_null(import, source, i))
		appendStringInfoString(sql, " NOT NULL");
}

static void
append_table_options(StringInfo sql, const Import *import, const Source *source)
{
	bool		first = true;
	ListCell   *lc;

	append_option(sql, &first, "dataset", source->offer->name);
	if (import->other_program)
		append_option(sql, &first, "program", import->program);
	if (source->timespan != NULL)
		append_option(sql, &first, "timespan", source->timespan);
	foreach(lc, import->table_options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		append_option(sql, &first, def->defname, defGetString(def));
	}
}

static char *
create_statement(const Import *import, const Source *source, const char *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s.%s (",
					 quote_identifier(import->stmt->local_schema), quote_identifier(table));
	for (int i = 0; i < source->ncolumns; i++)
		append_column(&sql, import, source, i);
	appendStringInfo(&sql, "\n) SERVER %s\nOPTIONS (",
					 quote_identifier(import->stmt->server_name));
	append_table_options(&sql, import, source);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* Columns no report query could ask for are told, not passed over. */
static void
tell_unusable(const PinOffer *offer)
{
	ListCell   *lc;

	foreach(lc, offer->unusable)
		ereport(WARNING,
				(errcode(ERRCODE_FDW_INVALID_STRING_FORMAT),
				 errmsg("a column of dataset \"%s\" is left out: its name cannot be used in a report query",
						offer->name),
				 errdetail("The name is \"%s\".", strVal(lfirst(lc)))));
}

/* The statement for one dataset; NULL if it cannot be a table. */
static char *
import_dataset(Import *import, const PinOffer *offer, const char *table)
{
	Source		source = {.offer = offer};

	source.known = pin_catalog_dataset(&pin_shipped_catalog, import->program, offer->name);
	tell_unusable(offer);
	choose_columns(import, &source);
	if (source.ncolumns == 0)
	{
		ereport(NOTICE,
				(errmsg("dataset \"%s\" offers no columns and is left out", offer->name)));
		return NULL;
	}
	choose_timespan(import, &source);
	choose_types(import, &source);
	source.locals = palloc(sizeof(PinLocalName) * source.ncolumns);
	if (!pin_local_names(source.locals, "", source.remotes, source.ncolumns, import->style))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return create_statement(import, &source, table);
}

/* ---- the whole ---- */

static void
fetch_offers(Import *import, const PinOptions *options)
{
	PinError	err;

	if (!pin_offer_fetch(import->asker, NULL, &import->offers, &err))
		pin_throw(&err, options->server_name,
				  psprintf("list of the datasets of program \"%s\"", import->program));
}

/* Local names of all datasets, so that a filter does not change them. */
static void
name_tables(Import *import)
{
	int			count = list_length(import->offers);
	const char **remotes = palloc(sizeof(char *) * (count + 1));

	for (int i = 0; i < count; i++)
		remotes[i] = ((PinOffer *) list_nth(import->offers, i))->name;
	import->tables = palloc(sizeof(PinLocalName) * (count + 1));
	if (!pin_local_names(import->tables, import->prefix, remotes, count, import->style))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

static List *
create_statements(Import *import)
{
	List	   *statements = NIL;

	for (int i = 0; i < list_length(import->offers); i++)
	{
		PinOffer   *offer = list_nth(import->offers, i);
		char	   *sql = NULL;

		if (is_wanted(import, offer, import->tables[i]))
			sql = import_dataset(import, offer, import->tables[i]);
		if (sql != NULL)
			statements = lappend(statements, sql);
	}
	if (import->timespan_missed && !import->timespan_met)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("no dataset offers the timespan \"%s\"", import->timespan),
				 errhint("Usual timespans are LAST_MONTH, LAST_3_MONTHS, LAST_6_MONTHS, LAST_1_YEAR and LIFETIME.")));
	return statements;
}

List *
pinsightImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	const char *own_program = pin_option_get(server->options, "program");
	Import		import = {.stmt = stmt};
	PinOptions *options;
	List	   *statements;

	import.program = program_of(stmt->remote_schema, server->servername);
	import.other_program = strcmp(import.program, own_program != NULL ? own_program : "mpn") != 0;
	read_options(&import, stmt->options);
	options = pin_options_server(serverid, GetUserId(), import.program);
	import.asker = pin_ask_open(options);
	fetch_offers(&import, options);
	name_tables(&import);
	check_limit(&import);
	statements = create_statements(&import);
	pin_ask_close(import.asker);
	disarm_filter(stmt);
	return statements;
}
