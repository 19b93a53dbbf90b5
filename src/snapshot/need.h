/*-------------------------------------------------------------------------
 *
 * need.h
 *		What a scan needs from the service, as a value.
 *
 * Two scans with the same need can share a report: same server, same
 * credential, same report query, same window, same format.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_NEED_H
#define PIN_NEED_H

#include "insights/credential.h"
#include "options.h"

/* What is asked of the service.  Texts belong to the caller. */
typedef struct PinReportQuery
{
	const char *text;			/* report query, as it is sent */
	const char *start;			/* 2026-03-01T00:00:00Z: the window that the */
	const char *end;			/* report is ordered with, both or neither */
	const char *whole;			/* a wider report query whose rows are enough,
								 * too; NULL: none */
	bool		metrics;		/* it selects a metric */
	int64		enough;			/* so many of the first rows are, whichever
								 * they are; 0: none but all */
} PinReportQuery;

typedef struct PinNeed
{
	const PinOptions *options;	/* server, mapping and table, resolved */
	const PinReportQuery *asked;	/* to be sent */
	const char *query;			/* the same as one text, window included; or
								 * REPORT or QUERY and the id of an existing
								 * one */
	Oid			relid;			/* foreign table, for those who look on */
	Oid			userid;			/* role whose mapping is used */
	PinHash		credential;		/* who asks, and whom */
	bool		metrics;		/* the rows hold a metric, as far as known */
	PinHash		scope;			/* who asks whom for which kind of file, in
								 * this database: all but the query */
	PinHash		key;			/* the whole need: scope and query */
	PinHash		remote_key;		/* the whole need, for the service: the same
								 * from any database and cluster */
} PinNeed;

/*
 * Builds the need of a scan in the current context.  If the options name a
 * report or a query its rows are wanted, and what is asked is not looked at.
 * options and asked are kept by reference.  Throws when hashing fails.
 */
extern PinNeed *pin_need_create(const PinOptions *options, const PinReportQuery *asked,
								Oid relid, Oid userid);

/*
 * Can all rows of a need be had from those that some query, as one text, has in a
 * scope?  metrics: these hold a metric, as far as known.
 */
extern bool pin_need_is_met(const PinNeed *need, const char *scope, const char *query,
							bool metrics);

/* Can all rows of the narrow need be had from those of the wide one? */
extern bool pin_need_contains(const PinNeed *wide, const PinNeed *narrow);

/*
 * Fills *err: a report was not ready within wait_timeout.  what names it, setback
 * is the failure that kept us waiting at last (NULL, or of kind NONE: none did).
 */
extern void pin_need_timed_out(const PinNeed *need, const char *what, const PinError *setback,
							   PinError *err);

#endif							/* PIN_NEED_H */
