/*-------------------------------------------------------------------------
 *
 * http.c
 *		HTTP exchanges that never block: the only file that sees libcurl.
 *
 * libcurl runs in its event-driven mode: it tells us which sockets it wants
 * watched (on_socket) and when it wants to be called at the latest (on_timer),
 * both go into the mux, and pin_http_drive() reports back what happened.
 *
 * Rules of this file:
 *
 * - Callbacks (the functions on_...) store and return a code, nothing else, but
 *	 for on_body where somebody takes the bytes himself (pin_exchange_pour).
 *	 Nothing is thrown through libcurl's frames, nothing of libcurl is called
 *	 from within them.
 * - Every option set is checked (SETOPT).
 * - Time limits but the one for connecting are ours (see check_deadline), so
 *	 that neither a paused transfer nor a process that was busy elsewhere is
 *	 taken for a silent server.
 * - HTTP/1.1 only: an exchange has its connection for itself, so a paused
 *	 download holds up nobody, and "the connection broke" is about one request.
 *
 * You can follow an exchange from pin_http_start() through pin_http_drive() to
 * finish().
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* pthread_sigmask under -std */
#endif

#include "transport/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <openssl/x509_vfy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "transport/buffer.h"
#include "transport/head.h"
#include "transport/window.h"

/* 7.85 has PROTOCOLS_STR, 7.87 QUICK_EXIT; older ones cannot keep our rules. */
#define OLDEST_LIBCURL 0x075700
#if LIBCURL_VERSION_NUM < OLDEST_LIBCURL
#error "libcurl 7.87 or later is needed"
#endif

#ifndef PINSIGHT_VERSION
#define PINSIGHT_VERSION "dev"
#endif

/* Sockets attended to per round, and rounds per call, of pin_http_drive. */
#define READY_MAX 16
#define ROUNDS_MAX 16

/* Idle connections kept for later exchanges. */
#define IDLE_CONNECTIONS_MAX 8L

/* Size of libcurl's receive buffer; a part of the window. */
#define RECEIVE_SIZE 262144L

/* Bytes poured before others have a look at what else has happened. */
#define POURED_MAX (4 * 1024 * 1024)

struct PinHttp
{
	PinMux	   *mux;
	CURLM	   *multi;
	PinTimer	curl_timer;		/* when libcurl wants to be called */
	PinExchange *first;			/* every exchange, running or not */
	uint64_t	drives;			/* see pin_http_drives */
};

struct PinExchange
{
	PinHttp    *http;
	PinExchange *prev;
	PinExchange *next;

	CURL	   *easy;			/* NULL once the exchange has ended */
	struct curl_slist *request_headers;
	CURLcode	setup;			/* first failure while setting options */
	const char *setup_option;	/* the option that failed */

	PinExchangeState state;
	bool		stream;			/* body goes through the window */
	bool		by_proxy;		/* a proxy stands in between */
	bool		reached;		/* connected: the request may have been sent */
	bool		paused;			/* by us, because the window was full */
	bool		end_proven;		/* see pin_exchange_end_proven */
	const char *refusal;		/* why a callback stopped the transfer */
	PinErrorKind refusal_kind;

	int			timeout_ms;		/* for the whole, or for silence if streamed */
	int64_t		since_us;		/* what timeout_ms counts from */
	PinTimer	deadline;

	PinReplyHead head;
	PinBuffer	body;			/* a reply kept in memory */
	PinWindow	window;			/* a reply passing through */
	PinExchangeTake take;		/* a reply that does not need it; NULL: it
								 * does */
	void	   *take_arg;		/* take's */
	size_t		poured;			/* bytes given to it since its reader's turn */

	PinError	error;
	char		host[PIN_URL_HOST_SIZE];	/* for messages */
	char		curl_text[CURL_ERROR_SIZE]; /* libcurl writes here */
};

/* ----------
 * libcurl itself
 * ----------
 */

/*
 * Initializes libcurl at the first call; its outcome is final.  Returns what
 * is wrong with it, or NULL.  libcurl is never cleaned up: other users of it
 * may live in the same process.
 */
static const char *
libcurl_fault(void)
{
	static bool initialized = false;
	static const char *fault = NULL;
	const curl_version_info_data *info;

	if (initialized)
		return fault;
	initialized = true;
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return fault = "libcurl could not be initialized";
	info = curl_version_info(CURLVERSION_NOW);
	if (info->version_num < OLDEST_LIBCURL)
		fault = "libcurl is older than 7.87";
	else if (!(info->features & CURL_VERSION_ASYNCHDNS))
		fault = "libcurl resolves names synchronously";
	else if (!(info->features & CURL_VERSION_SSL))
		fault = "libcurl has no TLS";
	return fault;
}

