/*-------------------------------------------------------------------------
 *
 * host_text.h
 *		What a host's name may be taken for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_HOST_TEXT_H
#define PIN_HOST_TEXT_H

#include <stdbool.h>
#include <string.h>

/*
 * Does a name end in a number, with or without a dot behind it?  Then some readers
 * take it for an IPv4 address, however it is spelled: "127.1", "0x7f.", "2130706433".
 */
static inline bool
pin_host_ends_in_number(const char *host)
{
	size_t		end = strlen(host);
	size_t		start;
	const char *digits = "0123456789";

	if (end > 0 && host[end - 1] == '.')
		end--;
	for (start = end; start > 0 && host[start - 1] != '.';)
		start--;
	if (end - start >= 2 && host[start] == '0' && (host[start + 1] | 0x20) == 'x')
	{
		start += 2;
		digits = "0123456789abcdefABCDEF";
	}
	return start < end && start + strspn(host + start, digits) >= end;
}

#endif							/* PIN_HOST_TEXT_H */
