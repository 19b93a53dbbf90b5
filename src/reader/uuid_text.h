/*-------------------------------------------------------------------------
 *
 * uuid_text.h
 *		UUIDs in their usual spelling: 8-4-4-4-12 hexadecimal digits.
 *
 * Plain C.  Never raises.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_UUID_TEXT_H
#define PIN_UUID_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define PIN_UUID_TEXT_LEN 36
#define PIN_UUID_BYTES 16

/* Reads so many characters into so many bytes; false if they are spelled otherwise. */
typedef bool (*PinUuidReader) (const char *text, uint8_t *uuid);

/* The readers this machine can run, which do the same, the best first; NULL behind the last. */
extern PinUuidReader pin_uuid_reader_at(int i);

#endif							/* PIN_UUID_TEXT_H */
