/*-------------------------------------------------------------------------
 *
 * check_tables.c
 *		pinsight_check_tables(): foreign tables against what the service offers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "compat.h"
#include "fdw/drift.h"
#include "fdw/table.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "insights/offer.h"
#include "nodes/value.h"
#include "objects/table.h"
#include "throw.h"
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

/* Foreign tables of a server. */
static List *
tables_of_server(Oid serverid)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List	   *tables = NIL;
	HeapTuple	tuple;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_foreign_table form = (Form_pg_foreign_table) GETSTRUCT(tuple);

		if (form->ftserver == serverid)
			tables = lappend_oid(tables, form->ftrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(tables, list_oid_cmp);
	return tables;
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

/* Lists the tables the caller may read; the user mapping is the caller's. */
Datum
pinsight_check_tables(PG_FUNCTION_ARGS)
{
	const char *server_name = NameStr(*PG_GETARG_NAME(0));
	ForeignServer *server = GetForeignServerByName(server_name, false);
	Program		programs[2] = {{.name = "mpn"}, {.name = "cmp"}};
	AclResult	acl = pin_server_aclcheck(server->serverid, GetUserId());
	ListCell   *lc;

	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FOREIGN_SERVER, server_name);
	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, tables_of_server(server->serverid))
	{
		Relation	relation;

		if (pg_class_aclcheck(lfirst_oid(lc), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			continue;
		relation = try_relation_open(lfirst_oid(lc), AccessShareLock);
		if (relation == NULL)
			continue;			/* dropped meanwhile */
		if (!pin_object_is_table(lfirst_oid(lc)))
			put_table((ReturnSetInfo *) fcinfo->resultinfo, relation, server, programs);
		relation_close(relation, AccessShareLock);
	}
	return (Datum) 0;
}
