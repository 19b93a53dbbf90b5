/*-------------------------------------------------------------------------
 *
 * pkce.c
 *		The proof that an authorization code was sent for us.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero */
#include "insights/pkce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "insights/base64url.h"

#define BYTES 32

static bool
write_letters(char *dst, const unsigned char *bytes)
{
	char	   *letters = pin_base64url(bytes, BYTES);

	if (letters == NULL)
		return false;
	snprintf(dst, PIN_PKCE_SIZE, "%s", letters);
	explicit_bzero(letters, strlen(letters));
	free(letters);
	return true;
}

static bool
write_random(char *dst)
{
	unsigned char bytes[BYTES];
	bool		ok = RAND_bytes(bytes, BYTES) == 1 && write_letters(dst, bytes);

	explicit_bzero(bytes, sizeof(bytes));
	return ok;
}

bool
pin_pkce_create(PinPkce *pkce)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	memset(pkce, 0, sizeof(*pkce));
	return write_random(pkce->verifier) && write_random(pkce->state) &&
		EVP_Digest(pkce->verifier, strlen(pkce->verifier), digest, NULL,
				   EVP_sha256(), NULL) == 1 &&
		write_letters(pkce->challenge, digest);
}