/* ----------
 * Callbacks: store and return
 * ----------
 */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *http, void *unused)
{
	int			events = 0;

	(void) easy;
	(void) unused;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= PIN_MUX_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= PIN_MUX_WRITE;
	return pin_mux_watch(((PinHttp *) http)->mux, fd, events) ? 0 : -1;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	PinHttp    *http = arg;

	(void) multi;
	if (timeout_ms < 0)
	{
		pin_mux_disarm(http->mux, &http->curl_timer);
		return 0;
	}
	return pin_mux_arm(http->mux, &http->curl_timer,
					   pin_now_us() + (int64_t) timeout_ms * 1000) ? 0 : -1;
}

/* Connected (and TLS agreed on); the request is about to be sent. */
static int
on_connected(void *x, char *remote_ip, char *local_ip, int remote_port,
			 int local_port)
{
	(void) remote_ip;
	(void) local_ip;
	(void) remote_port;
	(void) local_port;
	((PinExchange *) x)->reached = true;
	return CURL_PREREQFUNC_OK;
}

/* Notes why a callback is about to refuse; returns what says so to libcurl. */
static size_t
refuse(PinExchange *x, PinBufferResult result, const char *too_large)
{
	bool		full = result == PIN_BUFFER_FULL;

	x->refusal_kind = full ? PIN_ERROR_REPLY_TOO_LARGE : PIN_ERROR_OUT_OF_MEMORY;
	x->refusal = full ? too_large : "out of memory";
	return CURL_WRITEFUNC_ERROR;
}

/* Something arrived: for a streamed exchange the clock starts anew. */
static void
sign_of_life(PinExchange *x)
{
	if (x->stream)
		x->since_us = pin_now_us();
}

static size_t
on_header(char *line, size_t size, size_t nmemb, void *arg)
{
	PinExchange *x = arg;
	size_t		len = size * nmemb;
	PinBufferResult result = pin_head_add(&x->head, line, len);

	sign_of_life(x);
	if (result != PIN_BUFFER_OK)
		return refuse(x, result, "its headers are too large");
	return len;
}

/*
 * Gives bytes to whoever takes them as they arrive, but not for ever: libcurl
 * goes on as long as the server does.
 */
