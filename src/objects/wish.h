/*-------------------------------------------------------------------------
 *
 * wish.h
 *		Which objects are wanted, and what the service is told of that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_OBJECT_WISH_H
#define PIN_OBJECT_WISH_H

#include "insights/record_list.h"
#include "nodes/pg_list.h"
#include "objects/object.h"

/* Parameters of a call: one for each column, at most. */
#define PIN_WISH_PARAMETERS_MAX 24

/* More objects than these may come. */
typedef struct PinObjectWish
{
	const PinObject *object;	/* of this kind */
	List	  **values;			/* for each of its columns: List of char * in
								 * UTF-8, one of which it has; NIL: any */
	bool		only_latest;	/* latest executions only */
	bool		tell_latest;	/* say of each execution whether it is one */
	bool		documented;		/* the service has refused a status that its
								 * documents do not know */
	bool		shown;			/* for EXPLAIN: what is not known yet is a
								 * column's name in braces */
} PinObjectWish;

/* Throws nothing; results are in the current memory context. */

/*
 * The parameters of the call that lists the objects; of executions, those of a
 * report, all or the latest one.  How many.
 */
extern int	pin_wish_parameters(const PinObjectWish *wish, bool latest,
								PinParameter *parameters);

/* Executions: the reports whose they are; NIL: any. */
extern List *pin_wish_reports(const PinObjectWish *wish);

#endif							/* PIN_OBJECT_WISH_H */
