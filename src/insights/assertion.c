/*-------------------------------------------------------------------------
 *
 * assertion.c
 *		How an application proves itself with a certificate.
 *
 * OpenSSL keeps a queue of errors for the whole process: it is emptied before
 * we return, so that nobody else finds ours there.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero, timegm */
#include "insights/assertion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "insights/base64url.h"
#include "insights/json.h"

/* Clocks differ: the assertion begins a little earlier. */
#define EARLIER 60
#define LIFE 600

/* The tenant's sign-in accepts RSA keys alone; shorter ones it refuses. */
#define KEY_BITS_MIN 2048

#define CHECK_FILES "Check the files that \"certificate_file\" and \"private_key_file\" in the user mapping name."

typedef struct Identity
{
	X509	   *certificate;	/* whose thumbprint is registered */
	EVP_PKEY   *key;			/* its private key */
} Identity;

/* Without it OpenSSL would ask for the passphrase at the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void) buf;
	(void) size;
	(void) writing;
	(void) arg;
	return 0;
}

static void
close_identity(Identity *identity)
{
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
	ERR_clear_error();
}

static const char *
find_fault(const Identity *identity, const char *private_key)
{
	if (identity->certificate == NULL)
		return "The certificate's file holds no certificate in PEM format.";
	if (identity->key == NULL)
		return strstr(private_key, "ENCRYPTED") != NULL ?
			"The private key is protected by a passphrase, which nobody can enter here." :
			"The private key's file holds no private key in PEM format.";
	if (EVP_PKEY_base_id(identity->key) != EVP_PKEY_RSA)
		return "The private key is no RSA key.";
	if (EVP_PKEY_bits(identity->key) < KEY_BITS_MIN)
		return "The private key is shorter than 2048 bits.";
	if (X509_check_private_key(identity->certificate, identity->key) != 1)
		return "The private key is not the certificate's.";
	return NULL;
}

/* False with *err filled; close the identity all the same. */
static bool
open_identity(Identity *identity, const char *certificate, const char *private_key,
			  PinError *err)
{
	BIO		   *certificate_text = BIO_new_mem_buf(certificate, -1);
	BIO		   *key_text = BIO_new_mem_buf(private_key, -1);
	const char *fault;

	ERR_clear_error();
	identity->certificate = certificate_text == NULL ? NULL :
		PEM_read_bio_X509(certificate_text, NULL, no_passphrase, NULL);
	identity->key = key_text == NULL ? NULL :
		PEM_read_bio_PrivateKey(key_text, NULL, no_passphrase, NULL);
	BIO_free(certificate_text);
	BIO_free(key_text);
	fault = find_fault(identity, private_key);
	if (fault == NULL)
		return true;
	pin_error_set(err, PIN_ERROR_SIGN_IN,
				  "the application's certificate cannot be used");
	pin_error_detail(err, "%s", fault);
	pin_error_hint(err, CHECK_FILES);
	return false;
}

