/*-------------------------------------------------------------------------
 *
 * check_tables.c
 *		pinsight_check_tables(): foreign tables against what the service offers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "fdw/drift.h"
#include "fdw/table.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "insights/offer.h"
#include "nodes/value.h"
#include "miscadmin.h"
#include "objects/table.h"
#include "sql/look.h"
#include "throw.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pinsight_check_tables);

/* What the service offers in one program, asked for when it is first needed. */
typedef struct Program
{
	const char *name;			/* "mpn" or "cmp" */
	bool		asked;			/* offers are here */
	List	   *offers;			/* of PinOffer */
} Program;

/* The foreign tables of a server. */
typedef struct Tables
{
	Oid			serverid;
	List	   *oids;			/* so far */
} Tables;

static bool
note_table(Oid relid, Oid serverid, List *options, void *arg)
{
	Tables	   *tables = arg;

	if (serverid == tables->serverid)
		tables->oids = lappend_oid(tables->oids, relid);
	return false;				/* go on */
}

static List *
tables_of_server(Oid serverid)
{
	Tables		tables = {.serverid = serverid};

	(void) pin_look_for_table(note_table, &tables);
	list_sort(tables.oids, list_oid_cmp);
	return tables.oids;
}

static List *
offers_of(Program *programs, const ForeignServer *server, const char *name)
{
	Program    *program = strcmp(programs[0].name, name) == 0 ? &programs[0] : &programs[1];
	PinOptions *options;
	PinAsker   *asker;
	PinError	err;

	if (program->asked)
		return program->offers;
	options = pin_options_server(server->serverid, GetUserId(), name);
	asker = pin_ask_open(options);
	if (!pin_offer_fetch(asker, NULL, &program->offers, &err))
		pin_throw(&err, server->servername,
				  psprintf("list of the datasets of program \"%s\"", name));
	pin_ask_close(asker);
	program->asked = true;
	return program->offers;
}

static Datum
text_array(const List *names)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(names) + 1));

	for (int i = 0; i < list_length(names); i++)
		values[i] = CStringGetTextDatum(strVal(list_nth(names, i)));
	return PointerGetDatum(construct_array(values, list_length(names), TEXTOID,
										   -1, false, TYPALIGN_INT));
}

/* A table on an existing report or query, of a dataset nobody has named, has none. */
static void
put_table(ReturnSetInfo *result, Relation relation, const ForeignServer *server,
		  Program *programs)
{
	PinOptions *options = pin_options_plan(RelationGetRelid(relation));
	PinTable   *table = pin_table_describe(relation, options);
	const char *dataset = table->dataset != NULL ? table->dataset :
	RelationGetRelationName(relation);
	PinOffer   *offer;
	List	   *new;
	Datum		values[4];
	bool		isnull[4] = {false};

	if (table->dataset == NULL && pin_options_existing(options))
		return;
	offer = pin_offer_find(offers_of(programs, server, table->program), dataset);
	new = offer == NULL ? NIL : pin_drift_new(offer, table->program, table->names);
	values[0] = ObjectIdGetDatum(RelationGetRelid(relation));
	values[1] = CStringGetTextDatum(dataset);
	values[2] = text_array(pin_drift_gone(offer, table->names));
	values[3] = text_array(new);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/* Opens a table that the caller may read; NULL: may not, or it was dropped. */
static Relation
open_readable(Oid relid)
{
	bool		missing = false;

	if (pg_class_aclcheck_ext(relid, GetUserId(), ACL_SELECT, &missing) != ACLCHECK_OK)
		return NULL;
	return try_relation_open(relid, AccessShareLock);
}

/* Lists the tables the caller may read; the user mapping is the caller's. */
Datum
pinsight_check_tables(PG_FUNCTION_ARGS)
{
	ForeignServer *server = pin_look_find_server(NameStr(*PG_GETARG_NAME(0)));
	Program		programs[2] = {{.name = "mpn"}, {.name = "cmp"}};
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, tables_of_server(server->serverid))
	{
		Relation	relation = open_readable(lfirst_oid(lc));

		if (relation == NULL)
			continue;
		if (!pin_object_is_table(lfirst_oid(lc)))
			put_table((ReturnSetInfo *) fcinfo->resultinfo, relation, server, programs);
		relation_close(relation, AccessShareLock);
	}
	return (Datum) 0;
}
