/*-------------------------------------------------------------------------
 *
 * parallel.c
 *		One scan's rows, read by several processes.
 *
 * Only the leader ever has a report: it finds or fetches it before the workers
 * start, and tells them which snapshot it is.  So they need no user mapping and
 * no network.  The snapshot's ranges are handed out one by one, to whoever asks
 * next; a file without ranges goes to one process as a whole.
 *
 * The planner makes such a plan only where the rows are at hand.  Should they be
 * gone when it is executed, the leader orders them again, and all is as before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "compat.h"
#include "fdw/fdw.h"
#include "fdw/parallel.h"
#include "foreign/fdwapi.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "port/atomics.h"

/* In shared memory.  All but next is written once, by the leader. */
struct PinParallel
{
	bool		never;			/* no row can be wanted: there is no snapshot */
	PinSnapshotShare snapshot;	/* what to read */
	pg_atomic_uint32 next;		/* number of the next range */
	uint32		nranges;		/* 0: the rows are not divided */
	PinRecordRange ranges[PIN_RECORD_RANGES_MAX];
};

/* ---- planning ---- */

/*
 * A scan by itself is nothing for a worker, which must not order a report; so all
 * paths but those from below say that they are not parallel safe.
 */
bool
pinsightIsForeignScanParallelSafe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	return true;
}

/* Is it a table of ours whose bad cells become NULL? */
static bool
sets_null(const RangeTblEntry *rte)
{
	return rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
		GetFdwRoutineByRelId(rte->relid)->GetForeignPaths == pinsightGetForeignPaths &&
		pin_options_plan(rte->relid)->set_null;
}

/* Has a query such a table, or one inside it? */
static bool
has_lenient_table(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
		return sets_null((RangeTblEntry *) node);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_lenient_table, context,
								 QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, has_lenient_table, context);
}

/*
 * The same of the whole statement.  Subqueries that have plans already are not in
 * the queries around them any more.
 */
static bool
is_lenient(const PlannerInfo *root)
{
	ListCell   *lc;

	foreach(lc, root->glob->subroots)
	{
		if (has_lenient_table((Node *) lfirst_node(PlannerInfo, lc)->parse, NULL))
			return true;
	}
	for (; root != NULL; root = root->parent_root)
	{
		if (has_lenient_table((Node *) root->parse, NULL))
			return true;
	}
	return false;
}

/*
 * A cell that is set to NULL is counted, which one process has to do.  Where that
 * may take a subtransaction, the whole statement does without workers for our
 * sake, since none can begin as long as there are any.
 */
static bool
must_be_alone(const PlannerInfo *root, const RelOptInfo *baserel)
{
	return ((PinPlanning *) baserel->fdw_private)->options->set_null ||
		(!pin_subtransaction_parallel() && is_lenient(root));
}

/* No row is longer than this, as far as planning is concerned. */
#define ROW_BYTES_MAX 4096

/* Is a table surely too small for several processes, so that a look can be saved? */
static bool
is_small(const RelOptInfo *baserel)
{
	return baserel->reloptkind == RELOPT_BASEREL &&
		baserel->tuples * ROW_BYTES_MAX < (double) min_parallel_table_scan_size * BLCKSZ;
}

/* The cost of what the statement makes of a row that it returns. */
static Cost
output_cost(PlannerInfo *root)
{
	QualCost	cost;

	cost_qual_eval_node(&cost, (Node *) root->processed_tlist, root);
	return cost.per_tuple;
}

/*
 * Does the statement end with the first few rows that fulfill its conditions,
 * before other processes are at work?
 */
static bool
is_brief(PlannerInfo *root, const RelOptInfo *baserel)
{
	double		read = baserel->tuples / Max(baserel->rows, 1); /* for each of them */

	return root->limit_tuples > 0 && root->query_pathkeys == NIL &&
		baserel->reloptkind == RELOPT_BASEREL &&
		bms_membership(root->all_baserels) == BMS_SINGLETON &&
		root->limit_tuples * (read * pin_plan_row_cost(baserel) + output_cost(root)) <
		parallel_setup_cost;
}

