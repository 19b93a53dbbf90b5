/*-------------------------------------------------------------------------
 *
 * server.c
 *		The three ports: connections, requests, routes.
 *
 * Each connection has its own thread, so that a handler or a fault may wait
 * without holding up anybody else.  This file promises that every request is
 * in the log before anything is done about it.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blob.h"
#include "control.h"
#include "endpoints.h"
#include "reply.h"
#include "sign_in.h"
#include "text.h"

/* More than any query text or form; the real gateway takes far less. */
#define BODY_LIMIT	(4 * 1024 * 1024)

/* Header and request line: a query text travels in an URL. */
#define CONNECTION_MEMORY	(256 * 1024)

/* Body text kept in the log. */
#define LOGGED_BODY	16384

#define PORTS 3

typedef struct Listener
{
	Emulator   *emu;			/* whose */
	EmuPort		port;			/* which */
	int			socket;			/* bound; the daemon's once it runs */
	struct MHD_Daemon *daemon;	/* the server of it */
} Listener;

struct EmuServer
{
	Listener	listeners[PORTS];	/* by EmuPort */
};

const char *
emu_request_header(const EmuRequest *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool
emu_wait(Emulator *emu, int socket, int64_t ms)
{
	while (ms > 0 && !atomic_load(&emu->stopping))
	{
		struct pollfd client = {.fd = socket,.events = POLLRDHUP};
		int			slice = ms < 100 ? (int) ms : 100;

		if (poll(&client, 1, slice) > 0)
			return false;
		ms -= slice;
	}
	return !atomic_load(&emu->stopping);
}

/* libmicrohttpd's first call for a request; our state of it from then on. */
static void *
begin_request(void *cls, const char *uri, struct MHD_Connection *connection)
{
	Listener   *listener = cls;
	EmuRequest *request = emu_alloc(sizeof *request);
	const char *mark = strchrnul(uri, '?');

	request->emu = listener->emu;
	request->port = listener->port;
	request->connection = connection;
	request->uri = emu_copy(uri);
	request->path = emu_percent_decode(uri, (size_t) (mark - uri), false);
	if (*mark == '?')
		request->query = emu_params_parse(mark + 1, strlen(mark + 1));
	return request;
}

static void
end_request(void *cls, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code)
{
	EmuRequest *request = *state;

	(void) cls;
	(void) connection;
	if (request == NULL)
		return;
	if (request->seq != 0)
	{
		bool		aborted = code != MHD_REQUEST_TERMINATED_COMPLETED_OK;

		if (aborted && request->whole)
			request->bytes_sent = emu_reply_bytes_gone(request);
		emu_log_finish(request->emu->log, request->seq, request->bytes_sent, aborted);
	}
	emu_params_free(request->query);
	free(request->uri);
	free(request->path);
	free(request->body);
	free(request);
	*state = NULL;
}

static void
take_body(EmuRequest *request, const char *bytes, size_t size)
{
	if (request->body_size + size > BODY_LIMIT)
	{
		request->body_too_large = true;
		return;
	}
	if (request->body_size + size + 1 > request->body_room)
	{
		size_t		room = (request->body_size + size + 1) * 2;
		char	   *body = emu_alloc(room);

		if (request->body != NULL)
			memcpy(body, request->body, request->body_size);
		free(request->body);
		request->body = body;
		request->body_room = room;
	}
	memcpy(request->body + request->body_size, bytes, size);
	request->body_size += size;
	request->body[request->body_size] = '\0';
}

static const EmuRoute *
find_route(const EmuRequest *request)
{
	const EmuRoute *route;

	if (request->port == EMU_PORT_CONTROL)
		return emu_control_route(request);
	if (request->port == EMU_PORT_BLOB)
		return emu_blob_route(request);
	route = emu_sign_in_route(request);
	return route != NULL ? route : emu_endpoints_route(request);
}

static const char *const secret_names[] = {
	"client_secret", "password", "refresh_token", "client_assertion", "code",
	"device_code", "assertion", "sig", NULL
};

/* The body as the log may show it; malloc'd. */
static char *
body_for_log(const EmuRequest *request)
{
	const char *type = emu_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
	EmuParam   *form;
	char	   *text;

	if (request->body == NULL)
		return NULL;
	if (type == NULL || strcasestr(type, "json") == NULL)
	{
		form = emu_params_parse(request->body, request->body_size);
		text = emu_params_text(form, secret_names);
		emu_params_free(form);
	}
	else
		text = emu_copy(request->body);
	if (strlen(text) > LOGGED_BODY)
		text[LOGGED_BODY] = '\0';
	return text;
}

static json_t *
headers_for_log(const EmuRequest *request)
{
	static const char *const shown[] = {
		"Range", "x-ms-range", "If-Match", "If-None-Match", "Content-Type",
		"Accept", "Accept-Encoding", "User-Agent", "Host", "ValidateMfa",
		"ms-correlationid", "ms-requestid", "Cookie", NULL
	};
	json_t	   *headers = json_object();

	for (int i = 0; shown[i] != NULL; i++)
	{
		const char *value = emu_request_header(request, shown[i]);

		if (value != NULL)
			json_object_set_new(headers, shown[i], json_string(value));
	}
	return headers;
}

static void
log_request(EmuRequest *request, const EmuRoute *route)
{
	Emulator   *emu = request->emu;
	char	   *query = emu_params_text(request->query, secret_names);
	char	   *body = body_for_log(request);
	json_t	   *entry;

	entry = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:s?, s:n}",
					  "time_ms", (json_int_t) emu_now_ms(emu->switches),
					  "kind", route->kind, "endpoint", route->endpoint,
					  "method", request->method, "path", request->path,
					  "query", query,
					  "has_authorization",
					  emu_request_header(request, "Authorization") != NULL,
					  "has_user_ticket",
					  emu_request_header(request, "X-AadUserTicket") != NULL,
					  "headers", headers_for_log(request), "body", body,
					  "status");
	if (entry == NULL)			/* a text that is not UTF-8 */
		entry = json_pack("{s:s, s:s}", "kind", route->kind,
						  "endpoint", route->endpoint);
	request->seq = emu_log_add(emu->log, entry);
	free(query);
	free(body);
}

