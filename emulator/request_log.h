/*-------------------------------------------------------------------------
 *
 * request_log.h
 *		What was asked, as tests want to look at it.
 *
 * The log keeps the last EMU_LOG_ENTRIES requests to the API and blob ports.
 * It holds no secret: whoever adds an entry has replaced them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_REQUEST_LOG_H
#define EMU_REQUEST_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Enough for any one test; 20 000 entries are some 20 MB. */
#define EMU_LOG_ENTRIES 20000

typedef struct EmuRequestLog EmuRequestLog;

extern EmuRequestLog *emu_log_open(void);
extern void emu_log_close(EmuRequestLog *log);

/* Adds a request, taking over entry; returns its number. */
extern uint64_t emu_log_add(EmuRequestLog *log, json_t *entry);

/* Sets members of a request if it is still there, taking over more. */
extern void emu_log_amend(EmuRequestLog *log, uint64_t seq, json_t *more);

/* The request is over: how many body bytes left, and did it end early. */
extern void emu_log_finish(EmuRequestLog *log, uint64_t seq, int64_t bytes,
						   bool aborted);

/*
 * The requests since the last clear, oldest first; a new reference.  A request
 * whose client already has its answer may need a moment to be over here too:
 * waits up to 300 ms for those.
 */
extern json_t *emu_log_json(EmuRequestLog *log);
extern void emu_log_clear(EmuRequestLog *log);

#endif							/* EMU_REQUEST_LOG_H */
