/*-------------------------------------------------------------------------
 *
 * change.h
 *		Queries and reports made, changed and deleted, one row after the other.
 *
 * What a rule forbids is refused before anything is sent; a create is sent
 * once.  An error says which row it was and what was done before.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CHANGE_H
#define PIN_OBJECT_CHANGE_H

#include "lib/stringinfo.h"
#include "objects/call.h"
#include "objects/wanted.h"

/* A statement that changes objects; private to change.c but for what is marked. */
typedef struct PinChanger
{
	PinOptions *options;		/* public: of the table, and the mapping */
	PinObjectTable *table;		/* public: what is changed */
	Oid			userid;			/* public: whose mapping it is */
	PinCaller  *caller;			/* public: calls */
	int64		row;			/* public: which row it is, from 1 */
	const PinJson *record;		/* public: the object, as the service told it
								 * last; NULL: it told nothing */

	MemoryContext context;		/* of the statement */
	const char *name;			/* of the foreign table */
	MemoryContextCallback callback; /* frees the document */
	PinJson    *document;		/* owns the record */
	StringInfoData done;		/* what was done, a sentence each */
	const char *sending;		/* what may have been done; NULL: nothing */

	char	   *query_id;		/* whose dataset is known; NULL: no one's */
	char		dataset[PIN_QUERY_NAME_MAX + 1];	/* empty: none */
	int			minimum_hours;	/* of its reports; -1: any */
} PinChanger;

/*
 * Begins a statement in the current memory context, which frees it.  Throws
 * where nothing may be changed, or the mapping lacks something.
 */
extern PinChanger *pin_changer_begin(Relation relation, Oid userid);

/* Say so in front of a row, and behind it. */
extern void pin_changer_enter(PinChanger *changer, ErrorContextCallback *context);
extern void pin_changer_leave(ErrorContextCallback *context);

/* All throw on failure.  The row of an object that is there is as it was read. */
extern void pin_change_insert(PinChanger *changer, const PinObjectRow *row);
extern void pin_change_update(PinChanger *changer, const PinObjectRow *before,
							  const PinObjectRow *after);
extern void pin_change_delete(PinChanger *changer, const PinObjectRow *before);

#endif							/* PIN_OBJECT_CHANGE_H */