static void
not_found(const EmuRequest *request, EmuReply *reply)
{
	if (request->port == EMU_PORT_BLOB)
		emu_reply_body(reply, 404, "application/xml",
					   emu_copy("<?xml version=\"1.0\" encoding=\"utf-8\"?>"
								"<Error><Code>ResourceNotFound</Code></Error>"));
	else
		emu_reply_body(reply, 404, "application/json",
					   emu_copy("{ \"statusCode\": 404, "
								"\"message\": \"Resource not found\" }"));
}

static const EmuRoute unknown_routes[PORTS] = {
	{"unknown", "api", not_found},
	{"unknown", "blob", not_found},
	{"unknown", "control", not_found},
};

static enum MHD_Result
close_connection(const EmuRequest *request)
{
	struct linger linger = {.l_onoff = 1,.l_linger = 0};

	if (request->fault != NULL && request->fault->rst)
		setsockopt(request->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	return MHD_NO;
}

/* What a fault does before the request has any effect; false: close. */
static bool
suffer_before(EmuRequest *request)
{
	const EmuFault *fault = request->fault;

	if (fault == NULL)
		return true;
	if (fault->delay_ms > 0 &&
		!emu_wait(request->emu, request->socket, fault->delay_ms))
		return false;
	if (fault->hang_ms >= 0 && fault->stall_after < 0)
	{
		emu_wait(request->emu, request->socket, fault->hang_ms);
		return false;
	}
	return !fault->drop_before;
}

static void
answer(const EmuRequest *request, const EmuRoute *route, EmuReply *reply)
{
	if (emu_fault_replaces(request->fault))
		emu_reply_of_fault(request->fault, reply);
	else if (request->body_too_large)
		emu_reply_body(reply, 413, "application/json",
					   emu_copy("{ \"statusCode\": 413, "
								"\"message\": \"Request entity too large\" }"));
	else
		route->handle(request, reply);
	emu_reply_distort(request->fault, reply);
}

static enum MHD_Result
serve(EmuRequest *request)
{
	const EmuRoute *route = find_route(request);
	Emulator   *emu = request->emu;
	EmuReply	reply;
	bool		sent;

	if (route == NULL)
		route = &unknown_routes[request->port];
	if (request->port != EMU_PORT_CONTROL)
	{
		log_request(request, route);
		request->fault = emu_faults_take(emu->faults, route->endpoint);
		if (request->fault != NULL)
			emu_log_amend(emu->log, request->seq,
						  json_pack("{s:O}", "fault", request->fault->spec));
	}
	if (!suffer_before(request))
		return close_connection(request);
	emu_reply_init(&reply);
	answer(request, route, &reply);
	if (request->fault != NULL && request->fault->drop_after)
	{
		emu_reply_clear(&reply);
		return close_connection(request);
	}
	if (request->seq != 0)
		emu_log_amend(emu->log, request->seq,
					  json_pack("{s:i}", "status", reply.status));
	if (!emu->quiet && request->port != EMU_PORT_CONTROL)
		fprintf(stderr, "%s %s %s -> %d\n", route->kind, request->method,
				request->path, reply.status);
	sent = emu_reply_send(request, &reply);
	emu_reply_clear(&reply);
	return sent ? MHD_YES : close_connection(request);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *upload,
		   size_t *upload_size, void **state)
{
	EmuRequest *request = *state;

	(void) cls;
	(void) url;
	(void) version;
	if (!request->begun)
	{
		const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		request->begun = true;
		request->method = method;
		request->socket = info != NULL ? info->connect_fd : -1;
		return MHD_YES;
	}
	if (*upload_size > 0)
	{
		take_body(request, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return serve(request);
}

/* Binds a port on loopback, so that its number is known before it serves. */
static bool
bind_listener(Listener *listener, int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t) port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int			on = 1;

	listener->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->socket < 0)
		return false;
	setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return bind(listener->socket, (struct sockaddr *) &address, sizeof address) == 0 &&
		listen(listener->socket, SOMAXCONN) == 0;
}

static char *
listener_url(const Listener *listener, bool tls)
{
	struct sockaddr_in address = {0};
	socklen_t	size = sizeof address;

	getsockname(listener->socket, (struct sockaddr *) &address, &size);
	return emu_format("%s://127.0.0.1:%u", tls ? "https" : "http",
					  ntohs(address.sin_port));
}

static bool
start_listener(Listener *listener, const EmuServerOptions *options)
{
	bool		tls = options->certificate != NULL &&
	listener->port != EMU_PORT_CONTROL;
	struct MHD_OptionItem tls_items[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *) options->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) options->key},
		{MHD_OPTION_END, 0, NULL}
	};
	unsigned	flags = MHD_USE_THREAD_PER_CONNECTION |
	MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC;

	if (!tls)
		tls_items[0].option = MHD_OPTION_END;
	listener->daemon =
		MHD_start_daemon(flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
						 on_request, listener,
						 MHD_OPTION_LISTEN_SOCKET, listener->socket,
						 MHD_OPTION_URI_LOG_CALLBACK, begin_request, listener,
						 MHD_OPTION_NOTIFY_COMPLETED, end_request, listener,
						 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
						 MHD_OPTION_ARRAY, tls_items,
						 MHD_OPTION_END);
	return listener->daemon != NULL;
}

