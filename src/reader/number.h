/*-------------------------------------------------------------------------
 *
 * number.h
 *		Numbers with a fraction, read straight into the server's form.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_NUMBER_H
#define PIN_NUMBER_H

/* Most digits before the point, and after it. */
#define PIN_NUMBER_DIGITS 16

/* A value of type numeric, as it is on disk. */
typedef struct PinNumber
{
	int32		vl_len_;		/* length word of the datum */
	uint16		header;			/* sign, digits shown, weight */
	int16		digits[2 * PIN_NUMBER_DIGITS / 4];	/* to the base of 10000 */
} PinNumber;

/*
 * Reads a sign, digits and perhaps a point with digits behind it: the value is
 * the one that numeric_in makes of it, to the bit.  False for all other
 * spellings, and for numbers of more digits: numeric_in has to read them.
 */
extern bool pin_number_read(const char *text, size_t len, PinNumber *number);

#endif							/* PIN_NUMBER_H */
