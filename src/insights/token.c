/*-------------------------------------------------------------------------
 *
 * token.c
 *		The session's access tokens.
 *
 * A hash table keyed by the credential's hash, which covers every option that
 * decides who signs in where: a changed option has another key, so an old
 * token can never be used for it.  The invalidation callbacks only see to it
 * that nothing stays in memory for longer than it is of use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/credential.h"
#include "insights/token.h"
#include "transport/mux.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"


/*
 * Tokens are renewed this long before they expire, so that none expires on
 * its way; short-lived ones after nine tenths of their life.
 */
#define RENEW_EARLY_US (5 * 60 * INT64CONST(1000000))

typedef struct TokenEntry
{
	PinHash		credential;		/* hash key; must be first */
	char	   *access_token;	/* in the token context; NULL: none */
	int64		good_until_us;	/* pin_now_us() clock */
	char	   *refresh_token;	/* newest one; NULL: the mapping's own */
} TokenEntry;

static HTAB *tokens = NULL;
static MemoryContext token_context = NULL;

/* Overwrites a secret before its memory is reused. */
static void
wipe(char **secret)
{
	if (*secret == NULL)
		return;
	explicit_bzero(*secret, strlen(*secret));
	pfree(*secret);
	*secret = NULL;
}

static void
drop_all(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS seq;
	TokenEntry *entry;

	if (tokens == NULL)
		return;
	hash_seq_init(&seq, tokens);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		wipe(&entry->access_token);
		wipe(&entry->refresh_token);
		(void) hash_search(tokens, entry->credential, HASH_REMOVE, NULL);
	}
}

/*
 * The callbacks are registered last: if anything before them throws, the next
 * call begins again, and nothing is registered twice.
 */
static void
create_table(void)
{
	HASHCTL		ctl = {0};

	if (token_context == NULL)
		token_context = AllocSetContextCreate(TopMemoryContext, "pinsight tokens",
											  ALLOCSET_SMALL_SIZES);
	ctl.keysize = PIN_HASH_SIZE;
	ctl.entrysize = sizeof(TokenEntry);
	ctl.hcxt = token_context;
	tokens = hash_create("pinsight tokens", 8, &ctl,
						 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, drop_all, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, drop_all, (Datum) 0);
}

static TokenEntry *
find(const char *credential)
{
	if (tokens == NULL)
		return NULL;
	return hash_search(tokens, credential, HASH_FIND, NULL);
}

char *
pin_token_get(const char *credential)
{
	TokenEntry *entry = find(credential);

	if (entry == NULL || entry->access_token == NULL)
		return NULL;
	if (pin_now_us() >= entry->good_until_us)
	{
		wipe(&entry->access_token);
		return NULL;
	}
	return pstrdup(entry->access_token);
}

void
pin_token_put(const char *credential, const PinSignIn *sign_in)
{
	TokenEntry *entry;
	bool		found;
	int64		life_us = (int64) sign_in->expires_in * 1000000;

	if (tokens == NULL)
		create_table();
	entry = hash_search(tokens, credential, HASH_ENTER, &found);
	if (!found)
		entry->access_token = entry->refresh_token = NULL;

	wipe(&entry->access_token);
	entry->access_token = MemoryContextStrdup(token_context, sign_in->access_token);
	entry->good_until_us = pin_now_us() + life_us - Min(RENEW_EARLY_US, life_us / 10);
	if (sign_in->refresh_token != NULL)
	{
		wipe(&entry->refresh_token);
		entry->refresh_token = MemoryContextStrdup(token_context, sign_in->refresh_token);
	}
}

void
pin_token_refuse(const char *credential, const char *token)
{
	TokenEntry *entry = find(credential);

	if (entry != NULL && entry->access_token != NULL &&
		strcmp(entry->access_token, token) == 0)
		wipe(&entry->access_token);
}

void
pin_token_forget(const char *credential)
{
	TokenEntry *entry = find(credential);

	if (entry != NULL)
		wipe(&entry->access_token);
}

char *
pin_token_refresh_token(const char *credential)
{
	TokenEntry *entry = find(credential);

	if (entry == NULL || entry->refresh_token == NULL)
		return NULL;
	return pstrdup(entry->refresh_token);
}

void
pin_token_drop_refresh_token(const char *credential)
{
	TokenEntry *entry = find(credential);

	if (entry != NULL)
		wipe(&entry->refresh_token);
}
