/*-------------------------------------------------------------------------
 *
 * api.h
 *		The Insights API: one pair of functions per endpoint.
 *
 * pin_api_X builds the request, pin_api_X_reply reads the reply.  All return
 * false with *err filled on failure; a request function's `request` is
 * then empty.  Every reply function first lets pin_api_check() look for an
 * error, in whichever of the service's ways it was told.
 *
 * Structs that are read from a reply own its document: their strings are
 * borrowed from it and live until the struct's free function.  Those always
 * accept zeroed structs, and reply functions always initialize their result.
 *
 * Nothing here waits, retries or keeps state.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_API_H
#define PIN_API_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "insights/api_error.h"
#include "insights/json.h"
#include "insights/message.h"

/* Ids are text: most are UUIDs, some documented ones are not. */
#define PIN_ID_MAX 128
typedef char PinId[PIN_ID_MAX + 1];

/* Service's times as it writes them, 2026-03-01T12:00:00Z. */
#define PIN_TIME_TEXT_MAX 40
typedef char PinTimeText[PIN_TIME_TEXT_MAX + 1];

/* Names and descriptions of queries and reports, characters. */
#define PIN_REMOTE_NAME_MAX 256

/* Most rows a preview gives back. */
#define PIN_PREVIEW_ROWS 100

/* Where the API is: {api_url}/insights/{api_version}/{program}. */
typedef struct PinApi
{
	const char *api_url;		/* https://api.partnercenter.microsoft.com */
	const char *api_version;	/* v1, v1.1 */
	const char *program;		/* mpn, cmp */
} PinApi;

/* ---- lists ---- */

/*
 * The next page of a list, from its next_link: absolute or relative, refused
 * (kind REPLY) if it leaves the API's scheme, host and port.
 */
extern bool pin_api_next_page(const PinApi *api, const char *next_link,
							  PinApiRequest *request, PinError *err);

/* ---- datasets ---- */

typedef struct PinRemoteDataset
{
	const char *name;			/* as the service writes it */
	const PinJson *columns;		/* array of strings; NULL if not sent */
	const PinJson *metrics;		/* array of strings; NULL if not sent */
	const PinJson *date_ranges; /* array of strings; NULL if not sent */
	int			minimum_recurrence_hours;	/* -1: not sent */
} PinRemoteDataset;

typedef struct PinDatasetList
{
	PinJson    *document;		/* owns every string */
	PinRemoteDataset *items;	/* those with a name, in the service's order */
	size_t		count;			/* how many */
	const char *next_link;		/* NULL: this is all */
} PinDatasetList;

/* All datasets, or the one with that name (name may be NULL). */
extern bool pin_api_list_datasets(const PinApi *api, const char *name,
								  PinApiRequest *request, PinError *err);
extern bool pin_api_list_datasets_reply(const PinReply *reply,
										PinDatasetList *result, PinError *err);
extern void pin_api_dataset_list_free(PinDatasetList *list);

/* ---- queries ---- */

typedef struct PinRemoteQuery
{
	PinId		id;				/* checked; never empty */
	const char *name;			/* may be NULL */
	const char *created_time;	/* may be NULL */
} PinRemoteQuery;

typedef struct PinQueryList
{
	PinJson    *document;		/* owns every string */
	PinRemoteQuery *items;		/* those with a usable id */
	size_t		count;			/* how many; none found is success too */
	const char *next_link;		/* NULL: this is all */
} PinQueryList;

/* Creates a query; the reply's id. */
extern bool pin_api_create_query(const PinApi *api, const char *name,
								 const char *description, const char *text,
								 PinApiRequest *request, PinError *err);
extern bool pin_api_create_query_reply(const PinReply *reply, PinId id,
									   PinError *err);

/*
 * Our queries by name, or all of them (name NULL).  The service's filter may
 * be looser than we are: pick with pin_api_query_named.
 */
extern bool pin_api_find_queries(const PinApi *api, const char *name,
								 PinApiRequest *request, PinError *err);
extern bool pin_api_find_queries_reply(const PinReply *reply,
									   PinQueryList *result, PinError *err);

/* The newest query with exactly that name, but for case and outer blanks. */
extern const PinRemoteQuery *pin_api_query_named(const PinQueryList *list,
												 const char *name);
extern void pin_api_query_list_free(PinQueryList *list);

/* Deletes; a query that is gone already, as the service says, is a success. */
extern bool pin_api_delete_query(const PinApi *api, const char *query_id,
								 PinApiRequest *request, PinError *err);
extern bool pin_api_delete_query_reply(const PinReply *reply, PinError *err);

/* ---- reports ---- */

/* A report to be made at once, or again and again. */
typedef struct PinReportOrder
{
	const char *name;			/* no semicolon; up to 256 characters */
	const char *description;	/* may be NULL */
	const char *query_id;		/* which query; not for a change */
	const char *query_start;	/* 2026-03-01T00:00:00Z: the rows' window, */
	const char *query_end;		/* both or neither; NULL: query's timespan */
	const char *format;			/* "csv" or "tsv"; NULL: the service's choice */
	const char *start_time;		/* first run, 2026-03-01T00:00:00Z; NULL: at
								 * once, and only once */
	int			recurrence_hours;	/* from one run to the next; not looked at
									 * without start_time */
	int			recurrence_count;	/* how many runs; 0: without end */
	const char *callback_url;	/* called when a report is ready; NULL: none */
	const char *callback_method;	/* "GET" or "POST"; NULL: not said */
} PinReportOrder;

