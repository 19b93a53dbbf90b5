/*-------------------------------------------------------------------------
 *
 * base64url.c
 *		Bytes as the letters of web tokens, and back.
 *
 * OpenSSL does the work on the classic alphabet; only the two letters that
 * differ are turned here.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/base64url.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

char *
pin_base64url(const void *bytes, size_t len)
{
	char	   *text = len < INT_MAX / 2 ? malloc(len / 3 * 4 + 5) : NULL;
	int			n;

	if (text == NULL)
		return NULL;
	n = EVP_EncodeBlock((unsigned char *) text, bytes, (int) len);
	while (n > 0 && text[n - 1] == '=')
		n--;
	text[n] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return text;
}

/* Copies the letters into the classic alphabet, padded; false if odd ones. */
static int
to_classic(const char *text, size_t len, char *classic)
{
	static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '\0' || strchr(letters, text[i]) == NULL)
			return 0;
		classic[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	}
	while (len % 4 != 0)
		classic[len++] = '=';
	return 1;
}

unsigned char *
pin_base64url_decode(const char *text, size_t len, size_t *nbytes)
{
	size_t		padding = (4 - len % 4) % 4;
	size_t		padded = len + padding;
	char	   *classic;
	unsigned char *bytes;
	int			n = -1;

	if (padding == 3 || padded > INT_MAX)
		return NULL;
	classic = malloc(padded + 1);
	bytes = malloc(padded + 1);
	if (classic && bytes && to_classic(text, len, classic))
		n = EVP_DecodeBlock(bytes, (unsigned char *) classic, (int) padded);
	free(classic);
	if (n < 0)
	{
		free(bytes);
		return NULL;
	}
	*nbytes = (size_t) n - padding;
	bytes[*nbytes] = '\0';
	return bytes;
}
