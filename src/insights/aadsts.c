/*-------------------------------------------------------------------------
 *
 * aadsts.c
 *		What the sign-in service's error numbers mean for our users.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/aadsts.h"

#include "insights/ascii.h"

/* Sorted by code. */
static const PinAadsts table[] = {
	{
		50001, 50001, PIN_ERROR_SIGN_IN, false,
		"The sign-in service does not know the resource.  Check the "
		"server option \"resource\"."
	},

	{
		50011, 50011, PIN_ERROR_SIGN_IN, false,
		"The address that a code is sent to is not registered.  Add it "
		"to the redirect URIs in the application's registration."
	},

	{
		50012, 50012, PIN_ERROR_SIGN_IN, false,
		"The application's certificate was refused.  Check that it is "
		"registered with the application and has not expired, and that "
		"this machine's clock is right."
	},

	{
		50013, 50013, PIN_ERROR_SIGN_IN, false,
		"The signed assertion was refused.  Check the certificate, this "
		"machine's clock and the tenant."
	},

	{
		50034, 50034, PIN_ERROR_SIGN_IN, false,
		"The tenant has no such user.  Check \"username\" in the user "
		"mapping and \"tenant\" on the server."
	},

	{
		50053, 50053, PIN_ERROR_SIGN_IN, false,
		"The account is locked after too many failed sign-ins, or this "
		"address is distrusted.  Wait, then correct the user mapping "
		"before trying again."
	},

	{
		50055, 50055, PIN_ERROR_SIGN_IN, false,
		"The user's password has expired.  Change it at a sign-in page, "
		"then update the user mapping."
	},

	{
		50056, 50056, PIN_ERROR_SIGN_IN, false,
		"The directory holds no password for this user.  Sign in with "
		"CALL pinsight_login, or use another account."
	},

	{
		50057, 50057, PIN_ERROR_SIGN_IN, false,
		"The user account is disabled.  Enable it or use another "
		"account in the user mapping."
	},

	{
		50072, 50072, PIN_ERROR_MFA, false,
		"The user must first enrol in multifactor authentication.  "
		"Enrol, then sign in with CALL pinsight_login."
	},

	{
		50074, 50074, PIN_ERROR_MFA, false,
		"The tenant requires strong authentication, which a password "
		"alone cannot give.  Sign in with CALL pinsight_login, where "
		"the browser asks for it."
	},

	{
		50076, 50076, PIN_ERROR_MFA, false,
		"The tenant requires multifactor authentication, which a "
		"password alone cannot give.  Sign in with CALL pinsight_login, "
		"where the browser asks for it."
	},

	{
		50078, 50078, PIN_ERROR_MFA, false,
		"The multifactor sign-in behind the refresh token is too old.  "
		"Sign in again with CALL pinsight_login."
	},

	{
		50079, 50079, PIN_ERROR_MFA, false,
		"The user must first enrol in multifactor authentication.  "
		"Enrol, then sign in with CALL pinsight_login."
	},

	{
		50126, 50126, PIN_ERROR_SIGN_IN, false,
		"User name or password is wrong.  Check \"username\" and "
		"\"password\" in the user mapping."
	},

	{
		50173, 50173, PIN_ERROR_SECRET_EXPIRED, false,
		"The refresh token was revoked, for instance by a password "
		"reset.  Sign in again with CALL pinsight_login."
	},

	{
		50196, 50196, PIN_ERROR_THROTTLED, true,
		"The sign-in service saw the same request too often in a short "
		"time.  Wait some minutes before trying again."
	},

	{
		53003, 53003, PIN_ERROR_SIGN_IN, false,
		"A Conditional Access policy of the tenant forbids this "
		"sign-in.  Ask the tenant's administrator to allow this "
		"application, user or network."
	},

	{
		54005, 54005, PIN_ERROR_SIGN_IN, false,
		"The authorization code was used already.  Sign in again, "
		"beginning with pinsight_login_url."
	},

	{
		65001, 65001, PIN_ERROR_SIGN_IN, false,
		"Nobody has consented to this application's use of Partner "
		"Center yet.  Have the user or an administrator of the tenant "
		"grant consent."
	},

	{
		70000, 70000, PIN_ERROR_SIGN_IN, false,
		"The refresh token or code is not valid for this application "
		"and tenant.  Sign in again with CALL pinsight_login."
	},

	{
		70001, 70001, PIN_ERROR_SIGN_IN, false,
		"The tenant does not know the application.  Check \"client_id\" "
		"in the user mapping and \"tenant\" on the server."
	},

	{
		70003, 70003, PIN_ERROR_SIGN_IN, false,
		"The tenant does not allow this way of signing in.  For "
		"pinsight_login, allow public client flows in the application's "
		"registration, or use pinsight_login_url."
	},

	{
		70008, 70008, PIN_ERROR_SECRET_EXPIRED, false,
		"The refresh token has expired.  Sign in again with CALL "
		"pinsight_login."
	},

	{
		70011, 70011, PIN_ERROR_SIGN_IN, false,
		"The sign-in service does not accept the scope.  Check the "
		"server option \"resource\"."
	},

	{
		70016, 70016, PIN_ERROR_SIGN_IN, true,
		"The sign-in in the browser is not finished yet."
	},

	{
		70018, 70018, PIN_ERROR_SIGN_IN, false,
		"The device code is not known any more.  Start the sign-in "
		"again."
	},

	{
		70019, 70019, PIN_ERROR_SECRET_EXPIRED, false,
		"The code was not entered in time.  Start the sign-in again."
	},

	{
		70020, 70020, PIN_ERROR_SIGN_IN, false,
		"The sign-in was declined in the browser.  Start it again and "
		"confirm it there."
	},

	{
		70043, 70043, PIN_ERROR_SECRET_EXPIRED, false,
		"The tenant's sign-in frequency policy ended the refresh token. "
		" Sign in again with CALL pinsight_login."
	},

	{
		80001, 80014, PIN_ERROR_SIGN_IN, true,
		"The tenant checks passwords with an agent in its own network, "
		"and that failed.  Try again, or ask the tenant's administrator "
		"to look at the agent."
	},

	{
		90002, 90002, PIN_ERROR_SIGN_IN, false,
		"There is no such tenant.  Check the server option \"tenant\": "
		"it is the directory's id or one of its domains."
	},

	{
		90055, 90055, PIN_ERROR_THROTTLED, true,
		"The tenant sends too many sign-in requests at present.  Wait "
		"some minutes before trying again."
	},

	{
		90094, 90094, PIN_ERROR_SIGN_IN, false,
		"An administrator must consent to what the application asks "
		"for.  Have an administrator of the tenant grant consent."
	},

	{
		90099, 90099, PIN_ERROR_SIGN_IN, false,
		"The application is not authorized in this tenant.  Have an "
		"administrator consent to it there."
	},

	{
		500011, 500011, PIN_ERROR_SIGN_IN, false,
		"The tenant does not know the resource.  Check the server "
		"option \"resource\", and that the tenant is enrolled in "
		"Partner Center."
	},

	{
		530032, 530032, PIN_ERROR_SIGN_IN, false,
		"A security policy of the tenant forbids this sign-in.  Ask the "
		"tenant's administrator to allow this application, user or "
		"network."
	},

	{
		530035, 530035, PIN_ERROR_SIGN_IN, false,
		"The tenant's security defaults forbid this sign-in.  Sign in "
		"with CALL pinsight_login, where the browser asks for a second "
		"factor, or ask the tenant's administrator."
	},

	{
		650056, 650056, PIN_ERROR_SIGN_IN, false,
		"The application lacks the Partner Center permission.  Add it "
		"to the application's registration, then grant consent."
	},

	{
		650057, 650057, PIN_ERROR_SIGN_IN, false,
		"The application's registration does not list this resource.  "
		"Add the Partner Center permission to it, then grant consent."
	},

	{
		700016, 700016, PIN_ERROR_SIGN_IN, false,
		"The tenant does not know the application.  Check \"client_id\" "
		"in the user mapping and \"tenant\" on the server."
	},

	{
		700025, 700025, PIN_ERROR_SIGN_IN, false,
		"The application is registered as a public client, which must "
		"not send a secret.  Remove the secret from the user mapping, "
		"or register it as a confidential client."
	},

	{
		700027, 700027, PIN_ERROR_SIGN_IN, false,
		"The signature made with the application's certificate was "
		"refused.  Check that the certificate is registered with the "
		"application and matches the private key."
	},

	{
		700082, 700082, PIN_ERROR_SECRET_EXPIRED, false,
		"The refresh token went unused for too long (90 days).  Sign in "
		"again with CALL pinsight_login."
	},

	{
		900144, 900144, PIN_ERROR_SIGN_IN, false,
		"The sign-in service misses a parameter.  Check that the user "
		"mapping has everything its way of signing in needs."
	},

	{
		901002, 901002, PIN_ERROR_SIGN_IN, false,
		"The sign-in service does not accept a resource at this "
		"address.  Check the server option \"login_url\"."
	},

	{
		7000112, 7000112, PIN_ERROR_SIGN_IN, false,
		"The application is disabled.  Have an administrator of the "
		"tenant enable it."
	},

	{
		7000215, 7000215, PIN_ERROR_SIGN_IN, false,
		"The client secret is wrong.  Check \"client_secret\" in the "
		"user mapping: it is the secret's value, not its id."
	},

	{
		7000218, 7000218, PIN_ERROR_SIGN_IN, false,
		"The application must prove itself.  Set \"client_secret\" or "
		"\"certificate_file\" in the user mapping; if there is neither, "
		"allow public client flows in the application's registration."
	},

	{
		7000222, 7000222, PIN_ERROR_SECRET_EXPIRED, false,
		"The client secret has expired.  Create a new one in the "
		"application's registration and put its value into the user "
		"mapping."
	},

	{
		9001023, 9001023, PIN_ERROR_SIGN_IN, false,
		"This way of signing in needs one particular tenant.  Set the "
		"server option \"tenant\" to the directory's id or domain, not "
		"to a common name."
	},

	{
		9002313, 9002313, PIN_ERROR_SIGN_IN, false,
		"The sign-in service could not read the request.  Check the "
		"user mapping's options for damaged values."
	}
};

#define TABLE_ROWS (sizeof(table) / sizeof(table[0]))

const PinAadsts *
pin_aadsts_find(int code)
{
	for (size_t i = 0; i < TABLE_ROWS; i++)
		if (code >= table[i].code && code <= table[i].last_code)
			return &table[i];
	return NULL;
}

const PinAadsts *
pin_aadsts_table(size_t *count)
{
	*count = TABLE_ROWS;
	return table;
}

int
pin_aadsts_in_text(const char *text)
{
	static const char prefix[] = "AADSTS";
	const char *digit = pin_ascii_find(text, prefix);
	int			code = 0;

	if (digit == NULL)
		return 0;
	digit += sizeof(prefix) - 1;
	for (int i = 0; i < 8 && pin_ascii_is_digit(digit[i]); i++)
		code = code * 10 + (digit[i] - '0');
	return code;
}
