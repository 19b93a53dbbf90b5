/*-------------------------------------------------------------------------
 *
 * upper.h
 *		What a statement does with a table's rows: between upper.c and the files
 *		that know one kind of it each.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_UPPER_H
#define PIN_UPPER_H

#include "fdw/fdw.h"
#include "nodes/pathnodes.h"

/*
 * What a report of few rows costs to wait for, as a part of fdw_startup_cost: it
 * is there sooner than one of all, and one of the statement's groups soonest.
 */
#define PIN_SMALL_REPORT_STARTUP 0.9
#define PIN_GROUPS_STARTUP 0.8

extern const PinOptions *pin_upper_options(const RelOptInfo *rel);
extern const PinTable *pin_upper_table(const RelOptInfo *rel);

/* The table, which the planner has locked. */
extern Relation pin_upper_open(PlannerInfo *root, const RelOptInfo *rel);

/* Its conditions. */
extern List *pin_upper_clauses(const RelOptInfo *rel);

/*
 * Is something computed of each row that is another the next time, in these
 * expressions or the conditions?  Then it matters how many rows there are.
 */
extern bool pin_upper_is_volatile(const RelOptInfo *rel, const List *exprs);

/*
 * Adds to output_rel a path that groups a table with metrics by fewer columns,
 * if the statement's groups can be made of the service's.  In aggregate.c.
 */
extern void pin_aggregate_add_path(PlannerInfo *root, RelOptInfo *rel,
								   RelOptInfo *output_rel, Node *having);

/* The name of one of PostgreSQL's own aggregates; "" of another's. */
extern const char *pin_aggregate_name(const Aggref *aggref);

/*
 * The remote name of a metric whose sum an aggregate is, all of it: palloc'd;
 * NULL: it is none.
 */
extern char *pin_aggregate_sum_name(RelOptInfo *rel, Relation relation, const Aggref *aggref);

/* A scan of groups, in a path's fdw_private. */
typedef struct PinCounted
{
	RelOptInfo *rel;			/* the table */
	List	   *tlist;			/* of TargetEntry: columns and aggregates */
	List	   *names;			/* of String: their remote names, in step */
	List	   *metrics;		/* of String: names of the aggregates */
	List	   *sent;			/* conditions, in the order they are sent in */
	List	   *checked;		/* conditions and HAVING that are checked here */
} PinCounted;

/*
 * Adds to output_rel a path that reads the statement's groups as the service
 * makes them, if it can.  In counted.c.
 */
extern void pin_counted_add_path(PlannerInfo *root, RelOptInfo *rel,
								 RelOptInfo *output_rel, Node *having);

#endif							/* PIN_UPPER_H */
