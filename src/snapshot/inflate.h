/*-------------------------------------------------------------------------
 *
 * inflate.h
 *		Undoes gzip where there is gzip, passes the rest through.
 *
 * The service's files are gzip, with or without a header that says so: the
 * first two bytes decide.  The end of a gzip stream proves that the file is
 * whole (length and CRC); concatenated members are one file; bytes after the
 * last member are an error.
 *
 * Plain C over zlib.  Never raises.  Memory: zlib's window, nothing that grows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_INFLATE_H
#define PIN_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct PinInflate PinInflate;

/* NULL when memory ran out.  The caller frees. */
extern PinInflate *pin_inflate_open(void);
extern void pin_inflate_free(PinInflate *z);	/* NULL is fine */

/*
 * Turns input into output: consumes up to inlen bytes (*used) and writes up to
 * outsize bytes (*made).  Call again with the rest until *used == inlen; with
 * inlen 0 it writes what is still buffered, until *made == 0.  False with *err
 * filled (FILE_CORRUPT) for a broken stream, which stays broken; *used and
 * *made are right then too.
 */
extern bool pin_inflate_step(PinInflate *z, const char *in, size_t inlen, size_t *used,
							 char *out, size_t outsize, size_t *made, PinError *err);

/*
 * To be called once, after the last byte and after a step with inlen 0 wrote
 * nothing more.  False with *err filled (FILE_TRUNCATED) if a gzip stream has
 * not reached its end.  A file of one byte that might have become gzip is only
 * known as plain here, so this may write it to out (outsize >= 2, *made).
 */
extern bool pin_inflate_end(PinInflate *z, char *out, size_t outsize, size_t *made,
							PinError *err);

/* True once the input has turned out to be gzip. */
extern bool pin_inflate_is_gzip(const PinInflate *z);

/*
 * True once it has turned out not to be, and all that was taken to find out has
 * been written: from then on a step only copies, and may as well be left out.
 */
extern bool pin_inflate_is_plain(const PinInflate *z);

#endif							/* PIN_INFLATE_H */
