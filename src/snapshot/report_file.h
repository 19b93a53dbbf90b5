/*-------------------------------------------------------------------------
 *
 * report_file.h
 *		A report file on its way: inflated, written, proven whole.
 *
 * Takes the bytes of one or several exchanges (a download that breaks off is
 * resumed with a range), undoes gzip and writes a snapshot to be.  Its end is
 * believed only with proof: a matching Content-MD5; else the end of a gzip
 * stream or a length the protocol kept, and the store's word that no byte
 * follows (or, of plain text, a last line that is ended).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_REPORT_FILE_H
#define PIN_REPORT_FILE_H

#include "snapshot/snapshot.h"
#include "transport/http.h"

typedef struct PinReportFile PinReportFile;

/*
 * Creates an empty file for a need in the current context, which from then on
 * owns everything: what is not sealed by then is removed with it.
 */
extern PinReportFile *pin_report_file_create(const PinNeed *need);

/*
 * Before the first byte: the file is divided by tabs, or by commas.  As long as
 * nobody says so it is as the need's options have it.
 */
extern void pin_report_file_format(PinReportFile *file, bool tsv);

/* Forgets all bytes, to begin again from the first. */
extern void pin_report_file_restart(PinReportFile *file);

/*
 * Reads the reply's header, once its status line and headers are here (a
 * 2xx status).  part: no more than the file's beginning may come, since that was
 * asked for.  False with *err filled if the reply does not continue what we
 * have: then restart and ask for the whole.
 */
extern bool pin_report_file_begin(PinReportFile *file, const PinExchange *x, bool part,
								  PinError *err);

/*
 * Moves the bytes that have arrived into the file; if they are text, has those
 * to come go there as they arrive.  So the file has to outlive the exchange's
 * last pin_http_drive().  To be called after each of these.  False with *err
 * filled for a broken stream.  Throws on interrupts and on failures to write.
 */
extern bool pin_report_file_take(PinReportFile *file, PinExchange *x, PinError *err);

/*
 * After the exchange's last byte: does the file end here?  False with *err
 * filled if not, or not provably.  More bytes may be taken all the same, if the
 * store turns out to have some.
 */
extern bool pin_report_file_finish(PinReportFile *file, const PinExchange *x, PinError *err);

/* After that: did a Content-MD5 prove every byte? */
extern bool pin_report_file_digest_matches(const PinReportFile *file);

/*
 * Or does the end look like one, for want of better proof?  False with *err
 * filled if it is within a line.
 */
extern bool pin_report_file_ends_well(const PinReportFile *file, PinError *err);

/* Stored (not inflated) bytes taken so far: where a resumed download starts. */
extern int64 pin_report_file_offset(const PinReportFile *file);

/* Rows in what was taken so far. */
extern int64 pin_report_file_rows(const PinReportFile *file);

/* After the last byte of a part: does the store say that the file goes on? */
extern bool pin_report_file_goes_on(const PinReportFile *file);

/* Are so many of its rows here, each of them whole and in good form? */
extern bool pin_report_file_has_rows(const PinReportFile *file, int64 rows);

/* ETag for If-Match of a resumed download; NULL: it cannot be resumed. */
extern const char *pin_report_file_etag(const PinReportFile *file);

/*
 * Makes a file that is whole a snapshot, described by head, and opens it.  The
 * caller closes it.  Throws on failure.
 */
extern PinSnapshot *pin_report_file_seal(PinReportFile *file, PinSnapshotHead *head);

/*
 * Or, of a file that goes on, opens the rows that are whole, for one scan.
 * Likewise.
 */
extern PinSnapshot *pin_report_file_first_rows(PinReportFile *file, PinSnapshotHead *head);

#endif							/* PIN_REPORT_FILE_H */
