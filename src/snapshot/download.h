/*-------------------------------------------------------------------------
 *
 * download.h
 *		From a secure link to a whole report file.
 *
 * Follows the link without any token, takes what arrives into a report file,
 * and resumes where the connection broke off.  A file that no Content-MD5 proves
 * is asked for what follows its end: only nothing is an answer, for whatever
 * stands between us and the store can cut a reply and make its length fit.
 *
 * Where some first rows are enough, whichever they are, the file is asked for in
 * parts, which grow, until as many have ended.  A file that has no more of them,
 * or needs too many parts, comes to its end like any other.
 *
 * Never sleeps: advance it, wait for the engine's descriptor, advance it again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_DOWNLOAD_H
#define PIN_DOWNLOAD_H

#include "snapshot/report_file.h"
#include "transport/http.h"

/* Embedded in whoever downloads; private to download.c but for what is marked. */
typedef struct PinDownload
{
	PinHttp    *http;			/* the owner's engine */
	const PinHttpSettings *settings;	/* the owner's */
	const char *api_url;		/* whose links these are */
	PinReportFile *file;		/* public: what has arrived */
	int64		enough;			/* so many rows are; 0: none but all */
	int			retries;		/* public: requests sent again */
	int			requests;		/* public: requests sent */

	char	   *link;			/* secure link in use; palloc'd */
	PinExchange *exchange;		/* under way; NULL: none */
	PinTimer	rest;			/* wait before the request is sent (again) */
	bool		header_seen;	/* reply's header was read */
	bool		confirming;		/* the file has ended; does it go on? */
	int			tries;			/* failures in a row without headway */
	int			restarts;		/* times the file was begun anew */
	int64		headway;		/* offset at the last failure */
} PinDownload;

typedef enum PinDownloadStatus
{
	PIN_DOWNLOAD_WAIT,			/* wait for the engine's descriptor */
	PIN_DOWNLOAD_DONE,			/* the file is whole, with proof */
	PIN_DOWNLOAD_FIRST_ROWS,	/* it goes on, but as many rows as are enough
								 * are here */
	PIN_DOWNLOAD_LINK,			/* link refused (*err): start with a fresh one */
	PIN_DOWNLOAD_FAILED			/* *err says why */
} PinDownloadStatus;

/*
 * Prepares a download of a need's rows, whose file lives in the current
 * context.  The arguments are kept by reference.
 */
extern void pin_download_open(PinDownload *download, PinHttp *http,
							  const PinHttpSettings *settings, const PinNeed *need);

/*
 * Follows a link from here on, from where the file has got to.  False with *err
 * filled if it leads where it may not.
 */
extern bool pin_download_start(PinDownload *download, const char *link, PinError *err);

/*
 * Moves on, after pin_http_drive().  Throws on interrupts, when memory runs
 * out and when the file cannot be written.
 */
extern PinDownloadStatus pin_download_advance(PinDownload *download, PinError *err);

/*
 * Ends the exchange; the file stays.  Idempotent; a zeroed download is fine.
 * Never throws.
 */
extern void pin_download_stop(PinDownload *download);

#endif							/* PIN_DOWNLOAD_H */
