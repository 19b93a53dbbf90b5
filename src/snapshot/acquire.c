/*-------------------------------------------------------------------------
 *
 * acquire.c
 *		From a need to a local file: the way a report takes, step by step.
 *
 * One struct of state, one enum of steps, a start_X()/finish_X() pair for each
 * step; pin_acquire_advance() at the end of the file is the plot, next_step()
 * the map:
 *
 *	 CREATE_QUERY ----> CREATE_REPORT ----> POLL ----> DOWNLOAD
 *		|   ^               |   ^           ^   |         |
 *		v   |               v   |           +---+         v
 *	  FIND_QUERY         FIND_REPORT    CHECK_REPORT   DELETE_REPORT
 *		(a create whose outcome is        (is it           |
 *		 unknown is looked up first)       gone?)     DELETE_QUERY --> DONE
 *
 *	SIGN_IN comes before any of the API's steps when there is no token, and
 *	returns to that step.
 *
 * Invariants:
 *	1. At most one exchange is under way, and it belongs to the current step.
 *	2. While `rest` is armed there is no exchange: the step waits to be started.
 *	3. The ticket names every remote object of ours, from before its creation
 *	   is sent until its deletion is confirmed: whoever claims the ticket later
 *	   can go on from it alone (next_step() looks at nothing else).
 *	4. A create is never sent while an earlier one may have been carried out.
 *	5. The token goes to the API's host only; the download has none.
 *	6. DONE is reached only with a file that is proven whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "insights/sign_in.h"
#include "insights/token.h"
#include "snapshot/acquire.h"
#include "snapshot/registry.h"
#include "transport/engine.h"
#include "utils/memutils.h"

typedef enum PinStep
{
	PIN_STEP_SIGN_IN,
	PIN_STEP_CREATE_QUERY,
	PIN_STEP_FIND_QUERY,
	PIN_STEP_CREATE_REPORT,
	PIN_STEP_FIND_REPORT,
	PIN_STEP_CHECK_REPORT,
	PIN_STEP_POLL,
	PIN_STEP_DOWNLOAD,
	PIN_STEP_DELETE_REPORT,
	PIN_STEP_DELETE_QUERY,
	PIN_STEP_DONE,
	PIN_STEP_FAILED
} PinStep;

/* Failures in a row before a step is given up; a poll has more patience. */
#define MAX_TRIES 4
#define MAX_POLL_TRIES 10
/* Creates sent for one object, over the whole acquisition. */
#define MAX_CREATES 3
/* Fresh links asked for, and downloads begun from the first byte. */
#define MAX_LINKS 3
#define MAX_DOWNLOADS 3
/* "not found" in a row before the report's existence is checked. */
#define CHECK_AFTER_POLLS 8
/* Pages of a list that are followed; the service holds 100 queries. */
#define MAX_PAGES 100

/* Waits after the first, second, ... failure; the service's wish goes first. */
#define FIRST_RETRY_MS 500
#define MAX_RETRY_MS 30000
/* Polls become rarer up to this: continuous polling is what gets throttled. */
#define MAX_POLL_MS 60000
#define POLL_GROWTH 1.5
/* Rows are not held back for longer than this by tidying up. */
#define TIDY_UP_MS 10000

struct PinAcquisition
{
	const PinNeed *need;		/* what to get */
	MemoryContext context;		/* where it lives */
	PinStep		step;			/* where we are */
	PinStep		after_sign_in;	/* where SIGN_IN returns to */

	PinHttp    *http;			/* our share of the engine; NULL: let go */
	PinExchange *exchange;		/* of the current step; NULL: none */
	PinHttpSettings settings;	/* how to connect */
	PinApi		api;			/* where the API is */
	PinTimer	rest;			/* wait before the step is started (again) */
	PinTimer	deadline;		/* end of wait_timeout, later of tidying up */

	PinTicket  *ticket;			/* remote identity; NULL once forgotten */
	char	   *token;			/* access token in use; NULL: none */
	bool		token_refused;	/* the API has refused one for this step */
	bool		rotated;		/* signing in with a rotated refresh token */

