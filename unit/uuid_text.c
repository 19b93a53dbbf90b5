/*-------------------------------------------------------------------------
 *
 * uuid_text.c
 *		Readers of UUIDs against the definition, with every byte in every place.
 *
 * Links: src/reader/uuid_text.c
 *
 *-------------------------------------------------------------------------
 */
#include "reader/uuid_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The definition: hyphens in four places, digits elsewhere. */
static bool
read_plainly(const char *text, uint8_t *uuid)
{
	char		digits[33];
	int			n = 0;

	for (int i = 0; i < PIN_UUID_TEXT_LEN; i++)
	{
		bool		hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			return false;
		if (!hyphen)
			digits[n++] = text[i];
	}
	for (int i = 0; i < PIN_UUID_BYTES; i++)
	{
		char		pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};

		uuid[i] = (uint8_t) strtoul(pair, NULL, 16);
	}
	return true;
}

/* On text that ends where its memory does. */
static bool
agrees(PinUuidReader reader, const char *text)
{
	char	   *exact = malloc(PIN_UUID_TEXT_LEN);
	uint8_t		a[PIN_UUID_BYTES];
	uint8_t		b[PIN_UUID_BYTES];
	bool		good = read_plainly(text, a);
	bool		same;

	if (exact == NULL)
		abort();
	memcpy(exact, text, PIN_UUID_TEXT_LEN);
	same = reader(exact, b) == good && (!good || memcmp(a, b, sizeof(a)) == 0);
	free(exact);
	return same;
}

int
main(void)
{
	PinUuidReader reader;

	for (int k = 0; (reader = pin_uuid_reader_at(k)) != NULL; k++)
	{
		int			bad = 0;

		for (int place = 0; place < PIN_UUID_TEXT_LEN; place++)
		{
			for (int byte = 0; byte < 256; byte++)
			{
				char		text[] = "86B13BED-75fe-4cf6-aa78-64de18b75bd2";

				text[place] = (char) byte;
				bad += !agrees(reader, text);
			}
		}
		is_int(bad, 0, "reader %d: every byte in every place", k);

		srand(7);
		for (int i = 0; i < 20000; i++)
		{
			char		text[PIN_UUID_TEXT_LEN + 1];

			for (int j = 0; j < PIN_UUID_TEXT_LEN; j++)
				text[j] = "0123456789abcdefABCDEF"[rand() % 22];
			text[8] = text[13] = text[18] = text[23] = '-';
			bad += !agrees(reader, text);
		}
		is_int(bad, 0, "reader %d: values", k);
	}
	ok(pin_uuid_reader_at(0) != NULL, "there is a reader");
	return done_testing();
}
