/*-------------------------------------------------------------------------
 *
 * compat.h
 *		What differs between PostgreSQL 15 and 18, and nothing else.
 *
 * No other file looks at PG_VERSION_NUM.  Include it after postgres.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_COMPAT_H
#define PIN_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "pinsight_fdw needs PostgreSQL 15 or newer"
#endif

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/pathnode.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

/* The variable-length macros have left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* ExplainState and ExplainPropertyXXX have headers of their own since 18. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* A library can tell its name and version since 18: pg_get_loaded_modules(). */
#if PG_VERSION_NUM >= 180000
#define PIN_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "pinsight_fdw", .version = PINSIGHT_VERSION)
#else
#define PIN_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* How many tables EXPLAIN tells apart: 18 puts one for the groups behind them. */
static inline int
pin_explain_tables(const ExplainState *es)
{
#if PG_VERSION_NUM >= 180000
	return es->rtable_size;
#else
	return list_length(es->rtable);
#endif
}

/*
 * A path for a plain scan of a base relation: no pathkeys, no outer path.
 * 17 added fdw_restrictinfo, 18 disabled_nodes.
 */
static inline ForeignPath *
pin_create_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows,
							Cost startup_cost, Cost total_cost,
							Relids required_outer, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, 0,
								   startup_cost, total_cost, NIL,
								   required_outer, NULL, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows,
								   startup_cost, total_cost, NIL,
								   required_outer, NULL, NIL, fdw_private);
#else
	return create_foreignscan_path(root, rel, NULL, rows,
								   startup_cost, total_cost, NIL,
								   required_outer, NULL, fdw_private);
#endif
}

/* A path for what the service makes of a relation's rows. */
static inline ForeignPath *
pin_create_upper_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target, double rows,
					  Cost startup_cost, Cost total_cost, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreign_upper_path(root, rel, target, rows, 0, startup_cost, total_cost,
									 NIL, NULL, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreign_upper_path(root, rel, target, rows, startup_cost, total_cost,
									 NIL, NULL, NIL, fdw_private);
#else
	return create_foreign_upper_path(root, rel, target, rows, startup_cost, total_cost,
									 NIL, NULL, fdw_private);
#endif
}

/*
 * The user whose mapping a scan uses: the owner of the view it is read
 * through, or the current user.  16 moved it from the range table entry to
 * the plan node.
 */
static inline Oid
pin_scan_user(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Oid			userid;

#if PG_VERSION_NUM >= 160000
	userid = plan->checkAsUser;
#else
	int			rti = plan->scan.scanrelid;

	if (rti == 0)
		rti = bms_next_member(plan->fs_relids, -1);
	userid = exec_rt_fetch(rti, node->ss.ps.state)->checkAsUser;
#endif
	return OidIsValid(userid) ? userid : GetUserId();
}

/* The same for a table that is changed. */
static inline Oid
pin_modify_user(ResultRelInfo *rinfo, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(rinfo, estate);
#else
	Index		rti = rinfo->ri_RootResultRelInfo != NULL ?
	rinfo->ri_RootResultRelInfo->ri_RangeTableIndex : rinfo->ri_RangeTableIndex;
	Oid			userid = rti > 0 ? exec_rt_fetch(rti, estate)->checkAsUser : InvalidOid;

	return OidIsValid(userid) ? userid : GetUserId();
#endif
}

/* May the user make use of a server?  16 has one function for all objects. */
static inline AclResult
pin_server_aclcheck(Oid serverid, Oid userid)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, serverid, userid, ACL_USAGE);
#else
	return pg_foreign_server_aclcheck(serverid, userid, ACL_USAGE);
#endif
}

/* Is a column computed from others of its row?  There are such since 18. */
static inline bool
pin_is_virtual(Form_pg_attribute att)
{
#if PG_VERSION_NUM >= 180000
	return att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	return false;
#endif
}

/* Is a column never null, as far as its table says?  18 knows NOT VALID, too. */
static inline bool
pin_is_not_null(TupleDesc tupdesc, AttrNumber attnum)
{
#if PG_VERSION_NUM >= 180000
	if (TupleDescCompactAttr(tupdesc, attnum - 1)->attnullability == ATTNULLABLE_INVALID)
		return false;
#endif
	return TupleDescAttr(tupdesc, attnum - 1)->attnotnull;
}

/* Clauses that are redundant are left out of a copy of their own since 16. */
static inline List *
pin_distinct_clause(PlannerInfo *root)
{
#if PG_VERSION_NUM >= 160000
	return root->processed_distinctClause;
#else
	return root->parse->distinctClause;
#endif
}

static inline List *
pin_group_clause(PlannerInfo *root)
{
#if PG_VERSION_NUM >= 160000
	return root->processed_groupClause;
#else
	return root->parse->groupClause;
#endif
}

/* Rights have had functions of their own for each kind of object until 15. */
static inline bool
pin_is_table_owner(Oid relid)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relid, GetUserId());
#else
	return pg_class_ownercheck(relid, GetUserId());
#endif
}

static inline bool
pin_is_server_owner(Oid serverid)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ForeignServerRelationId, serverid, GetUserId());
#else
	return pg_foreign_server_ownercheck(serverid, GetUserId());
#endif
}

/* May a subtransaction begin where a statement has parallel workers? */
static inline bool
pin_subtransaction_parallel(void)
{
#if PG_VERSION_NUM >= 170000
	return true;
#else
	return false;
#endif
}

/* May one begin now? */
static inline bool
pin_subtransaction_allowed(void)
{
	return pin_subtransaction_parallel() || !IsInParallelMode();
}

/*
 * A name for what pg_stat_activity shows while a backend waits.  Extensions can
 * have names of their own since 17.
 */
static inline uint32
pin_wait_event_new(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/*
 * What a function in ExecutorRun_hook is given, and passes on.  18 has no
 * execute_once.
 */
#if PG_VERSION_NUM >= 180000
#define PIN_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define PIN_EXECUTOR_RUN_ARGS queryDesc, direction, count
#else
#define PIN_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define PIN_EXECUTOR_RUN_ARGS queryDesc, direction, count, execute_once
#endif

/* Memory of a parameter's "extra" comes from a context since 16. */
#if PG_VERSION_NUM >= 160000
#define pin_guc_malloc(size) guc_malloc(LOG, size)
#define pin_guc_free(p) guc_free(p)
#else
#define pin_guc_malloc(size) malloc(size)
#define pin_guc_free(p) free(p)
#endif

#endif							/* PIN_COMPAT_H */