	int			tries;			/* failures in a row of this step */
	int			query_creates;	/* creates sent */
	int			report_creates; /* likewise */
	int			links;			/* times a link was refused */
	int			downloads;		/* times the file was begun anew */
	int			not_found;		/* polls in a row that found no execution */
	int			pages;			/* pages of a list followed */
	int			poll_ms;		/* wait before the next poll */
	char	   *next_page;		/* FIND_X: where its list goes on; NULL: start */
	char	   *link;			/* secure link of the completed execution */
	bool		header_seen;	/* download's reply header was read */
	int64		progress;		/* download's offset at the last failure */
	PinDownload *download;		/* the file */

	PinError	error;			/* why FAILED */
	bool		doomed;			/* tidying up before FAILED */
	PinError	leftover;		/* why tidying up did not succeed */
	PinAcquireStats stats;		/* for EXPLAIN and notices */
	MemoryContextCallback callback; /* lets go of everything */
};

/* ---- moving between steps ---- */

static void
go(PinAcquisition *a, PinStep step)
{
	a->step = step;
	a->tries = 0;
}

/* Starts the current step only after a while. */
static void
rest(PinAcquisition *a, int ms)
{
	(void) pin_mux_arm(pin_http_mux(a->http), &a->rest, pin_now_us() + (int64) ms * 1000);
}

static void
set_deadline(PinAcquisition *a, int64 ms)
{
	(void) pin_mux_arm(pin_http_mux(a->http), &a->deadline, pin_now_us() + ms * 1000);
}

static void
fail(PinAcquisition *a, const PinError *err)
{
	a->error = *err;
	go(a, PIN_STEP_FAILED);
}

/* The step that a ticket's state asks for: all that is needed to resume. */
static PinStep
next_step(const PinTicket *ticket)
{
	if (ticket->report_id[0] != '\0')
		return PIN_STEP_POLL;
	if (ticket->report_tried)
		return PIN_STEP_FIND_REPORT;
	if (ticket->query_id[0] != '\0')
		return PIN_STEP_CREATE_REPORT;
	if (ticket->query_tried)
		return PIN_STEP_FIND_QUERY;
	return PIN_STEP_CREATE_QUERY;
}

static bool
is_tidying(const PinAcquisition *a)
{
	return a->step == PIN_STEP_DELETE_REPORT || a->step == PIN_STEP_DELETE_QUERY;
}

/* Nothing remote is left that we could or would remove. */
static void
end_tidying(PinAcquisition *a)
{
	pin_mux_disarm(pin_http_mux(a->http), &a->rest);
	pin_mux_disarm(pin_http_mux(a->http), &a->deadline);
	pin_registry_forget(a->ticket);
	a->ticket = NULL;
	go(a, a->doomed ? PIN_STEP_FAILED : PIN_STEP_DONE);
}

static void
tidy_up(PinAcquisition *a)
{
	set_deadline(a, TIDY_UP_MS);
	if (a->ticket->report_id[0] != '\0')
		go(a, PIN_STEP_DELETE_REPORT);
	else if (a->ticket->query_id[0] != '\0')
		go(a, PIN_STEP_DELETE_QUERY);
	else
		end_tidying(a);
}

/* The acquisition cannot succeed: remove what is there, then fail. */
static void
doom(PinAcquisition *a, const PinError *err)
{
	a->error = *err;
	a->doomed = true;
	tidy_up(a);
}

/* ---- requests ---- */

/* Starts the exchange of the current step, or fails. */
static void
start_exchange(PinAcquisition *a, const PinRequest *request)
{
	PinError	err;

	a->exchange = pin_http_start(a->http, &a->settings, request, &err);
	if (a->exchange == NULL)
		fail(a, &err);
	else
		a->stats.requests++;
}

/*
 * Sends a request to the API (with the token) or to the sign-in service
 * (without), and frees it.  built is what the function that made it returned.
 */
static void
send_request(PinAcquisition *a, PinApiRequest *built_request, bool built, const PinError *err)
{
	PinRequest	request = {0};

	if (!built)
	{
		fail(a, err);
		return;
	}
	request.method = built_request->method;
	request.url = built_request->url;
	request.bearer = a->step == PIN_STEP_SIGN_IN ? NULL : a->token;
	request.content_type = built_request->content_type;
	request.body = built_request->body;
	request.body_len = built_request->body_len;
	start_exchange(a, &request);
	pin_api_request_free(built_request);
}

