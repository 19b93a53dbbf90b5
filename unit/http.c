/*-------------------------------------------------------------------------
 *
 * http.c
 *		Unit test of src/transport/http.c (and head.c, buffer.c, window.c).
 *
 * Every wait is poll() on the engine's one descriptor and nothing else: a
 * socket or timer that is not inside it makes a test run into its bound.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* strcasestr, RTLD_NEXT */
#endif

#include "transport/http.h"
#include "transport/retry.h"
#include "loopback.h"
#include "tap.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>

/* No wait of this test takes longer, milliseconds. */
#define PATIENCE 20000

/* The answer of a name service that takes its time. */
#define SLOW_LOOKUP 1500

static Loopback *server;
static PinHttp *http;
static PinHttpSettings settings = {.connect_timeout_ms = 5000,.request_timeout_ms = 5000};
static int	wakeups;			/* of the last wait */
static atomic_int unshielded;	/* lookups in threads that take signals */

/*
 * Stands in for libc's: names under slow.invalid take long to be not found,
 * others under invalid do not need a network to be not found.
 */
int
getaddrinfo(const char *node, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	typedef int (*Lookup) (const char *, const char *, const struct addrinfo *,
						   struct addrinfo **);
	Lookup		real;
	sigset_t	mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	if (!sigismember(&mask, SIGALRM) || !sigismember(&mask, SIGTERM))
		atomic_fetch_add(&unshielded, 1);
	if (node && strstr(node, ".invalid"))
	{
		if (strstr(node, "slow."))
			nap(SLOW_LOOKUP);
		return EAI_NONAME;
	}
	*(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, result);
}

static int
elapsed_ms(int64_t since_us)
{
	return (int) ((pin_now_us() - since_us) / 1000);
}

static int
count_descriptors(void)
{
	DIR		   *dir = opendir("/proc/self/fd");
	int			n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 3;				/* ".", ".." and the directory itself */
}

/* Sleeps until the engine has something to do; drives it. */
static bool
step(int64_t start_us)
{
	struct pollfd p = {.fd = pin_http_fd(http),.events = POLLIN};
	int			left = PATIENCE - elapsed_ms(start_us);

	if (left <= 0 || poll(&p, 1, left) != 1)
		return false;
	wakeups++;
	pin_http_drive(http);
	return true;
}

/* Waits for the end of an exchange. */
static PinExchangeState
await(const PinExchange *x)
{
	int64_t		start = pin_now_us();

	wakeups = 0;
	while (pin_exchange_state(x) == PIN_EXCHANGE_RUNNING && step(start))
		;
	return pin_exchange_state(x);
}

/* Drives for some time, whatever happens. */
static void
drive_for(int ms)
{
	int64_t		start = pin_now_us();
	int			left;

	wakeups = 0;
	while ((left = ms - elapsed_ms(start)) > 0)
	{
		struct pollfd p = {.fd = pin_http_fd(http),.events = POLLIN};

		if (poll(&p, 1, left) == 1)
		{
			wakeups++;
			pin_http_drive(http);
		}
	}
}

/* The server's address with a path; valid until the fourth call from now. */
static const char *
at(const char *path)
{
	static char urls[4][300];
	static int	next;
	char	   *url = urls[next++ % 4];

	snprintf(url, 300, "http://127.0.0.1:%d%s", server->port, path);
	return url;
}

static PinExchange *
start(const PinRequest *request)
{
	PinError	err;
	PinExchange *x = pin_http_start(http, &settings, request, &err);

	if (!x)
	{
		ok(false, "start %s: %s", request->url, err.message);
		exit(done_testing());
	}
	return x;
}

static PinExchange *
start_get(const char *url, bool stream)
{
	PinRequest	request = {.method = "GET",.url = url,.stream = stream};

	return start(&request);
}

/* A GET kept in memory, waited for. */
static PinExchange *
get(const char *path)
{
	PinExchange *x = start_get(at(path), false);

	await(x);
	return x;
}

static void
failed_as(const PinExchange *x, PinErrorKind kind, bool ambiguous, const char *name)
{
	const PinError *err = pin_exchange_error(x);

	is_int(pin_exchange_state(x), PIN_EXCHANGE_FAILED, "%s: failed", name);
	is_str(pin_error_row(err->kind)->name, pin_error_row(kind)->name, "%s: kind", name);
	is_int(err->ambiguous, ambiguous, "%s: ambiguous?", name);
	is_int(err->retry_after_ms, -1, "%s: no wish of the server", name);
	ok(err->message[0] && !strchr(err->message, '?') && !strchr(err->message, '\n'),
	   "%s: %s", name, err->message);
}

