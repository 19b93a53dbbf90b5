/*-------------------------------------------------------------------------
 *
 * changes.c
 *		What a transaction has changed at the service, which no rollback undoes.
 *
 * A change is noted before it is sent, so that whatever ends the statement, an
 * error or a cancel, what may have happened is told.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "objects/changes.h"
#include "utils/memutils.h"

struct PinChange
{
	dlist_node	node;			/* in changes */
	SubTransactionId subid;		/* whose rollback it would not follow */
	const char *text;			/* what happened, or may have */
};

/* Of this transaction, oldest first; in its context, like all they hold. */
static dlist_head changes = DLIST_STATIC_INIT(changes);

/* ---- the end of a transaction ---- */

/*
 * Tells what stays of a subtransaction, or of all, and forgets it.  Called
 * while a transaction is rolled back, whose memory is there still.
 */
static void
tell(SubTransactionId subid)
{
	dlist_mutable_iter i;
	StringInfoData text;

	initStringInfo(&text);
	dlist_foreach_modify(i, &changes)
	{
		PinChange  *change = dlist_container(PinChange, node, i.cur);

		if (subid != InvalidSubTransactionId && change->subid != subid)
			continue;
		appendStringInfo(&text, "%s%s.", text.len > 0 ? "\n" : "", change->text);
		dlist_delete(&change->node);
	}
	if (text.len > 0)
		ereport(WARNING,
				(errmsg("changes at the service are not rolled back"),
				 errdetail_internal("%s", text.data)));
}

/*
 * Who rolls a prepared transaction back may be anybody, at any time, and would
 * be told nothing.
 */
static void
refuse_to_prepare(void)
{
	if (!dlist_is_empty(&changes))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has changed objects at the service"),
				 errdetail("Such changes take effect at once, and nothing could be said of them when the prepared transaction is rolled back."),
				 errhint("End the transaction with COMMIT, or change the objects in another one.")));
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			refuse_to_prepare();
			return;
		case XACT_EVENT_ABORT:
			tell(InvalidSubTransactionId);
			break;
		case XACT_EVENT_COMMIT:
			break;
		default:
			return;
	}
	dlist_init(&changes);
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid, SubTransactionId parent,
				   void *arg)
{
	dlist_iter	i;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		tell(subid);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		dlist_foreach(i, &changes)
	{
		PinChange  *change = dlist_container(PinChange, node, i.cur);

		if (change->subid == subid)
			change->subid = parent;
	}
}

/* ---- changes ---- */

/* PostgreSQL lets tables of a temporary schema be changed when it is read only. */
void
pin_changes_allow(const PinOptions *options, const char *table)
{
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot change foreign table \"%s\" in a read-only transaction", table)));
	if (options->autocommit || !TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("cannot change foreign table \"%s\" in a transaction that has already written to this database",
					table),
			 errdetail("Changes at the service take effect at once, and stay when the transaction is rolled back."),
			 errhint("Commit first, or set option \"autocommit\" of the table or its server to allow it.")));
}

PinChange *
pin_changes_begin(const char *doubtful)
{
	static bool registered = false;
	PinChange  *change = MemoryContextAlloc(TopTransactionContext, sizeof(PinChange));

	change->subid = GetCurrentSubTransactionId();
	change->text = MemoryContextStrdup(TopTransactionContext, doubtful);
	if (!registered)
	{
		RegisterXactCallback(end_transaction, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
		registered = true;
	}
	dlist_push_tail(&changes, &change->node);
	return change;
}

void
pin_changes_done(PinChange *change, const char *certain)
{
	change->text = MemoryContextStrdup(TopTransactionContext, certain);
}

void
pin_changes_undone(PinChange *change)
{
	dlist_delete(&change->node);
}
