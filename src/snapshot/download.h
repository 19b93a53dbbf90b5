/*-------------------------------------------------------------------------
 *
 * download.h
 *		From the secure link to a local file that is proven whole.
 *
 * Takes the bytes of one or several exchanges (a download that breaks off is
 * resumed with a range), undoes gzip and writes a temporary file.  Its end is
 * believed only with proof: the end of a gzip stream, a matching Content-MD5,
 * or a length the protocol kept together with a last line that is ended.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_DOWNLOAD_H
#define PIN_DOWNLOAD_H

#include "storage/fd.h"
#include "transport/http.h"

typedef struct PinDownload PinDownload;

/*
 * Creates an empty download in the current context, which from then on owns
 * everything but the file; the file belongs to the current resource owner.
 */
extern PinDownload *pin_download_create(void);

/* Closes the file before its resource owner does. */
extern void pin_download_close(PinDownload *download);

/* Forgets all bytes, to begin again from the first. */
extern void pin_download_restart(PinDownload *download);

/*
 * Reads the reply's header, once its status line and headers are here (status
 * 200 or 206).  False with *err filled if the reply does not continue what we
 * have: then restart and ask for the whole.
 */
extern bool pin_download_begin(PinDownload *download, const PinExchange *x, PinError *err);

/*
 * Moves the bytes that have arrived into the file.  False with *err filled
 * for a broken stream.  Throws on interrupts and on failures to write.
 */
extern bool pin_download_take(PinDownload *download, PinExchange *x, PinError *err);

/*
 * After the exchange's last byte: is the file whole?  False with *err filled
 * if not, or not provably.
 */
extern bool pin_download_finish(PinDownload *download, const PinExchange *x, PinError *err);

/* Stored (not inflated) bytes taken so far: where a resumed download starts. */
extern int64 pin_download_offset(const PinDownload *download);

/* ETag for If-Match of a resumed download; NULL: it cannot be resumed. */
extern const char *pin_download_etag(const PinDownload *download);

/* The file and its size, inflated; valid until close. */
extern File pin_download_file(const PinDownload *download);
extern int64 pin_download_size(const PinDownload *download);

#endif							/* PIN_DOWNLOAD_H */
