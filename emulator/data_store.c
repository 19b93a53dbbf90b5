/*
 * data_store.c
 *		Fills the database, one dataset at a time.
 *
 * The file has one writing connection, for one thread at a time (engine.c
 * locks).  Pages a new table gets need no journal, so a rollback journal makes
 * the transaction of millions of rows safe at no cost; nothing is synced, as
 * all of it can be made again.
 */
#define _GNU_SOURCE
#include "data_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_functions.h"
#include "engine_text.h"

/* Raise it when the same options make other rows than before. */
#define DATA_VERSION 1

struct EmuStoreFile
{
	EmuDataOptions options;
	char	   *directory;		/* temporary one, or NULL */
	char	   *path;
	sqlite3    *writer;
};

static bool
report(sqlite3 *db, char *err, size_t errsize)
{
	snprintf(err, errsize, "emulator database: %s", db ? sqlite3_errmsg(db) : "out of memory");
	return false;
}

static sqlite3 *
connect_to(const char *path, int flags, char *err, size_t errsize)
{
	sqlite3    *db = NULL;

	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
		emu_functions_register(db) == SQLITE_OK &&
		sqlite3_busy_timeout(db, 60000) == SQLITE_OK)
		return db;
	report(db, err, errsize);
	sqlite3_close(db);
	return NULL;
}

/* Without a path of the caller's: a file in a directory of our own. */
static bool
choose_path(EmuStoreFile *store, const char *path)
{
	const char *base = getenv("TMPDIR");
	char	   *directory;

	if (path)
	{
		store->path = strdup(path);
		return store->path != NULL;
	}
	if (asprintf(&directory, "%s/pinsight-emulator.XXXXXX", base && *base ? base : "/tmp") < 0)
		return false;
	if (mkdtemp(directory) == NULL)
	{
		free(directory);
		return false;
	}
	store->directory = directory;
	if (asprintf(&store->path, "%s/data.sqlite", directory) < 0)
		store->path = NULL;
	return store->path != NULL;
}

EmuStoreFile *
emu_data_store_open(const char *path, const EmuDataOptions *options, char *err, size_t errsize)
{
	static const char setup[] =
	"PRAGMA page_size = 16384;"
	"PRAGMA synchronous = OFF;"
	"PRAGMA cache_size = -16384;"
	"CREATE TABLE IF NOT EXISTS emulator_made"
	" (name TEXT PRIMARY KEY, version INT, row_count INT, seed INT, today INT)";
	EmuStoreFile *store = calloc(1, sizeof(EmuStoreFile));

	if (store == NULL || !choose_path(store, path))
	{
		snprintf(err, errsize, "emulator database: no directory for a temporary file");
		emu_data_store_close(store);
		return NULL;
	}
	store->options = *options;
	store->writer = connect_to(store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err, errsize);
	if (store->writer == NULL ||
		(sqlite3_exec(store->writer, setup, NULL, NULL, NULL) != SQLITE_OK &&
		 !report(store->writer, err, errsize)))
	{
		emu_data_store_close(store);
		return NULL;
	}
	return store;
}

void
emu_data_store_close(EmuStoreFile *store)
{
	if (store == NULL)
		return;
	sqlite3_close(store->writer);
	if (store->directory)
	{
		if (store->path)
			unlink(store->path);
		rmdir(store->directory);
	}
	free(store->directory);
	free(store->path);
	free(store);
}

sqlite3 *
emu_data_store_reader(EmuStoreFile *store, char *err, size_t errsize)
{
	return connect_to(store->path, SQLITE_OPEN_READONLY, err, errsize);
}

/*
 * A number that changes when the rows would: with the generator or with the
 * columns the catalogue lists.
 */
static int64_t
version_of(const EmuDataset *dataset)
{
	uint64_t	hash = DATA_VERSION;

	for (int i = 0; i < dataset->total; i++)
	{
		for (const char *p = dataset->columns[i].name; *p; p++)
			hash = hash * 31 + (unsigned char) *p;
		hash = hash * 31 + dataset->columns[i].type;
	}
	return (int64_t) (hash >> 1);
}