static size_t
pour(PinExchange *x, const char *data, size_t len)
{
	if (x->poured >= POURED_MAX)
	{
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	x->poured += len;
	if (x->take(x->take_arg, data, len))
		return len;
	x->refusal_kind = PIN_ERROR_INTERNAL;
	x->refusal = "it could not be taken";
	return CURL_WRITEFUNC_ERROR;
}

static size_t
on_body(char *data, size_t size, size_t nmemb, void *arg)
{
	PinExchange *x = arg;
	size_t		len = size * nmemb;
	PinBufferResult result;

	sign_of_life(x);
	if (x->stream && x->head.status < 300)
	{
		if (x->take)
			return pour(x, data, len);
		if (pin_window_put(&x->window, data, len))
			return len;
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	result = pin_buffer_append(&x->body, data, len);
	if (result != PIN_BUFFER_OK)
		return refuse(x, result, "its body is too large");
	return len;
}

/* ----------
 * The end of an exchange
 * ----------
 */

/* What libcurl says about a failure, fit for a message. */
static const char *
curl_words(const PinExchange *x, CURLcode code, char *dst, size_t size)
{
	const char *text = x->curl_text[0] ? x->curl_text : curl_easy_strerror(code);

	return pin_error_clean(dst, size, text, strlen(text));
}

/* Takes the exchange out of libcurl's hands and releases what only it needs. */
static void
retire(PinExchange *x, PinExchangeState state)
{
	PinHttp    *http = x->http;

	x->state = state;
	x->paused = false;
	pin_mux_disarm(http->mux, &x->deadline);
	if (x->easy)
	{
		curl_multi_remove_handle(http->multi, x->easy);
		curl_easy_cleanup(x->easy);
		x->easy = NULL;
	}
	curl_slist_free_all(x->request_headers);
	x->request_headers = NULL;
}

/* The kind of a failure libcurl reports. */
static PinErrorKind
classify(const PinExchange *x, CURLcode code)
{
	curl_off_t	resolved_us = 0;
	bool		in_head = x->reached && !x->head.complete;

	switch (code)
	{
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			return PIN_ERROR_RESOLVE;
		case CURLE_COULDNT_CONNECT:
		case CURLE_PROXY:
		case CURLE_INTERFACE_FAILED:
			return PIN_ERROR_CONNECT;
		case CURLE_OPERATION_TIMEDOUT:
			/* The only limit we gave to libcurl is the one for connecting. */
			curl_easy_getinfo(x->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
			return resolved_us > 0 ? PIN_ERROR_CONNECT : PIN_ERROR_RESOLVE;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_CRL_BADFILE:
		case CURLE_SSL_ENGINE_INITFAILED:
		case CURLE_SSL_INVALIDCERTSTATUS:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_USE_SSL_FAILED:
			return PIN_ERROR_TLS;
		case CURLE_PARTIAL_FILE:
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_SSL_SHUTDOWN_FAILED:
			return x->reached ? PIN_ERROR_CONNECTION_LOST : PIN_ERROR_CONNECT;
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_UNSUPPORTED_PROTOCOL:	/* not HTTP, or HTTP/0.9 */
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_HTTP2:
			return PIN_ERROR_REPLY;
#if LIBCURL_VERSION_NUM >= 0x080600
		case CURLE_TOO_LARGE:	/* a header line over its bound */
			return in_head ? PIN_ERROR_REPLY_TOO_LARGE : PIN_ERROR_INTERNAL;
#endif
		case CURLE_OUT_OF_MEMORY:	/* or that, until 8.6 */
			return in_head ? PIN_ERROR_REPLY_TOO_LARGE : PIN_ERROR_OUT_OF_MEMORY;
		case CURLE_URL_MALFORMAT:
			return PIN_ERROR_URL;
		default:
			return PIN_ERROR_INTERNAL;
	}
}

/* Does a proxy refuse to let us through because it does not know us? */
static bool
proxy_wants_credentials(const PinExchange *x)
{
	long		status = 0;
	long		socks = CURLPX_OK;

	curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	curl_easy_getinfo(x->easy, CURLINFO_PROXY_ERROR, &socks);
	return status == 407 || socks == CURLPX_NO_AUTH || socks == CURLPX_RECV_AUTH ||
		socks == CURLPX_USER_REJECTED;
}

/* The way out where no connection came about, if a proxy had a part in it. */
static void
hint_proxy(PinExchange *x, CURLcode code)
{
	if (!x->by_proxy)
		return;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		pin_error_hint(&x->error, "Check the server's URL options; a proxy of scheme socks5h "
					   "resolves their names itself.");
	else if (proxy_wants_credentials(x))
		pin_error_hint(&x->error, "The proxy does not let us through without its "
					   "credentials: check the server options \"proxy_user\" "
					   "and \"proxy_password_file\".");
	else
		pin_error_hint(&x->error, "Check the server option \"proxy\", and whether the "
					   "proxy can reach the host.");
}

/* CURLINFO_SSL_VERIFYRESULT before OpenSSL's verdict. */
#define NOTHING_FOUND (!X509_V_OK)

/*
 * The way out where no secure connection came about: what OpenSSL has found
 * tells.  That a certificate is another host's libcurl finds itself, before it
 * asks OpenSSL.
 */
static void
hint_tls(PinExchange *x, CURLcode code)
{
	PinError   *err = &x->error;
	long		found = NOTHING_FOUND;

	curl_easy_getinfo(x->easy, CURLINFO_SSL_VERIFYRESULT, &found);
	if (code == CURLE_SSL_CACERT_BADFILE)
		pin_error_hint(err, "The server option \"ca_file\" has to name a PEM file of "
					   "certificates that the database server can read; without it, the "
					   "system needs its own (in Debian, the package ca-certificates).");
	else if (code == CURLE_SSL_CONNECT_ERROR)
		pin_error_hint(err, "Check that the server's URL options lead to a host and port "
					   "that speak HTTPS, with TLS 1.2 or newer.");
	else if (code == CURLE_PEER_FAILED_VERIFICATION && found == NOTHING_FOUND)
		pin_error_hint(err, "The certificate is another host's.  Write the host in the "
					   "server's URL options by a name that its certificate has.");
	else if (found == X509_V_ERR_CERT_HAS_EXPIRED || found == X509_V_ERR_CERT_NOT_YET_VALID)
		pin_error_hint(err, "Check the database server's clock; if it is right, whoever "
					   "runs the host has to renew its certificate.");
}

/* Fills x->error for a failure libcurl reports. */
static void
describe_failure(PinExchange *x, CURLcode code)
{
	PinError   *err = &x->error;
	PinErrorKind kind = classify(x, code);
	char		words[CURL_ERROR_SIZE];

	curl_words(x, code, words, sizeof(words));
	switch (kind)
	{
		case PIN_ERROR_RESOLVE:
			pin_error_set(err, kind, "could not resolve host \"%s\": %s",
						  x->host, words);
			hint_proxy(x, code);
			break;
		case PIN_ERROR_CONNECT:
			pin_error_set(err, kind, "could not connect to host \"%s\": %s",
						  x->host, words);
			hint_proxy(x, code);
			break;
		case PIN_ERROR_TLS:
			pin_error_set(err, kind,
						  "could not make a secure connection to host \"%s\": %s",
						  x->host, words);
			hint_tls(x, code);
			err->broken_off = code == CURLE_SSL_CONNECT_ERROR;
			break;
		case PIN_ERROR_CONNECTION_LOST:
			pin_error_set(err, kind, "connection to host \"%s\" was lost: %s",
						  x->host, words);
			break;
		case PIN_ERROR_REPLY_TOO_LARGE:
			pin_error_set(err, kind, "could not accept the reply of host \"%s\": "
						  "its headers are too large, or memory ran out", x->host);
			break;
		case PIN_ERROR_REPLY:
			pin_error_set(err, kind,
						  "could not understand the reply of host \"%s\": %s",
						  x->host, words);
			break;
		default:
			pin_error_set(err, kind, "request to host \"%s\" failed: %s", x->host, words);
	}
}

/* Ends an exchange whose x->error has been set. */
static void
fail(PinExchange *x)
{
	x->error.http_status = x->head.status;
	x->error.ambiguous = x->reached;
	retire(x, PIN_EXCHANGE_FAILED);
}

/*
 * libcurl verifies Content-Length and the last chunk where the reply has them,
 * so what remains to be asked is whether it had one of them.
 */
static bool
end_is_proven(const PinExchange *x)
{
	const char *coding = pin_head_find(&x->head, "Transfer-Encoding");
	curl_off_t	length = -1;

	if (x->head.status == 204 || x->head.status == 304)
		return true;
	if (coding)
	{
		size_t		len = strlen(coding);

		return len >= 7 && curl_strequal(coding + len - 7, "chunked");
	}
	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length >= 0;
}

/* libcurl is through with an exchange. */
static void
finish(PinExchange *x, CURLcode code)
{
	if (x->refusal)
	{
		pin_error_set(&x->error, x->refusal_kind,
					  "could not accept the reply of host \"%s\": %s",
					  x->host, x->refusal);
		fail(x);
	}
	else if (code != CURLE_OK)
	{
		describe_failure(x, code);
		fail(x);
	}
	else if (!x->head.complete)
	{
		/* libcurl takes a close within the headers for the end of a reply. */
		pin_error_set(&x->error, PIN_ERROR_CONNECTION_LOST,
					  "connection to host \"%s\" was lost: "
					  "the headers of its reply are incomplete", x->host);
		fail(x);
	}
	else
	{
		x->end_proven = end_is_proven(x);
		retire(x, PIN_EXCHANGE_DONE);
	}
}

/* ----------
 * Setting up an exchange
 * ----------
 */

/* Sets an option unless an earlier one failed. */
#define SETOPT(x, option, value) \
	do { \
		if ((x)->setup == CURLE_OK) \
		{ \
			(x)->setup = curl_easy_setopt((x)->easy, option, value); \
			(x)->setup_option = #option; \
		} \
	} while (0)

static void
set_up_rules(PinExchange *x)
{
	SETOPT(x, CURLOPT_PRIVATE, x);
	SETOPT(x, CURLOPT_ERRORBUFFER, x->curl_text);
	SETOPT(x, CURLOPT_NOSIGNAL, 1L);
	SETOPT(x, CURLOPT_QUICK_EXIT, 1L);
	SETOPT(x, CURLOPT_PROTOCOLS_STR, "http,https");
	SETOPT(x, CURLOPT_FOLLOWLOCATION, 0L);
	SETOPT(x, CURLOPT_PATH_AS_IS, 1L);
	SETOPT(x, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SETOPT(x, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SETOPT(x, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SETOPT(x, CURLOPT_HTTP09_ALLOWED, 0L);
	SETOPT(x, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SETOPT(x, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SETOPT(x, CURLOPT_SSL_VERIFYPEER, 1L);
	SETOPT(x, CURLOPT_SSL_VERIFYHOST, 2L);
	SETOPT(x, CURLOPT_TCP_KEEPALIVE, 1L);
	SETOPT(x, CURLOPT_BUFFERSIZE, RECEIVE_SIZE);
	SETOPT(x, CURLOPT_USERAGENT, "pinsight_fdw/" PINSIGHT_VERSION);
	SETOPT(x, CURLOPT_PREREQFUNCTION, on_connected);
	SETOPT(x, CURLOPT_PREREQDATA, x);
	SETOPT(x, CURLOPT_HEADERFUNCTION, on_header);
	SETOPT(x, CURLOPT_HEADERDATA, x);
	SETOPT(x, CURLOPT_WRITEFUNCTION, on_body);
	SETOPT(x, CURLOPT_WRITEDATA, x);
}

/*
 * Empty strings for the proxy keep the environment's variables out.  The other
 * way to be known to a SOCKS proxy would be the machine's Kerberos tickets.
 */
static void
set_up_connection(PinExchange *x, const PinHttpSettings *settings)
{
	SETOPT(x, CURLOPT_CONNECTTIMEOUT_MS, (long) settings->connect_timeout_ms);
	SETOPT(x, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
	SETOPT(x, CURLOPT_NOPROXY, "");
	SETOPT(x, CURLOPT_SOCKS5_AUTH, (long) CURLAUTH_BASIC);
	if (settings->proxy && settings->proxy_user)
	{
		SETOPT(x, CURLOPT_PROXYAUTH, (long) CURLAUTH_BASIC);
		SETOPT(x, CURLOPT_PROXYUSERNAME, settings->proxy_user);
		SETOPT(x, CURLOPT_PROXYPASSWORD,
			   settings->proxy_password ? settings->proxy_password : "");
	}
	SETOPT(x, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE);
	SETOPT(x, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (settings->ca_file)
	{
		SETOPT(x, CURLOPT_CAINFO, settings->ca_file);
		SETOPT(x, CURLOPT_PROXY_CAINFO, settings->ca_file);
	}
}

/*
 * Adds "name: before value"; a value that would end the line is refused, so
 * that what a remote party gave us cannot grow into headers of its own.
 */
static void
add_header(PinExchange *x, const char *name, const char *before,
		   const char *value)
{
	size_t		size = strlen(name) + strlen(before) + strlen(value) + 3;
	struct curl_slist *list;
	char	   *line;

	if (x->setup != CURLE_OK)
		return;
	x->setup_option = name;
	for (const char *c = value; *c; c++)
	{
		if ((unsigned char) *c < 0x20 || *c == 0x7F)
		{
			x->setup = CURLE_BAD_FUNCTION_ARGUMENT;
			return;
		}
	}
	line = malloc(size);
	if (line)
		snprintf(line, size, "%s: %s%s", name, before, value);
	list = line ? curl_slist_append(x->request_headers, line) : NULL;
	free(line);
	if (list)
		x->request_headers = list;
	else
		x->setup = CURLE_OUT_OF_MEMORY;
}

/* A header libcurl would add by itself is left out: "name:" and nothing. */
static void
omit_header(PinExchange *x, const char *line)
{
	struct curl_slist *list;

	if (x->setup != CURLE_OK)
		return;
	list = curl_slist_append(x->request_headers, line);
	if (list)
		x->request_headers = list;
	else
		x->setup = CURLE_OUT_OF_MEMORY;
}

static void
set_up_headers(PinExchange *x, const PinRequest *request)
{
	char		range[48];

	if (request->bearer)
		add_header(x, "Authorization", "Bearer ", request->bearer);
	if (request->content_type)
		add_header(x, "Content-Type", "", request->content_type);
	else
		omit_header(x, "Content-Type:");
	if (request->if_match)
		add_header(x, "If-Match", "", request->if_match);
	if (request->validate_mfa)
		add_header(x, "ValidateMfa", "", "true");
	if (request->range_from > 0 || request->range_to > 0)
	{
		int			len = snprintf(range, sizeof(range), "%lld-", (long long) request->range_from);

		if (request->range_to > 0)
			snprintf(range + len, sizeof(range) - len, "%lld", (long long) request->range_to);
		add_header(x, "Range", "bytes=", range);
	}
	/* Waiting for "100 Continue" only costs time. */
	omit_header(x, "Expect:");
	SETOPT(x, CURLOPT_HTTPHEADER, x->request_headers);
}

static void
set_up_request(PinExchange *x, const PinRequest *request)
{
	bool		is_get = strcmp(request->method, "GET") == 0;
	bool		is_delete = strcmp(request->method, "DELETE") == 0;
	bool		is_post = strcmp(request->method, "POST") == 0;

	SETOPT(x, CURLOPT_URL, request->url);
	if (request->body || !(is_get || is_delete))
	{
		size_t		len = request->body ? request->body_len : 0;

		SETOPT(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) len);
		SETOPT(x, CURLOPT_COPYPOSTFIELDS, request->body ? request->body : "");
	}
	else
		SETOPT(x, CURLOPT_HTTPGET, 1L);
	SETOPT(x, CURLOPT_CUSTOMREQUEST, request->method);
	if (is_post)
		SETOPT(x, CURLOPT_FRESH_CONNECT, 1L);
	set_up_headers(x, request);
}

static bool
is_known_method(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0 ||
		strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

/* May this request be sent at all? */
static bool
check_request(const PinHttpSettings *settings, const PinRequest *request,
			  PinError *err)
{
	if (!pin_url_allowed(request->url, err))
		return false;
	if (settings->proxy && !pin_proxy_allowed(settings->proxy, err))
		return false;
	if (settings->proxy && !pin_url_is_https(request->url) &&
		!pin_url_is_loopback(settings->proxy))
	{
		pin_error_set(err, PIN_ERROR_URL,
					  "plain http is not sent through a proxy on another machine");
		return false;
	}
	if (!is_known_method(request->method) || settings->connect_timeout_ms <= 0 ||
		settings->request_timeout_ms <= 0)
	{
		pin_error_set(err, PIN_ERROR_INTERNAL,
					  "HTTP request without a known method or positive timeouts");
		return false;
	}
	return true;
}

/* Sets all options and hands the exchange to libcurl. */
static bool
launch(PinExchange *x, const PinHttpSettings *settings,
	   const PinRequest *request, PinError *err)
{
	CURLMcode	code;

	set_up_rules(x);
	set_up_connection(x, settings);
	set_up_request(x, request);
	if (x->setup == CURLE_OUT_OF_MEMORY)
	{
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return false;
	}
	if (x->setup != CURLE_OK)
	{
		pin_error_set(err, x->setup == CURLE_BAD_FUNCTION_ARGUMENT ?
					  PIN_ERROR_REPLY : PIN_ERROR_INTERNAL,
					  "could not prepare a request to host \"%s\": %s: %s",
					  x->host, x->setup_option, curl_easy_strerror(x->setup));
		return false;
	}
	x->since_us = pin_now_us();
	code = curl_multi_add_handle(x->http->multi, x->easy);
	if (code != CURLM_OK ||
		!pin_mux_arm(x->http->mux, &x->deadline,
					 x->since_us + (int64_t) x->timeout_ms * 1000))
	{
		pin_error_set(err, code == CURLM_OUT_OF_MEMORY ?
					  PIN_ERROR_OUT_OF_MEMORY : PIN_ERROR_INTERNAL,
					  "could not start a request to host \"%s\": %s", x->host,
					  code == CURLM_OK ? strerror(errno) : curl_multi_strerror(code));
		return false;
	}
	return true;
}

/* An exchange linked into its engine, not yet set up; NULL: no memory. */
static PinExchange *
create_exchange(PinHttp *http, const PinHttpSettings *settings,
				const PinRequest *request)
{
	PinExchange *x = calloc(1, sizeof(PinExchange));

	if (!x)
		return NULL;
	x->http = http;
	x->next = http->first;
	if (x->next)
		x->next->prev = x;
	http->first = x;
	x->stream = request->stream;
	x->by_proxy = settings->proxy != NULL;
	x->timeout_ms = settings->request_timeout_ms;
	x->head.fields.max = PIN_HTTP_HEADER_MAX;
	x->body.max = PIN_HTTP_BODY_MAX;
	pin_error_reset(&x->error);
	pin_url_host(request->url, x->host, sizeof(x->host));
	x->easy = curl_easy_init();
	if (x->easy && (!x->stream || pin_window_open(&x->window, PIN_HTTP_WINDOW)))
		return x;
	pin_exchange_free(x);
	return NULL;
}

PinExchange *
pin_http_start(PinHttp *http, const PinHttpSettings *settings,
			   const PinRequest *request, PinError *err)
{
	PinExchange *x;

	pin_error_reset(err);
	if (!check_request(settings, request, err))
		return NULL;
	x = create_exchange(http, settings, request);
	if (!x)
	{
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return NULL;
	}
	if (!launch(x, settings, request, err))
	{
		pin_exchange_free(x);
		return NULL;
	}
	return x;
}

void
pin_exchange_free(PinExchange *x)
{
	if (!x)
		return;
	retire(x, x->state);
	if (x->prev)
		x->prev->next = x->next;
	else
		x->http->first = x->next;
	if (x->next)
		x->next->prev = x->prev;
	pin_head_free(&x->head);
	pin_buffer_free(&x->body);
	pin_window_close(&x->window);
	free(x);
}

/* ----------
 * The engine
 * ----------
 */

static bool
set_up_multi(PinHttp *http)
{
	CURLM	   *multi = http->multi;

	return
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS_MAX) == CURLM_OK;
}

PinHttp *
pin_http_open(PinError *err)
{
	const char *fault = libcurl_fault();
	PinHttp    *http;

	pin_error_reset(err);
	if (fault)
	{
		pin_error_set(err, PIN_ERROR_INTERNAL, "%s", fault);
		return NULL;
	}
	http = calloc(1, sizeof(PinHttp));
	if (http && (http->mux = pin_mux_open()) != NULL &&
		(http->multi = curl_multi_init()) != NULL && set_up_multi(http))
		return http;
	pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "could not set up HTTP: %s",
				  strerror(errno));
	pin_http_close(http);
	return NULL;
}

void
pin_http_close(PinHttp *http)
{
	if (!http)
		return;
	while (http->first)
		pin_exchange_free(http->first);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	pin_mux_close(http->mux);
	free(http);
}

int
pin_http_fd(const PinHttp *http)
{
	return pin_mux_fd(http->mux);
}

PinMux *
pin_http_mux(PinHttp *http)
{
	return http->mux;
}

/* libcurl as a whole refuses to go on: so does every exchange. */
static void
fail_all(PinHttp *http, CURLMcode code)
{
	for (PinExchange *x = http->first; x; x = x->next)
	{
		if (x->state != PIN_EXCHANGE_RUNNING)
			continue;
		pin_error_set(&x->error, code == CURLM_OUT_OF_MEMORY ?
					  PIN_ERROR_OUT_OF_MEMORY : PIN_ERROR_INTERNAL,
					  "request to host \"%s\" failed: %s", x->host,
					  curl_multi_strerror(code));
		fail(x);
	}
}

/*
 * Tells libcurl that its time has come.  It does not repeat a timer it
 * believes to be running already, so one that fired too early by the two
 * clocks' difference is set again here.
 */
static CURLMcode
drive_timer(PinHttp *http)
{
	CURLMcode	code;
	long		timeout_ms = -1;
	int			running;

	pin_mux_disarm(http->mux, &http->curl_timer);
	code = curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	if (code == CURLM_OK && http->curl_timer.due_us == 0)
	{
		code = curl_multi_timeout(http->multi, &timeout_ms);
		if (code == CURLM_OK && on_timer(http->multi, timeout_ms, http) < 0)
			code = CURLM_INTERNAL_ERROR;
	}
	return code;
}

static CURLMcode
drive_socket(PinHttp *http, const PinReady *ready)
{
	int			events = 0;
	int			running;

	if (ready->events & PIN_MUX_READ)
		events |= CURL_CSELECT_IN;
	if (ready->events & PIN_MUX_WRITE)
		events |= CURL_CSELECT_OUT;
	if (ready->events & PIN_MUX_ERROR)
		events |= CURL_CSELECT_ERR;
	return curl_multi_socket_action(http->multi, ready->fd, events, &running);
}

/* Ends the exchanges libcurl is through with. */
static void
collect(PinHttp *http)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		PinExchange *x = NULL;
		CURLcode	code = message->data.result;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
		if (message->msg == CURLMSG_DONE && x)
			finish(x, code);
	}
}

/*
 * The deadline of a running exchange has come: is it over time?  What arrived
 * has been read by now, so a process that slept longer than the timeout still
 * gets the reply that came meanwhile.  A paused exchange waits for us.
 */
static void
check_deadline(PinExchange *x)
{
	int64_t		now_us = pin_now_us();
	int64_t		due_us;

	if (x->paused)
		x->since_us = now_us;
	due_us = x->since_us + (int64_t) x->timeout_ms * 1000;
	if (due_us > now_us)
	{
		pin_mux_arm(x->http->mux, &x->deadline, due_us);
		return;
	}
	pin_error_set(&x->error, PIN_ERROR_REQUEST_TIMEOUT,
				  x->stream ? "host \"%s\" sent nothing for %d ms" :
				  "host \"%s\" did not answer within %d ms",
				  x->host, x->timeout_ms);
	fail(x);
}

/* One look at the sockets and at libcurl's timer; *more: there were any due. */
static CURLMcode
drive_round(PinHttp *http, bool *more)
{
	PinReady	ready[READY_MAX];
	CURLMcode	code = CURLM_OK;
	int			n;

	pin_mux_drain(http->mux);
	n = pin_mux_ready(http->mux, ready, READY_MAX);
	*more = n > 0;
	for (int i = 0; i < n && code == CURLM_OK; i++)
		code = drive_socket(http, &ready[i]);
	if (code == CURLM_OK && pin_timer_due(&http->curl_timer))
	{
		*more = true;
		code = drive_timer(http);
	}
	collect(http);
	return code;
}

/*
 * Is it a reader's turn?  It is if the next bytes may be too many for its window,
 * or all that may be poured was: a transfer can be paused, but libcurl copies
 * what it could not deliver.
 */
static bool
reader_has_turn(const PinHttp *http)
{
	for (const PinExchange *x = http->first; x; x = x->next)
	{
		if (x->stream && x->state == PIN_EXCHANGE_RUNNING && !x->paused &&
			(x->take ? x->poured >= POURED_MAX :
			 x->window.size - x->window.len < RECEIVE_SIZE))
			return true;
	}
	return false;
}

/*
 * libcurl starts threads for name lookups, and they inherit the signal mask:
 * with all signals blocked, the process's handlers never run in one of them.
 */
void
pin_http_drive(PinHttp *http)
{
	CURLMcode	code = CURLM_OK;
	bool		more = true;
	sigset_t	all;
	sigset_t	saved;

	http->drives++;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	for (int round = 0; more && code == CURLM_OK && round < ROUNDS_MAX; round++)
	{
		code = drive_round(http, &more);
		more = more && !reader_has_turn(http);
	}
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (code != CURLM_OK)
		fail_all(http, code);
	for (PinExchange *x = http->first; x; x = x->next)
	{
		if (x->state == PIN_EXCHANGE_RUNNING && pin_timer_due(&x->deadline))
			check_deadline(x);
	}
}

uint64_t
pin_http_drives(const PinHttp *http)
{
	return http->drives;
}

/* ----------
 * What an exchange has to tell
 * ----------
 */

PinExchangeState
pin_exchange_state(const PinExchange *x)
{
	return x->state;
}

const PinError *
pin_exchange_error(const PinExchange *x)
{
	return &x->error;
}

int
pin_exchange_status(const PinExchange *x)
{
	return x->head.status;
}

const char *
pin_exchange_header(const PinExchange *x, const char *name)
{
	return pin_head_find(&x->head, name);
}

int64_t
pin_exchange_date(const PinExchange *x)
{
	const char *value = pin_head_find(&x->head, "Date");

	return value ? (int64_t) curl_getdate(value, NULL) : -1;
}

/* Seconds until a date of the server's, by its own clock if it tells the time. */
static int64_t
seconds_until(const PinExchange *x, int64_t date)
{
	int64_t		now = pin_exchange_date(x);

	return date - (now >= 0 ? now : (int64_t) time(NULL));
}

int
pin_exchange_retry_after_ms(const PinExchange *x)
{
	const char *value = pin_head_find(&x->head, "Retry-After");
	int64_t		seconds = 0;
	size_t		digits;

	if (!value || !*value)
		return -1;
	digits = strspn(value, "0123456789");
	if (value[digits] != '\0')
	{
		time_t		date = curl_getdate(value, NULL);

		if (date == -1)
			return -1;
		seconds = seconds_until(x, date);
	}
	else
		seconds = digits < 10 ? strtoll(value, NULL, 10) : INT_MAX;
	if (seconds < 0)
		seconds = 0;
	return seconds > INT_MAX / 1000 ? INT_MAX : (int) seconds * 1000;
}

const char *
pin_exchange_body(const PinExchange *x, size_t *len)
{
	if (len)
		*len = x->body.len;
	return x->body.data ? x->body.data : "";
}

size_t
pin_exchange_peek(const PinExchange *x, const char **data)
{
	*data = x->window.len > 0 ? x->window.data + x->window.start : "";
	return x->window.len;
}

/*
 * A paused transfer goes on when half of the window is free: not for every
 * few bytes, and before the window runs dry.
 */
void
pin_exchange_consume(PinExchange *x, size_t n)
{
	CURLcode	code;

	pin_window_consume(&x->window, n);
	x->poured = 0;
	if (!x->paused || x->window.len > x->window.size / 2)
		return;
	x->paused = false;
	x->since_us = pin_now_us();
	/* hands over what libcurl holds back, which may fill the window again */
	code = curl_easy_pause(x->easy, CURLPAUSE_CONT);
	if (code != CURLE_OK)
		finish(x, code);
}

void
pin_exchange_pour(PinExchange *x, PinExchangeTake take, void *arg)
{
	x->take = take;
	x->take_arg = arg;
}

bool
pin_exchange_end_proven(const PinExchange *x)
{
	return x->end_proven;
}
