/*
 * engine.c
 *		Catalogue, data and report queries under one roof.
 *
 * Threads: catalogues and parsed queries never change.  Another catalogue may
 * take the place of the one that is served; both stay until the end, since
 * queries point into them.  Each run has a connection of its own and holds the
 * lock for reading; making a dataset's data takes it for writing, as SQLite
 * lets nobody read meanwhile.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "catalog.h"
#include "data_store.h"
#include "query.h"
#include "report_file.h"

struct EmuEngine
{
	EmuCatalog *original;		/* as it was at the start */
	EmuCatalog *catalog;		/* the latest; those before are its older ones */
	bool		altered;		/* the latest is served, not the original */
	pthread_mutex_t catalog_lock;	/* guards the two above */
	EmuStoreFile *store;
	int			today;			/* days since 1970-01-01 */
	pthread_rwlock_t lock;		/* guards the database and what is made */
};

static bool
choose_today(const char *text, int *days, char *err, size_t errsize)
{
	int			year;
	int			month;
	int			day;
	int			end = 0;

	if (text == NULL)
	{
		*days = (int) (time(NULL) / 86400);
		return true;
	}
	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) < 3 || text[end] != '\0' ||
		year < 1970 || !emu_date_is_valid(year, month, day))
	{
		snprintf(err, errsize, "\"%s\" is no date yyyy-mm-dd", text);
		return false;
	}
	*days = emu_date_to_days(year, month, day);
	return true;
}

/* Without the preference a stream of readers would keep data from being made. */
static void
init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

EmuEngine *
emu_engine_open(const EmuEngineOptions *options, char *err, size_t errsize)
{
	EmuEngine  *engine = calloc(1, sizeof(EmuEngine));
	EmuDataOptions data = {.rows = options->rows,.seed = options->seed};

	if (engine == NULL)
	{
		snprintf(err, errsize, "out of memory");
		return NULL;
	}
	init_lock(&engine->lock);
	pthread_mutex_init(&engine->catalog_lock, NULL);
	if (data.rows < 0 || data.rows > INT32_MAX)
		snprintf(err, errsize, "rows must be between 0 and %d", INT32_MAX);
	else if (choose_today(options->today, &data.today, err, errsize))
		engine->original = emu_catalog_load(options->catalog, err, errsize);
	engine->catalog = engine->original;
	engine->today = data.today;
	if (engine->catalog)
		engine->store = emu_data_store_open(options->database, &data, err, errsize);
	if (engine->store)
		return engine;
	emu_engine_close(engine);
	return NULL;
}

void
emu_engine_close(EmuEngine *engine)
{
	if (engine == NULL)
		return;
	emu_data_store_close(engine->store);
	while (engine->catalog)
	{
		EmuCatalog *older = engine->catalog->older;

		emu_catalog_free(engine->catalog);
		engine->catalog = older;
	}
	pthread_mutex_destroy(&engine->catalog_lock);
	pthread_rwlock_destroy(&engine->lock);
	free(engine);
}

/* The catalogue that is served at this moment. */
static const EmuCatalog *
served(EmuEngine *engine)
{
	const EmuCatalog *catalog;

	pthread_mutex_lock(&engine->catalog_lock);
	catalog = engine->altered ? engine->catalog : engine->original;
	pthread_mutex_unlock(&engine->catalog_lock);
	return catalog;
}

char *
emu_engine_catalog(EmuEngine *engine)
{
	return emu_catalog_json(served(engine));
}

bool
emu_engine_alter(EmuEngine *engine, const char *text, size_t length, char *err, size_t errsize)
{
	EmuCatalog *catalog = NULL;

	pthread_mutex_lock(&engine->catalog_lock);
	if (text)
		catalog = emu_catalog_parse(text, length, engine->original,
									engine->catalog->generation + 1, err, errsize);
	if (catalog)
	{
		catalog->older = engine->catalog;
		engine->catalog = catalog;
	}
	if (catalog || text == NULL)
		engine->altered = catalog != NULL;
	pthread_mutex_unlock(&engine->catalog_lock);
	return catalog || text == NULL;
}

char *
emu_engine_datasets(EmuEngine *engine, const char *program, const char *name)
{
	return emu_catalog_datasets_json(served(engine), program, name);
}

