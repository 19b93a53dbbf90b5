/*-------------------------------------------------------------------------
 *
 * loopback.h
 *		A small HTTP server on loopback that misbehaves on request.
 *
 * It is a process of its own (so the test can count its descriptors) with a
 * thread per connection; it dies with the test.  What it does is chosen by the
 * request's path, see routes[].  What it was sent is kept in shared memory.
 *
 * Only for unit/http.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_LOOPBACK_H
#define UNIT_LOOPBACK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOG_SIZE (256 * 1024)
#define REQUEST_SIZE 65536
#define STREAM_BYTES (20 * 1024 * 1024)
#define BIG_BODY_BYTES (9 * 1024 * 1024)

/* What both processes see. */
typedef struct Loopback
{
	pid_t		pid;
	int			port;
	pthread_mutex_t mutex;		/* guards log */
	size_t		log_len;
	char		log[LOG_SIZE];	/* every request as it came, one after other */
	atomic_int	requests;
	_Atomic int64_t sent;		/* bytes of streamed bodies sent */
} Loopback;

typedef struct Connection
{
	Loopback   *server;
	int			fd;
} Connection;

typedef struct Route
{
	const char *path;
	bool		(*answer) (Connection *c, const char *request); /* keep alive? */
} Route;

/* The byte at an offset of a streamed body. */
static inline unsigned char
stream_byte(int64_t offset)
{
	return (unsigned char) (offset * 31 + offset / 4096 * 7);
}

static void
nap(int ms)
{
	struct timespec t = {ms / 1000, (long) (ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static bool
send_bytes(Connection *c, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0)
	{
		ssize_t		n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t) n;
	}
	return true;
}

static bool
send_text(Connection *c, const char *text)
{
	return send_bytes(c, text, strlen(text));
}

/* Waits up to ms, or until the client has gone. */
static void
linger(Connection *c, int ms)
{
	struct timeval t = {ms / 1000, ms % 1000 * 1000};
	char		byte;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	(void) !recv(c->fd, &byte, 1, 0);
}

static bool
reply(Connection *c, const char *status, const char *headers, const char *body)
{
	char		head[1024];

	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n",
			 status, strlen(body), headers);
	return send_text(c, head) && send_text(c, body);
}

static bool
answer_json(Connection *c, const char *request)
{
	(void) request;
	return reply(c, "200 OK", "Content-Type: application/json\r\nX-Twice: one\r\nx-TWICE:  two \r\n",
				 "{\"value\": 1}");
}

static bool
answer_echo(Connection *c, const char *request)
{
	return reply(c, "200 OK", "", request);
}

static bool
answer_slow_headers(Connection *c, const char *request)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";

	(void) request;
	nap(300);
	for (const char *p = text; *p; p++)
	{
		if (!send_bytes(c, p, 1))
			return false;
		if (*p == '\n')
			nap(20);
	}
	return true;
}

static bool
answer_never(Connection *c, const char *request)
{
	(void) request;
	linger(c, 5000);
	return false;
}

static bool
answer_stall(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	linger(c, 5000);
	return false;
}

static bool
answer_drop_before(Connection *c, const char *request)
{
	(void) c;
	(void) request;
	return false;
}

static bool
answer_drop_head(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Half: y");
	return false;
}

static bool
answer_drop_body(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	return false;
}

static bool
answer_reset(Connection *c, const char *request)
{
	struct linger hard = {1, 0};

	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	nap(50);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	return false;
}

static bool
answer_chunked(Connection *c, const char *request)
{
	(void) request;
	return send_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") &&
		send_text(c, "6\r\n world\r\n0\r\nX-Trailer: late\r\n\r\n");
}

static bool
answer_chunked_short(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	return false;
}

static bool
answer_chunked_garbage(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n");
	return false;
}

static bool
answer_until_close(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 200 OK\r\n\r\nuntil close");
	return false;
}

static bool
answer_redirect(Connection *c, const char *request)
{
	(void) request;
	return reply(c, "302 Found", "Location: /json\r\n", "moved");
}

static bool
answer_big_headers(Connection *c, const char *request)
{
	bool		alive = send_text(c, "HTTP/1.1 200 OK\r\n");
	char		line[1100];

	(void) request;
	memset(line, 'h', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	for (int i = 0; alive && i < 100; i++)
		alive = send_text(c, line);
	send_text(c, "Content-Length: 0\r\n\r\n");
	return false;
}

static bool
answer_big_header_line(Connection *c, const char *request)
{
	bool		alive = send_text(c, "HTTP/1.1 200 OK\r\nX: ");
	char		piece[1001];

	(void) request;
	memset(piece, 'h', 1000);
	piece[1000] = '\0';
	for (int i = 0; alive && i < 400; i++)
		alive = send_text(c, piece);
	send_text(c, "\r\nContent-Length: 0\r\n\r\n");
	return false;
}

static bool
answer_big_body(Connection *c, const char *request)
{
	static const char piece[65536];
	char		head[100];
	bool		alive;

	(void) request;
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
			 BIG_BODY_BYTES);
	alive = send_text(c, head);
	for (int left = BIG_BODY_BYTES; alive && left > 0; left -= (int) sizeof(piece))
		alive = send_bytes(c, piece, sizeof(piece));
	return false;
}

