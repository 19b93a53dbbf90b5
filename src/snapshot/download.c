/*-------------------------------------------------------------------------
 *
 * download.c
 *		From a secure link to a whole report file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "snapshot/download.h"
#include "transport/retry.h"
#include "transport/url.h"

/* Times the file is begun anew: a broken one may have been bad luck. */
#define MAX_RESTARTS 2
/* Where the first part of a file ends, and how the next ones' ends grow. */
#define FIRST_PART (128 * 1024)
#define PART_GROWTH 4
/*
 * What has more than this before its rows are enough had better be whole; so many
 * rows will have.
 */
#define LAST_PART (8 * 1024 * 1024)
#define MANY_ROWS (LAST_PART / 64)

void
pin_download_open(PinDownload *d, PinHttp *http, const PinHttpSettings *settings,
				  const PinNeed *need)
{
	d->http = http;
	d->settings = settings;
	d->api_url = need->options->api_url;
	d->enough = need->asked->enough < MANY_ROWS ? need->asked->enough : 0;
	d->file = pin_report_file_create(need);
}

void
pin_download_stop(PinDownload *d)
{
	if (d->http == NULL)
		return;
	pin_exchange_free(d->exchange);
	d->exchange = NULL;
	pin_mux_disarm(pin_http_mux(d->http), &d->rest);
}

/*
 * Plain HTTP is for emulators: a service that is not on this machine has no
 * business sending us to an address of this machine.  What is wrong with an
 * address is not repeated: a link is a secret.
 */
static bool
link_allowed(const char *link, const char *api_url, PinError *err)
{
	const char *fault = NULL;

	if (!pin_url_allowed(link, err))
		fault = "is no address that may be called";
	else if (pin_url_is_loopback(link) && !pin_url_is_loopback(api_url))
		fault = "leads to this machine";
	if (fault != NULL)
		pin_error_set(err, PIN_ERROR_REPLY, "the service gave a download link that %s", fault);
	return fault == NULL;
}

bool
pin_download_start(PinDownload *d, const char *link, PinError *err)
{
	if (!link_allowed(link, d->api_url, err))
		return false;
	if (d->link != NULL)
		pfree(d->link);
	d->link = NULL;
	d->link = pstrdup(link);
	d->tries = 0;
	return true;
}

/* The same request again, after a while.  False if that was done enough. */
static bool
try_later(PinDownload *d, const PinError *err)
{
	int			delay_ms;

	if (++d->tries >= PIN_RETRY_TRIES)
		return false;
	delay_ms = pin_retry_delay_ms(err, d->tries);
	if (delay_ms > PIN_RETRY_REST_MAX_MS)
		return false;
	d->retries++;
	(void) pin_mux_arm(pin_http_mux(d->http), &d->rest,
					   pin_now_us() + (int64) delay_ms * 1000);
	return true;
}

/* From the first byte again, and then to the last. */
static bool
begin_anew(PinDownload *d, const PinError *err)
{
	if (d->restarts++ >= MAX_RESTARTS)
		return false;
	d->enough = 0;
	pin_report_file_restart(d->file);
	d->confirming = false;
	d->headway = 0;
	d->tries = 0;
	return try_later(d, err);
}

/*
 * A download that broke off goes on from where it is, if the store's ETag can
 * make sure that it is still the same file.  As long as there is headway it
 * may break off any number of times.
 */
static bool
go_on(PinDownload *d, const PinError *err)
{
	int64		offset = pin_report_file_offset(d->file);

	if (offset > d->headway)
		d->tries = 0;
	d->headway = offset;
	if (offset > 0 && pin_report_file_etag(d->file) == NULL)
		return begin_anew(d, err);
	return try_later(d, err);
}

/* The last byte of the part to ask for; 0: the file's. */
static int64
part_end(const PinDownload *d)
{
	int64		end = FIRST_PART;

	if (d->enough == 0 || d->confirming)
		return 0;
	while (end <= pin_report_file_offset(d->file))
		end *= PART_GROWTH;
	return end <= LAST_PART ? end - 1 : 0;
}

static bool
send_request(PinDownload *d, PinError *err)
{
	PinRequest	request = {0};

	pin_mux_disarm(pin_http_mux(d->http), &d->rest);
	request.method = "GET";
	request.url = d->link;
	request.stream = true;
	request.range_from = pin_report_file_offset(d->file);
	if (request.range_from > 0)
		request.if_match = pin_report_file_etag(d->file);
	request.range_to = part_end(d);
	d->header_seen = false;
	d->exchange = pin_http_start(d->http, d->settings, &request, err);
	if (d->exchange == NULL)
		return false;
	d->requests++;
	return true;
}

/*
 * Does the reply's body pass through the window?  All of these have to be
 * taken, or the transfer would rest for ever.
 */
static bool
is_success(const PinExchange *x)
{
	return pin_exchange_status(x) / 100 == 2;
}

/*
 * Takes what has arrived; text may have been taken already, yet its transfer
 * waits for our turn.  False with *err filled if it is of no use.
 */
static bool
take(PinDownload *d, PinError *err)
{
	const char *data;

	if (!is_success(d->exchange))
		return true;			/* an error's text, read at its end */
	if (!d->header_seen)
	{
		if (pin_exchange_state(d->exchange) == PIN_EXCHANGE_RUNNING &&
			pin_exchange_peek(d->exchange, &data) == 0)
			return true;
		if (!pin_report_file_begin(d->file, d->exchange, d->enough > 0, err))
			return false;
		d->header_seen = true;
		d->confirming = false;	/* there is more: what was the end is none */
	}
	return pin_report_file_take(d->file, d->exchange, err);
}

