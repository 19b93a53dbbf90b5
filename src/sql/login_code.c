/*-------------------------------------------------------------------------
 *
 * login_code.c
 *		pinsight_login_url() and pinsight_login_code(): signing in where the
 *		tenant forbids device codes.
 *
 * The first gives the address of the sign-in page, whose last step sends the
 * browser to an address of ours with a code in it; nobody has to listen there.
 * The second takes what the browser shows then.  What proves that both belong
 * together is kept in the session's memory, so that a code that leaks is of no
 * use to anybody else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "insights/pkce.h"
#include "miscadmin.h"
#include "option_value.h"
#include "sql/keep_token.h"
#include "sql/login.h"
#include "throw.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pinsight_login_url);
PG_FUNCTION_INFO_V1(pinsight_login_code);

/* The session's sign-in that waits for its code; the latest one counts. */
typedef struct PendingLogin
{
	Oid			serverid;		/* InvalidOid: there is none */
	Oid			userid;			/* who asked for the address */
	PinPkce		pkce;			/* what ties the code to it */
	char		client_id[PIN_NAME_MAX + 1];	/* of which application */
	char		redirect_uri[PIN_URL_MAX + 1];	/* where the code is sent */
} PendingLogin;

static PendingLogin pending;

static char *
argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("server and address or code must not be null")));
}

/* pinsight_login_url(server, redirect_uri, client_id) */
Datum
pinsight_login_url(PG_FUNCTION_ARGS)
{
	ForeignServer *server;
	PinSigning *signing;
	PinPkce		pkce;
	PinError	err;
	char	   *redirect_uri;
	char	   *url;
	text	   *result;

	check_arguments(fcinfo);
	server = pin_keep_token_server(NameStr(*PG_GETARG_NAME(0)), "pinsight_login_url()");
	redirect_uri = argument(fcinfo, 1);
	if (!pin_value_url(redirect_uri))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("redirect_uri must be an https address, or http of this machine, without query")));
	signing = pin_login_open(server, argument(fcinfo, 2));
	if (!pin_pkce_create(&pkce))
		elog(ERROR, "could not create a random secret");
	signing->credentials.redirect_uri = redirect_uri;
	url = pin_authorize_url(&signing->credentials, pkce.state, pkce.challenge, &err);
	if (url == NULL)
		pin_throw(&err, server->servername, NULL);
	result = cstring_to_text(url);
	free(url);

	pending.serverid = server->serverid;
	pending.userid = GetUserId();
	pending.pkce = pkce;
	strlcpy(pending.client_id, signing->credentials.client_id, sizeof(pending.client_id));
	strlcpy(pending.redirect_uri, redirect_uri, sizeof(pending.redirect_uri));
	PG_RETURN_TEXT_P(result);
}

/* ---- what the browser shows ---- */

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, pg_tolower((unsigned char) c)) : NULL;

	return found != NULL ? found - digits : -1;
}

/* Undoes percent-encoding in place. */
static void
decode(char *text)
{
	char	   *out = text;

	for (char *in = text; *in != '\0'; in++)
	{
		int			high = in[0] == '%' ? hex_digit(in[1]) : -1;
		int			low = high >= 0 ? hex_digit(in[2]) : -1;

		if (low > 0 || (low == 0 && high > 0))
		{
			*out++ = (char) (high * 16 + low);
			in += 2;
		}
		else
			*out++ = *in == '+' ? ' ' : *in;
	}
	*out = '\0';
}

/* A parameter of an address, decoded, or NULL. */
static char *
address_parameter(const char *address, const char *name)
{
	size_t		len = strlen(name);
	const char *p = strchr(address, '?');

	while (p != NULL)
	{
		p++;
		if (strncmp(p, name, len) == 0 && p[len] == '=')
		{
			char	   *value = pnstrdup(p + len + 1, strcspn(p + len + 1, "&#"));

			decode(value);
			return value;
		}
		p = strchr(p, '&');
	}
	return NULL;
}

/* The sign-in page sent the browser back without a code. */
static _Noreturn void
fail_answer(const ForeignServer *server, const char *address)
{
	char	   *error = address_parameter(address, "error");
	char	   *description = address_parameter(address, "error_description");
	PinRemoteText said = "";
	PinError	err;

	pin_error_set(&err, PIN_ERROR_SIGN_IN, "the address holds no code");
	if (description == NULL)
		description = error;
	if (description != NULL)
	{
		pin_error_clean(said, sizeof(said), description, strlen(description));
		pin_error_detail(&err, "The sign-in page answered: %s", said);
	}
	pin_error_hint(&err, "Open the address of pinsight_login_url in a browser, and pass the whole address it ends at.");
	pin_throw(&err, server->servername, NULL);
}

/* The code, from the whole address or as it is.  Throws. */
static char *
read_code(const ForeignServer *server, const char *text)
{
	char	   *code;
	char	   *state;

	if (strstr(text, "://") == NULL && strchr(text, '?') == NULL)
		return pstrdup(text);
	code = address_parameter(text, "code");
	if (code == NULL || code[0] == '\0')
		fail_answer(server, text);
	state = address_parameter(text, "state");
	if (state == NULL || strcmp(state, pending.pkce.state) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("the address is not the answer to this session's last pinsight_login_url"),
				 errhint("Begin again with pinsight_login_url."),
				 errhidestmt(true)));
	return code;
}

/* pinsight_login_code(server, code): a code is tried once. */
Datum
pinsight_login_code(PG_FUNCTION_ARGS)
{
	ForeignServer *server;
	PinSigning *signing;
	PinError	err;
	char	   *code;

	check_arguments(fcinfo);
	server = pin_keep_token_server(NameStr(*PG_GETARG_NAME(0)), "pinsight_login_code()");
	if (pending.serverid != server->serverid || pending.userid != GetUserId())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no sign-in to server \"%s\" was begun in this session",
						server->servername),
				 errhint("Call pinsight_login_url first, in the same session."),
				 errhidestmt(true)));
	code = read_code(server, argument(fcinfo, 1));
	signing = pin_login_open(server, pstrdup(pending.client_id));
	signing->credentials.code = code;
	signing->credentials.redirect_uri = pstrdup(pending.redirect_uri);
	signing->credentials.code_verifier = pstrdup(pending.pkce.verifier);
	explicit_bzero(&pending, sizeof(pending));
	if (!pin_signing_sign_in(signing, &err))
		pin_throw(&err, server->servername, NULL);
	PG_RETURN_TEXT_P(cstring_to_text(pin_login_finish(server, signing)));
}