static bool
answer_throttled(Connection *c, const char *request)
{
	(void) request;
	return reply(c, "429 Too Many Requests", "Retry-After: 7\r\n", "{\"code\": 429}");
}

static bool
answer_retry_date(Connection *c, const char *request)
{
	time_t		when = time(NULL) + 30;
	struct tm	tm;
	char		header[100];

	(void) request;
	gmtime_r(&when, &tm);
	strftime(header, sizeof(header), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	return reply(c, "503 Service Unavailable", header, "");
}

static bool
answer_retry_odd(Connection *c, const char *request)
{
	const char *value = strstr(request, "huge") ? "99999999999999999999" :
	strstr(request, "past") ? "Sun, 06 Nov 1994 08:49:37 GMT" :
	strstr(request, "clock") ? "Sun, 06 Nov 2094 08:50:07 GMT" :
	strstr(request, "negative") ? "-5" : "soon";
	const char *date = strstr(request, "clock") ? "Date: Sun, 06 Nov 2094 08:49:37 GMT\r\n" :
	strstr(request, "no-date") ? "Date: soon\r\n" : "";
	char		header[100];

	snprintf(header, sizeof(header), "Retry-After: %s\r\n%s", value, date);
	return reply(c, "503 Service Unavailable", header, "");
}

/* Sends bytes from an offset to the end of the streamed body. */
static bool
send_stream(Connection *c, int64_t from)
{
	unsigned char piece[65536];

	while (from < STREAM_BYTES)
	{
		int64_t		len = STREAM_BYTES - from;

		if (len > (int64_t) sizeof(piece))
			len = sizeof(piece);
		for (int64_t i = 0; i < len; i++)
			piece[i] = stream_byte(from + i);
		if (!send_bytes(c, piece, (size_t) len))
			return false;
		from += len;
		atomic_fetch_add(&c->server->sent, len);
	}
	return true;
}

static bool
answer_stream(Connection *c, const char *request)
{
	const char *range = strstr(request, "Range: bytes=");
	int64_t		from = range ? atoll(range + strlen("Range: bytes=")) : 0;
	char		head[200];

	snprintf(head, sizeof(head),
			 "HTTP/1.1 %s\r\nETag: \"v1\"\r\nContent-Length: %lld\r\n\r\n",
			 range ? "206 Partial Content" : "200 OK", (long long) (STREAM_BYTES - from));
	return send_text(c, head) && send_stream(c, from);
}

static bool
answer_stream_short(Connection *c, const char *request)
{
	char		piece[4096];

	(void) request;
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char) stream_byte((int64_t) i);
	send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
	send_bytes(c, piece, sizeof(piece));
	return false;
}

/* Five pieces with pauses, together longer than the client's timeout. */
static bool
answer_dribble(Connection *c, const char *request)
{
	bool		alive = send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");

	(void) request;
	for (int i = 0; alive && i < 5; i++)
	{
		nap(150);
		alive = send_text(c, "d");
	}
	return alive;
}

static bool
answer_error(Connection *c, const char *request)
{
	(void) request;
	return reply(c, "500 Internal Server Error", "", "{\"message\": \"broken\"}");
}

static bool
answer_interim(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "HTTP/1.1 100 Continue\r\nRetry-After: 1\r\n\r\n");
	nap(50);
	send_text(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	nap(50);
	return answer_json(c, request);
}

static bool
answer_garbage(Connection *c, const char *request)
{
	(void) request;
	send_text(c, "220 mail.example ESMTP\r\n\r\n");
	return false;
}

static bool
answer_no_content(Connection *c, const char *request)
{
	(void) request;
	return send_text(c, "HTTP/1.1 204 No Content\r\n\r\n");
}

static bool
answer_encoded(Connection *c, const char *request)
{
	(void) request;
	return reply(c, "200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b raw");
}

static bool
answer_connect(Connection *c, const char *request)
{
	(void) request;
	reply(c, "403 Forbidden", "X-Proxy: no\r\n", "");
	return false;
}