/* Runs a statement about one dataset; returns its first result as a number. */
static bool
run_about(EmuStoreFile *store, const EmuDataset *dataset, const char *sql, int *result)
{
	sqlite3_stmt *statement;
	int			rc;

	*result = 0;
	if (sqlite3_prepare_v2(store->writer, sql, -1, &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(statement, 1, dataset->table, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, version_of(dataset));
	sqlite3_bind_int64(statement, 3, store->options.rows);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64) store->options.seed);
	sqlite3_bind_int64(statement, 5, store->options.today);
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*result = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool
create_table(EmuStoreFile *store, const EmuDataset *dataset, const EmuRows *rows)
{
	EmuText		sql = {0};
	char	   *text;
	int			rc = SQLITE_NOMEM;

	emu_text_printf(&sql, "DROP TABLE IF EXISTS \"%s\"; CREATE TABLE \"%s\" (",
					dataset->table, dataset->table);
	for (int i = 0; i < emu_rows_width(rows); i++)
	{
		const EmuColumn *column = emu_rows_column(rows, i);

		emu_text_printf(&sql, "%s\"%s\" %s", i ? ", " : "", column->name,
						column->type == EMU_BIGINT && column->metric != EMU_COUNT
						? "INTEGER" : "TEXT");
	}
	emu_text_puts(&sql, ")");
	text = emu_text_take(&sql);
	if (text)
		rc = sqlite3_exec(store->writer, text, NULL, NULL, NULL);
	free(text);
	return rc == SQLITE_OK;
}

static sqlite3_stmt *
prepare_insert(EmuStoreFile *store, const EmuDataset *dataset, const EmuRows *rows)
{
	EmuText		sql = {0};
	char	   *text;
	sqlite3_stmt *insert = NULL;

	emu_text_printf(&sql, "INSERT INTO \"%s\" VALUES (", dataset->table);
	for (int i = 0; i < emu_rows_width(rows); i++)
		emu_text_puts(&sql, i ? ", ?" : "?");
	emu_text_puts(&sql, ")");
	text = emu_text_take(&sql);
	if (text)
		sqlite3_prepare_v2(store->writer, text, -1, &insert, NULL);
	free(text);
	return insert;
}

/* Parameters keep their last value, so a NULL must be bound too. */
static void
bind_row(sqlite3_stmt *insert, const EmuValue *values, int width)
{
	for (int i = 0; i < width; i++)
	{
		const EmuValue *value = &values[i];

		if (value->kind == EMU_VALUE_TEXT)
			sqlite3_bind_text(insert, i + 1, value->text, value->length, SQLITE_STATIC);
		else if (value->kind == EMU_VALUE_INTEGER)
			sqlite3_bind_int64(insert, i + 1, value->integer);
		else
			sqlite3_bind_null(insert, i + 1);
	}
}

static bool
insert_rows(EmuStoreFile *store, const EmuDataset *dataset, EmuRows *rows)
{
	sqlite3_stmt *insert = prepare_insert(store, dataset, rows);
	bool		ok = insert != NULL;

	for (int64_t i = 0; ok && i < store->options.rows; i++)
	{
		bind_row(insert, emu_rows_make(rows, i), emu_rows_width(rows));
		ok = sqlite3_step(insert) == SQLITE_DONE;
		sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	return ok;
}

static bool
fill_table(EmuStoreFile *store, const EmuDataset *dataset)
{
	EmuRows    *rows = emu_rows_open(dataset, &store->options);
	int			unused;
	bool		ok;

	ok = rows != NULL &&
		sqlite3_exec(store->writer, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
		create_table(store, dataset, rows) &&
		insert_rows(store, dataset, rows) &&
		run_about(store, dataset,
				  "INSERT OR REPLACE INTO emulator_made VALUES (?1, ?2, ?3, ?4, ?5)", &unused) &&
		sqlite3_exec(store->writer, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	emu_rows_close(rows);
	return ok;
}

bool
emu_data_store_make(EmuStoreFile *store, const EmuDataset *dataset, char *err, size_t errsize)
{
	int			there;

	if (!run_about(store, dataset,
				   "SELECT count(*) FROM emulator_made WHERE name = ?1 AND version = ?2"
				   " AND row_count = ?3 AND seed = ?4 AND today = ?5", &there))
		return report(store->writer, err, errsize);
	if (there || fill_table(store, dataset))
		return true;
	report(store->writer, err, errsize);
	if (!sqlite3_get_autocommit(store->writer))
		sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
	return false;
}
