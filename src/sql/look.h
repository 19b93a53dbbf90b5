/*-------------------------------------------------------------------------
 *
 * look.h
 *		Who may look at what the cache directory holds, and whose it is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_LOOK_H
#define PIN_LOOK_H

#include "foreign/foreign.h"

/*
 * What was fetched for a role is shown to those who have its privileges, and to
 * superusers and members of pg_read_all_stats.
 */
extern bool pin_look_allowed(Oid userid);

/* The server's or role's name; NULL if it was dropped. */
extern const char *pin_look_server(Oid serverid);
extern const char *pin_look_role(Oid userid);

/*
 * relid, if it still is a foreign table of that server; else InvalidOid.
 */
extern Oid	pin_look_table(Oid relid, Oid serverid);

/* Is a foreign table, with these options, what is looked for? */
typedef bool (*PinLookAt) (Oid relid, Oid serverid, List *options, void *arg);

/*
 * Looks at foreign tables, anybody's, until one is what is looked for; false:
 * none was.  Their options are those of the catalog's row, so it does not matter
 * whether one is dropped meanwhile.
 */
extern bool pin_look_for_table(PinLookAt at, void *arg);

/* Throws unless there is such a server of ours, and the caller may use it. */
extern ForeignServer *pin_look_find_server(const char *name);

/* Throws unless relid is a foreign table, anybody's.  Returns its name, palloc'd. */
extern char *pin_look_foreign_table(Oid relid);

/*
 * Throws unless a foreign table is one of pinsight_fdw's, with the rows of a
 * report: those of the service's own objects have no snapshots and no reports.
 */
extern void pin_look_check_report_table(Oid relid);

/* Throws unless the server is one of pinsight_fdw. */
extern void pin_look_check_server(Oid serverid);

#endif							/* PIN_LOOK_H */
