/*-------------------------------------------------------------------------
 *
 * aadsts.h
 *		The sign-in errors: code, OAuth name, words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_AADSTS_H
#define EMU_AADSTS_H

#include <stdbool.h>

#include "emulator.h"

/* On which sign-ins the switch "sign_in_error" brings an error about. */
typedef enum EmuAadstsScope
{
	EMU_AADSTS_ANY,				/* all */
	EMU_AADSTS_SECRET,			/* with a client secret */
	EMU_AADSTS_ASSERTION,		/* with a client assertion */
	EMU_AADSTS_PASSWORD,		/* grant password */
	EMU_AADSTS_REFRESH,			/* grant refresh_token */
	EMU_AADSTS_USER				/* any grant for a user */
} EmuAadstsScope;

typedef struct EmuAadsts
{
	int			code;			/* AADSTS number */
	const char *error;			/* OAuth error */
	const char *suberror;		/* or NULL */
	EmuAadstsScope scope;		/* whom it befalls by switch */
	const char *text;			/* description; %s: what it is about */
} EmuAadsts;

/* NULL for a code we do not know. */
extern const EmuAadsts *emu_aadsts_find(int code);

/* Fills the reply; about goes where the description names something. */
extern void emu_aadsts_reply(const EmuRequest *request, EmuReply *reply, int code,
							 const char *about);

#endif							/* EMU_AADSTS_H */