static void
test_normal(void)
{
	PinExchange *x = get("/json");
	size_t		len;

	is_int(pin_exchange_state(x), PIN_EXCHANGE_DONE, "normal: done");
	is_int(pin_exchange_status(x), 200, "normal: status");
	is_int(pin_exchange_error(x)->kind, PIN_ERROR_NONE, "normal: no error");
	is_str(pin_exchange_body(x, &len), "{\"value\": 1}", "normal: body");
	is_int((int64_t) len, 12, "normal: length");
	is_str(pin_exchange_header(x, "content-TYPE"), "application/json", "header without case");
	is_str(pin_exchange_header(x, "X-Twice"), "two", "of repeated headers the last, trimmed");
	is_str(pin_exchange_header(x, "X-None"), NULL, "absent header");
	is_int(pin_exchange_retry_after_ms(x), -1, "no Retry-After");
	ok(pin_exchange_end_proven(x), "Content-Length proves the end");
	pin_exchange_free(x);
	pin_exchange_free(NULL);
}

static void
test_requests(void)
{
	PinRequest	post = {.method = "POST",.url = at("/echo?a=%2F../b"),.bearer = "tok.en",
	.content_type = "application/json",.body = "{\"a\":1}",.body_len = 7};
	PinRequest	put = {.method = "PUT",.url = at("/echo/put")};
	PinRequest	erase = {.method = "DELETE",.url = at("/echo/./a/../b")};
	PinRequest	range = {.method = "GET",.url = at("/echo"),.range_from = 5000000000,
	.if_match = "\"v1\""};
	PinExchange *x;
	const char *echo;

	x = start(&post);
	await(x);
	echo = pin_exchange_body(x, NULL);
	has_str(echo, "POST /echo?a=%2F../b HTTP/1.1\r\n", "POST: the URL is sent as is");
	has_str(echo, "\r\nAuthorization: Bearer tok.en\r\n", "POST: token");
	has_str(echo, "\r\nContent-Type: application/json\r\n", "POST: type");
	has_str(echo, "\r\nContent-Length: 7\r\n", "POST: length");
	has_str(echo, "\r\n\r\n{\"a\":1}", "POST: body");
	has_str(echo, "\r\nUser-Agent: pinsight_fdw/", "POST: user agent");
	ok(!strcasestr(echo, "Expect:"), "POST: no Expect");
	ok(!strcasestr(echo, "Accept-Encoding"), "POST: no encoding asked for");
	pin_exchange_free(x);

	x = start(&put);
	await(x);
	echo = pin_exchange_body(x, NULL);
	has_str(echo, "PUT /echo/put HTTP/1.1\r\n", "PUT without body");
	has_str(echo, "\r\nContent-Length: 0\r\n", "PUT: its length is said");
	ok(!strcasestr(echo, "Content-Type"), "PUT: no type");
	ok(!strcasestr(echo, "Authorization"), "PUT: no token");
	pin_exchange_free(x);

	x = start(&erase);
	await(x);
	echo = pin_exchange_body(x, NULL);
	has_str(echo, "DELETE /echo/./a/../b HTTP/1.1\r\n", "DELETE: dots in the path stay");
	ok(!strcasestr(echo, "Content-"), "DELETE: no body");
	pin_exchange_free(x);

	x = start(&range);
	await(x);
	echo = pin_exchange_body(x, NULL);
	has_str(echo, "\r\nRange: bytes=5000000000-\r\n", "range");
	has_str(echo, "\r\nIf-Match: \"v1\"\r\n", "If-Match");
	ok(!strcasestr(echo, "Authorization"), "no token where none was given");
	pin_exchange_free(x);

	range.range_from = 0;
	range.range_to = 5000000000;
	x = start(&range);
	await(x);
	has_str(pin_exchange_body(x, NULL), "\r\nRange: bytes=0-5000000000\r\n", "the first part");
	pin_exchange_free(x);
}

static void
test_request_body_with_zero(void)
{
	PinRequest	request = {.method = "POST",.url = at("/json"),.body = "a\0b",.body_len = 3};
	PinExchange *x = start(&request);

	loopback_forget(server);
	is_int(await(x), PIN_EXCHANGE_DONE, "body with a zero byte");
	has_str(server->log, "Content-Length: 3\r\n", "is sent whole");
	pin_exchange_free(x);
}

