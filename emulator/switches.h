/*-------------------------------------------------------------------------
 *
 * switches.h
 *		What may be set while the emulator runs, and the clock it lives by.
 *
 * A switchboard keeps one EmuSettings behind a lock.  Requests take a copy at
 * their start, so a change applies to the requests after it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_SWITCHES_H
#define EMU_SWITCHES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "engine.h"

typedef enum EmuErrorStyle
{
	EMU_ERROR_ENVELOPE,			/* the API's own envelope */
	EMU_ERROR_GATEWAY,			/* {"statusCode", "message"} */
	EMU_ERROR_PARTNERFD,		/* {"code", "description", "data", "source"} */
	EMU_ERROR_EMPTY				/* no body */
} EmuErrorStyle;

typedef enum EmuNotReady
{
	EMU_NOT_READY_PENDING,		/* the execution, still without a link */
	EMU_NOT_READY_404,			/* the documented 404 */
	EMU_NOT_READY_EMPTY			/* 200 with no values */
} EmuNotReady;

typedef enum EmuOutcome
{
	EMU_OUTCOME_COMPLETE,		/* executions complete */
	EMU_OUTCOME_STUCK,			/* they stay Running for ever */
	EMU_OUTCOME_FAILED			/* they end as Failed, which nobody documents */
} EmuOutcome;

typedef enum EmuRole
{
	EMU_ROLE_ERV,				/* executive report viewer */
	EMU_ROLE_NONE				/* no role: 403 */
} EmuRole;

typedef enum EmuRotation
{
	EMU_ROTATION_ON,			/* a new refresh token on each use, old lives */
	EMU_ROTATION_REVOKE,		/* a new one, the old ends */
	EMU_ROTATION_OFF			/* no new one */
} EmuRotation;

typedef enum EmuPrograms
{
	EMU_PROGRAMS_BOTH,			/* new tokens open mpn and cmp */
	EMU_PROGRAMS_MPN,			/* only mpn */
	EMU_PROGRAMS_CMP			/* only cmp */
} EmuPrograms;

typedef struct EmuSettings
{
	EmuSwitches engine;			/* those the engine reads */
	double		report_delay;	/* seconds from creation to Completed */
	int64_t		clock_offset;	/* seconds the emulator's clock runs ahead */
	int64_t		token_lifetime; /* seconds */
	int64_t		refresh_lifetime;	/* seconds */
	int64_t		page_size;		/* records a list reply; 0: all */
	int64_t		preview_rows;	/* rows of testQueryResult at most */
	int64_t		throttle;		/* requests a minute; 0: unlimited */
	int64_t		quota_reports;	/* active reports a user */
	int64_t		quota_execute_now;	/* ExecuteNow reports in 60 minutes */
	int64_t		quota_queries;	/* queries a user */
	int64_t		sign_in_error;	/* AADSTS code every sign-in ends in; 0: none */
	int64_t		device_interval;	/* seconds between polls, as told to
									 * clients */
	bool		mfa_required;	/* the API refuses tokens without MFA */
	bool		mpn_app_only;	/* mpn accepts tokens without a user */
	bool		error_in_200;	/* errors arrive as HTTP 200 */
	bool		json_bom;		/* JSON bodies start with a byte order mark */
	bool		json_pascal;	/* PascalCase keys */
	bool		redacted;		/* dataRedacted is true */
	bool		plain_query_names;	/* names: letters, digits, blanks only */
	bool		relative_next_link; /* nextLink without scheme and host */
	bool		expiry_time;	/* reportExpiryTime is told */
	bool		content_encoding;	/* Content-Encoding: gzip on gzip files */
	bool		content_md5;	/* Content-MD5 on whole files */
	bool		content_length; /* off: chunked */
	bool		refuse_used_query;	/* a query with reports cannot be deleted */
	int			error_style;	/* EmuErrorStyle */
	int			not_ready;		/* EmuNotReady */
	int			ids;			/* 0: UUIDs, 1: other texts */
	int			role;			/* EmuRole */
	int			gzip;			/* 0: files are stored as gzip, 1: as text */
	int			execution_outcome;	/* EmuOutcome */
	int			finished_report;	/* a finished ExecuteNow report becomes 0:
									 * Inactive, 1: stays Active */
	int			refresh_rotation;	/* EmuRotation */
	int			token_programs; /* EmuPrograms */
} EmuSettings;

typedef struct EmuSwitchboard EmuSwitchboard;

extern EmuSwitchboard *emu_switchboard_open(void);
extern void emu_switchboard_close(EmuSwitchboard *board);

/* Makes the present values those that reset returns to. */
extern void emu_switchboard_set_start(EmuSwitchboard *board);
extern void emu_switchboard_reset(EmuSwitchboard *board);
extern void emu_switchboard_read(EmuSwitchboard *board, EmuSettings *settings);

/* Sets one switch from name=value; false with a message. */
extern bool emu_switchboard_set(EmuSwitchboard *board, const char *assignment,
								char *err, size_t errsize);

/* Sets the members of a JSON object, all or none; false with a message. */
extern bool emu_switchboard_merge(EmuSwitchboard *board, json_t *object,
								  char *err, size_t errsize);

/* All switches with their values; a new reference. */
extern json_t *emu_switchboard_json(EmuSwitchboard *board);
extern void emu_switchboard_advance(EmuSwitchboard *board, int64_t seconds);

/* The emulator's time: the machine's plus clock_offset. */
extern time_t emu_now(EmuSwitchboard *board);
extern int64_t emu_now_ms(EmuSwitchboard *board);

/* Prints name, values and default of every switch, for --help. */
extern void emu_switches_print(FILE *out);

#endif							/* EMU_SWITCHES_H */
