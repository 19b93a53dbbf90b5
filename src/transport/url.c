/*-------------------------------------------------------------------------
 *
 * url.c
 *		Which addresses may be called, and how they may be named in messages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* strncasecmp, inet_pton under -std */
#endif

#include "transport/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "host_text.h"

/* The pieces of a URL, pointing into it. */
typedef struct UrlParts
{
	size_t		scheme_len;		/* before "://"; 0: there is no "://" */
	const char *authority;		/* after it: user info, host, port */
	size_t		authority_len;
	const char *host;			/* without brackets */
	size_t		host_len;
	bool		bracketed;		/* host stood in [ ] */
	bool		user_info;		/* authority holds an @ */
	const char *port;			/* digits behind the colon, or NULL */
	size_t		port_len;
	const char *rest;			/* path and query */
} UrlParts;

/* Splits host and port; false if what stands there is neither. */
static bool
split_host(UrlParts *parts, const char *start, const char *end)
{
	const char *colon;

	parts->bracketed = start < end && *start == '[';
	if (parts->bracketed)
	{
		const char *close = memchr(start, ']', (size_t) (end - start));

		if (!close || (close + 1 < end && close[1] != ':'))
			return false;
		parts->host = start + 1;
		parts->host_len = (size_t) (close - parts->host);
		colon = close + 1 < end ? close + 1 : NULL;
	}
	else
	{
		colon = memchr(start, ':', (size_t) (end - start));
		parts->host = start;
		parts->host_len = (size_t) ((colon ? colon : end) - start);
	}
	parts->port = colon ? colon + 1 : NULL;
	parts->port_len = colon ? (size_t) (end - parts->port) : 0;
	return true;
}

/* Finds the pieces; false where the shape is wrong. */
static bool
split_url(const char *url, UrlParts *parts)
{
	const char *sep = strstr(url, "://");
	const char *start;
	const char *at = NULL;

	memset(parts, 0, sizeof(*parts));
	if (!sep || sep == url)
		return false;
	parts->scheme_len = (size_t) (sep - url);
	parts->authority = sep + 3;
	parts->authority_len = strcspn(parts->authority, "/?#");
	parts->rest = parts->authority + parts->authority_len;
	start = parts->authority;
	for (const char *c = start; c < parts->rest; c++)
	{
		if (*c == '@')
			at = c;
	}
	parts->user_info = at != NULL;
	return split_host(parts, at ? at + 1 : start, parts->rest);
}

static bool
scheme_is(const char *url, const UrlParts *parts, const char *scheme)
{
	return parts->scheme_len == strlen(scheme) &&
		strncasecmp(url, scheme, parts->scheme_len) == 0;
}

/* Copies the bare host; false if it is empty or longer than any name. */
static bool
copy_host(const UrlParts *parts, char *dst, size_t size)
{
	if (parts->host_len == 0 || parts->host_len >= size)
		return false;
	memcpy(dst, parts->host, parts->host_len);
	dst[parts->host_len] = '\0';
	return true;
}

/* A name or IPv4 address of harmless characters, or an IPv6 address in []. */
static bool
host_is_sound(const UrlParts *parts)
{
	static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	char		host[254];
	struct in_addr v4;
	struct in6_addr v6;

	if (!copy_host(parts, host, sizeof(host)))
		return false;
	if (parts->bracketed)
		return inet_pton(AF_INET6, host, &v6) == 1;
	if (pin_host_ends_in_number(host))
		return inet_pton(AF_INET, host, &v4) == 1;
	return strspn(host, letters) == parts->host_len && host[0] != '.';
}

