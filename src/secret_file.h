/*-------------------------------------------------------------------------
 *
 * secret_file.h
 *		A secret that lives in a file of the server's host.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SECRET_FILE_H
#define PIN_SECRET_FILE_H

#include "datatype/timestamp.h"

/* Largest file that holds a secret, bytes. */
#define PIN_SECRET_FILE_MAX (64 * 1024)

/*
 * The file's content, palloc'd, without the line end it may end with.  It has
 * to be a regular file that not everybody can read, of 1 to
 * PIN_SECRET_FILE_MAX bytes of UTF-8.  Reports with elevel a file that is not,
 * by option and path, never by content; NULL if that comes back.
 */
extern char *pin_secret_file_read(const char *option, const char *path, int elevel);

/* The same for a file that is no secret: everybody may read it. */
extern char *pin_public_file_read(const char *option, const char *path, int elevel);

/* When the file was last changed; 0 if that cannot be told.  Never throws. */
extern TimestampTz pin_file_time(const char *path);

#endif							/* PIN_SECRET_FILE_H */
