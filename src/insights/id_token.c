/*-------------------------------------------------------------------------
 *
 * id_token.c
 *		Who has signed in, from the identity token that comes with a sign-in.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* strdup */
#include "insights/id_token.h"

#include <stdlib.h>
#include <string.h>

#include "insights/base64url.h"
#include "insights/json.h"
#include "insights/message.h"

/* Claims that name a user, the best first: version 2 and 1 differ. */
static const char *const names[] = {"preferred_username", "upn", "unique_name", "email"};

/* The second of a token's three parts, parsed; NULL if there is none. */
static PinJson *
parse_claims(const char *token)
{
	const char *begin = token ? strchr(token, '.') : NULL;
	const char *end = begin ? strchr(begin + 1, '.') : NULL;
	unsigned char *bytes;
	size_t		len;
	PinJson    *claims;
	PinError	err;

	if (end == NULL)
		return NULL;
	bytes = pin_base64url_decode(begin + 1, end - begin - 1, &len);
	if (bytes == NULL)
		return NULL;
	claims = pin_json_parse((const char *) bytes, len, "an identity token", &err);
	free(bytes);
	return claims;
}

char *
pin_id_token_account(const char *token)
{
	PinJson    *claims = parse_claims(token);
	const char *name = NULL;
	PinRemoteText text = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && name == NULL; i++)
		name = pin_json_member_string(claims, names[i]);
	if (name)
		pin_error_clean(text, sizeof(text), name, strlen(name));
	pin_json_free(claims);
	return *text ? strdup(text) : NULL;
}
