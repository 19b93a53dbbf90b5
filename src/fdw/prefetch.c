/*-------------------------------------------------------------------------
 *
 * prefetch.c
 *		All scans of a plan set out before any of them waits.
 *
 * When the executor runs a plan its scans join the flight (snapshot/flight.h).
 * Not under EXPLAIN, which runs nothing; nor where a scan is known not to run;
 * nor partitions of which only the run itself will choose some: what does not
 * set out now does when its first row is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "executor/execPartition.h"
#include "fdw/dispatch.h"
#include "fdw/fdw.h"
#include "fdw/scan.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "snapshot/flight.h"
#include "utils/lsyscache.h"

static ExecutorRun_hook_type previous_hook = NULL;

/* Executors that run now, one inside the other. */
static int	depth = 0;

static bool
is_leaky(Oid function, void *context)
{
	return !get_func_leakproof(function);
}

/*
 * Does an expression hold anything that other parts of the plan find out, that
 * changes, or that might fail, though nobody may ever need its result?
 */
static bool
is_unknown(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Param:
			return ((Param *) node)->paramkind != PARAM_EXTERN;
		case T_List:
		case T_Const:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_SQLValueFunction:
			break;
		case T_FuncExpr:
		case T_OpExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, is_leaky, NULL) || contain_volatile_functions(node))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, is_unknown, context);
}

/* Can it be evaluated now, and once more later, with the same result? */
static bool
is_known(Node *expression)
{
	return !is_unknown(expression, NULL);
}

/*
 * A Result with a condition on top, which is checked once: not by us where it was,
 * since a cursor's row may be in the memory that this takes.
 */
static bool
result_may_run(ResultState *state)
{
	Node	   *condition = ((Result *) state->ps.plan)->resconstantqual;

	if (condition == NULL)
		return true;
	if (!state->rs_checkqual)
		return !state->rs_done;
	return !is_known(condition) ||
		ExecQualAndReset(state->resconstantqual, state->ps.ps_ExprContext);
}

/* LIMIT 0 asks for nothing; without a number it is none. */
static bool
limit_may_run(LimitState *state)
{
	Node	   *count = ((Limit *) state->ps.plan)->limitCount;
	Datum		value;
	bool		isnull;

	if (count == NULL || !is_known(count))
		return true;
	value = ExecEvalExprSwitchContext(state->limitCount, state->ps.ps_ExprContext, &isnull);
	return isnull || DatumGetInt64(value) > 0;
}

/* Which of the partitions are wanted may only be known later. */
static bool
partitions_are_known(const PartitionPruneState *pruning)
{
	return pruning == NULL || !pruning->do_exec_prune;
}

/* Will what is below be asked for rows, as far as can be told now? */
static bool
may_run(PlanState *state)
{
	switch (nodeTag(state))
	{
		case T_ResultState:
			return result_may_run((ResultState *) state);
		case T_LimitState:
			return limit_may_run((LimitState *) state);
		case T_AppendState:
			return partitions_are_known(((AppendState *) state)->as_prune_state);
		case T_MergeAppendState:
			return partitions_are_known(((MergeAppendState *) state)->ms_prune_state);
		default:
			return true;
	}
}

/* planstate_tree_walker's callback: begins the scans from here down. */
static bool
set_out(PlanState *state, void *context)
{
	if (IsA(state, ForeignScanState) &&
		((ForeignScanState *) state)->fdwroutine->BeginForeignScan == pinsightDispatchBeginScan)
		pin_scan_prefetch((ForeignScanState *) state);
	if (!may_run(state))
		return false;
	return planstate_tree_walker(state, set_out, context);
}

static void
run(PIN_EXECUTOR_RUN_PARAMS)
{
	if (pin_scans > 0 && !ScanDirectionIsNoMovement(direction))
	{
		(void) set_out(queryDesc->planstate, NULL);
		pin_flight_advance(NULL);
	}
	if (previous_hook != NULL)
		previous_hook(PIN_EXECUTOR_RUN_ARGS);
	else
		standard_ExecutorRun(PIN_EXECUTOR_RUN_ARGS);
}

/* The last one goes back to the client, and nobody is left to advance reports. */
static void
leave(void)
{
	if (--depth == 0)
		pin_flight_land();
}

/* In ExecutorRun_hook. */
static void
run_executor(PIN_EXECUTOR_RUN_PARAMS)
{
	depth++;
	PG_TRY();
	{
		run(PIN_EXECUTOR_RUN_ARGS);
	}
	PG_CATCH();
	{
		leave();
		PG_RE_THROW();
	}
	PG_END_TRY();
	leave();
}

void
pin_prefetch_init(void)
{
	previous_hook = ExecutorRun_hook;
	ExecutorRun_hook = run_executor;
}