static void
test_ends(void)
{
	PinExchange *x = get("/chunked");

	is_str(pin_exchange_body(x, NULL), "hello world", "chunked: body");
	ok(pin_exchange_end_proven(x), "chunked: end proven");
	is_str(pin_exchange_header(x, "X-Trailer"), NULL, "chunked: a trailer is no header");
	pin_exchange_free(x);

	x = get("/until-close");
	is_int(pin_exchange_state(x), PIN_EXCHANGE_DONE, "until close: done");
	is_str(pin_exchange_body(x, NULL), "until close", "until close: body");
	ok(!pin_exchange_end_proven(x), "until close: end not proven");
	pin_exchange_free(x);

	x = get("/no-content");
	is_int(pin_exchange_status(x), 204, "no content: status");
	is_str(pin_exchange_body(x, NULL), "", "no content: empty, not NULL");
	ok(pin_exchange_end_proven(x), "no content: end proven");
	pin_exchange_free(x);

	x = get("/interim");
	is_int(pin_exchange_status(x), 200, "interim replies: the final status counts");
	is_str(pin_exchange_header(x, "Link"), NULL, "interim replies: their headers do not");
	is_int(pin_exchange_retry_after_ms(x), -1, "interim replies: nor their Retry-After");
	pin_exchange_free(x);

	x = get("/encoded");
	is_str(pin_exchange_body(x, NULL), "\x1f\x8b raw", "Content-Encoding is left alone");
	is_str(pin_exchange_header(x, "Content-Encoding"), "gzip", "and told");
	pin_exchange_free(x);

	loopback_forget(server);
	x = get("/redirect");
	is_int(pin_exchange_status(x), 302, "redirect: simply a status");
	is_str(pin_exchange_header(x, "Location"), "/json", "redirect: where to");
	is_int(server->requests, 1, "redirect: not followed");
	pin_exchange_free(x);
}

static void
test_slow_headers(void)
{
	int64_t		since = pin_now_us();
	PinExchange *x = start_get(at("/slow-headers"), false);

	is_int(pin_exchange_status(x), 0, "slow: no status yet");
	is_int(pin_exchange_state(x), PIN_EXCHANGE_RUNNING, "slow: running");
	is_int(await(x), PIN_EXCHANGE_DONE, "slow: done");
	ok(elapsed_ms(since) >= 300, "slow: it took its time");
	ok(wakeups < 100, "slow: without spinning (%d wake-ups)", wakeups);
	pin_exchange_free(x);
}