/* The whole reply of a finished exchange, as the readers of replies want it. */
static PinReply
reply_of(const PinExchange *x)
{
	PinReply	reply;

	reply.status = pin_exchange_status(x);
	reply.body = pin_exchange_body(x, &reply.body_len);
	reply.www_authenticate = pin_exchange_header(x, "WWW-Authenticate");
	reply.retry_after_ms = pin_exchange_retry_after_ms(x);
	return reply;
}

/* ---- SIGN_IN ---- */

static PinCredentials
credentials_of(PinAcquisition *a)
{
	const PinOptions *o = a->need->options;
	char	   *rotated = pin_token_refresh_token(a->need->credential);
	PinCredentials credentials;

	a->rotated = rotated != NULL;
	credentials.login_url = o->login_url;
	credentials.tenant = o->tenant;
	credentials.resource = o->resource;
	credentials.client_id = o->client_id;
	credentials.client_secret = o->client_secret;
	credentials.username = o->username;
	credentials.password = o->password;
	credentials.refresh_token = rotated != NULL ? rotated : o->refresh_token;
	return credentials;
}

static void
start_sign_in(PinAcquisition *a)
{
	PinCredentials credentials = credentials_of(a);
	PinApiRequest request;
	PinError	err;
	bool		built = pin_sign_in_request(&credentials, &request, &err);

	send_request(a, &request, built, &err);
}

static bool
finish_sign_in(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	PinCredentials credentials = credentials_of(a);
	PinSignIn	sign_in;

	if (!pin_sign_in_reply(&credentials, reply, &sign_in, err))
	{
		bool		refused = !sign_in.retry;

		pin_sign_in_free(&sign_in);
		if (!a->rotated || !refused)
			return false;

		/* the mapping's own refresh token may still be good */
		pin_token_drop_refresh_token(a->need->credential);
		return true;
	}
	pin_token_put(a->need->credential, &sign_in);
	a->token = pstrdup(sign_in.access_token);
	pin_sign_in_free(&sign_in);
	go(a, a->after_sign_in);
	return true;
}

/* ---- CREATE_QUERY, FIND_QUERY ---- */

static void
start_create_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_create_query(&a->api, a->ticket->name, NULL,
											 a->need->query, &request, &err);

	a->query_creates++;
	a->ticket->query_tried = built;
	send_request(a, &request, built, &err);
}

static bool
finish_create_query(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	if (!pin_api_create_query_reply(reply, a->ticket->query_id, err))
		return false;
	go(a, next_step(a->ticket));
	return true;
}

/* A page of a list of ours, the first or the next. */
static void
send_page_request(PinAcquisition *a, PinApiRequest *first, bool built, PinError *err)
{
	if (built && a->next_page != NULL)
	{
		pin_api_request_free(first);
		built = pin_api_next_page(&a->api, a->next_page, first, err);
	}
	send_request(a, first, built, err);
}

/* Goes on with the list's next page; false if there is none (or too many). */
static bool
turn_page(PinAcquisition *a, const char *next_link)
{
	a->next_page = next_link != NULL && ++a->pages < MAX_PAGES ? pstrdup(next_link) : NULL;
	if (a->next_page == NULL)
		a->pages = 0;
	return a->next_page != NULL;
}

static void
start_find_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_queries(&a->api, a->ticket->name, &request, &err);

	send_page_request(a, &request, built, &err);
}

static bool
finish_find_query(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	PinQueryList list;
	const PinRemoteQuery *query;

	if (!pin_api_find_queries_reply(reply, &list, err))
		return false;
	query = pin_api_query_named(&list, a->ticket->name);
	if (query != NULL)
		strlcpy(a->ticket->query_id, query->id, sizeof(PinId));
	if (query != NULL || !turn_page(a, list.next_link))
	{
		a->ticket->query_tried = query != NULL;
		a->step = next_step(a->ticket);
	}
	pin_api_query_list_free(&list);
	return true;
}

/* ---- CREATE_REPORT, FIND_REPORT, CHECK_REPORT ---- */

