/*-------------------------------------------------------------------------
 *
 * modify.c
 *		INSERT, UPDATE, DELETE and COPY FROM: what PostgreSQL calls.
 *
 * Rows of UPDATE and DELETE carry the whole object as it was read, which says
 * who it is, what has changed, and what RETURNING shows of one that is gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "objects/change.h"
#include "objects/modify.h"
#include "objects/value.h"
#include "optimizer/appendinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* As PostgreSQL calls it. */
#define WHOLE_ROW "wholerow"

/* One statement's changes to one table: ResultRelInfo.ri_FdwState. */
typedef struct Modify
{
	MemoryContext context;		/* owns this and the changer */
	PinChanger *changer;		/* makes the changes */
	AttrNumber	whole_row;		/* where plan rows have the object as it was */
} Modify;

/* ---- planning ---- */

static const PinObject *
object_of(Oid relid)
{
	return pin_object_is_table(relid) ? pin_object_find(pin_options_plan(relid)->api_object) :
		NULL;
}

int
pinsightIsForeignRelUpdatable(Relation relation)
{
	static const CmdType commands[] = {CMD_INSERT, CMD_UPDATE, CMD_DELETE};
	const PinObject *object = object_of(RelationGetRelid(relation));
	int			bits = 0;

	for (int i = 0; object != NULL && i < lengthof(commands); i++)
	{
		if (pin_wanted_can(object, commands[i]))
			bits |= 1 << commands[i];
	}
	return bits;
}

/* For UPDATE PostgreSQL does so by itself. */
void
pinsightAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte,
								Relation target_relation)
{
	if (root->parse->commandType == CMD_DELETE)
		add_row_identity_var(root, makeVar(rtindex, InvalidAttrNumber, RECORDOID, -1, InvalidOid, 0),
							 rtindex, WHOLE_ROW);
}

/* PostgreSQL's words for tables that cannot be changed. */
static const char *
verb_of(CmdType operation)
{
	return operation == CMD_INSERT ? "insert into" :
		operation == CMD_UPDATE ? "update" : "delete from";
}

static const char *
way_out(const PinObject *object)
{
	if (object == NULL)
		return "Its rows come from a report.";
	switch (object->kind)
	{
		case PIN_QUERIES:
			return "The service cannot change a query: delete it, and insert another.";
		case PIN_EXECUTIONS:
			return "Insert a report, and the service will execute it.";
		default:
			return "The service decides which datasets there are.";
	}
}

static void
check_operation(Oid relid, CmdType operation)
{
	const PinObject *object = object_of(relid);

	if (object != NULL && pin_wanted_can(object, operation))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot %s foreign table \"%s\"", verb_of(operation),
					get_rel_name(relid)),
			 errhint("%s", way_out(object))));
}

/* Which object a row is, only its id says. */
static void
check_id_column(Relation relation, CmdType operation)
{
	PinOptions *options = pin_options_plan(RelationGetRelid(relation));
	PinObjectTable *table = pin_object_table(relation, options);
	const PinObjectColumn *id = &table->object->columns[0];

	if (operation != CMD_INSERT && pin_object_attnum(table, id) == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("cannot %s foreign table \"%s\"", verb_of(operation),
						RelationGetRelationName(relation)),
				 errdetail("It has no column \"%s\", which tells the objects apart.", id->name),
				 errhint("Add the column to the table.")));
}

List *
pinsightPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index resultRelation,
						  int subplan_index)
{
	Oid			relid = planner_rt_fetch(resultRelation, root)->relid;
	Relation	relation;

	check_operation(relid, plan->operation);
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported for foreign table \"%s\"",
						get_rel_name(relid))));
	relation = table_open(relid, NoLock);
	check_id_column(relation, plan->operation);
	table_close(relation, NoLock);
	return NIL;
}

/* ---- begin and end ---- */

