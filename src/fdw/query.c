/*-------------------------------------------------------------------------
 *
 * query.c
 *		What a scan asks the service for, now that its values are known.
 *
 * The plan has the pieces: columns, conditions, the shape of the result.  Which
 * of them are of use depends on the values, and a piece that cannot be written
 * is left out: the report then has more rows, and the executor does the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "executor/executor.h"
#include "fdw/fdw.h"
#include "fdw/query.h"
#include "fdw/table.h"
#include "fdw/window.h"
#include "insights/api.h"
#include "insights/catalog.h"
#include "insights/query_text.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "throw.h"
#include "utils/lsyscache.h"

/* A query while it is put together. */
typedef struct Builder
{
	const List *plan;			/* see PinPlanItem */
	const List *names;			/* of String: columns */
	const char **filters;		/* conditions */
	int			nfilters;
	bool		distinct;
	List	   *order;			/* of String: columns */
	List	   *descending;		/* of int, in step */
	int64		limit;			/* 0: none */
	const char *timespan;		/* NULL: none */
} Builder;

/* ---- values ---- */

static bool
has_param(Node *node, void *kind)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == *(ParamKind *) kind)
		return true;
	return expression_tree_walker(node, has_param, kind);
}

static bool
has_param_of(const Node *node, ParamKind kind)
{
	return has_param((Node *) node, &kind);
}

bool
pin_query_is_late(const ForeignScan *plan)
{
	return has_param_of((Node *) plan->fdw_exprs, PARAM_EXEC);
}

bool
pin_query_may_fail(const ForeignScan *plan)
{
	ListCell   *lc;

	foreach(lc, plan->fdw_exprs)
	{
		if (!IsA(lfirst(lc), Const) && !IsA(lfirst(lc), Param))
			return true;
	}
	return false;
}

static bool
is_known(ForeignScanState *node, const Expr *expr, bool explain_only)
{
	return !explain_only ||
		(!has_param_of((const Node *) expr, PARAM_EXEC) &&
		 (node->ss.ps.state->es_param_list_info != NULL ||
		  !has_param_of((const Node *) expr, PARAM_EXTERN)));
}

/*
 * Evaluates all expressions of the plan.  Each is looked at once, so they do not
 * belong to the node, which would have them compiled, and with them all of its own.
 */
static PinValue *
evaluate(ForeignScanState *node, bool explain_only)
{
	List	   *exprs = ((ForeignScan *) node->ss.ps.plan)->fdw_exprs;
	ParamListInfo params = node->ss.ps.state->es_param_list_info;
	PinValue   *values = palloc0(sizeof(PinValue) * (list_length(exprs) + 1));

	for (int i = 0; i < list_length(exprs); i++)
	{
		Expr	   *expr = list_nth(exprs, i);
		PinValue   *value = &values[i];

		value->type = getBaseType(exprType((Node *) expr));
		value->known = is_known(node, expr, explain_only);
		if (value->known)
			value->value = ExecEvalExpr(ExecInitExprWithParams(expr, params),
										node->ss.ps.ps_ExprContext, &value->isnull);
	}
	return values;
}

/* The constants among expressions. */
static PinValue *
take_constants(const List *exprs)
{
	PinValue   *values = palloc0(sizeof(PinValue) * (list_length(exprs) + 1));

	for (int i = 0; i < list_length(exprs); i++)
	{
		const Const *constant = list_nth(exprs, i);

		values[i].type = getBaseType(exprType((const Node *) constant));
		values[i].known = IsA(constant, Const);
		if (!values[i].known)
			continue;
		values[i].value = constant->constvalue;
		values[i].isnull = constant->constisnull;
	}
	return values;
}

/* ---- the text ---- */

/* The names were checked when the table was resolved. */
static const char *
write_text(const Builder *b)
{
	bool	   *descending = palloc(sizeof(bool) * (list_length(b->order) + 1));
	PinQueryParts parts = {
		.dataset = strVal(list_nth(b->plan, PIN_PLAN_DATASET)),
		.columns = pin_strings_of(b->names),.ncolumns = list_length(b->names),
		.distinct = b->distinct,
		.filters = b->filters,.nfilters = b->nfilters,
		.order = pin_strings_of(b->order),.descending = descending,
		.norder = list_length(b->order),
		.limit = b->limit,.timespan = b->timespan
	};
	PinError	err;
	char	   *text;
	char	   *copy;

	for (int i = 0; i < list_length(b->order); i++)
		descending[i] = list_nth_int(b->descending, i) != 0;
	text = pin_query_text(&parts, &err);
	if (text == NULL)
		pin_throw(&err, NULL, NULL);
	copy = pstrdup(text);
	free(text);
	return copy;
}