static void
start_create_report(PinAcquisition *a)
{
	PinReportOrder order = {0};
	PinApiRequest request;
	PinError	err;
	bool		built;

	order.name = a->ticket->name;
	order.query_id = a->ticket->query_id;
	order.format = a->need->options->format == PIN_FORMAT_TSV ? "tsv" : "csv";
	built = pin_api_create_report(&a->api, &order, &request, &err);
	a->report_creates++;
	a->ticket->report_tried = built;
	send_request(a, &request, built, &err);
}

static bool
finish_create_report(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	if (!pin_api_create_report_reply(reply, a->ticket->report_id, err))
		return false;
	go(a, next_step(a->ticket));
	return true;
}

static void
start_find_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_reports(&a->api, a->ticket->name, NULL, &request, &err);

	send_page_request(a, &request, built, &err);
}

static bool
finish_find_report(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	PinReportList list;
	const PinRemoteReport *report;

	if (!pin_api_find_reports_reply(reply, &list, err))
		return false;
	report = pin_api_report_named(&list, a->ticket->name);
	if (report != NULL)
		strlcpy(a->ticket->report_id, report->id, sizeof(PinId));
	if (report != NULL || !turn_page(a, list.next_link))
	{
		a->ticket->report_tried = report != NULL;
		a->step = next_step(a->ticket);
	}
	pin_api_report_list_free(&list);
	return true;
}

static void
start_check_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_find_reports(&a->api, NULL, a->ticket->report_id, &request, &err);

	send_request(a, &request, built, &err);
}

/*
 * The report is gone.  One that an earlier scan had ordered is ordered anew;
 * if it was ours somebody has deleted it while we waited.
 */
static void
report_gone(PinAcquisition *a)
{
	PinError	err;

	if (a->ticket->resumed)
	{
		pin_registry_renew(a->ticket);
		a->stats.resumed = false;
		a->stats.report_id[0] = '\0';
		go(a, next_step(a->ticket));
		return;
	}
	pin_error_set(&err, PIN_ERROR_REPORT_GONE,
				  "report %s was deleted while it was waited for", a->ticket->report_id);
	a->ticket->report_id[0] = '\0';
	doom(a, &err);
}

static bool
finish_check_report(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	PinReportList list;
	bool		there;

	if (!pin_api_find_reports_reply(reply, &list, err))
		return false;
	there = pin_api_report_with_id(&list, a->ticket->report_id) != NULL;
	pin_api_report_list_free(&list);
	if (there)
	{
		go(a, PIN_STEP_POLL);
		rest(a, a->poll_ms);
	}
	else
		report_gone(a);
	return true;
}

/* ---- POLL ---- */

static void
start_poll(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_latest_execution(&a->api, a->ticket->report_id, &request, &err);

	strlcpy(a->stats.report_id, a->ticket->report_id, sizeof(PinId));
	a->stats.polls++;
	send_request(a, &request, built, &err);
}

/* Polls again after a while, which grows; a little chance spreads sessions. */
static void
poll_later(PinAcquisition *a)
{
	double		chance = 0.9 + 0.2 * pg_prng_double(&pg_global_prng_state);

	rest(a, (int) (a->poll_ms * chance));
	a->poll_ms = Min(a->poll_ms * POLL_GROWTH, Max(MAX_POLL_MS, a->poll_ms));
}

static bool
finish_poll(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	PinExecution execution;

	if (!pin_api_latest_execution_reply(reply, a->ticket->report_id, &execution, err))
		return false;

	go(a, PIN_STEP_POLL);
	strlcpy(a->stats.state, execution.status_text, sizeof(a->stats.state));
	a->not_found = execution.status == PIN_EXECUTION_NONE ? a->not_found + 1 : 0;

	if (execution.status == PIN_EXECUTION_COMPLETED && execution.secure_link != NULL)
	{
		a->link = pstrdup(execution.secure_link);
		go(a, PIN_STEP_DOWNLOAD);
	}
	else if (execution.status == PIN_EXECUTION_FAILED)
	{
		pin_error_set(err, PIN_ERROR_REPORT_FAILED,
					  "the service could not make report %s: its execution is %s",
					  a->ticket->report_id, execution.status_text);
		doom(a, err);
	}
	else if (a->not_found > 0 &&
			 ((execution.maybe_gone && a->not_found == 1) ||
			  a->not_found % CHECK_AFTER_POLLS == 0))
		go(a, PIN_STEP_CHECK_REPORT);
	else
		poll_later(a);
	pin_api_execution_free(&execution);
	return true;
}

