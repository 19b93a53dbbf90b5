/*-------------------------------------------------------------------------
 *
 * report_bytes.h
 *		The bytes of a report in an open file, as the CSV reader takes them.
 *
 * Plain C.  Never raises.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_REPORT_BYTES_H
#define PIN_REPORT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct PinReportBytes
{
	int			fd;				/* the file, which somebody else closes */
	int64_t		begin;			/* where the report begins in it */
	int64_t		offset;			/* of the next byte to read, in the report */
	int64_t		end;			/* behind the last one to read, likewise */
} PinReportBytes;

/* A PinCsvRead for a PinReportBytes. */
extern ptrdiff_t pin_report_bytes_read(void *bytes, char *buf, size_t size, PinError *err);

#endif							/* PIN_REPORT_BYTES_H */