char *
emu_engine_system_queries(EmuEngine *engine, const char *program)
{
	return emu_catalog_system_json(served(engine), program);
}

EmuQuery *
emu_query_parse(EmuEngine *engine, const char *program, const char *text,
				char *err, size_t errsize)
{
	return emu_query_parse_catalog(served(engine), program, text, err, errsize);
}

/* Makes sure there is data and takes the lock for reading. */
static bool
lock_for_reading(EmuEngine *engine, const EmuDataset *dataset, char *err, size_t errsize)
{
	bool	   *made = dataset->made;

	pthread_rwlock_rdlock(&engine->lock);
	if (*made)
		return true;
	pthread_rwlock_unlock(&engine->lock);

	pthread_rwlock_wrlock(&engine->lock);
	if (!*made)
		*made = emu_data_store_make(engine->store, dataset, err, errsize);
	if (!*made)
	{
		pthread_rwlock_unlock(&engine->lock);
		return false;
	}
	pthread_rwlock_unlock(&engine->lock);

	/* What is made stays made. */
	pthread_rwlock_rdlock(&engine->lock);
	return true;
}

/* A run of a query, from the lock to the last row. */
typedef struct Run
{
	EmuEngine  *engine;
	sqlite3    *db;
	EmuSql		sql;
	sqlite3_stmt *statement;
} Run;

static bool
start(Run *run, EmuEngine *engine, const EmuQuery *query, EmuWindow window,
	  const EmuSwitches *switches, int64_t limit, char *err, size_t errsize)
{
	memset(run, 0, sizeof(*run));
	if (!lock_for_reading(engine, query->dataset, err, errsize))
		return false;
	run->engine = engine;
	if (!emu_query_sql(query, window, switches, engine->today, limit, &run->sql))
	{
		snprintf(err, errsize, "out of memory");
		return false;
	}
	run->db = emu_data_store_reader(engine->store, err, errsize);
	if (run->db == NULL)
		return false;
	if (sqlite3_prepare_v2(run->db, run->sql.text.data, -1, &run->statement, NULL) != SQLITE_OK)
	{
		snprintf(err, errsize, "%s", sqlite3_errmsg(run->db));
		return false;
	}
	for (int i = 0; i < run->sql.nvalues; i++)
		sqlite3_bind_text(run->statement, i + 1, run->sql.values[i], -1, SQLITE_STATIC);
	return true;
}

/* Ends a run, started well or badly; turns failure codes into -1 and a message. */
static int64_t
finish(Run *run, int64_t rows, char *err, size_t errsize)
{
	if (rows == -1)
		snprintf(err, errsize, "could not write the report");
	else if (rows == -2)
		snprintf(err, errsize, "%s", sqlite3_errmsg(run->db));
	sqlite3_finalize(run->statement);
	sqlite3_close(run->db);
	emu_sql_free(&run->sql);
	if (run->engine)
		pthread_rwlock_unlock(&run->engine->lock);
	return rows < 0 ? -1 : rows;
}

int64_t
emu_query_write(EmuEngine *engine, const EmuQuery *query, EmuWindow window,
				const EmuSwitches *switches, char delimiter, FILE *out,
				char *err, size_t errsize)
{
	Run			run;

	if (!start(&run, engine, query, window, switches, 0, err, errsize))
	{
		finish(&run, 0, err, errsize);
		return -1;
	}
	return finish(&run, emu_report_file_write(run.statement, query, switches, delimiter, out),
				  err, errsize);
}

char *
emu_query_preview(EmuEngine *engine, const EmuQuery *query, EmuWindow window,
				  const EmuSwitches *switches, int limit, char *err, size_t errsize)
{
	Run			run;
	EmuText		json = {0};
	char	   *text;

	if (!start(&run, engine, query, window, switches, limit, err, errsize))
	{
		finish(&run, 0, err, errsize);
		return NULL;
	}
	if (finish(&run, emu_report_preview(run.statement, query, &json), err, errsize) < 0)
	{
		free(emu_text_take(&json));
		return NULL;
	}
	text = emu_text_take(&json);
	if (text == NULL)
		snprintf(err, errsize, "out of memory");
	return text;
}