static void
test_broken(void)
{
	static const struct
	{
		const char *path;
		PinErrorKind kind;
	}			rows[] = {
		{"/drop-before?sig=secret", PIN_ERROR_CONNECTION_LOST},
		{"/drop-head", PIN_ERROR_CONNECTION_LOST},
		{"/drop-body", PIN_ERROR_CONNECTION_LOST},
		{"/reset", PIN_ERROR_CONNECTION_LOST},
		{"/chunked-short", PIN_ERROR_CONNECTION_LOST},
		{"/chunked-garbage", PIN_ERROR_CONNECTION_LOST},
		{"/garbage", PIN_ERROR_REPLY},
		{"/big-headers", PIN_ERROR_REPLY_TOO_LARGE},
		{"/big-header-line", PIN_ERROR_REPLY_TOO_LARGE},
		{"/big-body", PIN_ERROR_REPLY_TOO_LARGE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		PinExchange *x = get(rows[i].path);

		failed_as(x, rows[i].kind, true, rows[i].path);
		has_str(pin_exchange_error(x)->message, "127.0.0.1:", "%s: host named", rows[i].path);
		ok(!pin_exchange_end_proven(x), "%s: end not proven", rows[i].path);
		pin_exchange_free(x);
		if (strcmp(rows[i].path, "/big-body") == 0)
			continue;			/* fine for a stream */
		x = start_get(at(rows[i].path), true);
		await(x);
		failed_as(x, rows[i].kind, true, rows[i].path);
		pin_exchange_free(x);
	}
}

static void
test_retry_after(void)
{
	static const struct
	{
		const char *path;
		int			least;
		int			most;
	}			rows[] = {
		{"/throttled", 7000, 7000},
		{"/retry-date", 27000, 30000},
		{"/retry-odd?past", 0, 0},
		{"/retry-odd?past&no-date", 0, 0},
		{"/retry-odd?clock", 30000, 30000},
		{"/retry-odd?huge", INT32_MAX, INT32_MAX},
		{"/retry-odd?negative", -1, -1},
		{"/retry-odd?soon", -1, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		PinExchange *x = get(rows[i].path);
		int			ms = pin_exchange_retry_after_ms(x);

		is_int(pin_exchange_state(x), PIN_EXCHANGE_DONE, "%s: done", rows[i].path);
		ok(ms >= rows[i].least && ms <= rows[i].most, "%s: %d ms", rows[i].path, ms);
		pin_exchange_free(x);
	}
}

/* Takes what is in the window, at most max bytes, and verifies it. */
static int64_t
take(PinExchange *x, int64_t offset, size_t max, bool *intact)
{
	const char *data;
	size_t		len = pin_exchange_peek(x, &data);

	*intact = *intact && len <= PIN_HTTP_WINDOW;
	if (len > max)
		len = max;
	for (size_t i = 0; i < len; i++)
		*intact = *intact && (unsigned char) data[i] == stream_byte(offset + (int64_t) i);
	pin_exchange_consume(x, len);
	return offset + (int64_t) len;
}

/* Reads a stream to its end, at most max bytes at once, napping now and then. */
static int64_t
drink(PinExchange *x, int64_t offset, size_t max, int nap_ms, bool *intact)
{
	int64_t		since = pin_now_us();
	int64_t		before = -1;

	for (int round = 0; elapsed_ms(since) < PATIENCE; round++)
	{
		if (before == offset)
		{
			if (pin_exchange_state(x) != PIN_EXCHANGE_RUNNING || !step(since))
				break;
			if (nap_ms > 0 && round % 64 == 0)
				nap(nap_ms);
		}
		before = offset;
		offset = take(x, offset, max, intact);
	}
	return offset;
}

static void
test_stream(void)
{
	bool		intact = true;
	PinExchange *x;
	int64_t		sent;
	int64_t		offset;

	loopback_forget(server);
	x = start_get(at("/stream"), true);
	drive_for(300);
	sent = atomic_load(&server->sent);
	ok(sent < STREAM_BYTES * 3 / 4, "stream: not consumed, the sender is held up (%lld sent)",
	   (long long) sent);
	drive_for(200);
	ok(wakeups < 10, "stream: paused without spinning (%d wake-ups)", wakeups);
	offset = drink(x, 0, 100000, 3, &intact);
	is_int(pin_exchange_state(x), PIN_EXCHANGE_DONE, "stream: done");
	is_int(offset, STREAM_BYTES, "stream: every byte");
	ok(intact, "stream: in order, never more than the window");
	ok(pin_exchange_end_proven(x), "stream: end proven");
	is_str(pin_exchange_body(x, NULL), "", "stream: nothing kept");
	pin_exchange_free(x);

	intact = true;
	x = start_get(at("/stream"), true);
	offset = drink(x, 0, 7777, 0, &intact);
	ok(offset == STREAM_BYTES && intact, "stream: odd sizes, every byte in order");
	pin_exchange_free(x);
}

/* Where poured bytes have got to. */
typedef struct Glass
{
	int64_t		offset;			/* bytes so far */
	int64_t		size;			/* that it takes */
	bool		intact;			/* they are the stream's */
} Glass;

static bool
fill_glass(void *arg, const char *data, size_t len)
{
	Glass	   *glass = arg;

	for (size_t i = 0; i < len; i++)
		glass->intact = glass->intact &&
			(unsigned char) data[i] == stream_byte(glass->offset + (int64_t) i);
	glass->offset += (int64_t) len;
	return glass->offset <= glass->size;
}

/* Lets a stream's first bytes pass through the window, and pours the others. */
static PinExchange *
pour_stream(Glass *glass)
{
	int64_t		since = pin_now_us();
	PinExchange *x = start_get(at("/stream"), true);
	const char *data;

	while (pin_exchange_peek(x, &data) == 0 && elapsed_ms(since) < PATIENCE)
		step(since);
	while (pin_exchange_peek(x, &data) > 0)
		glass->offset = take(x, glass->offset, SIZE_MAX, &glass->intact);
	pin_exchange_pour(x, fill_glass, glass);
	drive_for(400);
	ok(glass->offset < STREAM_BYTES / 2 - 1, "poured: waits for its reader's turn");
	while (pin_exchange_state(x) == PIN_EXCHANGE_RUNNING && elapsed_ms(since) < PATIENCE)
	{
		step(since);
		pin_exchange_consume(x, 0);
	}
	is_int((int64_t) pin_exchange_peek(x, &data), 0, "poured: not through the window");
	return x;
}

static void
test_stream_poured(void)
{
	Glass		glass = {.size = STREAM_BYTES,.intact = true};
	PinExchange *x = pour_stream(&glass);

	is_int(pin_exchange_state(x), PIN_EXCHANGE_DONE, "poured: done");
	ok(glass.offset == STREAM_BYTES && glass.intact, "poured: every byte, in order");
	pin_exchange_free(x);

	glass = (Glass)
	{
		.size = STREAM_BYTES / 2,.intact = true
	};
	x = pour_stream(&glass);
	failed_as(x, PIN_ERROR_INTERNAL, true, "poured: refused half-way");
	ok(glass.offset <= STREAM_BYTES / 2 + PIN_HTTP_WINDOW && glass.intact, "poured: no more after that");
	pin_exchange_free(x);
}

static void
test_stream_range(void)
{
	PinRequest	request = {.method = "GET",.url = at("/stream"),.stream = true,
	.range_from = STREAM_BYTES - 1000000,.if_match = "\"v1\""};
	bool		intact = true;
	PinExchange *x = start(&request);
	int64_t		offset = drink(x, request.range_from, SIZE_MAX, 0, &intact);

	is_int(pin_exchange_status(x), 206, "range: partial content");
	ok(offset == STREAM_BYTES && intact, "range: the rest of it");
	pin_exchange_free(x);
}

static void
test_stream_broken(void)
{
	bool		intact = true;
	const char *data;
	PinExchange *x = start_get(at("/stream-short"), true);

	await(x);
	failed_as(x, PIN_ERROR_CONNECTION_LOST, true, "stream cut short");
	is_int((int64_t) pin_exchange_peek(x, &data), 4096, "what came is still there");
	is_int(take(x, 0, SIZE_MAX, &intact), 4096, "and can be consumed");
	ok(intact && pin_exchange_peek(x, &data) == 0, "then nothing is left");
	pin_exchange_free(x);

	x = start_get(at("/error"), true);
	is_int(await(x), PIN_EXCHANGE_DONE, "error instead of a stream: done");
	is_int(pin_exchange_status(x), 500, "its status");
	is_str(pin_exchange_body(x, NULL), "{\"message\": \"broken\"}", "its body is kept");
	is_int((int64_t) pin_exchange_peek(x, &data), 0, "not in the window");
	pin_exchange_free(x);
}

/* Time limits: whole for a reply in memory, silence for a stream. */
static void
test_timeouts(void)
{
	bool		intact = true;
	PinExchange *x;
	int64_t		since = pin_now_us();
	const char *data;

	settings.request_timeout_ms = 400;
	x = get("/never");
	failed_as(x, PIN_ERROR_REQUEST_TIMEOUT, true, "no answer");
	ok(elapsed_ms(since) >= 400 && elapsed_ms(since) < 3000, "no answer: in time");
	pin_exchange_free(x);

	x = get("/dribble");
	failed_as(x, PIN_ERROR_REQUEST_TIMEOUT, true, "slow answer as a whole");
	is_int(pin_exchange_error(x)->http_status, 200, "slow answer: its status is told");
	pin_exchange_free(x);

	x = start_get(at("/dribble"), true);
	is_int(await(x), PIN_EXCHANGE_DONE, "slow stream that never is silent: done");
	is_int((int64_t) pin_exchange_peek(x, &data), 5, "slow stream: whole");
	pin_exchange_free(x);

	since = pin_now_us();
	x = start_get(at("/stall"), true);
	await(x);
	failed_as(x, PIN_ERROR_REQUEST_TIMEOUT, true, "stream gone silent");
	ok(elapsed_ms(since) >= 400 && elapsed_ms(since) < 3000, "stream gone silent: in time");
	is_int((int64_t) pin_exchange_peek(x, &data), 10, "stream gone silent: its bytes stay");
	pin_exchange_free(x);

	x = start_get(at("/stream"), true);
	drive_for(1300);
	is_int(pin_exchange_state(x), PIN_EXCHANGE_RUNNING, "paused by us is not silent");
	nap(600);
	ok(drink(x, 0, SIZE_MAX, 0, &intact) == STREAM_BYTES && intact, "and goes on");
	pin_exchange_free(x);

	x = start_get(at("/json"), false);
	drive_for(1);
	nap(600);
	is_int(await(x), PIN_EXCHANGE_DONE, "a reply that came while we slept counts");
	pin_exchange_free(x);
	settings.request_timeout_ms = 5000;
}

static void
test_not_connected(void)
{
	int			port;
	int			closed = listen_on_loopback(1, &port);
	char		url[100];
	int64_t		since;
	PinExchange *x;
	PinRequest	post = {.method = "POST",.url = url,.body = "x",.body_len = 1};
	sigset_t	mask;

	close(closed);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/?sig=secret", port);
	x = start(&post);
	await(x);
	failed_as(x, PIN_ERROR_CONNECT, false, "connection refused");
	has_str(pin_exchange_error(x)->message, "could not connect to host \"127.0.0.1:",
			"connection refused: says so");
	pin_exchange_free(x);

	x = start_get("https://no-such-host.invalid/?sig=secret", false);
	await(x);
	failed_as(x, PIN_ERROR_RESOLVE, false, "no such host");
	pin_exchange_free(x);

	is_int(unshielded, 0, "signals stay out of lookup threads");
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	ok(!sigismember(&mask, SIGALRM), "and in ours");

	settings.connect_timeout_ms = 300;
	since = pin_now_us();
	x = start_get("https://a.slow.invalid/?sig=secret", false);
	await(x);
	failed_as(x, PIN_ERROR_RESOLVE, false, "slow name service");
	ok(elapsed_ms(since) >= 290 && elapsed_ms(since) < SLOW_LOOKUP - 200,
	   "slow name service: given up in time (%d ms)", elapsed_ms(since));
	pin_exchange_free(x);
	settings.connect_timeout_ms = 5000;
}

/* A listener whose backlog is full lets nobody connect. */
static void
test_connect_timeout(void)
{
	int			port;
	int			listener = listen_on_loopback(0, &port);
	int			fillers[4];
	struct sockaddr_in addr = {.sin_family = AF_INET,.sin_port = htons((uint16_t) port)};
	char		url[100];
	int64_t		since = pin_now_us();
	PinExchange *x;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 4; i++)
	{
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void) !connect(fillers[i], (struct sockaddr *) &addr, sizeof(addr));
	}
	nap(50);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	settings.connect_timeout_ms = 300;
	x = start_get(url, false);
	await(x);
	failed_as(x, PIN_ERROR_CONNECT, false, "nobody accepts");
	ok(elapsed_ms(since) < 3000, "nobody accepts: given up in time");
	pin_exchange_free(x);
	x = start_get(url, false);
	drive_for(50);
	pin_exchange_free(x);
	ok(true, "cancelled while connecting");
	settings.connect_timeout_ms = 5000;
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(listener);
}

