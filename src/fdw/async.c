/*-------------------------------------------------------------------------
 *
 * async.c
 *		A scan below an Append that reads its children as they become ready.
 *
 * A scan is pending until its report is here; then all its rows are, and each
 * request is answered at once.  What an Append waits for on a scan's behalf is
 * a descriptor of the scan's own (pin_wait_open), since one cannot stand in a
 * set twice and all reports of a backend share the engine's.  It is opened anew
 * for each wait: it stands for the engine's, or rings at once if the scan has
 * become ready, or may have, while another one was advanced.
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
#include "transport/engine.h"
#include "transport/wait.h"

static void
silence(PinScan *scan)
{
	pin_wait_close(scan->bell);
	scan->bell = -1;
}

/* The next row through the node's own quals and projection, as it would be. */
static void
answer(AsyncRequest * areq)
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
answer_or_wait(AsyncRequest * areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PinScan    *scan = node->fdw_state;

	silence(scan);
	if (!pin_scan_is_ready(node) && pin_engine_has_room(1))
		ExecAsyncRequestPending(areq);
	else
		answer(areq);
}

void
pinsightForeignAsyncRequest(AsyncRequest * areq)
{
	answer_or_wait(areq);
}

void
pinsightForeignAsyncConfigureWait(AsyncRequest * areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;
	PinScan    *scan = node->fdw_state;
	bool		ring = pin_resolve_status(scan->resolution) != PIN_RESOLVE_WAIT ||
	pin_flight_is_unattended();

	silence(scan);
	scan->bell = pin_wait_open(ring ? -1 : pin_flight_fd());
	if (scan->bell < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("out of file descriptors to wait for reports"),
				 errhint("Raise max_files_per_process, or run fewer foreign scans at once.")));
	AddWaitEventToSet(((AppendState *) areq->requestor)->as_eventset, WL_SOCKET_READABLE,
					  scan->bell, NULL, areq);
}

void
pinsightForeignAsyncNotify(AsyncRequest * areq)
{
	answer_or_wait(areq);
}

/* Only a scan that sets out early has anything to wait for beside others. */
bool
pinsightIsForeignPathAsyncCapable(ForeignPath *path)
{
	return pin_plan_prefetches(path->path.parent);
}