static bool
port_is_sound(const UrlParts *parts)
{
	long		port = 0;

	if (!parts->port)
		return true;
	if (parts->port_len == 0 || parts->port_len > 5)
		return false;
	for (size_t i = 0; i < parts->port_len; i++)
	{
		if (parts->port[i] < '0' || parts->port[i] > '9')
			return false;
		port = port * 10 + (parts->port[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/*
 * Only the canonical spellings count: "127.1" or "0x7f.1" may mean loopback to
 * some and something else to others.
 */
static bool
host_is_loopback(const UrlParts *parts)
{
	char		host[64];
	struct in_addr v4;
	struct in6_addr v6;

	if (!copy_host(parts, host, sizeof(host)))
		return false;
	if (parts->bracketed)
		return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	if (strcasecmp(host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool
has_blank_or_control(const char *url)
{
	for (const unsigned char *c = (const unsigned char *) url; *c; c++)
	{
		if (*c <= 0x20 || *c == 0x7F)
			return true;
	}
	return false;
}

/*
 * The part of an address that may be shown: nothing up to the last "@" (user
 * info, wherever a reader may see it) and nothing from the query on.
 */
static char *
shown(const char *url, char *dst, size_t size)
{
	size_t		len = strcspn(url, "?#");

	for (size_t i = len; i > 0; i--)
	{
		if (url[i - 1] == '@')
		{
			url += i;
			len -= i;
			break;
		}
	}
	return pin_error_clean(dst, size, url, len);
}

/* What is wrong with a URL, or NULL. */
static const char *
find_fault(const char *url)
{
	UrlParts	parts;

	if (has_blank_or_control(url))
		return "it contains a blank or a control character";
	if (!split_url(url, &parts))
		return "it is not a complete URL";
	if (parts.user_info)
		return "it contains a user name or password";
	if (!host_is_sound(&parts))
		return "it has no proper host";
	if (!port_is_sound(&parts))
		return "it has no proper port";
	if (scheme_is(url, &parts, "https"))
		return NULL;
	if (!scheme_is(url, &parts, "http"))
		return "it is not https";
	if (!host_is_loopback(&parts))
		return "plain http is only allowed for loopback addresses";
	return NULL;
}

bool
pin_url_allowed(const char *url, PinError *err)
{
	const char *fault = find_fault(url);
	char		text[256];

	pin_error_reset(err);
	if (fault)
		pin_error_set(err, PIN_ERROR_URL, "address \"%s\" is refused: %s",
					  shown(url, text, sizeof(text)), fault);
	return fault == NULL;
}

static const char *
find_proxy_fault(const char *proxy)
{
	UrlParts	parts;

	if (has_blank_or_control(proxy))
		return "it contains a blank or a control character";
	if (!split_url(proxy, &parts) ||
		!(scheme_is(proxy, &parts, "http") || scheme_is(proxy, &parts, "https") ||
		  scheme_is(proxy, &parts, "socks5") || scheme_is(proxy, &parts, "socks5h")))
		return "it is not an http, https or socks5 URL";
	if (!host_is_sound(&parts))
		return "it has no proper host";
	if (!port_is_sound(&parts))
		return "it has no proper port";
	if (strcmp(parts.rest, "") != 0 && strcmp(parts.rest, "/") != 0)
		return "it has a path";
	return NULL;
}

bool
pin_proxy_allowed(const char *proxy, PinError *err)
{
	const char *fault = find_proxy_fault(proxy);
	char		text[256];

	pin_error_reset(err);
	if (fault)
	{
		pin_error_set(err, PIN_ERROR_URL, "proxy \"%s\" is refused: %s",
					  shown(proxy, text, sizeof(text)), fault);
		pin_error_hint(err, "Write the proxy as http://host:port.");
	}
	return fault == NULL;
}

bool
pin_url_is_loopback(const char *url)
{
	UrlParts	parts;

	return split_url(url, &parts) && host_is_loopback(&parts);
}

bool
pin_url_is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

char *
pin_url_host(const char *url, char *dst, size_t size)
{
	UrlParts	parts;
	const char *end;
	const char *start;

	if (!split_url(url, &parts))
		return pin_error_clean(dst, size, "", 0);
	start = parts.bracketed ? parts.host - 1 : parts.host;
	end = parts.rest;
	return pin_error_clean(dst, size, start, (size_t) (end - start));
}
