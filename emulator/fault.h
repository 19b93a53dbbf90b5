/*-------------------------------------------------------------------------
 *
 * fault.h
 *		Scripted misbehaviour: which request goes wrong, and how.
 *
 * A fault counts the requests its endpoint gets from the moment it is
 * installed and applies to the nth of them and the next times - 1.  When
 * several faults want one request, the one installed first has it, though all
 * of them count it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_FAULT_H
#define EMU_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum EmuWrongJson
{
	EMU_JSON_RIGHT,				/* leave the body alone */
	EMU_JSON_BROKEN,			/* text that is not JSON */
	EMU_JSON_SHAPE				/* JSON of another shape */
} EmuWrongJson;

typedef struct EmuFault
{
	struct EmuFault *next;		/* in order of installation */
	json_t	   *spec;			/* as installed */
	const char *endpoint;		/* which requests; "any": all */
	int64_t		nth;			/* the first it applies to, from 1 */
	int64_t		times;			/* how many; 0: all from then on */
	int64_t		seen;			/* matching requests so far */
	int64_t		applied;		/* of which it hit */
	bool		removed;		/* deleted, but a request may still look */

	int			status;			/* answer this instead of working; 0: work */
	json_t	   *headers;		/* added to the reply; NULL: none */
	const char *body;			/* answer this text; NULL: leave */
	const char *redirect;		/* answer 302 to there; NULL: leave */
	int64_t		delay_ms;		/* wait before doing anything */
	int64_t		hang_ms;		/* silence, then close; -1: none */
	int64_t		stall_after;	/* hang after that many body bytes; -1: none */
	int64_t		reset_after;	/* close after that many body bytes; -1: none */
	bool		rst;			/* close with RST rather than FIN */
	int64_t		truncate;		/* cut the body there; -1: none */
	int64_t		rate;			/* body bytes a second; 0: full speed */
	bool		garble;			/* flip bytes in the middle of the body */
	bool		empty;			/* no body */
	bool		header_only;	/* a file's header line alone; else no body
								 * after the HTTP header */
	bool		expired_link;	/* links are minted expired, or refused as
								 * such */
	bool		drop_before;	/* close, nothing done */
	bool		drop_after;		/* do it, close without an answer */
	int			wrong_json;		/* EmuWrongJson */
} EmuFault;

typedef struct EmuFaults EmuFaults;

extern EmuFaults *emu_faults_open(void);
extern void emu_faults_close(EmuFaults *faults);

/* Installs an object or an array of them, all or none; false with a message. */
extern bool emu_faults_install(EmuFaults *faults, json_t *spec,
							   char *err, size_t errsize);
extern void emu_faults_clear(EmuFaults *faults);

/* The installed faults with their counters; a new reference. */
extern json_t *emu_faults_json(EmuFaults *faults);

/*
 * Counts a request of that endpoint and returns the fault that has it, or
 * NULL.  The fault stays valid until the store is closed.
 */
extern const EmuFault *emu_faults_take(EmuFaults *faults, const char *endpoint);

/* Does the fault answer in the endpoint's place? */
extern bool emu_fault_replaces(const EmuFault *fault);

/* Does the fault change how the bytes of a body travel? */
extern bool emu_fault_touches_body(const EmuFault *fault);

#endif							/* EMU_FAULT_H */