static const char *
timespan_of(const List *plan)
{
	const char *timespan = strVal(list_nth(plan, PIN_PLAN_TIMESPAN));

	return timespan[0] != '\0' ? timespan : NULL;
}

static Builder
begin(const List *plan)
{
	Builder		b = {.plan = plan};

	b.names = list_nth(plan, PIN_PLAN_NAMES);
	b.timespan = timespan_of(plan);
	return b;
}

/* ---- conditions ---- */

static PinWritten *
write_condition(const List *list, const PinValue *values)
{
	PinCondition *c = pin_condition_from_list(list);

	return pin_literal_write(c, c->value_index < 0 ? NULL : &values[c->value_index]);
}

/* Too much of it: the condition is checked here alone. */
static void
leave_out(PinWritten *w, const char *reason)
{
	w->class = PIN_CONDITION_LOCAL;
	w->reason = reason;
	w->filters = NIL;
	w->days.has_first = w->days.has_last = false;
}

size_t
pin_query_length(const PinWritten *written)
{
	size_t		length = 0;
	ListCell   *lc;

	foreach(lc, written->filters)
		length += strlen(lfirst(lc)) + strlen(" AND ");
	return length;
}

static void
write_conditions(PinScanQuery *query, const List *plan, const PinValue *values)
{
	size_t		length = 0;
	ListCell   *lc;

	query->exact = true;
	foreach(lc, (const List *) list_nth(plan, PIN_PLAN_CONDITIONS))
	{
		PinWritten *w = write_condition(lfirst(lc), values);

		if (length + pin_query_length(w) > PIN_QUERY_CONDITIONS_MAX)
			leave_out(w, "the report query would be too long");
		length += pin_query_length(w);
		query->conditions = lappend(query->conditions, w);
		query->exact = query->exact && w->class == PIN_CONDITION_EXACT;
		query->never = query->never || w->never;
	}
}

static void
add_filters(Builder *b, const PinScanQuery *query)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, query->conditions)
		n += list_length(((PinWritten *) lfirst(lc))->filters);
	b->filters = palloc(sizeof(char *) * (n + 1));
	foreach(lc, query->conditions)
	{
		ListCell   *filter;

		foreach(filter, ((PinWritten *) lfirst(lc))->filters)
			b->filters[b->nfilters++] = lfirst(filter);
	}
}

/* ---- the window ---- */

/* Conditions that are about the window alone, and had no effect on it. */
static void
leave_out_days(PinScanQuery *query)
{
	ListCell   *lc;

	foreach(lc, query->conditions)
	{
		PinWritten *w = lfirst(lc);

		if (w->filters == NIL && (w->days.has_first || w->days.has_last))
			leave_out(w, "no narrower timespan surely has all of it");
	}
}

static void
set_window(Builder *b, PinScanQuery *query)
{
	const PinCatalogDataset *dataset =
	pin_catalog_dataset(&pin_shipped_catalog, strVal(list_nth(b->plan, PIN_PLAN_PROGRAM)),
						strVal(list_nth(b->plan, PIN_PLAN_DATASET)));
	PinDays		days = {0};
	PinWindow	window;
	ListCell   *lc;

	foreach(lc, query->conditions)
		pin_window_intersect(&days, &((PinWritten *) lfirst(lc))->days);
	window = pin_window_of(dataset, b->timespan, &days);
	if (window.start == NULL && window.timespan == b->timespan)
		leave_out_days(query);
	b->timespan = query->timespan = window.timespan;
	query->asked.start = window.start;
	query->asked.end = window.end;
	query->never = query->never || window.never;
}

/* ---- the shape of the result ---- */

