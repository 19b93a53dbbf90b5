/*-------------------------------------------------------------------------
 *
 * report_bytes.c
 *		The bytes of a report in an open file, as the CSV reader takes them.
 *
 *-------------------------------------------------------------------------
 */
#include "reader/report_bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Who wants only a few rows shall not read many: so much at first, then more. */
#define FIRST_READ (16 * 1024)

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

ptrdiff_t
pin_report_bytes_read(void *arg, char *buf, size_t size, PinError *err)
{
	PinReportBytes *bytes = arg;
	int64_t		most = bytes->offset > FIRST_READ ? bytes->offset : FIRST_READ;
	int64_t		wanted = least(least((int64_t) size, most), bytes->end - bytes->offset);
	ssize_t		n;

	if (wanted == 0)
		return 0;
	do
		n = pread(bytes->fd, buf, (size_t) wanted, bytes->begin + bytes->offset);
	while (n < 0 && errno == EINTR);
	if (n > 0)
	{
		bytes->offset += n;
		return n;
	}
	pin_error_set(err, PIN_ERROR_FILE_TRUNCATED, "could not read the report file: %s",
				  n < 0 ? strerror(errno) : "it has become shorter");
	return -1;
}