typedef struct PinRemoteReport
{
	PinId		id;				/* checked; never empty */
	PinId		query_id;		/* may be empty */
	const char *name;			/* may be NULL */
	const char *status;			/* Active, Paused, Inactive; may be NULL */
	const char *format;			/* csv, tsv; may be NULL */
	const char *created_time;	/* may be NULL */
	const char *start_time;		/* may be NULL */
	int			recurrence_hours;	/* -1: not sent */
	int			recurrence_count;	/* 0: without end, or not sent */
	bool		execute_now;	/* false if not sent */
} PinRemoteReport;

typedef struct PinReportList
{
	PinJson    *document;		/* owns every string */
	PinRemoteReport *items;		/* those with a usable id */
	size_t		count;			/* how many; none found is success too */
	const char *next_link;		/* NULL: this is all */
} PinReportList;

/*
 * Creates a report that runs at once (ExecuteNow), or from start_time on; the
 * reply's id.
 */
extern bool pin_api_create_report(const PinApi *api, const PinReportOrder *order,
								  PinApiRequest *request, PinError *err);

/*
 * err->ambiguous is set when the report may exist although the reply does not
 * prove it: look by name before creating again.  (So with queries.)
 */
extern bool pin_api_create_report_reply(const PinReply *reply, PinId id,
										PinError *err);

/* Reports by name, by id (the other NULL), or all (both NULL). */
extern bool pin_api_find_reports(const PinApi *api, const char *name,
								 const char *report_id,
								 PinApiRequest *request, PinError *err);
extern bool pin_api_find_reports_reply(const PinReply *reply,
									   PinReportList *result, PinError *err);

/* The newest report with exactly that name, but for case and outer blanks. */
extern const PinRemoteReport *pin_api_report_named(const PinReportList *list,
												   const char *name);
extern const PinRemoteReport *pin_api_report_with_id(const PinReportList *list,
													 const char *report_id);
extern void pin_api_report_list_free(PinReportList *list);

/* Deletes, executions and all; likewise. */
extern bool pin_api_delete_report(const PinApi *api, const char *report_id,
								  PinApiRequest *request, PinError *err);
extern bool pin_api_delete_report_reply(const PinReply *reply, PinError *err);

/*
 * Changes a report.  start_time is needed, query and window stay as they are;
 * what is left out the service may set back.
 */
extern bool pin_api_update_report(const PinApi *api, const char *report_id,
								  const PinReportOrder *order,
								  PinApiRequest *request, PinError *err);
extern bool pin_api_update_report_reply(const PinReply *reply, PinError *err);

/* No runs until it is resumed; and runs again.  Twice is as good as once. */
extern bool pin_api_pause_report(const PinApi *api, const char *report_id,
								 PinApiRequest *request, PinError *err);
extern bool pin_api_pause_report_reply(const PinReply *reply, PinError *err);
extern bool pin_api_resume_report(const PinApi *api, const char *report_id,
								  PinApiRequest *request, PinError *err);
extern bool pin_api_resume_report_reply(const PinReply *reply, PinError *err);

/* ---- executions ---- */

typedef enum PinExecutionStatus
{
	PIN_EXECUTION_NONE,			/* the report has not run yet (or is gone) */
	PIN_EXECUTION_FAILED,		/* ended without a file */
	PIN_EXECUTION_UNKNOWN,		/* a word we do not know: see status_text */
	PIN_EXECUTION_PAUSED,
	PIN_EXECUTION_PENDING,
	PIN_EXECUTION_RUNNING,
	PIN_EXECUTION_COMPLETED		/* ready, once secure_link is there too */
} PinExecutionStatus;

typedef struct PinExecution
{
	PinExecutionStatus status;	/* see above */
	bool		maybe_gone;		/* with NONE: the service says it knows no
								 * such report, not that it has not run */
	PinId		execution_id;	/* empty with NONE */
	char		status_text[33];	/* service's word, cleaned */
	char	   *secure_link;	/* owned; send exactly as is, without token;
								 * NULL unless COMPLETED, maybe even then */
	PinTimeText generated_time; /* empty if not sent */
	PinTimeText expiry_time;	/* of the link; empty if not sent */
	char		format[9];		/* csv, tsv; empty if not sent */
} PinExecution;

/*
 * The latest execution of a report.  Of several the completed one with a link
 * and the latest generated time is taken, else the one furthest along; those
 * of other reports are left out.
 */
extern bool pin_api_latest_execution(const PinApi *api, const char *report_id,
									 PinApiRequest *request, PinError *err);
extern bool pin_api_latest_execution_reply(const PinReply *reply,
										   const char *report_id,
										   PinExecution *result, PinError *err);
extern void pin_api_execution_free(PinExecution *execution);

/* ---- preview ---- */

typedef struct PinPreview
{
	size_t		nrows;			/* at most PIN_PREVIEW_ROWS */
	size_t		ncolumns;		/* as asked for */
	char	  **values;			/* nrows * ncolumns; owned; NULL: null */
	bool	   *strings;		/* per column: all values are strings or null */
} PinPreview;

/* The first rows of a query text, at once; window as in PinReportOrder. */
extern bool pin_api_preview(const PinApi *api, const char *text,
							const char *query_start, const char *query_end,
							PinApiRequest *request, PinError *err);

/* Likewise of an existing query. */
extern bool pin_api_preview_query(const PinApi *api, const char *query_id,
								  const char *query_start, const char *query_end,
								  PinApiRequest *request, PinError *err);

/*
 * For whoever reads the rows himself: the reply is a success, and its member
 * "value" a list of objects.
 */
extern bool pin_api_preview_rows_reply(const PinReply *reply, PinError *err);

/*
 * Values in the order of the given column names.  A column that no row has is
 * an error (kind REPLY); one that some rows lack is null there.
 */
extern bool pin_api_preview_reply(const PinReply *reply,
								  const char *const *columns, size_t ncolumns,
								  PinPreview *result, PinError *err);
extern void pin_api_preview_free(PinPreview *preview);

#endif							/* PIN_API_H */