static void
test_refused(void)
{
	PinRequest	request = {.method = "GET",.url = "http://host.example/?sig=secret"};
	PinHttpSettings odd = settings;
	PinError	err;

	ok(!pin_http_start(http, &settings, &request, &err), "plain http is refused");
	is_int(err.kind, PIN_ERROR_URL, "kind URL");
	ok(!strstr(err.message, "secret"), "no query in the message: %s", err.message);
	request.url = "file:///etc/passwd";
	ok(!pin_http_start(http, &settings, &request, &err), "other schemes are refused");
	request.url = at("/json");
	request.method = "HEAD";
	ok(!pin_http_start(http, &settings, &request, &err), "unknown methods are refused");
	is_int(err.kind, PIN_ERROR_INTERNAL, "kind internal");
	request.method = "GET";
	odd.request_timeout_ms = 0;
	ok(!pin_http_start(http, &odd, &request, &err), "no timeout is refused");
	odd.request_timeout_ms = 1000;
	odd.proxy = "proxy.example:80";
	ok(!pin_http_start(http, &odd, &request, &err), "an odd proxy is refused");
	odd.proxy = "http://proxy.example:80";
	ok(!pin_http_start(http, &odd, &request, &err), "plain http never leaves the machine");
	is_int(err.kind, PIN_ERROR_URL, "kind URL");
	request.bearer = "secret\r\nX-Evil: 1";
	ok(!pin_http_start(http, &settings, &request, &err), "no header grows out of a token");
	is_int(err.kind, PIN_ERROR_REPLY, "kind reply");
	ok(!strstr(err.message, "secret"), "no token in the message: %s", err.message);
}