/* ---- DOWNLOAD ---- */

/* Begins the file anew, unless that was done too often. */
static bool
download_again(PinAcquisition *a)
{
	if (++a->downloads >= MAX_DOWNLOADS)
		return false;
	pin_download_restart(a->download);
	a->progress = 0;
	a->stats.retries++;
	rest(a, FIRST_RETRY_MS);
	return true;
}

/*
 * Plain HTTP is for emulators: a service that is not on this machine has no
 * business sending us to an address of this machine.
 */
static bool
link_allowed(const PinAcquisition *a, PinError *err)
{
	if (!pin_url_is_loopback(a->link) || pin_url_is_loopback(a->api.api_url))
		return true;
	pin_error_set(err, PIN_ERROR_URL,
				  "the service gave a download link that leads to this machine");
	return false;
}

static void
start_download(PinAcquisition *a)
{
	PinRequest	request = {0};
	PinError	err;

	if (!link_allowed(a, &err))
	{
		fail(a, &err);
		return;
	}
	if (pin_download_offset(a->download) > 0 && pin_download_etag(a->download) == NULL &&
		!download_again(a))
	{
		pin_error_set(&err, PIN_ERROR_CONNECTION_LOST,
					  "the report's download broke off again and again");
		fail(a, &err);
		return;
	}
	request.method = "GET";
	request.url = a->link;
	request.stream = true;
	request.range_from = pin_download_offset(a->download);
	if (request.range_from > 0)
		request.if_match = pin_download_etag(a->download);
	a->header_seen = false;
	start_exchange(a, &request);
}

/* Takes what has arrived.  False with *err filled if it is of no use. */
static bool
take_download(PinAcquisition *a, PinError *err)
{
	PinExchange *x = a->exchange;
	int			status = pin_exchange_status(x);
	const char *data;

	if (status != 200 && status != 206)
		return true;			/* an error's text, read at its end */
	if (pin_exchange_state(x) == PIN_EXCHANGE_RUNNING && pin_exchange_peek(x, &data) == 0)
		return true;
	if (!a->header_seen && !pin_download_begin(a->download, x, err))
		return false;
	a->header_seen = true;
	return pin_download_take(a->download, x, err);
}

/* The store answered with an error. */
static bool
refused_download(PinAcquisition *a, const PinExchange *x, PinError *err)
{
	int			status = pin_exchange_status(x);
	size_t		len;
	const char *body = pin_exchange_body(x, &len);
	char		text[PIN_REMOTE_TEXT_MAX + 1];

	if ((status == 412 || status == 416) && download_again(a))
		return true;
	if ((status == 401 || status == 403 || status == 404 || status == 410) &&
		++a->links < MAX_LINKS)
	{
		a->stats.retries++;
		go(a, PIN_STEP_POLL);	/* for a fresh link */
		return true;
	}
	pin_error_set(err, status == 429 ? PIN_ERROR_THROTTLED :
				  status >= 500 || status == 408 ? PIN_ERROR_SERVICE :
				  status >= 300 && status < 400 ? PIN_ERROR_REDIRECT : PIN_ERROR_LINK,
				  "could not download the report file: HTTP status %d", status);
	if (len > 0)
		pin_error_detail(err, "The store answered: %s",
						 pin_error_clean(text, sizeof(text), body, len));
	err->http_status = status;
	err->retry_after_ms = pin_exchange_retry_after_ms(x);
	return false;
}

/* The exchange is over and everything in it was taken. */
static bool
finish_download(PinAcquisition *a, const PinExchange *x, PinError *err)
{
	if (pin_exchange_status(x) != 200 && pin_exchange_status(x) != 206)
		return refused_download(a, x, err);
	if (!pin_download_finish(a->download, x, err))
		return download_again(a);

	a->stats.downloaded = pin_download_offset(a->download);
	a->stats.ready_us = pin_now_us();
	tidy_up(a);
	return true;
}

/* ---- DELETE_REPORT, DELETE_QUERY ---- */

static void
start_delete_report(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_delete_report(&a->api, a->ticket->report_id, &request, &err);

	send_request(a, &request, built, &err);
}

