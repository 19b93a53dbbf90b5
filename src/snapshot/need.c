/*-------------------------------------------------------------------------
 *
 * need.c
 *		What a scan needs from the service, as a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "snapshot/need.h"

/*
 * Appends a part with its length before it, so that no two lists of parts have
 * the same text.  A missing part differs from an empty one.
 */
static void
append_part(StringInfo text, const char *part)
{
	if (part == NULL)
		appendStringInfoString(text, "-:");
	else
		appendStringInfo(text, "%zu:%s", strlen(part), part);
}

static void
hash_text(const StringInfo text, char key[PIN_NEED_KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (ctx == NULL || pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) text->data, text->len) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
	{
		pg_cryptohash_free(ctx);
		elog(ERROR, "could not compute SHA-256 of a report need");
	}
	pg_cryptohash_free(ctx);

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		key[2 * i] = digits[digest[i] >> 4];
		key[2 * i + 1] = digits[digest[i] & 15];
	}
	key[2 * PG_SHA256_DIGEST_LENGTH] = '\0';
}

/*
 * The credential is everything that decides whose data comes back.  Only its
 * hash is kept; the text with the secrets in it is wiped.
 */
static void
hash_credential(const PinOptions *o, char key[PIN_NEED_KEY_SIZE])
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%u %u ", o->serverid, o->umid);
	append_part(&text, o->login_url);
	append_part(&text, o->tenant);
	append_part(&text, o->resource);
	append_part(&text, o->client_id);
	append_part(&text, o->client_secret);
	append_part(&text, o->username);
	append_part(&text, o->password);
	append_part(&text, o->refresh_token);
	hash_text(&text, key);
	explicit_bzero(text.data, text.len);
	pfree(text.data);
}

PinNeed *
pin_need_create(const PinOptions *options, const char *query)
{
	PinNeed    *need = palloc0(sizeof(PinNeed));
	StringInfoData text;

	need->options = options;
	need->query = query;
	hash_credential(options, need->credential);

	initStringInfo(&text);
	append_part(&text, need->credential);
	append_part(&text, options->api_url);
	append_part(&text, options->api_version);
	append_part(&text, options->program);
	append_part(&text, query);
	appendStringInfo(&text, "%d", (int) options->format);
	hash_text(&text, need->key);
	pfree(text.data);
	return need;
}
