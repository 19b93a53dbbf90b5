/*-------------------------------------------------------------------------
 *
 * reply.c
 *		Sends a reply, well or as badly as a fault wants.
 *
 * A sound reply goes out the fast way, from memory or by sendfile.  One that
 * is slow, cut, garbled or reset is read through a Body, whose reader runs on
 * the connection's own thread and may therefore sleep.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "reply.h"

#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gzip.h"
#include "text.h"

/* Bytes read at a time; large enough for full speed. */
#define BLOCK_SIZE	(128 * 1024)

/* Bytes flipped by the fault "garble". */
#define GARBLED_BYTES 32

/* A body on its way out through a fault. */
typedef struct Body
{
	EmuRequest *request;		/* whose reply it is */
	EmuReply	source;			/* owns memory or file */
	const EmuFault *fault;		/* what happens on the way; may be NULL */
	uint64_t	limit;			/* bytes to give before the end */
	uint64_t	garble_at;		/* first byte to flip */
	bool		stalled;		/* has already hung */
	struct timespec began;		/* when the first byte was asked for */
} Body;

void
emu_reply_init(EmuReply *reply)
{
	memset(reply, 0, sizeof *reply);
	reply->file = -1;
	reply->status = 200;
}

static void
clear_body(EmuReply *reply)
{
	free(reply->body);
	reply->body = NULL;
	if (reply->file >= 0)
		close(reply->file);
	reply->file = -1;
	reply->size = 0;
}

void
emu_reply_clear(EmuReply *reply)
{
	clear_body(reply);
	emu_params_free(reply->headers);
	reply->headers = NULL;
}

void
emu_reply_header(EmuReply *reply, const char *name, const char *value)
{
	emu_params_add(&reply->headers, name, value);
}

void
emu_reply_body(EmuReply *reply, int status, const char *type, char *text)
{
	clear_body(reply);
	reply->status = status;
	reply->body = text;
	reply->size = text != NULL ? strlen(text) : 0;
	if (type != NULL)
		emu_reply_header(reply, "Content-Type", type);
}

void
emu_reply_of_fault(const EmuFault *fault, EmuReply *reply)
{
	int			status = fault->status;
	const char *type = NULL;

	if (status == 0)
		status = fault->redirect != NULL ? 302 : 200;
	if (fault->body != NULL)
		type = strchr("{[", fault->body[0]) && fault->body[0] != '\0' ?
			"application/json; charset=utf-8" : "text/plain; charset=utf-8";
	if (fault->redirect != NULL)
		emu_reply_header(reply, "Location", fault->redirect);
	emu_reply_body(reply, status, type, emu_copy(fault->body));
}

/* Keeps of a report file what carries its header line. */
static void
keep_header_line(EmuReply *reply)
{
	size_t		size;
	char	   *line = emu_gzip_first_line(reply->file, &size);

	clear_body(reply);
	reply->body = line;
	reply->size = line != NULL ? size : 0;
}

void
emu_reply_distort(const EmuFault *fault, EmuReply *reply)
{
	const char *name;
	json_t	   *value;

	if (fault == NULL)
		return;
	json_object_foreach(fault->headers, name, value)
		emu_reply_header(reply, name, json_string_value(value));
	if (fault->wrong_json == EMU_JSON_BROKEN)
		emu_reply_body(reply, reply->status, NULL,
					   emu_copy("{\"value\":[{\"queryId\":"));
	if (fault->wrong_json == EMU_JSON_SHAPE)
		emu_reply_body(reply, reply->status, NULL,
					   emu_copy("{\"unexpected\":[1,\"two\",null]}"));
	if (fault->header_only && reply->file >= 0)
		keep_header_line(reply);
	if (fault->empty)
		clear_body(reply);
}

static uint64_t
smaller(uint64_t a, int64_t b)
{
	return b >= 0 && (uint64_t) b < a ? (uint64_t) b : a;
}

/* How many bytes the rate allows by now, after sleeping if it is none. */
static int64_t
allowed_by_rate(Body *body, uint64_t sent)
{
	int64_t		rate = body->fault->rate;

	/* a minute is the longest time between two bytes that makes sense */
	for (int i = 0; i < 60000 / 20; i++)
	{
		struct timespec now;
		int64_t		ms;

		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - body->began.tv_sec) * 1000 +
			(now.tv_nsec - body->began.tv_nsec) / 1000000;
		if (ms * rate / 1000 > (int64_t) sent)
			return ms * rate / 1000 - (int64_t) sent;
		if (!emu_wait(body->request->emu, body->request->socket, 20))
			return -1;
	}
	return 1;
}

