/*-------------------------------------------------------------------------
 *
 * http.h
 *		HTTP exchanges that never block: the only file that sees libcurl.
 *
 * A PinHttp is the engine: one curl_multi over one PinMux.  A PinExchange is
 * one request and its reply.  Nothing here sleeps: start exchanges, wait for
 * pin_http_fd() to become readable, call pin_http_drive(), look at the
 * exchanges' states.
 *
 * Rules kept here and nowhere else: HTTPS only, except plain HTTP to loopback
 * addresses; no redirects; no proxy from the environment; no signals; bounded
 * header and body sizes; an exchange has its own Authorization header or none;
 * tearing down never waits (not even for a name lookup).
 *
 * A POST never rides on a connection that was used before: where such a
 * connection turns out to be dead, libcurl sends the request once more by
 * itself, and a report must not be created twice.
 *
 * The process has to ignore SIGPIPE, as PostgreSQL's backends do.
 *
 * Plain C.  Never raises; no callback of libcurl does more than store, but for
 * what pin_exchange_pour() has it call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_HTTP_H
#define PIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "transport/mux.h"
#include "transport/url.h"		/* pin_url_allowed and friends */

typedef struct PinHttp PinHttp;
typedef struct PinExchange PinExchange;

/* Where and how to connect; strings are copied when an exchange starts. */
typedef struct PinHttpSettings
{
	const char *ca_file;		/* PEM file of CAs; NULL: the system's */
	const char *proxy;			/* proxy URL; NULL: none, not even the
								 * environment's */
	const char *proxy_user;		/* who we are to the proxy; NULL: nobody */
	const char *proxy_password; /* proved by this; sent to the proxy alone */
	int			connect_timeout_ms; /* > 0 */
	int			request_timeout_ms; /* > 0; for streamed bodies the longest
									 * silence instead of the whole */
} PinHttpSettings;

typedef struct PinRequest
{
	const char *method;			/* "GET", "POST", "PUT", "DELETE" */
	const char *url;			/* complete, already encoded; sent as is */
	const char *bearer;			/* token for an Authorization header, or NULL */
	const char *content_type;	/* NULL: no Content-Type header */
	const char *body;			/* NULL: no body; copied */
	size_t		body_len;
	bool		stream;			/* body goes through a window (see
								 * pin_exchange_peek), not into memory */
	int64_t		range_from;		/* > 0: Range: bytes=N- */
	int64_t		range_to;		/* > 0: only up to that byte */
	const char *if_match;		/* ETag for If-Match, or NULL */
	bool		validate_mfa;	/* ValidateMfa: true */
} PinRequest;

typedef enum PinExchangeState
{
	PIN_EXCHANGE_RUNNING,
	PIN_EXCHANGE_DONE,			/* a whole reply is here, whatever its status */
	PIN_EXCHANGE_FAILED			/* no whole reply; see pin_exchange_error */
} PinExchangeState;

/* Largest reply body kept in memory (JSON), bytes. */
#define PIN_HTTP_BODY_MAX (8 * 1024 * 1024)
/* Largest sum of reply headers, bytes. */
#define PIN_HTTP_HEADER_MAX (64 * 1024)
/*
 * Window of a streamed body: the transfer pauses while it is full.  The larger
 * the pieces that go through it and into a file, the less the kernel has to do
 * for each byte.
 */
#define PIN_HTTP_WINDOW (1024 * 1024)

/* Opens an engine.  NULL with *err filled on failure. */
extern PinHttp *pin_http_open(PinError *err);

/* Closes it and whatever exchanges still exist.  NULL is fine.  Never waits. */
extern void pin_http_close(PinHttp *http);

/* Readable when pin_http_drive() has something to do. */
extern int	pin_http_fd(const PinHttp *http);

/* For other timers that should make pin_http_fd() readable. */
extern PinMux *pin_http_mux(PinHttp *http);

/*
 * Moves every exchange on as far as it goes without waiting.  It drains the
 * mux, so look at every timer of your own afterwards.
 */
extern void pin_http_drive(PinHttp *http);

/*
 * How often that was done.  Whoever finds another number than after his own
 * call has to look at everything of his anew before he waits.
 */
extern uint64_t pin_http_drives(const PinHttp *http);

/*
 * Starts an exchange.  NULL with *err filled (an URL that is refused, no
 * memory).  The caller frees it, running or not, before the engine.
 */
extern PinExchange *pin_http_start(PinHttp *http, const PinHttpSettings *settings,
								   const PinRequest *request, PinError *err);
extern void pin_exchange_free(PinExchange *x);	/* NULL is fine */

extern PinExchangeState pin_exchange_state(const PinExchange *x);

/*
 * After PIN_EXCHANGE_FAILED: kind RESOLVE, CONNECT, TLS, CONNECTION_LOST,
 * REQUEST_TIMEOUT, REPLY_TOO_LARGE, ...; `ambiguous` is false only when the request
 * provably never reached the server (resolve, connect, TLS handshake).
 */
extern const PinError *pin_exchange_error(const PinExchange *x);

/* HTTP status; 0 while no status line has arrived. */
extern int	pin_exchange_status(const PinExchange *x);

/*
 * A reply header by name, without case; NULL if absent.  Owned by the
 * exchange.  Of repeated headers the last.
 */
extern const char *pin_exchange_header(const PinExchange *x, const char *name);

/* Retry-After as milliseconds from now (seconds or HTTP date), -1 if absent. */
extern int	pin_exchange_retry_after_ms(const PinExchange *x);

/* Date, the server's clock, as seconds since 1970; -1 if absent or no date. */
extern int64_t pin_exchange_date(const PinExchange *x);

/* Body of a reply that was not streamed; zero-terminated; never NULL. */
extern const char *pin_exchange_body(const PinExchange *x, size_t *len);

/*
 * A streamed body: pin_exchange_peek gives the bytes that have arrived and not
 * been consumed (0: none now), pin_exchange_consume releases the first n of
 * them and lets a paused transfer go on.  Error replies (status >= 300) of a
 * streamed exchange are kept in memory instead, up to PIN_HTTP_BODY_MAX.
 * A streamed exchange is only DONE/FAILED for the network; bytes left in the
 * window remain to be peeked afterwards.
 */
extern size_t pin_exchange_peek(const PinExchange *x, const char **data);
extern void pin_exchange_consume(PinExchange *x, size_t n);

/*
 * Once the window is empty: from now on a running exchange's bytes are given to
 * take() as they arrive, and none of them is copied.  It is called from within
 * pin_http_drive(), below libcurl: it must neither raise nor call anything of
 * this header.  Where it returns false the exchange fails.  After some MB the
 * transfer pauses until pin_exchange_consume() is called, with 0.
 */
typedef bool (*PinExchangeTake) (void *arg, const char *data, size_t len);
extern void pin_exchange_pour(PinExchange *x, PinExchangeTake take, void *arg);

/*
 * True if the end of the body was proven by the protocol: Content-Length
 * reached, or a chunked or HTTP/2 end seen; not by a mere close.
 */
extern bool pin_exchange_end_proven(const PinExchange *x);

#endif							/* PIN_HTTP_H */