static bool
finish_delete_report(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	if (!pin_api_delete_report_reply(reply, err))
		return false;
	a->ticket->report_id[0] = '\0';
	if (a->ticket->query_id[0] != '\0')
		go(a, PIN_STEP_DELETE_QUERY);
	else
		end_tidying(a);
	return true;
}

static void
start_delete_query(PinAcquisition *a)
{
	PinApiRequest request;
	PinError	err;
	bool		built = pin_api_delete_query(&a->api, a->ticket->query_id, &request, &err);

	send_request(a, &request, built, &err);
}

static bool
finish_delete_query(PinAcquisition *a, const PinReply *reply, PinError *err)
{
	if (!pin_api_delete_query_reply(reply, err))
		return false;
	end_tidying(a);
	return true;
}

/* ---- the plot ---- */

static const struct
{
	const char *name;			/* for debug messages */
	void		(*start) (PinAcquisition *a);
	bool		(*finish) (PinAcquisition *a, const PinReply *reply, PinError *err);
}			steps[] =
{
	[PIN_STEP_SIGN_IN] = {"sign in", start_sign_in, finish_sign_in},
	[PIN_STEP_CREATE_QUERY] = {"create query", start_create_query, finish_create_query},
	[PIN_STEP_FIND_QUERY] = {"find query", start_find_query, finish_find_query},
	[PIN_STEP_CREATE_REPORT] = {"create report", start_create_report, finish_create_report},
	[PIN_STEP_FIND_REPORT] = {"find report", start_find_report, finish_find_report},
	[PIN_STEP_CHECK_REPORT] = {"check report", start_check_report, finish_check_report},
	[PIN_STEP_POLL] = {"poll", start_poll, finish_poll},
	[PIN_STEP_DOWNLOAD] = {"download", start_download, NULL},
	[PIN_STEP_DELETE_REPORT] = {"delete report", start_delete_report, finish_delete_report},
	[PIN_STEP_DELETE_QUERY] = {"delete query", start_delete_query, finish_delete_query},
};

/* Starts the current step, or SIGN_IN before it if there is no token. */
static void
start_step(PinAcquisition *a)
{
	pin_mux_disarm(pin_http_mux(a->http), &a->rest);
	if (a->step != PIN_STEP_SIGN_IN && a->step != PIN_STEP_DOWNLOAD)
	{
		if (a->token != NULL)
			pfree(a->token);
		a->token = pin_token_get(a->need->credential);
		if (a->token == NULL)
		{
			a->after_sign_in = a->step;
			a->step = PIN_STEP_SIGN_IN;
		}
	}
	steps[a->step].start(a);
}

/* May a request be sent again after this? */
static bool
is_passing(const PinError *err)
{
	switch (err->kind)
	{
		case PIN_ERROR_RESOLVE:
		case PIN_ERROR_CONNECT:
		case PIN_ERROR_CONNECTION_LOST:
		case PIN_ERROR_REQUEST_TIMEOUT:
		case PIN_ERROR_REPLY:
		case PIN_ERROR_THROTTLED:
		case PIN_ERROR_SERVICE:
			return true;
		default:
			return false;
	}
}

/* How long to wait before the next try: the service's wish, else doubling. */
static int
retry_delay_ms(const PinAcquisition *a, const PinError *err)
{
	if (err->retry_after_ms >= 0)
		return err->retry_after_ms;
	return Min(FIRST_RETRY_MS << Min(a->tries, 10), MAX_RETRY_MS);
}

/*
 * After a failed create: is it known not to have happened?  Then the ticket
 * says so; otherwise the next step is to look for the object by its name.
 */
static void
settle_create(PinAcquisition *a, const PinError *err)
{
	if (err->ambiguous)
		return;
	if (a->step == PIN_STEP_CREATE_QUERY)
		a->ticket->query_tried = false;
	if (a->step == PIN_STEP_CREATE_REPORT)
		a->ticket->report_tried = false;
}

static bool
creates_used_up(const PinAcquisition *a)
{
	return a->query_creates >= MAX_CREATES || a->report_creates >= MAX_CREATES;
}

