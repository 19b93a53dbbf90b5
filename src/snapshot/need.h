/*-------------------------------------------------------------------------
 *
 * need.h
 *		What a scan needs from the service, as a value.
 *
 * Two scans with the same need can share a report: same server, same
 * credential, same report query (which carries the window), same format.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_NEED_H
#define PIN_NEED_H

#include "insights/credential.h"
#include "options.h"

typedef struct PinNeed
{
	const PinOptions *options;	/* server, mapping and table, resolved */
	const char *query;			/* report query text, window included; or
								 * REPORT and the id of an existing one */
	Oid			relid;			/* foreign table, for those who look on */
	Oid			userid;			/* role whose mapping is used */
	PinHash		credential;		/* who asks, and whom */
	bool		metrics;		/* the query selects a metric */
	PinHash		scope;			/* who asks whom for which kind of file, in
								 * this database: all but the query */
	PinHash		key;			/* the whole need: scope and query */
	PinHash		remote_key;		/* the whole need, for the service: the same
								 * from any database and cluster */
} PinNeed;

/*
 * Builds the need of a scan in the current context.  If the options name a
 * report that is its rows, and query is not looked at.  options and query are
 * kept by reference.  Throws when hashing fails.
 */
extern PinNeed *pin_need_create(const PinOptions *options, const char *query,
								bool metrics, Oid relid, Oid userid);

/* Can all rows of the narrow need be had from those of the wide one? */
extern bool pin_need_contains(const PinNeed *wide, const PinNeed *narrow);

#endif							/* PIN_NEED_H */
