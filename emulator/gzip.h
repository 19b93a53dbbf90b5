/*-------------------------------------------------------------------------
 *
 * gzip.h
 *		Writes a file as gzip or as it is, and takes its MD5 on the way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_GZIP_H
#define EMU_GZIP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct EmuGzip EmuGzip;

/*
 * Creates the file.  NULL if that fails.  compress: as gzip.  Once *stop is
 * true, writes fail.
 */
extern EmuGzip *emu_gzip_create(const char *path, bool compress, const atomic_bool *stop);

/* Where to write; owned by the writer. */
extern FILE *emu_gzip_stream(EmuGzip *gzip);

/*
 * Ends the file and frees the writer.  False if anything could not be written.
 * size and md5 (base64, 25 bytes) are of the bytes on disk.
 */
extern bool emu_gzip_finish(EmuGzip *gzip, uint64_t *size, char md5[25]);

/*
 * The first line of a file that may be gzip, with its line end, in the same
 * form as the file.  malloc'd; NULL if there is none within 1 MiB.
 */
extern char *emu_gzip_first_line(int fd, size_t *size);

#endif							/* EMU_GZIP_H */