/* libcurl repeats requests whose reused connection is dead; never a POST. */
static void
test_post_is_sent_once(void)
{
	PinRequest	post = {.method = "POST",.url = at("/drop-before"),.body = "x",.body_len = 1};
	PinExchange *x;

	pin_exchange_free(get("/json"));
	loopback_forget(server);
	x = start(&post);
	await(x);
	failed_as(x, PIN_ERROR_CONNECTION_LOST, true, "POST on a dead connection");
	is_int(server->requests, 1, "is sent once");
	pin_exchange_free(x);
}

static void
test_proxy(void)
{
	char		proxy[100];
	PinRequest	request = {.method = "GET",.url = "https://api.invalid/?sig=secret",.bearer = "tok.en"};
	PinExchange *x;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	x = get("/json");
	is_int(pin_exchange_status(x), 200, "the environment's proxies are ignored");
	pin_exchange_free(x);
	setenv("no_proxy", "*", 1);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server->port);
	settings.proxy = proxy;
	loopback_forget(server);
	x = start_get("http://127.0.0.1:1/json", false);
	await(x);
	is_int(pin_exchange_status(x), 200, "our proxy is used, whatever no_proxy says");
	has_str(server->log, "GET http://127.0.0.1:1/json HTTP/1.1", "with the whole URL");
	pin_exchange_free(x);
	loopback_forget(server);
	x = start(&request);
	await(x);
	failed_as(x, PIN_ERROR_CONNECT, false, "proxy says no");
	has_str(server->log, "CONNECT api.invalid:443", "proxy was asked");
	ok(!strstr(server->log, "tok.en"), "and was not shown the token");
	is_int(pin_exchange_status(x), 0, "a proxy's status is not the service's");
	pin_exchange_free(x);
	settings.proxy = NULL;
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("all_proxy");
	unsetenv("no_proxy");
}