/* Is any column of the file looked at?  Else there is nothing to be read. */
static bool
reads_file(RelOptInfo *baserel)
{
	const PinTable *table = ((PinPlanning *) baserel->fdw_private)->table;
	List	   *clauses = extract_actual_clauses(baserel->baserestrictinfo, false);

	return list_intersection_int(pin_plan_needed(baserel, clauses, table),
								 table->attnums) != NIL;
}

static bool
may_divide(PlannerInfo *root, RelOptInfo *baserel)
{
	return baserel->consider_parallel && baserel->lateral_relids == NULL &&
		max_parallel_workers_per_gather > 0 && !is_small(baserel) &&
		!is_brief(root, baserel) && reads_file(baserel) && !must_be_alone(root, baserel);
}

/* Among how many processes the rows are divided: the leader has other work, too. */
static double
processes(int workers)
{
	double		leader = 1.0 - 0.3 * workers;

	return workers + (parallel_leader_participation && leader > 0 ? leader : 0);
}

void
pin_parallel_add_path(PlannerInfo *root, RelOptInfo *baserel)
{
	const PinSnapshotHead *head;
	ForeignPath *path;
	int			workers;

	if (!may_divide(root, baserel))
		return;
	head = pin_plan_at_hand(root, baserel);
	if (head == NULL || !head->regular)
		return;
	workers = compute_parallel_worker(baserel, (double) head->data_size / BLCKSZ, -1,
									  max_parallel_workers_per_gather);
	if (workers <= 0)
		return;
	path = pin_plan_partial_path(root, baserel, processes(workers));
	path->path.parallel_aware = true;
	path->path.parallel_safe = true;
	path->path.parallel_workers = workers;
	add_partial_path(baserel, (Path *) path);
}

/* ---- the leader ---- */

Size
pinsightEstimateDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt)
{
	return sizeof(PinParallel);
}

/* The workers have not started yet. */
void
pinsightInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate)
{
	PinScan    *scan = node->fdw_state;
	PinParallel *parallel = coordinate;

	pin_scan_await(node);
	parallel->never = scan->snapshot == NULL;
	pg_atomic_init_u32(&parallel->next, 0);
	parallel->nranges = 0;
	if (!parallel->never)
	{
		pin_snapshot_share(scan->snapshot, &parallel->snapshot);
		parallel->nranges = pin_snapshot_ranges(scan->snapshot, parallel->ranges);
	}
	scan->parallel = parallel;
}

void
pinsightReInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate)
{
	PinParallel *parallel = coordinate;

	pg_atomic_write_u32(&parallel->next, 0);
}

/* The shared memory goes, in the leader and in a worker. */
void
pinsightShutdownForeignScan(ForeignScanState *node)
{
	PinScan    *scan = node->fdw_state;

	if (scan != NULL)
		scan->parallel = NULL;
}

/* ---- everybody ---- */

void
pinsightInitializeWorkerForeignScan(ForeignScanState *node, shm_toc *toc, void *coordinate)
{
	PinScan    *scan = node->fdw_state;

	scan->parallel = coordinate;
}

bool
pin_parallel_is_worker(const ForeignScanState *node)
{
	return IsParallelWorker() && node->ss.ps.plan->parallel_aware;
}

PinSnapshot *
pin_parallel_join(const PinParallel *parallel)
{
	return parallel->never ? NULL : pin_snapshot_join(&parallel->snapshot);
}

bool
pin_parallel_next(PinParallel *parallel, PinPart *part)
{
	uint32		i = pg_atomic_fetch_add_u32(&parallel->next, 1);

	part->whole = parallel->nranges == 0;
	if (part->whole)
		return i == 0;
	if (i >= parallel->nranges)
		return false;
	part->range = parallel->ranges[i];
	part->end = i + 1 < parallel->nranges ? parallel->ranges[i + 1].offset :
		parallel->snapshot.head.data_size;
	return true;
}
