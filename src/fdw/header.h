/*-------------------------------------------------------------------------
 *
 * header.h
 *		The columns that a report file has, by its header.
 *
 * What a table's columns are called at the service is known from options and
 * catalogue.  Of a report or query that somebody else has made only the file
 * itself tells.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_HEADER_H
#define PIN_HEADER_H

#include "nodes/pg_list.h"
#include "snapshot/snapshot.h"

/*
 * The names in a report file's header, a List of String in the current context;
 * NIL if the file is empty.  Throws if it is broken.
 */
extern List *pin_header_read(const PinSnapshot *snapshot, const char *server_name);

/*
 * Which of the header's names is meant by a name: that one, but for case; else
 * the one for which it is the local name, as IMPORT would choose it among these,
 * or the only one that differs in case, underscores and parentheses alone.  NULL:
 * none, or not one.
 */
extern const char *pin_header_meant(const List *header, const char *name);

/*
 * Names (a List of String) as the file has them; those that it does not have
 * stay as they are.
 */
extern List *pin_header_match(const List *header, const List *names);

/*
 * A column of a report file, and what it may be here.  Strings live as long as
 * the context they were made in.
 */
typedef struct PinHeaderColumn
{
	const char *remote;			/* as the header says it */
	const char *local;			/* as IMPORT would call it */
	const char *type;			/* SQL type that may hold it */
} PinHeaderColumn;

/*
 * The columns of a report file, in its order: a List of PinHeaderColumn.  Types
 * are those of the catalogue, where all datasets of the program agree, else
 * guessed from the first rows.  Throws if the file is broken.
 */
extern List *pin_header_columns(const PinSnapshot *snapshot, const char *program,
								const char *server_name);

#endif							/* PIN_HEADER_H */