static EmuServer *
give_up(EmuServer *server, const char *what, int port, char *err, size_t errsize)
{
	static const char *const names[PORTS] = {"API", "blob", "control"};

	snprintf(err, errsize, "%s the %s port", what, names[port]);
	emu_server_stop(server);
	return NULL;
}

EmuServer *
emu_server_start(Emulator *emu, const EmuServerOptions *options,
				 char *err, size_t errsize)
{
	EmuServer  *server = emu_alloc(sizeof *server);
	char	  **urls[PORTS] = {&emu->api_url, &emu->blob_url, &emu->control_url};
	bool		tls = options->certificate != NULL;

	for (int i = 0; i < PORTS; i++)
		server->listeners[i].socket = -1;
	for (int i = 0; i < PORTS; i++)
	{
		Listener   *listener = &server->listeners[i];

		listener->emu = emu;
		listener->port = (EmuPort) i;
		if (!bind_listener(listener, options->ports[i]))
			return give_up(server, "cannot listen at", i, err, errsize);
		*urls[i] = listener_url(listener, tls && i != EMU_PORT_CONTROL);
	}
	/* only now may a request come: replies name all three */
	for (int i = 0; i < PORTS; i++)
		if (!start_listener(&server->listeners[i], options))
			return give_up(server, tls ? "certificate or key unfit, or cannot serve" :
						   "cannot serve", i, err, errsize);
	return server;
}

void
emu_server_stop(EmuServer *server)
{
	if (server == NULL)
		return;
	for (int i = 0; i < PORTS; i++)
	{
		if (server->listeners[i].daemon != NULL)
			MHD_stop_daemon(server->listeners[i].daemon);
		else if (server->listeners[i].socket >= 0)
			close(server->listeners[i].socket);
	}
	free(server);
}