static void
begin(EState *estate, ResultRelInfo *rinfo, List *plan_targets)
{
	MemoryContext context = AllocSetContextCreate(estate->es_query_cxt, "pinsight changes",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Modify	   *modify = palloc0(sizeof(Modify));

	modify->context = context;
	modify->changer = pin_changer_begin(rinfo->ri_RelationDesc, pin_modify_user(rinfo, estate));
	modify->whole_row = ExecFindJunkAttributeInTlist(plan_targets, WHOLE_ROW);
	rinfo->ri_FdwState = modify;
	MemoryContextSwitchTo(old);
}

void
pinsightBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
						   List *fdw_private, int subplan_index, int eflags)
{
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		begin(mtstate->ps.state, rinfo, outerPlanState(mtstate)->plan->targetlist);
}

/* COPY, or a partition that rows are routed to. */
void
pinsightBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	if (rinfo->ri_FdwState != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\", which the statement updates, too",
						RelationGetRelationName(rinfo->ri_RelationDesc))));
	begin(mtstate->ps.state, rinfo, NIL);
}

static void
end(ResultRelInfo *rinfo)
{
	Modify	   *modify = rinfo->ri_FdwState;

	if (modify == NULL)
		return;					/* EXPLAIN */
	rinfo->ri_FdwState = NULL;
	MemoryContextDelete(modify->context);
}

void
pinsightEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	end(rinfo);
}

void
pinsightEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	end(rinfo);
}

/* ---- rows ---- */

/* A row that lives as long as the memory that is current. */
static PinObjectRow
row_of_tuple(const Modify *modify, TupleDesc tupdesc, HeapTuple tuple)
{
	PinObjectRow row = {.table = modify->changer->table,.tupdesc = tupdesc};
	Datum	   *values = palloc(sizeof(Datum) * (tupdesc->natts + 1));
	bool	   *isnull = palloc(sizeof(bool) * (tupdesc->natts + 1));

	heap_deform_tuple(tuple, tupdesc, values, isnull);
	row.values = values;
	row.isnull = isnull;
	return row;
}

static PinObjectRow
row_of_slot(const Modify *modify, TupleDesc tupdesc, TupleTableSlot *slot)
{
	return row_of_tuple(modify, tupdesc, ExecCopySlotHeapTuple(slot));
}

/* The object as it was read. */
static HeapTuple
old_tuple(const Modify *modify, TupleTableSlot *planSlot)
{
	bool		isnull;
	Datum		datum = ExecGetJunkAttribute(planSlot, modify->whole_row, &isnull);
	HeapTupleHeader header;
	HeapTupleData tuple;

	if (isnull)
		elog(ERROR, "the row that is to be changed is null");
	header = DatumGetHeapTupleHeader(datum);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = modify->changer->table->relid;
	tuple.t_data = header;
	return heap_copytuple(&tuple);
}

/*
 * Puts the object as the service told it into the slot.  What it did not tell
 * stays as it was sent.  It has happened: a value that cannot be read is no
 * reason to fail.
 */
static void
show_record(const Modify *modify, Relation relation, const PinObjectRow *sent,
			TupleTableSlot *slot)
{
	const PinObjectTable *table = modify->changer->table;
	TupleDesc	tupdesc = RelationGetDescr(relation);
	PinListed	listed = {.record = modify->changer->record};
	Datum	   *values = palloc(sizeof(Datum) * (tupdesc->natts + 1));
	bool	   *isnull = palloc(sizeof(bool) * (tupdesc->natts + 1));

	if (listed.record == NULL)
		return;
	pin_object_row(table, relation, bms_add_range(NULL, 1, tupdesc->natts), &listed, true,
				   values, isnull);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		const PinObjectColumn *column = table->columns[i];

		if (column == NULL || column->key == NULL ||
			pin_json_member(listed.record, column->key) != NULL)
			continue;
		values[i] = sent->values[i];
		isnull[i] = sent->isnull[i];
	}
	ExecForceStoreHeapTuple(heap_form_tuple(tupdesc, values, isnull), slot, false);
}

TupleTableSlot *
pinsightExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
						  TupleTableSlot *planSlot)
{
	Modify	   *modify = rinfo->ri_FdwState;
	Relation	relation = rinfo->ri_RelationDesc;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	ErrorContextCallback context;
	PinObjectRow row;

	pin_changer_enter(modify->changer, &context);
	row = row_of_slot(modify, RelationGetDescr(relation), slot);
	pin_change_insert(modify->changer, &row);
	show_record(modify, relation, &row, slot);
	pin_changer_leave(&context);
	MemoryContextSwitchTo(old);
	return slot;
}