/* Closing with unread linger time zero makes the kernel send RST. */
static void
prepare_reset(int socket)
{
	struct linger linger = {.l_onoff = 1,.l_linger = 0};

	setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/*
 * What the fault does at this byte.  Returns how many bytes may go now, 0 for
 * the end of the body, -1 to break the connection.
 */
static int64_t
consult_fault(Body *body, uint64_t at, uint64_t want)
{
	const EmuFault *fault = body->fault;

	if (fault->stall_after >= 0 && !body->stalled)
	{
		want = smaller(want, fault->stall_after - (int64_t) at);
		if (at >= (uint64_t) fault->stall_after)
		{
			body->stalled = true;
			if (!emu_wait(body->request->emu, body->request->socket,
						  fault->hang_ms >= 0 ? fault->hang_ms : 60000))
				return -1;
			want = 1;
		}
	}
	if (fault->reset_after >= 0)
	{
		if (at >= (uint64_t) fault->reset_after)
		{
			if (fault->rst)
				prepare_reset(body->request->socket);
			return -1;
		}
		want = smaller(want, fault->reset_after - (int64_t) at);
	}
	if (fault->rate > 0)
	{
		int64_t		now = allowed_by_rate(body, at);

		return now < 0 ? -1 : (int64_t) smaller(want, now);
	}
	return (int64_t) want;
}

static void
garble(const Body *body, uint64_t at, char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at + i >= body->garble_at && at + i < body->garble_at + GARBLED_BYTES)
			bytes[i] = (char) (bytes[i] ^ 0x55);
}

static ssize_t
read_body(void *cls, uint64_t at, char *buffer, size_t room)
{
	Body	   *body = cls;
	const EmuReply *source = &body->source;
	int64_t		want = (int64_t) room;
	ssize_t		got;

	if (at == 0)
		clock_gettime(CLOCK_MONOTONIC, &body->began);
	if (body->fault != NULL)
		want = consult_fault(body, at, room);
	if (want < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (at >= body->limit)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if ((uint64_t) want > body->limit - at)
		want = (int64_t) (body->limit - at);
	if (source->file >= 0)
		got = pread(source->file, buffer, (size_t) want,
					(off_t) (source->file_at + at));
	else
	{
		memcpy(buffer, source->body + at, (size_t) want);
		got = want;
	}
	if (got <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (body->fault != NULL && body->fault->garble)
		garble(body, at, buffer, (size_t) got);
	body->request->bytes_sent = (int64_t) at + got;
	return got;
}

static void
free_body(void *cls)
{
	Body	   *body = cls;

	emu_reply_clear(&body->source);
	free(body);
}

/* Through a Body: reply's contents move into it. */
static struct MHD_Response *
slow_response(EmuRequest *request, EmuReply *reply)
{
	Body	   *body = emu_alloc(sizeof *body);
	uint64_t	declared = reply->size;
	const EmuFault *fault = request->fault;

	body->request = request;
	body->fault = fault;
	body->garble_at = reply->size / 2;
	if (fault != NULL && fault->truncate >= 0)
		declared = smaller(declared, fault->truncate);
	body->limit = declared;
	body->source = *reply;
	body->source.headers = NULL;
	reply->body = NULL;
	reply->file = -1;
	return MHD_create_response_from_callback(
											 reply->chunked ? MHD_SIZE_UNKNOWN : declared,
											 BLOCK_SIZE, read_body, body, free_body);
}

/* All bytes the client has acknowledged on this connection. */
static uint64_t
acknowledged(int socket)
{
	struct tcp_info info = {0};
	socklen_t	size = sizeof info;

	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return 0;
	return info.tcpi_bytes_acked;
}

int64_t
emu_reply_bytes_gone(const EmuRequest *request)
{
	uint64_t	gone = acknowledged(request->socket) - request->acked_before;

	return (int64_t) smaller(gone, request->bytes_sent);
}

static struct MHD_Response *
fast_response(EmuRequest *request, EmuReply *reply)
{
	struct MHD_Response *response;

	request->bytes_sent = (int64_t) reply->size;
	request->whole = true;
	request->acked_before = acknowledged(request->socket);
	if (reply->file >= 0)
	{
		response = MHD_create_response_from_fd_at_offset64(reply->size, reply->file,
														   reply->file_at);
		reply->file = -1;
	}
	else
	{
		response = MHD_create_response_from_buffer((size_t) reply->size, reply->body,
												   MHD_RESPMEM_MUST_FREE);
		reply->body = NULL;
	}
	return response;
}

/* The HTTP header of a longer reply and nothing after it. */
static const EmuFault nothing_after_header = {
	.hang_ms = -1,.stall_after = -1,.truncate = -1,.reset_after = 0
};

bool
emu_reply_send(EmuRequest *request, EmuReply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result sent;
	bool		from_file = reply->file >= 0;

	if (request->fault != NULL && request->fault->header_only && !from_file &&
		request->port != EMU_PORT_BLOB)
		request->fault = &nothing_after_header;
	if (reply->size > 0 &&
		(reply->chunked || emu_fault_touches_body(request->fault)))
		response = slow_response(request, reply);
	else
		response = fast_response(request, reply);
	if (response == NULL)
		return false;
	for (EmuParam *header = reply->headers; header != NULL; header = header->next)
		MHD_add_response_header(response, header->name, header->value);
	sent = MHD_queue_response(request->connection, (unsigned) reply->status, response);
	MHD_destroy_response(response);
	return sent == MHD_YES;
}