/* LIMIT or OFFSET; absent if it is not there or null, -1 if it is not known. */
static int64
count_at(const List *plan, int which, const PinValue *values, int64 absent)
{
	int			index = list_nth_int(list_nth(plan, PIN_PLAN_LIMIT), which);

	if (index < 0 || (values[index].known && values[index].isnull))
		return absent;
	return values[index].known ? DatumGetInt64(values[index].value) : -1;
}

/* How many rows are enough; -1: all. */
static int64
rows_wanted(const List *plan, const PinValue *values)
{
	int64		limit;
	int64		offset;
	int64		rows;

	if (list_nth(plan, PIN_PLAN_LIMIT) == NIL)
		return -1;
	limit = count_at(plan, 0, values, -1);
	offset = count_at(plan, 1, values, 0);
	if (limit < 0 || offset < 0 || pg_add_s64_overflow(limit, offset, &rows))
		return -1;
	return limit == 0 ? 0 : rows;
}

/*
 * Can a few rows do, of which nothing is kept?  Not in a transaction that shall
 * see the same rows all the time.
 */
static void
set_few(PinScanQuery *query, const List *plan)
{
	if (query->rows <= 0 || IsolationUsesXactSnapshot())
		return;
	query->preview = intVal(list_nth(plan, PIN_PLAN_PREVIEW)) != 0 &&
		query->rows <= PIN_PREVIEW_ROWS;
	if (intVal(list_nth(plan, PIN_PLAN_FIRST)) != 0)
		query->asked.enough = query->rows;
}

/* Order without a limit would be of no use: rows may come from elsewhere. */
static void
add_limit(Builder *b, const PinScanQuery *query)
{
	if (query->rows <= 0 || !query->exact)
		return;
	b->limit = query->rows;
	b->order = list_nth(b->plan, PIN_PLAN_ORDER);
	b->descending = list_nth(b->plan, PIN_PLAN_DESCENDING);
}

/* ---- the whole query ---- */

static PinScanQuery *
build(const List *plan, const PinValue *values)
{
	PinScanQuery *query = palloc0(sizeof(PinScanQuery));
	const char *whole = strVal(list_nth(plan, PIN_PLAN_QUERY));
	Builder		b = begin(plan);
	const char *timespan = b.timespan;

	query->asked.metrics = list_nth(plan, PIN_PLAN_METRICS) != NIL;
	query->timespan = timespan;
	query->rows = rows_wanted(plan, values);
	set_few(query, plan);
	write_conditions(query, plan, values);
	query->never = query->never || query->rows == 0;
	query->asked.text = whole;
	query->everything = true;
	if (intVal(list_nth(plan, PIN_PLAN_PUSHED)) == 0)
		return query;

	b.distinct = intVal(list_nth(plan, PIN_PLAN_DISTINCT)) != 0;
	add_filters(&b, query);
	set_window(&b, query);
	add_limit(&b, query);
	query->asked.text = write_text(&b);
	query->asked.whole = whole[0] != '\0' ? whole : NULL;
	query->everything = b.nfilters == 0 && b.limit == 0 && !b.distinct &&
		query->asked.start == NULL && b.timespan == timespan &&
		(!query->asked.metrics || strcmp(query->asked.text, whole) == 0);
	return query;
}

PinScanQuery *
pin_query_of_scan(ForeignScanState *node, bool explain_only)
{
	return build(((ForeignScan *) node->ss.ps.plan)->fdw_private,
				 evaluate(node, explain_only));
}

PinScanQuery *
pin_query_of_plan(const List *plan, const List *exprs)
{
	return build(plan, take_constants(exprs));
}

PinScanQuery *
pin_query_of_table(const List *plan)
{
	return build(plan, NULL);
}

/* Only program mpn takes a window for a preview. */
PinReportQuery *
pin_query_of_preview(const List *plan, List *names, const PinScanQuery *query)
{
	PinScanQuery *look = palloc(sizeof(PinScanQuery));
	Builder		b = begin(plan);

	*look = *query;
	b.names = names;
	add_filters(&b, look);
	set_window(&b, look);
	if (strcmp(strVal(list_nth(plan, PIN_PLAN_PROGRAM)), "mpn") != 0)
		look->asked.start = look->asked.end = NULL;
	add_limit(&b, look);
	look->asked.text = write_text(&b);
	return &look->asked;
}