/* Sends the step's request again later.  False if that makes no sense. */
static bool
try_again(PinAcquisition *a, const PinError *err)
{
	int			max = a->step == PIN_STEP_POLL ? MAX_POLL_TRIES : MAX_TRIES;
	int			delay = retry_delay_ms(a, err);
	bool		creating = a->step == PIN_STEP_CREATE_QUERY ||
		a->step == PIN_STEP_CREATE_REPORT;

	if (!is_passing(err) || ++a->tries >= max || (creating && creates_used_up(a)))
		return false;
	if (a->deadline.due_us != 0 &&
		pin_now_us() + (int64) delay * 1000 > a->deadline.due_us)
		return false;
	if (creating)
		a->step = next_step(a->ticket);
	a->stats.retries++;
	rest(a, delay);
	return true;
}

/* The API refused the token: sign in again, once for each step. */
static bool
renew_token(PinAcquisition *a, const PinError *err)
{
	if (err->kind != PIN_ERROR_UNAUTHORIZED || a->token_refused ||
		a->step == PIN_STEP_SIGN_IN || a->step == PIN_STEP_DOWNLOAD)
		return false;
	pin_token_refuse(a->need->credential, a->token);
	a->token_refused = true;
	a->stats.retries++;
	return true;
}

/* The current step did not succeed: another way, another try, or the end. */
static void
handle_failure(PinAcquisition *a, const PinError *err)
{
	settle_create(a, err);
	if (renew_token(a, err) || try_again(a, err))
		return;
	if (is_tidying(a))
	{
		a->leftover = *err;
		end_tidying(a);
	}
	else if (a->step == PIN_STEP_CREATE_REPORT && err->http_status != 0 && !err->ambiguous)
		doom(a, err);			/* refused: the query is of no use now */
	else
		fail(a, err);
}

/* The network has nothing more to say about the current exchange. */
static void
finish_step(PinAcquisition *a)
{
	PinExchange *x = a->exchange;
	PinError	err;
	bool		ok;

	elog(DEBUG1, "pinsight_fdw: %s: HTTP status %d", steps[a->step].name,
		 pin_exchange_status(x));
	a->exchange = NULL;
	pin_error_reset(&err);
	if (pin_exchange_state(x) == PIN_EXCHANGE_FAILED)
	{
		err = *pin_exchange_error(x);
		ok = false;
	}
	else if (a->step == PIN_STEP_DOWNLOAD)
		ok = finish_download(a, x, &err);
	else
	{
		PinReply	reply = reply_of(x);

		ok = steps[a->step].finish(a, &reply, &err);
	}
	pin_exchange_free(x);

	if (ok)
		a->token_refused = false;
	else
		handle_failure(a, &err);
}

/*
 * A download that made headway since it broke off last may break off again:
 * what was taken is not lost.
 */
static void
note_progress(PinAcquisition *a)
{
	int64		offset = pin_download_offset(a->download);

	if (offset > a->progress)
		a->tries = 0;
	a->progress = offset;
}

/* Moves a download on; true if the exchange is over and all was taken. */
static bool
advance_download(PinAcquisition *a)
{
	PinError	err;
	bool		over = pin_exchange_state(a->exchange) != PIN_EXCHANGE_RUNNING;

	pin_error_reset(&err);
	if (take_download(a, &err))
	{
		a->stats.downloaded = pin_download_offset(a->download);
		if (over)
			note_progress(a);
		return over;
	}

	/* broken, or not what we asked for: from the first byte, or not at all */
	pin_exchange_free(a->exchange);
	a->exchange = NULL;
	if (!download_again(a))
		fail(a, &err);
	return false;
}

/* wait_timeout has passed, or rows shall not be held back any longer. */
static void
deadline_passed(PinAcquisition *a)
{
	PinError	err;

	pin_exchange_free(a->exchange);
	a->exchange = NULL;
	pin_mux_disarm(pin_http_mux(a->http), &a->deadline);
	if (is_tidying(a) || a->doomed)
	{
		pin_error_set(&a->leftover, PIN_ERROR_REQUEST_TIMEOUT,
					  "no answer within %d s", TIDY_UP_MS / 1000);
		end_tidying(a);
		return;
	}
	pin_error_set(&err, PIN_ERROR_WAIT_TIMEOUT,
				  "the report was not ready within wait_timeout (%lld s)",
				  (long long) (a->need->options->wait_timeout_ms / 1000));
	if (a->stats.state[0] != '\0')
		pin_error_detail(&err, "The service says of report %s: %s.",
						 a->stats.report_id, a->stats.state);
	fail(a, &err);
}

