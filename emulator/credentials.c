/*-------------------------------------------------------------------------
 *
 * credentials.c
 *		Who may sign in: one tenant, one application, one user.
 *
 *-------------------------------------------------------------------------
 */
#include "credentials.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct EmuCredentialStore
{
	pthread_mutex_t lock;		/* guards now */
	EmuCredentials now;			/* what is accepted */
};

static const EmuCredentials fixtures = {
	.tenant = "contoso.onmicrosoft.com",
	.tenant_id = "11111111-1111-1111-1111-111111111111",
	.client_id = "22222222-2222-2222-2222-222222222222",
	.client_secret = "emulator-secret",
	.username = "analyst@contoso.onmicrosoft.com",
	.password = "emulator-password",
	.refresh_token = "emulator-refresh-token",
};

EmuCredentialStore *
emu_credentials_open(void)
{
	EmuCredentialStore *store = emu_alloc(sizeof *store);

	pthread_mutex_init(&store->lock, NULL);
	store->now = fixtures;
	return store;
}

void
emu_credentials_close(EmuCredentialStore *store)
{
	if (store == NULL)
		return;
	pthread_mutex_destroy(&store->lock);
	free(store);
}

void
emu_credentials_read(EmuCredentialStore *store, EmuCredentials *out)
{
	pthread_mutex_lock(&store->lock);
	*out = store->now;
	pthread_mutex_unlock(&store->lock);
}

void
emu_credentials_reset(EmuCredentialStore *store)
{
	pthread_mutex_lock(&store->lock);
	store->now = fixtures;
	pthread_mutex_unlock(&store->lock);
}

static bool
set_member(EmuCredentials *c, const char *name, const char *text)
{
	const struct
	{
		const char *name;
		char	   *buffer;
		size_t		size;
	}			members[] = {
		{"tenant", c->tenant, sizeof c->tenant},
		{"tenant_id", c->tenant_id, sizeof c->tenant_id},
		{"client_id", c->client_id, sizeof c->client_id},
		{"client_secret", c->client_secret, sizeof c->client_secret},
		{"username", c->username, sizeof c->username},
		{"password", c->password, sizeof c->password},
		{"refresh_token", c->refresh_token, sizeof c->refresh_token},
		{"public_key", c->public_key, sizeof c->public_key},
	};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
	{
		if (strcmp(members[i].name, name) != 0)
			continue;
		if (text == NULL || strlen(text) >= members[i].size)
			return false;
		emu_fill(members[i].buffer, members[i].size, text);
		return true;
	}
	return false;
}

bool
emu_credentials_merge(EmuCredentialStore *store, json_t *object,
					  char *err, size_t errsize)
{
	EmuCredentials next;
	const char *name;
	json_t	   *value;

	if (!json_is_object(object))
	{
		snprintf(err, errsize, "expected a JSON object");
		return false;
	}
	emu_credentials_read(store, &next);
	json_object_foreach(object, name, value)
	{
		if (!set_member(&next, name, json_string_value(value)))
		{
			snprintf(err, errsize, "no such credential, or no fit text: \"%s\"", name);
			return false;
		}
	}
	pthread_mutex_lock(&store->lock);
	store->now = next;
	pthread_mutex_unlock(&store->lock);
	return true;
}
