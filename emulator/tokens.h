/*-------------------------------------------------------------------------
 *
 * tokens.h
 *		What sign-in has given out: access and refresh tokens, codes, devices.
 *
 * All of them are opaque random texts; what they stand for is known here
 * alone.  Lookups copy, so nobody holds a grant while another thread ends it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_TOKENS_H
#define EMU_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

typedef enum EmuGrantKind
{
	EMU_GRANT_ACCESS,			/* opens the API */
	EMU_GRANT_REFRESH,			/* buys access tokens */
	EMU_GRANT_CODE,				/* from authorize, used once */
	EMU_GRANT_DEVICE			/* waits for somebody to enter a user code */
} EmuGrantKind;

typedef enum EmuDeviceState
{
	EMU_DEVICE_PENDING,			/* nobody has entered the code */
	EMU_DEVICE_APPROVED,		/* signed in */
	EMU_DEVICE_DECLINED			/* refused */
} EmuDeviceState;

typedef struct EmuGrant
{
	EmuGrantKind kind;			/* what it is */
	char		value[1536];	/* the text given out */
	char		client[64];		/* client id */
	char		user[256];		/* user principal name; "": the app itself */
	char		audience[256];	/* resource the token opens */
	char		redirect[512];	/* code: the address it was sent to */
	char		challenge[64];	/* code: the hash of its verifier, or "" */
	char		user_code[16];	/* device: what the user types */
	bool		mfa;			/* signed in with a second factor */
	bool		public_client;	/* got without a client credential */
	bool		offline;		/* v2: offline_access was asked */
	bool		identity;		/* v2: openid was asked */
	bool		by_password;	/* stems from the grant password */
	bool		used;			/* code: redeemed; refresh: revoked */
	EmuDeviceState device;		/* device: how far */
	int			programs;		/* EmuPrograms */
	time_t		expires;		/* on the emulator's clock */
} EmuGrant;

typedef struct EmuTokens EmuTokens;

extern EmuTokens *emu_tokens_open(void);
extern void emu_tokens_close(EmuTokens *tokens);

/* Gives grant a new value and keeps a copy. */
extern void emu_tokens_issue(EmuTokens *tokens, EmuGrant *grant, time_t now);

/* Copies the grant of that value to *grant, also when it has expired. */
extern bool emu_tokens_find(EmuTokens *tokens, EmuGrantKind kind, const char *value,
							EmuGrant *grant);
extern void emu_tokens_use_up(EmuTokens *tokens, EmuGrantKind kind, const char *value);

/*
 * Approves or declines a device; user_code NULL means the latest that waits.
 * False if there is none.
 */
extern bool emu_tokens_decide(EmuTokens *tokens, const char *user_code,
							  bool approve, const char *user);

/* Ends every access token, or with all also refresh tokens, codes, devices. */
extern int	emu_tokens_expire(EmuTokens *tokens, bool all);
extern int	emu_tokens_count(EmuTokens *tokens, EmuGrantKind kind);

#endif							/* EMU_TOKENS_H */