/* Says in *err what the store answered, unless that repeats a signed link. */
static void
describe_refusal(const PinExchange *x, PinErrorKind kind, PinError *err)
{
	char		text[PIN_REMOTE_TEXT_MAX + 8];
	size_t		len;
	const char *body = pin_exchange_body(x, &len);

	pin_error_set(err, kind, "could not download the report file: HTTP status %d",
				  pin_exchange_status(x));
	if (len > 0 && memmem(body, len, "sig=", 4) == NULL)
		pin_error_detail(err, "The store answered: %s",
						 pin_error_clean(text, sizeof(text), body, len));
	err->http_status = pin_exchange_status(x);
	err->retry_after_ms = pin_exchange_retry_after_ms(x);
}

/* The file ended and the store cannot tell whether it goes on. */
static PinDownloadStatus
not_confirmed(PinDownload *d, PinError *err)
{
	if (pin_report_file_ends_well(d->file, err))
		return PIN_DOWNLOAD_DONE;
	return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
}

/* The next request, at once. */
static PinDownloadStatus
ask_more(PinDownload *d)
{
	d->tries = 0;
	(void) pin_mux_arm(pin_http_mux(d->http), &d->rest, pin_now_us());
	return PIN_DOWNLOAD_WAIT;
}

/* A part of the file is here, as it was asked for: has it rows enough? */
static PinDownloadStatus
part_reached(PinDownload *d, PinError *err)
{
	if (pin_report_file_has_rows(d->file, d->enough))
		return PIN_DOWNLOAD_FIRST_ROWS;
	if (pin_report_file_etag(d->file) != NULL)
		return ask_more(d);
	return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
}

/* Everything in the exchange was taken: is that the file? */
static PinDownloadStatus
end_reached(PinDownload *d, const PinExchange *x, PinError *err)
{
	if (d->enough > 0 && pin_report_file_goes_on(d->file))
		return part_reached(d, err);
	if (!pin_report_file_finish(d->file, x, err))
		return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
	if (pin_report_file_digest_matches(d->file))
		return PIN_DOWNLOAD_DONE;
	if (pin_report_file_etag(d->file) == NULL)
		return not_confirmed(d, err);
	d->confirming = true;
	return ask_more(d);
}

/*
 * There is nothing at our offset: is that the file's end?  Not if we have not
 * even begun, nor asked for a range.
 */
static PinDownloadStatus
nothing_follows(PinDownload *d, const PinExchange *x, PinError *err)
{
	const char *range = pin_exchange_header(x, "Content-Range");
	int64		offset = pin_report_file_offset(d->file);
	long long	size;
	bool		at_end = offset > 0 &&
	(range == NULL || sscanf(range, "bytes */%lld", &size) != 1 || size == offset);

	if (at_end && (d->confirming || pin_report_file_finish(d->file, x, err)))
		return PIN_DOWNLOAD_DONE;
	return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
}

/* The store answered with an error: what follows from it. */
static PinDownloadStatus
refused(PinDownload *d, const PinExchange *x, PinError *err)
{
	switch (pin_exchange_status(x))
	{
		case 416:
			describe_refusal(x, PIN_ERROR_LINK, err);
			return nothing_follows(d, x, err);
		case 412:				/* another file than the one we began */
			describe_refusal(x, PIN_ERROR_LINK, err);
			return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
		case 401:
		case 403:
		case 404:
		case 410:
			describe_refusal(x, PIN_ERROR_LINK, err);
			return PIN_DOWNLOAD_LINK;
		case 408:
		case 429:
		case 500:
		case 502:
		case 503:
		case 504:
			describe_refusal(x, pin_exchange_status(x) == 429 ?
							 PIN_ERROR_THROTTLED : PIN_ERROR_SERVICE, err);
			return try_later(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
		default:
			describe_refusal(x, pin_exchange_status(x) / 100 == 3 ?
							 PIN_ERROR_REDIRECT : PIN_ERROR_LINK, err);
			return PIN_DOWNLOAD_FAILED;
	}
}

/* The exchange is over and everything in it was taken. */
static PinDownloadStatus
conclude(PinDownload *d, const PinExchange *x, PinError *err)
{
	elog(DEBUG1, "pinsight_fdw: GET download: HTTP status %d", pin_exchange_status(x));
	if (pin_exchange_state(x) == PIN_EXCHANGE_FAILED)
	{
		*err = *pin_exchange_error(x);
		if (!pin_retry_is_passing(err))
			return PIN_DOWNLOAD_FAILED;
		return go_on(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
	}
	if (!is_success(x))
		return refused(d, x, err);
	return end_reached(d, x, err);
}

/* What has arrived is of no use. */
static PinDownloadStatus
useless(PinDownload *d, PinError *err)
{
	bool		whole = pin_exchange_status(d->exchange) == 200;

	pin_download_stop(d);
	if (d->confirming && whole)
		return not_confirmed(d, err);	/* the store knows no ranges */
	return begin_anew(d, err) ? PIN_DOWNLOAD_WAIT : PIN_DOWNLOAD_FAILED;
}

PinDownloadStatus
pin_download_advance(PinDownload *d, PinError *err)
{
	PinDownloadStatus status = PIN_DOWNLOAD_WAIT;

	pin_error_reset(err);
	if (d->exchange == NULL)
	{
		if (d->rest.due_us != 0 && !pin_timer_due(&d->rest))
			return PIN_DOWNLOAD_WAIT;
		if (!send_request(d, err))
			return PIN_DOWNLOAD_FAILED;
	}

	if (!take(d, err))
		return useless(d, err);

	/* taking may have ended it; nothing would wake us for that again */
	if (pin_exchange_state(d->exchange) != PIN_EXCHANGE_RUNNING)
	{
		PinExchange *x = d->exchange;

		status = conclude(d, x, err);
		d->exchange = NULL;
		pin_exchange_free(x);
	}
	return status;
}
