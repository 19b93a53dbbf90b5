/*-------------------------------------------------------------------------
 *
 * assertion.c
 *		Checks a client assertion: the JWT sent instead of a secret.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "assertion.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define LOGIN_URL "https://login.microsoftonline.com"

/* Clocks may differ by five minutes. */
#define SKEW 300

/* Nobody should sign an assertion for longer than a day. */
#define LONGEST_LIFE (24 * 3600)

/* One of the JWT's first two parts; NULL if it is no JSON object. */
static json_t *
decode_part(const char *text, size_t length)
{
	size_t		size;
	unsigned char *bytes = emu_base64url_decode(text, length, &size);
	json_t	   *json = NULL;

	if (bytes != NULL)
		json = json_loadb((char *) bytes, size, 0, NULL);
	free(bytes);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static const char *
text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static const char *
check_header(json_t *header)
{
	const char *alg = text_of(header, "alg");

	if (strcmp(alg, "PS256") != 0 && strcmp(alg, "RS256") != 0)
		return "alg must be PS256 or RS256";
	if (*text_of(header, "x5t") == '\0' && *text_of(header, "x5t#S256") == '\0')
		return "the header names no certificate";
	return NULL;
}

/* The token endpoint, under the real host's name or under ours. */
static bool
audience_fits(const char *audience, const EmuCredentials *credentials, const char *own_url)
{
	const char *const hosts[] = {LOGIN_URL, own_url};
	const char *const tenants[] = {credentials->tenant, credentials->tenant_id};
	const char *const paths[] = {"oauth2/v2.0/token", "oauth2/token", "v2.0"};
	bool		fits = false;

	for (int i = 0; i < 2 * 2 * 3 && !fits; i++)
	{
		char	   *right = emu_format("%s/%s/%s", hosts[i % 2], tenants[i / 2 % 2],
									   paths[i / 4]);

		fits = emu_same(audience, right);
		free(right);
	}
	return fits;
}

static const char *
check_claims(json_t *claims, const EmuCredentials *credentials, const char *own_url)
{
	time_t		now = time(NULL);
	json_int_t	expires = json_integer_value(json_object_get(claims, "exp"));
	json_int_t	not_before = json_integer_value(json_object_get(claims, "nbf"));

	if (!emu_same(text_of(claims, "iss"), credentials->client_id) ||
		!emu_same(text_of(claims, "sub"), credentials->client_id))
		return "iss and sub must be the client id";
	if (!audience_fits(text_of(claims, "aud"), credentials, own_url))
		return "aud is not this token endpoint";
	if (*text_of(claims, "jti") == '\0')
		return "jti is missing";
	if (expires + SKEW <= now)
		return "it has expired";
	if (not_before - SKEW > now)
		return "it is not valid yet";
	if (expires > now + LONGEST_LIFE)
		return "it lives too long";
	return NULL;
}

static bool
verify(const char *signed_text, size_t signed_length, const unsigned char *signature,
	   size_t size, bool pss, const char *pem)
{
	BIO		   *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY   *key = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool		right = false;

	if (key != NULL &&
		EVP_DigestVerifyInit(context, &options, EVP_sha256(), NULL, key) == 1 &&
		(!pss || EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1))
		right = EVP_DigestVerify(context, signature, size,
								 (const unsigned char *) signed_text, signed_length) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	BIO_free(in);
	return right;
}

static const char *
check_signature(const char *jwt, const char *last_dot, bool pss, const char *pem)
{
	size_t		size = 0;
	unsigned char *signature = emu_base64url_decode(last_dot + 1, strlen(last_dot + 1), &size);
	const char *wrong = NULL;

	if (signature == NULL || size == 0)
		wrong = "it has no signature";
	else if (*pem != '\0' &&
			 !verify(jwt, (size_t) (last_dot - jwt), signature, size, pss, pem))
		wrong = "its signature is not the registered key's";
	free(signature);
	return wrong;
}

const char *
emu_assertion_check(const char *jwt, const EmuCredentials *credentials, const char *own_url)
{
	const char *first = strchr(jwt, '.');
	const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
	json_t	   *header = NULL;
	json_t	   *claims = NULL;
	const char *wrong;

	if (second == NULL || strchr(second + 1, '.') != NULL)
		return "it is no JWT";
	header = decode_part(jwt, (size_t) (first - jwt));
	claims = decode_part(first + 1, (size_t) (second - first - 1));
	if (header == NULL || claims == NULL)
		wrong = "it is no JWT";
	else
	{
		wrong = check_header(header);
		if (wrong == NULL)
			wrong = check_claims(claims, credentials, own_url);
		if (wrong == NULL)
			wrong = check_signature(jwt, second, strcmp(text_of(header, "alg"), "PS256") == 0,
									credentials->public_key);
	}
	json_decref(header);
	json_decref(claims);
	return wrong;
}