static time_t
seconds_of(const ASN1_TIME *time)
{
	struct tm	tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

bool
pin_certificate_check(const char *certificate, const char *private_key,
					  PinCertificateInfo *info, PinError *err)
{
	Identity	identity;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	bool		ok = open_identity(&identity, certificate, private_key, err);

	memset(info, 0, sizeof(*info));
	if (ok)
	{
		info->not_before = seconds_of(X509_get0_notBefore(identity.certificate));
		info->not_after = seconds_of(X509_get0_notAfter(identity.certificate));
		if (X509_digest(identity.certificate, EVP_sha1(), digest, &len) == 1)
		{
			for (unsigned int i = 0; i < len && i < 20; i++)
				snprintf(info->thumbprint + 2 * i, 3, "%02X", digest[i]);
		}
	}
	close_identity(&identity);
	return ok;
}

/* ---- the parts of an assertion ---- */

static char *
encode_fields(const PinJsonField *fields, size_t nfields, PinError *err)
{
	char	   *json = pin_json_object_text(fields, nfields, err);
	char	   *text = json ? pin_base64url(json, strlen(json)) : NULL;

	free(json);
	return text;
}

static char *
make_header(const Identity *identity, PinSignature signature, PinError *err)
{
	bool		modern = signature == PIN_SIGNATURE_PS256;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char	   *thumbprint = NULL;
	char	   *text = NULL;

	if (X509_digest(identity->certificate, modern ? EVP_sha256() : EVP_sha1(), digest, &len) == 1)
		thumbprint = pin_base64url(digest, len);
	if (thumbprint)
	{
		PinJsonField fields[] = {
			PIN_JSON_FIELD_STRING("alg", modern ? "PS256" : "RS256"),
			PIN_JSON_FIELD_STRING("typ", "JWT"),
			PIN_JSON_FIELD_STRING(modern ? "x5t#S256" : "x5t", thumbprint)
		};

		text = encode_fields(fields, sizeof(fields) / sizeof(fields[0]), err);
	}
	free(thumbprint);
	return text;
}

static char *
make_claims(const char *client_id, const char *audience, time_t now, PinError *err)
{
	unsigned char noise[16];
	char		jti[2 * sizeof(noise) + 1];
	PinJsonField fields[] = {
		PIN_JSON_FIELD_STRING("aud", audience),
		PIN_JSON_FIELD_STRING("iss", client_id),
		PIN_JSON_FIELD_STRING("sub", client_id),
		PIN_JSON_FIELD_STRING("jti", jti),
		PIN_JSON_FIELD_INTEGER("nbf", now - EARLIER),
		PIN_JSON_FIELD_INTEGER("iat", now - EARLIER),
		PIN_JSON_FIELD_INTEGER("exp", now + LIFE)
	};

	if (RAND_bytes(noise, sizeof(noise)) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof(noise); i++)
		snprintf(jti + 2 * i, 3, "%02x", noise[i]);
	return encode_fields(fields, sizeof(fields) / sizeof(fields[0]), err);
}

/* Signs text; the signature's letters, or NULL. */
static char *
sign(EVP_PKEY *key, PinSignature signature, const char *text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding = NULL;
	unsigned char *bytes = NULL;
	size_t		len = 0;
	char	   *letters = NULL;

	if (context != NULL &&
		EVP_DigestSignInit(context, &padding, EVP_sha256(), NULL, key) == 1 &&
		(signature == PIN_SIGNATURE_RS256 ||
		 (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
		  EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
		EVP_DigestSign(context, NULL, &len, (const unsigned char *) text, strlen(text)) == 1 &&
		(bytes = malloc(len)) != NULL &&
		EVP_DigestSign(context, bytes, &len, (const unsigned char *) text, strlen(text)) == 1)
		letters = pin_base64url(bytes, len);
	free(bytes);
	EVP_MD_CTX_free(context);
	return letters;
}

/* "one.other", or NULL if either is; frees both. */
static char *
join(char *one, char *other)
{
	size_t		size = one && other ? strlen(one) + strlen(other) + 2 : 0;
	char	   *text = size > 0 ? malloc(size) : NULL;

	if (text)
		snprintf(text, size, "%s.%s", one, other);
	free(one);
	free(other);
	return text;
}

char *
pin_assertion_create(const char *certificate, const char *private_key,
					 PinSignature signature, const char *client_id,
					 const char *audience, time_t now, PinError *err)
{
	Identity	identity;
	char	   *text = NULL;

	pin_error_reset(err);
	if (open_identity(&identity, certificate, private_key, err))
	{
		char	   *letters;

		text = join(make_header(&identity, signature, err),
					make_claims(client_id, audience, now, err));
		letters = text ? sign(identity.key, signature, text) : NULL;
		text = join(text, letters);
		if (text == NULL && err->kind == PIN_ERROR_NONE)
			pin_error_set(err, PIN_ERROR_INTERNAL,
						  "could not sign with the application's private key");
	}
	close_identity(&identity);
	return text;
}
