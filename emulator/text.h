/*-------------------------------------------------------------------------
 *
 * text.h
 *		Small helpers on text, bytes, random values and times.
 *
 * Memory comes from emu_alloc, which ends the program when there is none: an
 * emulator has nothing useful to do without.  Every returned text is malloc'd
 * and belongs to the caller.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_TEXT_H
#define EMU_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define EMU_UUID_SIZE	37		/* 36 characters and the end */
#define EMU_TIME_SIZE	32		/* yyyy-MM-ddTHH:mm:ssZ and room to spare */

extern void *emu_alloc(size_t size);
extern char *emu_copy(const char *text);
extern char *emu_format(const char *fmt,...) __attribute__((format(printf, 1, 2)));

/* Copies text into a fixed buffer, cut to fit. */
extern void emu_fill(char *buffer, size_t size, const char *text);

/* Compares without case; NULL equals nothing. */
extern bool emu_same(const char *a, const char *b);

/* Characters of UTF-8, not bytes; NULL has none. */
extern size_t emu_characters(const char *text);

/* Decodes %XX; a lone % stays.  plus_is_blank: as in forms. */
extern char *emu_percent_decode(const char *text, size_t length, bool plus_is_blank);

/* Encodes everything but unreserved characters. */
extern char *emu_percent_encode(const char *text);

/* Standard alphabet with padding, or the URL alphabet without. */
extern char *emu_base64(const void *bytes, size_t size, bool url);

/* Decodes the URL alphabet; NULL if text is not of it. */
extern unsigned char *emu_base64url_decode(const char *text, size_t length, size_t *size);

extern void emu_random(void *bytes, size_t size);
extern char *emu_random_text(size_t bytes);
extern void emu_uuid(char out[EMU_UUID_SIZE]);

/* yyyy-MM-ddTHH:mm:ssZ, strictly; false if text is anything else. */
extern void emu_time_text(time_t when, char out[EMU_TIME_SIZE]);
extern bool emu_time_parse(const char *text, time_t *when);

#endif							/* EMU_TEXT_H */