static const Route routes[] = {
	{"/json", answer_json},
	{"/echo", answer_echo},
	{"/slow-headers", answer_slow_headers},
	{"/never", answer_never},
	{"/stall", answer_stall},
	{"/drop-before", answer_drop_before},
	{"/drop-head", answer_drop_head},
	{"/drop-body", answer_drop_body},
	{"/reset", answer_reset},
	{"/chunked-short", answer_chunked_short},
	{"/chunked-garbage", answer_chunked_garbage},
	{"/chunked", answer_chunked},
	{"/until-close", answer_until_close},
	{"/redirect", answer_redirect},
	{"/big-headers", answer_big_headers},
	{"/big-header-line", answer_big_header_line},
	{"/big-body", answer_big_body},
	{"/throttled", answer_throttled},
	{"/retry-date", answer_retry_date},
	{"/retry-odd", answer_retry_odd},
	{"/stream-short", answer_stream_short},
	{"/stream", answer_stream},
	{"/dribble", answer_dribble},
	{"/error", answer_error},
	{"/interim", answer_interim},
	{"/garbage", answer_garbage},
	{"/no-content", answer_no_content},
	{"/encoded", answer_encoded},
};

static bool
route(Connection *c, const char *request)
{
	const char *target = strchr(request, ' ');

	if (strncmp(request, "CONNECT ", 8) == 0)
		return answer_connect(c, request);
	if (!target)
		return false;
	target++;
	if (strncmp(target, "http://", 7) == 0) /* we are the proxy */
		target = strchr(target + 7, '/');
	for (size_t i = 0; target && i < sizeof(routes) / sizeof(routes[0]); i++)
	{
		if (strncmp(target, routes[i].path, strlen(routes[i].path)) == 0)
			return routes[i].answer(c, request);
	}
	return reply(c, "404 Not Found", "", "");
}

/* Reads one request, head and body; false at the connection's end. */
static bool
read_request(Connection *c, char *request)
{
	size_t		len = 0;
	size_t		whole = 0;

	for (;;)
	{
		char	   *end;
		ssize_t		n = recv(c->fd, request + len, REQUEST_SIZE - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t) n;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		if (end && whole == 0)
		{
			char	   *length = strcasestr(request, "\r\nContent-Length:");

			whole = (size_t) (end + 4 - request);
			if (length && length < end)
				whole += (size_t) atol(length + 17);
		}
		if (whole > 0 && len >= whole)
			return true;
	}
}

static void
log_request(Loopback *server, const char *request)
{
	size_t		len = strlen(request);

	pthread_mutex_lock(&server->mutex);
	if (server->log_len + len < LOG_SIZE)
	{
		memcpy(server->log + server->log_len, request, len + 1);
		server->log_len += len;
	}
	pthread_mutex_unlock(&server->mutex);
	atomic_fetch_add(&server->requests, 1);
}

static void *
serve_connection(void *arg)
{
	Connection *c = arg;
	char	   *request = malloc(REQUEST_SIZE);
	bool		alive = request != NULL;

	while (alive && read_request(c, request))
	{
		log_request(c->server, request);
		alive = route(c, request);
	}
	close(c->fd);
	free(request);
	free(c);
	return NULL;
}

static void
serve(Loopback *server, int listener)
{
	int			size = 65536;

	for (;;)
	{
		Connection *c = calloc(1, sizeof(Connection));
		pthread_t	thread;

		if (!c)
			_exit(1);
		c->server = server;
		c->fd = accept(listener, NULL, NULL);
		if (c->fd < 0)
			_exit(1);
		setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		if (pthread_create(&thread, NULL, serve_connection, c) != 0)
			_exit(1);
		pthread_detach(thread);
	}
}

/* Opens a listening socket on loopback; its port goes to *port. */
static int
listen_on_loopback(int backlog, int *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t	len = sizeof(addr);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0 ||
		listen(fd, backlog) < 0 ||
		getsockname(fd, (struct sockaddr *) &addr, &len) < 0)
	{
		perror("listen on loopback");
		exit(1);
	}
	*port = ntohs(addr.sin_port);
	return fd;
}

/* Starts the server; exits the test where that is impossible. */
static Loopback *
loopback_start(void)
{
	Loopback   *server = mmap(NULL, sizeof(Loopback), PROT_READ | PROT_WRITE,
							  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	int			listener;
	pid_t		pid;

	if (server == MAP_FAILED)
		exit(1);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&server->mutex, &attr);
	listener = listen_on_loopback(128, &server->port);
	pid = fork();
	if (pid < 0)
		exit(1);
	if (pid == 0)
	{
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(server, listener);
	}
	server->pid = pid;			/* the child sees the same memory */
	close(listener);
	return server;
}

static void
loopback_stop(Loopback *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	munmap(server, sizeof(Loopback));
}

/* Forgets what was sent so far. */
static void
loopback_forget(Loopback *server)
{
	pthread_mutex_lock(&server->mutex);
	server->log_len = 0;
	server->log[0] = '\0';
	pthread_mutex_unlock(&server->mutex);
	atomic_store(&server->requests, 0);
	atomic_store(&server->sent, 0);
}

#endif							/* UNIT_LOOPBACK_H */
