/*-------------------------------------------------------------------------
 *
 * day_text.h
 *		Days in their most common spelling: YYYY-MM-DD.
 *
 * Plain C.  Never raises.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_DAY_TEXT_H
#define PIN_DAY_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PIN_DAY_TEXT_LEN 10

/*
 * Reads so many characters as the number of a day, of which 2000-01-01 is 0.  False
 * if they are spelled otherwise, or if there is no such day between the years 1
 * and 9999.
 *
 * Eight characters at once: each digit becomes what it stands for, each hyphen
 * zero, and what is more than that shows in the upper bit of its byte.
 */
static inline bool
pin_day_text_read(const char *text, int32_t *day)
{
	static const uint8_t lengths[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const uint16_t before[16] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	uint64_t	word;
	uint64_t	pairs;
	unsigned	tens = (unsigned char) text[8] - '0';
	unsigned	ones = (unsigned char) text[9] - '0';
	unsigned	century;
	unsigned	year;
	unsigned	month;
	unsigned	d = tens * 10 + ones;
	unsigned	leap;			/* one day more in this year */

	memcpy(&word, text, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	word ^= UINT64_C(0x2D30302D30303030);	/* "0000-00-" */
	if (((word + UINT64_C(0x7F76767F76767676)) | word) & UINT64_C(0x8080808080808080))
		return false;

	/* each byte: ten times itself and the next one */
	pairs = word * 10 + (word >> 8);
	century = pairs & 0xFF;
	year = pairs >> 16 & 0xFF;
	month = pairs >> 40 & 0xFF;
	leap = (year != 0 ? year : century) % 4 == 0;
	year += century * 100;
	if (year == 0 || month > 12 || tens > 9 || ones > 9 ||
		d - 1 >= lengths[month] + (leap & (month == 2)))
		return false;
	*day = (int32_t) (365 * year + year / 4 - century + century / 4 + before[month] + d -
					  (leap & (month <= 2))) - 730485;
	return true;
}

#endif							/* PIN_DAY_TEXT_H */
