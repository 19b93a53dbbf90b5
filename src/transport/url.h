/*-------------------------------------------------------------------------
 *
 * url.h
 *		Which addresses may be called, and how they may be named in messages.
 *
 * Addresses are judged by a grammar much narrower than what URL parsers
 * accept: whatever reads them afterwards can only agree about the host.
 *
 * Plain C.  Never allocates.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_URL_H
#define PIN_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Room for a host's longest name, a port and a terminator. */
#define PIN_URL_HOST_SIZE 272

/*
 * True if url may be called: https with a host, or http with a loopback host
 * (127.0.0.0/8, [::1], localhost); no user info, no control characters or
 * blanks.  Fills *err (kind URL) without repeating the query part.
 */
extern bool pin_url_allowed(const char *url, PinError *err);

/*
 * True if a proxy's address is one that can be used: http, https or socks5,
 * no path.  User and password are allowed.  Fills *err (kind URL) without
 * repeating them.
 */
extern bool pin_proxy_allowed(const char *proxy, PinError *err);

/* True if the URL's host is a loopback address or localhost. */
extern bool pin_url_is_loopback(const char *url);

/* True if the URL is https. */
extern bool pin_url_is_https(const char *url);

/*
 * Copies "host" or "host:port" of a URL to dst (size bytes), for messages:
 * nothing of it is secret.  Returns dst; empty if there is no host.
 */
extern char *pin_url_host(const char *url, char *dst, size_t size);

#endif							/* PIN_URL_H */
