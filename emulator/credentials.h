/*-------------------------------------------------------------------------
 *
 * credentials.h
 *		Who may sign in: one tenant, one application, one user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_CREDENTIALS_H
#define EMU_CREDENTIALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct EmuCredentials
{
	char		tenant[128];	/* domain name */
	char		tenant_id[64];	/* the same tenant as a GUID */
	char		client_id[64];	/* the application */
	char		client_secret[256]; /* its secret */
	char		username[256];	/* the user */
	char		password[256];	/* and the user's password */
	char		refresh_token[2048];	/* a refresh token that never ends */
	char		public_key[4096];	/* PEM key of client assertions; "": their
									 * signatures are not checked */
} EmuCredentials;

typedef struct EmuCredentialStore EmuCredentialStore;

/* Starts with the values printed in README.md. */
extern EmuCredentialStore *emu_credentials_open(void);
extern void emu_credentials_close(EmuCredentialStore *store);
extern void emu_credentials_read(EmuCredentialStore *store, EmuCredentials *out);
extern void emu_credentials_reset(EmuCredentialStore *store);

/* Sets members by name, all or none; false with a message. */
extern bool emu_credentials_merge(EmuCredentialStore *store, json_t *object,
								  char *err, size_t errsize);

#endif							/* EMU_CREDENTIALS_H */