TupleTableSlot *
pinsightExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
						  TupleTableSlot *planSlot)
{
	Modify	   *modify = rinfo->ri_FdwState;
	Relation	relation = rinfo->ri_RelationDesc;
	TupleDesc	tupdesc = RelationGetDescr(relation);
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	ErrorContextCallback context;
	PinObjectRow before;
	PinObjectRow after;
	bool		changed;

	pin_changer_enter(modify->changer, &context);
	before = row_of_tuple(modify, tupdesc, old_tuple(modify, planSlot));
	after = row_of_slot(modify, tupdesc, slot);
	changed = pin_change_update(modify->changer, &before, &after);
	if (changed)
		show_record(modify, relation, &after, slot);
	pin_changer_leave(&context);
	MemoryContextSwitchTo(old);
	return changed ? slot : NULL;
}

/* RETURNING shows the object as it was read. */
TupleTableSlot *
pinsightExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
						  TupleTableSlot *planSlot)
{
	Modify	   *modify = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	HeapTuple	tuple = old_tuple(modify, planSlot);
	ErrorContextCallback context;
	PinObjectRow before;
	bool		changed;

	pin_changer_enter(modify->changer, &context);
	before = row_of_tuple(modify, RelationGetDescr(rinfo->ri_RelationDesc), tuple);
	changed = pin_change_delete(modify->changer, &before);
	pin_changer_leave(&context);
	ExecForceStoreHeapTuple(tuple, slot, false);
	MemoryContextSwitchTo(old);
	return changed ? slot : NULL;
}

/* ---- EXPLAIN ---- */

/* Is report_status set, or anything else? */
static void
look_at_columns(Relation relation, ResultRelInfo *rinfo, EState *estate, bool *status, bool *rest)
{
	PinObjectTable *table = pin_object_table(relation, pin_options_plan(RelationGetRelid(relation)));
	Bitmapset  *updated = ExecGetUpdatedCols(rinfo, estate);
	AttrNumber	attnum = pin_object_attnum(table, pin_object_column(table->object, "reportStatus"));
	int			member = attnum - FirstLowInvalidHeapAttributeNumber;

	*status = attnum != InvalidAttrNumber && bms_is_member(member, updated);
	*rest = bms_num_members(updated) > (*status ? 1 : 0);
}

/* PUT /insights/v1/mpn/ScheduledReport/pause/{report_id} */
static char *
call_text(const PinObject *object, const PinOptions *options, const char *method,
		  const char *verb, bool id)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s /insights/%s/%s%s%s", method, options->api_version,
					 options->program, object->path, verb);
	if (id)
		appendStringInfo(&text, "/{%s}", object->columns[0].name);
	return text.data;
}

static List *
calls_of(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	Oid			relid = RelationGetRelid(rinfo->ri_RelationDesc);
	const PinOptions *options = pin_options_plan(relid);
	const PinObject *object = object_of(relid);
	bool		status;
	bool		rest;
	List	   *calls = NIL;

	if (mtstate->operation == CMD_INSERT)
		return list_make1(call_text(object, options, "POST", "", false));
	if (mtstate->operation == CMD_DELETE)
		return list_make1(call_text(object, options, "DELETE", "", true));
	look_at_columns(rinfo->ri_RelationDesc, rinfo, mtstate->ps.state, &status, &rest);
	if (rest)
		calls = lappend(calls, call_text(object, options, "PUT", "", true));
	if (status)
	{
		calls = lappend(calls, call_text(object, options, "PUT", "/pause", true));
		calls = lappend(calls, call_text(object, options, "PUT", "/resume", true));
	}
	return calls;
}

void
pinsightExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
							 List *fdw_private, int subplan_index, struct ExplainState *es)
{
	const Modify *modify = rinfo->ri_FdwState;

	ExplainPropertyList("Calls", calls_of(mtstate, rinfo), es);
	if (es->analyze && modify != NULL)
	{
		ExplainPropertyInteger("Requests", NULL, pin_ask_requests(modify->changer->asker), es);
		ExplainPropertyInteger("Retries", NULL, pin_ask_retries(modify->changer->asker), es);
	}
}