/* Dropping exchanges in every phase takes no time and leaves nothing. */
static void
test_cancel(void)
{
	static const char *const paths[] = {"/slow-headers", "/never", "/stall", "/stream",
	"/dribble", "/json"};
	int			before;
	int			slowest = 0;

	pin_exchange_free(get("/json"));
	before = count_descriptors();
	for (int ms = 0; ms <= 80; ms += 20)
	{
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		{
			PinExchange *x = start_get(at(paths[i]), i % 2 == 1);
			int64_t		since;

			drive_for(ms);
			since = pin_now_us();
			pin_exchange_free(x);
			if (elapsed_ms(since) > slowest)
				slowest = elapsed_ms(since);
		}
	}
	for (int i = 0; i < 3; i++)
	{
		PinExchange *x = start_get("https://b.slow.invalid/", false);
		int64_t		since;

		drive_for(30);
		since = pin_now_us();
		pin_exchange_free(x);
		if (elapsed_ms(since) > slowest)
			slowest = elapsed_ms(since);
	}
	ok(slowest < 200, "cancelling takes no time, even amid a name lookup (%d ms)", slowest);
	nap(SLOW_LOOKUP + 100);		/* lookups given up close theirs at their end */
	ok(count_descriptors() <= before, "and leaves no descriptor (%d before, %d after)",
	   before, count_descriptors());
}

static void
test_many(void)
{
	PinExchange *x[40];
	int64_t		since = pin_now_us();
	int			done = 0;
	bool		running = true;

	for (int i = 0; i < 40; i++)
		x[i] = start_get(at(i % 2 == 0 ? "/slow-headers" : "/json"), false);
	while (running && step(since))
	{
		running = false;
		for (int i = 0; i < 40; i++)
			running = running || pin_exchange_state(x[i]) == PIN_EXCHANGE_RUNNING;
	}
	for (int i = 0; i < 40; i++)
	{
		done += pin_exchange_state(x[i]) == PIN_EXCHANGE_DONE && pin_exchange_status(x[i]) == 200;
		pin_exchange_free(x[i]);
	}
	is_int(done, 40, "forty at once: all done");
	ok(elapsed_ms(since) < 20 * 300, "forty at once: side by side");
}

/* Timers of others wake the same descriptor. */
static void
test_foreign_timer(void)
{
	PinTimer	timer = {0};
	int64_t		since = pin_now_us();
	PinExchange *x = start_get(at("/never"), false);

	pin_mux_arm(pin_http_mux(http), &timer, since + 100000);
	while (!pin_timer_due(&timer) && step(since))
		;
	ok(pin_timer_due(&timer) && elapsed_ms(since) < 2000, "a timer of one's own wakes");
	pin_mux_disarm(pin_http_mux(http), &timer);
	pin_exchange_free(x);
}

static void
test_close(int before)
{
	PinError	err;

	start_get(at("/never"), false);
	start_get(at("/stream"), true);
	start_get("https://c.slow.invalid/", false);
	drive_for(400);
	pin_http_close(http);
	pin_http_close(NULL);
	nap(SLOW_LOOKUP + 100);
	is_int(count_descriptors(), before, "closing with running exchanges leaves no descriptor");
	http = pin_http_open(&err);
	ok(http != NULL, "another engine");
	pin_exchange_free(get("/json"));
	pin_http_close(http);
	is_int(count_descriptors(), before, "closed again");
	http = NULL;
}

/* ----------
 * TLS, against openssl's own test server
 * ----------
 */

