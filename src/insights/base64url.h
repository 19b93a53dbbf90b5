/*-------------------------------------------------------------------------
 *
 * base64url.h
 *		Bytes as the letters of web tokens, and back.
 *
 * Base64 with "-" and "_", without padding.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_BASE64URL_H
#define PIN_BASE64URL_H

#include <stddef.h>

/* The letters, zero-terminated; the caller frees them.  NULL: no memory. */
extern char *pin_base64url(const void *bytes, size_t len);

/*
 * The bytes of len letters, with a zero behind them; the caller frees them.
 * NULL if these are none, or without memory.
 */
extern unsigned char *pin_base64url_decode(const char *text, size_t len,
										   size_t *nbytes);

#endif							/* PIN_BASE64URL_H */
