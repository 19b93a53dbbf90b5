/*-------------------------------------------------------------------------
 *
 * error.h
 *		What can go wrong below the executor, as a value.
 *
 * The plain-C layers (transport, insights, reader/csv) never raise: they
 * return a status and fill one PinError.  src/throw.c turns that struct into
 * an ereport; the table in error.c is the only place that knows which
 * SQLSTATE belongs to which kind of failure.
 *
 * Plain C: no postgres.h here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_ERROR_H
#define PIN_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Kinds of failure.  Every kind has one row in the table of error.c (SQLSTATE
 * and default hint), and every row is printed in docs/errors.md.
 */
typedef enum PinErrorKind
{
	PIN_ERROR_NONE = 0,
	PIN_ERROR_OUT_OF_MEMORY,	/* malloc or a library said no */
	PIN_ERROR_INTERNAL,			/* a bug of ours or misuse of a library */
	PIN_ERROR_RESOLVE,			/* host name not found */
	PIN_ERROR_CONNECT,			/* could not connect to host or proxy */
	PIN_ERROR_TLS,				/* certificate or handshake */
	PIN_ERROR_CONNECTION_LOST,	/* connection broke within an exchange */
	PIN_ERROR_REQUEST_TIMEOUT,	/* one HTTP request took too long */
	PIN_ERROR_REDIRECT,			/* server answered 3xx; never followed */
	PIN_ERROR_URL,				/* an address we refuse to call */
	PIN_ERROR_REPLY,			/* reply is not what the protocol says */
	PIN_ERROR_REPLY_TOO_LARGE,	/* header or JSON body over its bound */
	PIN_ERROR_SIGN_IN,			/* token endpoint refused (see AADSTS hint) */
	PIN_ERROR_MFA,				/* sign-in or token lacks multifactor proof */
	PIN_ERROR_SECRET_EXPIRED,	/* client secret or refresh token expired */
	PIN_ERROR_UNAUTHORIZED,		/* API refused the token (401) */
	PIN_ERROR_FORBIDDEN,		/* API refused the user: role missing (403) */
	PIN_ERROR_NOT_FOUND,		/* 404 */
	PIN_ERROR_BAD_REQUEST,		/* other 400s, with the service's words */
	PIN_ERROR_RULE,				/* a change that breaks a rule of the API's;
								 * never sent */
	PIN_ERROR_UNKNOWN_DATASET,	/* 400 Invalid table name */
	PIN_ERROR_UNKNOWN_COLUMN,	/* 400 Incorrect column name */
	PIN_ERROR_QUOTA,			/* quota of calls, or kept objects, used up */
	PIN_ERROR_ORDER_QUOTA,		/* hourly quota of ExecuteNow used up */
	PIN_ERROR_THROTTLED,		/* 429 after the last retry */
	PIN_ERROR_SERVICE,			/* 5xx after the last retry */
	PIN_ERROR_REPORT_FAILED,	/* execution ended without a file */
	PIN_ERROR_REPORT_GONE,		/* report or query vanished while waiting */
	PIN_ERROR_REPORT_STOPPED,	/* existing report will not run again */
	PIN_ERROR_WAIT_TIMEOUT,		/* wait_timeout passed; report goes on */
	PIN_ERROR_LINK,				/* secure link refused or expired */
	PIN_ERROR_FILE_TRUNCATED,	/* report file shorter than it must be */
	PIN_ERROR_FILE_CORRUPT,		/* gzip, checksum or CSV structure broken */
	PIN_ERROR_FILE_HEADER,		/* expected columns not in the file */
	PIN_ERROR_KINDS				/* number of kinds; keep last */
} PinErrorKind;

#define PIN_ERROR_MESSAGE_SIZE 512
#define PIN_ERROR_DETAIL_SIZE 1024	/* service's words: at most 512 of them */
#define PIN_ERROR_HINT_SIZE 512

/* Longest piece of a remote text that is ever repeated to the user, bytes. */
#define PIN_REMOTE_TEXT_MAX 512

typedef struct PinError
{
	PinErrorKind kind;			/* PIN_ERROR_NONE: nothing went wrong */
	int			http_status;	/* 0 where no reply arrived */
	int			retry_after_ms; /* server's wish, -1 if it had none */
	bool		ambiguous;		/* the request may have been carried out */
	bool		broken_off;		/* TLS: within the handshake, for whatever
								 * reason */
	char		message[PIN_ERROR_MESSAGE_SIZE];	/* what failed */
	char		detail[PIN_ERROR_DETAIL_SIZE];	/* the service's words; may be
												 * empty */
	char		hint[PIN_ERROR_HINT_SIZE];	/* way out; empty: the kind's own */
} PinError;

/* One row of the table kind -> SQLSTATE; printed in docs/errors.md. */
typedef struct PinErrorRow
{
	const char *name;			/* "quota": name used in the documentation */
	char		sqlstate[6];	/* five characters */
	const char *meaning;		/* one line for the documentation */
	const char *hint;			/* default hint, or NULL */
} PinErrorRow;

/* Empties *err.  Never fails. */
extern void pin_error_reset(PinError *err);

/*
 * Sets kind and message; empties the rest.  Long texts are cut at a character
 * boundary.  Message style is PostgreSQL's: lower case, no dot.
 */
extern void pin_error_set(PinError *err, PinErrorKind kind, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));
extern void pin_error_detail(PinError *err, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));
extern void pin_error_hint(PinError *err, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));

/*
 * Copies text of length len from a remote party into dst (dstsize bytes, always
 * terminated): control characters become blanks, runs of blanks one, bytes
 * that are not UTF-8 '?', and it is cut at PIN_REMOTE_TEXT_MAX bytes with "...".
 * Returns dst.
 */
extern char *pin_error_clean(char *dst, size_t dstsize, const char *text, size_t len);

/* The table's row for a kind; never NULL. */
extern const PinErrorRow *pin_error_row(PinErrorKind kind);

#endif							/* PIN_ERROR_H */
