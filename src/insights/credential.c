/*-------------------------------------------------------------------------
 *
 * credential.c
 *		Who asks whom, as a hash: the key of tokens, needs and files.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "insights/credential.h"

/* Writes a digest in hexadecimal. */
static void
write_hex(PinHash hash, const uint8 *digest)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		hash[2 * i] = digits[digest[i] >> 4];
		hash[2 * i + 1] = digits[digest[i] & 15];
	}
	hash[2 * PG_SHA256_DIGEST_LENGTH] = '\0';
}

/* A missing part differs from an empty one. */
static bool
add_part(pg_cryptohash_ctx *ctx, const char *part)
{
	char		length[32];

	if (part == NULL)
		return pg_cryptohash_update(ctx, (const uint8 *) "-:", 2) >= 0;
	snprintf(length, sizeof(length), "%zu:", strlen(part));
	return pg_cryptohash_update(ctx, (const uint8 *) length, strlen(length)) >= 0 &&
		pg_cryptohash_update(ctx, (const uint8 *) part, strlen(part)) >= 0;
}

void
pin_hash_parts(PinHash hash, int nparts, const char *const *parts)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	bool		ok = ctx != NULL && pg_cryptohash_init(ctx) >= 0;
	const char *why;

	for (int i = 0; ok && i < nparts; i++)
		ok = add_part(ctx, parts[i]);
	ok = ok && pg_cryptohash_final(ctx, digest, sizeof(digest)) >= 0;
	why = ok ? NULL : pg_cryptohash_error(ctx);
	pg_cryptohash_free(ctx);
	if (!ok)
		elog(ERROR, "could not compute SHA-256: %s", why);
	write_hex(hash, digest);
}

void
pin_credential_origin(PinHash hash, const PinOptions *options)
{
	const char *token = options->refresh_token;
	const char *origin = options->refresh_token_origin;

	pin_hash_parts(hash, 1, &token);
	if (origin != NULL && strlen(origin) == 2 * PIN_HASH_SIZE - 1 &&
		strcmp(origin + PIN_HASH_SIZE, hash) == 0)
		strlcpy(hash, origin, PIN_HASH_SIZE);
}

char *
pin_credential_write_origin(const PinOptions *options, const char *successor)
{
	PinHash		origin;
	PinHash		hash;

	pin_credential_origin(origin, options);
	pin_hash_parts(hash, 1, &successor);
	return psprintf("%s:%s", origin, hash);
}

void
pin_credential_hash(PinHash hash, const PinOptions *options)
{
	PinHash		origin;
	char		ids[32];
	const char *parts[] = {
		ids, options->login_url, options->tenant, options->resource,
		options->client_id, options->client_secret, options->certificate,
		options->private_key, options->username, options->password, origin
	};

	pin_credential_origin(origin, options);
	snprintf(ids, sizeof(ids), "%u %u", options->serverid, options->umid);
	pin_hash_parts(hash, lengthof(parts), parts);
}

void
pin_credential_sign_in(PinCredentials *credentials, const PinOptions *options)
{
	memset(credentials, 0, sizeof(PinCredentials));
	credentials->login_url = options->login_url;
	credentials->tenant = options->tenant;
	credentials->resource = options->resource;
	credentials->v2 = options->login_v2;
	credentials->client_id = options->client_id;
	credentials->client_secret = options->client_secret;
	credentials->certificate = options->certificate;
	credentials->private_key = options->private_key;
	credentials->signature = options->rs256 ? PIN_SIGNATURE_RS256 : PIN_SIGNATURE_PS256;
	credentials->username = options->username;
	credentials->password = options->password;
	credentials->refresh_token = options->refresh_token;
}

void
pin_credential_settings(PinHttpSettings *settings, const PinOptions *options)
{
	memset(settings, 0, sizeof(PinHttpSettings));
	settings->ca_file = options->ca_file;
	settings->proxy = options->proxy;
	settings->proxy_user = options->proxy_user;
	settings->proxy_password = options->proxy_password;
	settings->connect_timeout_ms = options->connect_timeout_ms;
	settings->request_timeout_ms = options->request_timeout_ms;
}