/* Starts "openssl s_server"; returns its pid and port, 0 without openssl. */
static pid_t
start_tls_server(const char *dir, int *port)
{
	char		command[1000];
	char		line[200];
	int			out[2];
	pid_t		pid;
	FILE	   *f;

	snprintf(command, sizeof(command),
			 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
			 "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
			 "-keyout %s/key.pem -out %s/cert.pem 2>/dev/null", dir, dir);
	if (system(command) != 0 || pipe(out) < 0)
		return 0;
	pid = fork();
	if (pid == 0)
	{
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		dup2(open("/dev/null", O_WRONLY), 2);
		snprintf(command, sizeof(command), "%s/cert.pem", dir);
		snprintf(line, sizeof(line), "%s/key.pem", dir);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
			   "-cert", command, "-key", line, (char *) NULL);
		_exit(127);
	}
	close(out[1]);
	*port = 0;
	f = fdopen(out[0], "r");
	while (f && *port == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "ACCEPT 127.0.0.1:%d", port);
	if (f)
		fclose(f);
	return pid;
}

static void
test_tls_with(const char *ca, int port)
{
	char		url[100];
	PinExchange *x;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/?sig=secret", port);
	x = start_get(url, false);
	await(x);
	failed_as(x, PIN_ERROR_TLS, false, "unknown authority");
	ok(!pin_retry_is_passing(pin_exchange_error(x)), "which is no reason to try again");
	pin_exchange_free(x);
	settings.ca_file = ca;
	x = start_get(url, false);
	is_int(await(x), PIN_EXCHANGE_DONE, "ca_file makes it known");
	is_int(pin_exchange_status(x), 200, "and answers");
	ok(!pin_exchange_end_proven(x), "a TLS close proves no end");
	pin_exchange_free(x);
	snprintf(url, sizeof(url), "https://127.0.0.2:%d/", port);
	x = start_get(url, false);
	await(x);
	ok(pin_exchange_error(x)->kind == PIN_ERROR_TLS || pin_exchange_error(x)->kind == PIN_ERROR_CONNECT,
	   "another name than the certificate's is refused");
	pin_exchange_free(x);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/json", server->port);
	x = start_get(url, false);
	drive_for(400);
	pin_exchange_free(x);
	settings.ca_file = "/nonexistent/ca.pem";
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
	x = start_get(url, false);
	await(x);
	failed_as(x, PIN_ERROR_TLS, false, "missing ca_file");
	pin_exchange_free(x);
	settings.ca_file = NULL;
}

/* A host that takes a connection and lets it go again, as some do when they restart. */
static void
test_tls_broken_off(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM, 0);
	char		url[100];
	PinExchange *x;

	if (bind(listener, (struct sockaddr *) &address, len) != 0 || listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *) &address, &len) != 0)
		return (void) ok(false, "a socket that listens");
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", ntohs(address.sin_port));
	x = start_get(url, false);
	drive_for(50);
	close(accept(listener, NULL, NULL));
	await(x);
	failed_as(x, PIN_ERROR_TLS, false, "a handshake that breaks off");
	ok(pin_retry_is_passing(pin_exchange_error(x)), "is tried again");
	pin_exchange_free(x);
	close(listener);
}

static void
test_tls(void)
{
	char		dir[] = "/tmp/pinsight-unit-XXXXXX";
	char		path[100];
	int			port = 0;
	pid_t		pid;

	if (!mkdtemp(dir))
		return (void) ok(false, "temporary directory");
	pid = start_tls_server(dir, &port);
	snprintf(path, sizeof(path), "%s/cert.pem", dir);
	if (pid > 0 && port > 0)
		test_tls_with(path, port);
	else
		diag("TLS is not tested: no openssl command");
	if (pid > 0)
	{
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/key.pem", dir);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	PinError	err;
	int			before;

	signal(SIGPIPE, SIG_IGN);
	server = loopback_start();
	http = pin_http_open(&err);
	if (!ok(http != NULL, "open"))
		return done_testing();
	pin_exchange_free(get("/json"));	/* lets libraries open what they keep */
	pin_http_close(http);
	before = count_descriptors();
	http = pin_http_open(&err);

	test_normal();
	test_requests();
	test_request_body_with_zero();
	test_ends();
	test_slow_headers();
	test_broken();
	test_retry_after();
	test_stream();
	test_stream_poured();
	test_stream_range();
	test_stream_broken();
	test_timeouts();
	test_not_connected();
	test_connect_timeout();
	test_refused();
	test_post_is_sent_once();
	test_proxy();
	test_tls();
	test_tls_broken_off();
	test_cancel();
	test_many();
	test_foreign_timer();
	test_close(before);
	loopback_stop(server);
	return done_testing();
}
