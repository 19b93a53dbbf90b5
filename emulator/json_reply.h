/*-------------------------------------------------------------------------
 *
 * json_reply.h
 *		The API's JSON: envelopes, errors in every known shape.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_JSON_REPLY_H
#define EMU_JSON_REPLY_H

#include <jansson.h>

#include "emulator.h"
#include "store.h"

/* One call of an endpoint, from its routing to its reply. */
typedef struct EmuCall
{
	const EmuRequest *request;	/* as it came in */
	EmuReply   *reply;			/* to be filled */
	EmuStore   *store;			/* queries and reports */
	EmuSettings settings;		/* at the start of the call */
	EmuOwner	owner;			/* program and user */
	char		user[256];		/* of the token */
	const char *argument;		/* id at the end of the path, or NULL */
	EmuGrant	token;			/* that opened the API */
} EmuCall;

/* The envelope around an array, which it takes over; paged as set. */
extern void emu_call_values(EmuCall *call, json_t *values, const char *message);

/* The same around one object. */
extern void emu_call_value(EmuCall *call, json_t *value, const char *message);

/* The same around rows of data, whose keys are column names. */
extern void emu_call_rows(EmuCall *call, json_t *rows);

/* An error in the style set. */
extern void emu_call_error(EmuCall *call, int status, const char *message);
extern void emu_call_problem(EmuCall *call, const EmuProblem *problem);

/* An error of Partner Center's front door, with its own code. */
extern void emu_call_coded_error(EmuCall *call, int status, int code,
								 const char *message);

/* A member of an object, its key compared without case; NULL if absent. */
extern json_t *emu_json_get(json_t *object, const char *key);

#endif							/* EMU_JSON_REPLY_H */
