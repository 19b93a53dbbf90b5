/*-------------------------------------------------------------------------
 *
 * changer.h
 *		The calls of one statement that change something at the service.
 *
 * What creates something is sent once.  An error says which row it was and what
 * was done before; what is left in doubt is said, too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_CHANGER_H
#define PIN_OBJECT_CHANGER_H

#include "insights/query_text.h"
#include "lib/stringinfo.h"
#include "objects/call.h"
#include "objects/table.h"

/* A statement that changes objects; private to changer.c but for what is marked. */
typedef struct PinChanger
{
	PinOptions *options;		/* public: of the table, and the mapping */
	PinObjectTable *table;		/* public: what is changed */
	Oid			userid;			/* public: whose mapping it is */
	PinAsker   *asker;			/* public: calls */
	int64		row;			/* public: which row it is, from 1 */
	const PinJson *record;		/* public: the object, as the service told it
								 * last; NULL: it told nothing */

	MemoryContext context;		/* of the statement */
	const char *name;			/* of the foreign table */
	MemoryContextCallback callback; /* frees the document */
	PinJson    *document;		/* owns the record */
	StringInfoData done;		/* what was done, a sentence each */
	List	   *ids;			/* of char *: objects that were changed */
	const char *about;			/* the one that is changed; NULL: none yet */
	const char *sending;		/* what may have been done; NULL: nothing */

	/* public: what change.c has looked up */
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

/* The calls. */
typedef enum PinChangeCall
{
	PIN_CREATE_QUERY,
	PIN_DELETE_QUERY,
	PIN_CREATE_REPORT,
	PIN_CHANGE_REPORT,
	PIN_PAUSE_REPORT,
	PIN_RESUME_REPORT,
	PIN_DELETE_REPORT
} PinChangeCall;

/* What a call is about, for people; in the database encoding. */
typedef struct PinSubject
{
	PinChangeCall call;			/* what is done */
	const char *name;			/* to whom */
	const char *id;				/* of it; NULL: it has none yet */
} PinSubject;

/*
 * Says which object the row is about.  False: an earlier row was about it, as
 * when a join brings it several times; then nothing is to be done.
 */
extern bool pin_changer_meet(PinChanger *changer, const PinSubject *subject);

/*
 * Sends a request that changes something, which it takes over (built: it could
 * be built), and reads the record.  False with *err filled where nothing was
 * changed, or may have been: then the hint says so.
 */
extern bool pin_changer_call(PinChanger *changer, bool built, PinApiRequest *request,
							 const PinSubject *subject, PinError *err);

/* Throws, with what was done before in the detail. */
extern _Noreturn void pin_changer_fail(const PinChanger *changer, const PinError *err);

#endif							/* PIN_OBJECT_CHANGER_H */