/* Is the wait_timeout still of interest?  A file that arrives is waited for. */
static bool
past_deadline(const PinAcquisition *a)
{
	return a->step != PIN_STEP_DOWNLOAD && pin_timer_due(&a->deadline);
}

PinAcquireStatus
pin_acquire_advance(PinAcquisition *a)
{
	MemoryContext old = MemoryContextSwitchTo(a->context);

	if (a->http != NULL)
		pin_http_drive(a->http);
	while (a->step != PIN_STEP_DONE && a->step != PIN_STEP_FAILED)
	{
		if (past_deadline(a))
			deadline_passed(a);
		else if (a->exchange == NULL)
		{
			if (a->rest.due_us != 0 && !pin_timer_due(&a->rest))
				break;
			start_step(a);
		}
		else if (a->step == PIN_STEP_DOWNLOAD && !advance_download(a))
		{
			if (a->exchange != NULL)
				break;
		}
		else if (pin_exchange_state(a->exchange) == PIN_EXCHANGE_RUNNING)
			break;
		else
			finish_step(a);
	}
	MemoryContextSwitchTo(old);

	return a->step == PIN_STEP_DONE ? PIN_ACQUIRE_READY :
		a->step == PIN_STEP_FAILED ? PIN_ACQUIRE_FAILED : PIN_ACQUIRE_WAIT;
}

/* ---- beginning and end ---- */

/*
 * Idempotent, and safe in a memory context callback: it waits for nothing,
 * throws nothing and touches nothing that a resource owner has.
 */
static void
let_go(void *arg)
{
	PinAcquisition *a = arg;

	if (a->http != NULL)
	{
		pin_exchange_free(a->exchange);
		a->exchange = NULL;
		pin_mux_disarm(pin_http_mux(a->http), &a->rest);
		pin_mux_disarm(pin_http_mux(a->http), &a->deadline);
		a->http = NULL;
		pin_engine_release();
	}
	if (a->ticket != NULL)
		pin_registry_release(a->ticket);
	a->ticket = NULL;
}

static void
prepare(PinAcquisition *a)
{
	const PinOptions *o = a->need->options;

	a->settings.ca_file = o->ca_file;
	a->settings.proxy = o->proxy;
	a->settings.connect_timeout_ms = o->connect_timeout_ms;
	a->settings.request_timeout_ms = o->request_timeout_ms;
	a->api.api_url = o->api_url;
	a->api.api_version = o->api_version;
	a->api.program = o->program;
	a->poll_ms = o->poll_interval_ms;
	a->stats.started_us = pin_now_us();
	a->stats.resumed = a->ticket->resumed;
	a->step = next_step(a->ticket);
	set_deadline(a, o->wait_timeout_ms);
}

PinAcquisition *
pin_acquire_start(const PinNeed *need)
{
	PinAcquisition *a = palloc0(sizeof(PinAcquisition));
	PinError	err;

	a->need = need;
	a->context = CurrentMemoryContext;
	a->callback.func = let_go;
	a->callback.arg = a;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &a->callback);
	a->download = pin_download_create();
	pin_error_reset(&a->error);
	pin_error_reset(&a->leftover);

	a->http = pin_engine_take(&err);
	if (a->http == NULL)
	{
		fail(a, &err);
		return a;
	}
	a->ticket = pin_registry_claim(need->key);
	prepare(a);
	return a;
}

void
pin_acquire_finish(PinAcquisition *a)
{
	let_go(a);
}

int
pin_acquire_fd(const PinAcquisition *a)
{
	return pin_http_fd(a->http);
}

const PinError *
pin_acquire_error(const PinAcquisition *a)
{
	return &a->error;
}

const PinError *
pin_acquire_leftover(const PinAcquisition *a)
{
	return a->leftover.kind == PIN_ERROR_NONE ? NULL : &a->leftover;
}

const PinAcquireStats *
pin_acquire_stats(const PinAcquisition *a)
{
	return &a->stats;
}

PinDownload *
pin_acquire_download(const PinAcquisition *a)
{
	return a->download;
}
