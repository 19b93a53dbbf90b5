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

/* So many bytes behind a text can be read, whatever they are. */
#define PIN_NUMBER_SLACK 16

/*
 * Reads a sign, digits and perhaps a point with digits behind it: the value is
 * the one that numeric_in makes of it, to the bit.  False for all other
 * spellings, and for numbers of more digits: numeric_in has to read them.
 */
typedef bool (*PinNumberReader) (const char *text, size_t len, PinNumber *number);

/* The readers this machine can run, which do the same, the best first; NULL behind the last. */
extern PinNumberReader pin_number_reader_at(int i);

#endif							/* PIN_NUMBER_H */
