/*-------------------------------------------------------------------------
 *
 * async.c
 *		A scan below an Append that reads its children as they become ready.
 *
 * A scan is pending until its report is here; then all its rows are, and each
 * request is answered at once.  What an Append waits for on a scan's behalf is
 * a descriptor of the scan's own, its bell, since one cannot stand in a set
 * twice and all reports of a backend share the engine's.  For each wait it
 * stands for the engine's anew; or it rings at once, if the scan became ready
 * while another one was advanced.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "executor/execAsync.h"
#include "fdw/fdw.h"
#include "fdw/scan.h"
#include "snapshot/flight.h"
#include "storage/latch.h"
#include "transport/wait.h"

/* The next row through the node's own quals and projection, as it would be. */
static void
answer(AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	TupleTableSlot *slot = node->ss.ps.ExecProcNodeReal(&node->ss.ps);

	ExecAsyncRequestDone(areq, TupIsNull(slot) ? NULL : slot);
}

/*
 * Where there is no descriptor left to wait with, it is waited for here and
 * now, in answer().
 */
static void
answer_or_wait(AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PinScan    *scan = node->fdw_state;
	bool		ready = pin_scan_is_ready(node);

	if (!ready && scan->bell < 0)
		scan->bell = pin_wait_open(-1);
	if (!ready && scan->bell >= 0)
	{
		ExecAsyncRequestPending(areq);
		return;
	}
	pin_wait_close(scan->bell);
	scan->bell = -1;
	answer(areq);
}

void
pinsightForeignAsyncRequest(AsyncRequest *areq)
{
	answer_or_wait(areq);
}

void
pinsightForeignAsyncConfigureWait(AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PinScan    *scan = node->fdw_state;
	bool		due = pin_flight_is_due(scan->resolution);

	if (!pin_wait_reopen(scan->bell, due ? -1 : pin_flight_fd()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not wait for reports: %m")));
	AddWaitEventToSet(((AppendState *) areq->requestor)->as_eventset, WL_SOCKET_READABLE,
					  scan->bell, NULL, areq);
}

void
pinsightForeignAsyncNotify(AsyncRequest *areq)
{
	answer_or_wait(areq);
}

/*
 * Only a scan that sets out early has anything to wait for beside others; and one
 * that several processes share is waited for before they start.
 */
bool
pinsightIsForeignPathAsyncCapable(ForeignPath *path)
{
	return !path->path.parallel_aware && pin_plan_prefetches(path->path.parent);
}
