/*-------------------------------------------------------------------------
 *
 * emulator.h
 *		The parts of one running emulator, and how requests meet them.
 *
 * server.c owns connections and turns each into an EmuRequest; a route says
 * which handler fills an EmuReply; reply.c sends it, well or badly, as the
 * fault in force wants.  Handlers know nothing of libmicrohttpd.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_EMULATOR_H
#define EMU_EMULATOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "credentials.h"
#include "engine.h"
#include "fault.h"
#include "params.h"
#include "request_log.h"
#include "switches.h"
#include "throttle.h"
#include "tokens.h"

struct EmuStore;
struct MHD_Connection;

typedef struct Emulator
{
	EmuEngine  *engine;			/* data and report queries */
	EmuSwitchboard *switches;	/* settings and clock */
	EmuCredentialStore *credentials;	/* who may sign in */
	EmuTokens  *tokens;			/* what sign-in gave out */
	EmuFaults  *faults;			/* scripted misbehaviour */
	EmuRequestLog *log;			/* what was asked */
	EmuThrottle *throttle;		/* requests of this minute */
	struct EmuStore *store;		/* queries, reports, executions */
	unsigned char link_key[32]; /* signs download links */
	char	   *api_url;		/* http://127.0.0.1:port, no final slash */
	char	   *blob_url;		/* the same for downloads */
	char	   *control_url;	/* and for the control API */
	bool		quiet;			/* print nothing but errors */
	atomic_bool stopping;		/* waits must end */
} Emulator;

typedef enum EmuPort
{
	EMU_PORT_API,				/* the API and sign-in */
	EMU_PORT_BLOB,				/* downloads */
	EMU_PORT_CONTROL			/* the control API */
} EmuPort;

typedef struct EmuRequest
{
	Emulator   *emu;			/* whose */
	EmuPort		port;			/* where it came in */
	struct MHD_Connection *connection;	/* for server.c and reply.c alone */
	int			socket;			/* to see the client leave */
	const char *method;			/* GET, POST, ... */
	char	   *uri;			/* as sent */
	char	   *path;			/* decoded, without the query */
	EmuParam   *query;			/* decoded */
	char	   *body;			/* always terminated */
	size_t		body_size;		/* bytes in it */
	size_t		body_room;		/* bytes allocated */
	bool		body_too_large; /* more came than we take */
	bool		begun;			/* headers seen */
	const EmuFault *fault;		/* what goes wrong; NULL: nothing */
	uint64_t	seq;			/* number in the log; 0: not logged */
	int64_t		bytes_sent;		/* body bytes of the reply */
	bool		whole;			/* the kernel sends it, not our reader */
	uint64_t	acked_before;	/* what the client had before the reply */
} EmuRequest;

typedef struct EmuReply
{
	int			status;			/* HTTP status */
	EmuParam   *headers;		/* of the reply, in order */
	char	   *body;			/* from memory, malloc'd; or NULL */
	int			file;			/* from a file, if not -1 */
	uint64_t	file_at;		/* first byte of it */
	uint64_t	size;			/* bytes of the body */
	bool		chunked;		/* without Content-Length */
} EmuReply;

typedef void (*EmuHandler) (const EmuRequest *request, EmuReply *reply);

typedef struct EmuRoute
{
	const char *endpoint;		/* name in faults and in the log */
	const char *kind;			/* "api", "login", "blob", "control" */
	EmuHandler	handle;			/* fills the reply */
} EmuRoute;

/* A request header's value, or NULL. */
extern const char *emu_request_header(const EmuRequest *request, const char *name);

/* Replaces the body by text, which the reply takes over. */
extern void emu_reply_body(EmuReply *reply, int status, const char *type, char *text);
extern void emu_reply_header(EmuReply *reply, const char *name, const char *value);

/*
 * Sleeps; false if the client has left or the emulator stops, and then the
 * request should end.
 */
extern bool emu_wait(Emulator *emu, int socket, int64_t ms);

#endif							/* EMU_EMULATOR_H */
