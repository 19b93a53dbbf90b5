/*-------------------------------------------------------------------------
 *
 * tokens.c
 *		What sign-in has given out: access and refresh tokens, codes, devices.
 *
 *-------------------------------------------------------------------------
 */
#include "tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* More grants than any test needs; beyond, the oldest go. */
#define MAX_GRANTS	5000

/* Kept a while after expiry, so that "expired" can be told from "unknown". */
#define KEEP_EXPIRED	(7 * 24 * 3600)

typedef struct Node
{
	struct Node *next;			/* older */
	EmuGrant	grant;			/* what was given out */
} Node;

struct EmuTokens
{
	pthread_mutex_t lock;		/* guards the list */
	Node	   *newest;			/* latest first */
};

EmuTokens *
emu_tokens_open(void)
{
	EmuTokens  *tokens = emu_alloc(sizeof *tokens);

	pthread_mutex_init(&tokens->lock, NULL);
	return tokens;
}

void
emu_tokens_close(EmuTokens *tokens)
{
	if (tokens == NULL)
		return;
	emu_tokens_expire(tokens, true);
	pthread_mutex_destroy(&tokens->lock);
	free(tokens);
}

/* Drops what has long expired and what is too many. */
static void
purge(EmuTokens *tokens, time_t now)
{
	Node	  **link = &tokens->newest;
	int			kept = 0;

	while (*link != NULL)
	{
		Node	   *node = *link;

		if (node->grant.expires + KEEP_EXPIRED < now || ++kept > MAX_GRANTS)
		{
			*link = node->next;
			free(node);
		}
		else
			link = &node->next;
	}
}

/* A user code: eight letters that are not easily confused. */
static void
make_user_code(char *out, size_t size)
{
	static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ23456789";
	unsigned char noise[8];

	emu_random(noise, sizeof noise);
	for (size_t i = 0; i < sizeof noise && i + 1 < size; i++)
	{
		out[i] = letters[noise[i] % (sizeof letters - 1)];
		out[i + 1] = '\0';
	}
}

void
emu_tokens_issue(EmuTokens *tokens, EmuGrant *grant, time_t now)
{
	/* real access tokens are long: let nobody rely on short ones */
	static const size_t sizes[] = {900, 600, 300, 90};
	char	   *value = emu_random_text(sizes[grant->kind]);
	Node	   *node = emu_alloc(sizeof *node);

	emu_fill(grant->value, sizeof grant->value, value);
	free(value);
	if (grant->kind == EMU_GRANT_DEVICE)
		make_user_code(grant->user_code, sizeof grant->user_code);
	node->grant = *grant;
	pthread_mutex_lock(&tokens->lock);
	purge(tokens, now);
	node->next = tokens->newest;
	tokens->newest = node;
	pthread_mutex_unlock(&tokens->lock);
}

static Node *
find_node(EmuTokens *tokens, EmuGrantKind kind, const char *value)
{
	for (Node *node = tokens->newest; node != NULL; node = node->next)
		if (node->grant.kind == kind && strcmp(node->grant.value, value) == 0)
			return node;
	return NULL;
}

bool
emu_tokens_find(EmuTokens *tokens, EmuGrantKind kind, const char *value,
				EmuGrant *grant)
{
	Node	   *node;

	pthread_mutex_lock(&tokens->lock);
	node = find_node(tokens, kind, value);
	if (node != NULL)
		*grant = node->grant;
	pthread_mutex_unlock(&tokens->lock);
	return node != NULL;
}

void
emu_tokens_use_up(EmuTokens *tokens, EmuGrantKind kind, const char *value)
{
	Node	   *node;

	pthread_mutex_lock(&tokens->lock);
	node = find_node(tokens, kind, value);
	if (node != NULL)
		node->grant.used = true;
	pthread_mutex_unlock(&tokens->lock);
}

bool
emu_tokens_decide(EmuTokens *tokens, const char *user_code, bool approve,
				  const char *user)
{
	bool		found = false;

	pthread_mutex_lock(&tokens->lock);
	for (Node *node = tokens->newest; node != NULL && !found; node = node->next)
	{
		EmuGrant   *grant = &node->grant;

		if (grant->kind != EMU_GRANT_DEVICE ||
			grant->device != EMU_DEVICE_PENDING ||
			(user_code != NULL && !emu_same(user_code, grant->user_code)))
			continue;
		grant->device = approve ? EMU_DEVICE_APPROVED : EMU_DEVICE_DECLINED;
		emu_fill(grant->user, sizeof grant->user, user);
		found = true;
	}
	pthread_mutex_unlock(&tokens->lock);
	return found;
}

int
emu_tokens_expire(EmuTokens *tokens, bool all)
{
	Node	  **link = &tokens->newest;
	int			ended = 0;

	pthread_mutex_lock(&tokens->lock);
	while (*link != NULL)
	{
		Node	   *node = *link;

		if (all || node->grant.kind == EMU_GRANT_ACCESS)
		{
			*link = node->next;
			free(node);
			ended++;
		}
		else
			link = &node->next;
	}
	pthread_mutex_unlock(&tokens->lock);
	return ended;
}

int
emu_tokens_count(EmuTokens *tokens, EmuGrantKind kind)
{
	int			count = 0;

	pthread_mutex_lock(&tokens->lock);
	for (Node *node = tokens->newest; node != NULL; node = node->next)
		count += node->grant.kind == kind;
	pthread_mutex_unlock(&tokens->lock);
	return count;
}
