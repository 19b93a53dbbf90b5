/*-------------------------------------------------------------------------
 *
 * assertion.c
 *		Unit test of src/insights/assertion.c, base64url.c, id_token.c and
 *		pkce.c.
 *
 * Keys and certificates are made here, by OpenSSL.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/assertion.h"
#include "insights/base64url.h"
#include "insights/id_token.h"
#include "insights/json.h"
#include "insights/pkce.h"
#include "tap.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define NOW 1772366400			/* 2026-03-01T12:00:00Z */
#define AUDIENCE "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"

/* An application: a key, its certificate, and both as PEM. */
typedef struct App
{
	EVP_PKEY   *key;
	X509	   *certificate;
	char	   *key_pem;
	char	   *certificate_pem;
} App;

static char *
text_of(BIO *bio)
{
	char	   *data;
	long		len = BIO_get_mem_data(bio, &data);
	char	   *text = strndup(data, len);

	BIO_free(bio);
	return text;
}

static App
make_app(EVP_PKEY *key)
{
	App			app = {.key = key,.certificate = X509_new()};
	BIO		   *key_bio = BIO_new(BIO_s_mem());
	BIO		   *certificate_bio = BIO_new(BIO_s_mem());

	X509_set_version(app.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(app.certificate), 1);
	ASN1_TIME_set(X509_getm_notBefore(app.certificate), NOW - 1000);
	ASN1_TIME_set(X509_getm_notAfter(app.certificate), NOW + 1000);
	X509_set_pubkey(app.certificate, key);
	X509_sign(app.certificate, key, EVP_sha256());
	PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(certificate_bio, app.certificate);
	app.key_pem = text_of(key_bio);
	app.certificate_pem = text_of(certificate_bio);
	return app;
}

static void
free_app(App *app)
{
	EVP_PKEY_free(app->key);
	X509_free(app->certificate);
	free(app->key_pem);
	free(app->certificate_pem);
}

/* ---- base64url ---- */

static void
test_base64url(void)
{
	/* the vectors of RFC 4648, without padding */
	static const char *const pairs[][2] = {
		{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}
	};
	static const char *const broken[] = {"A", "AAAAA", "AA=", "AA==", "A+AA", "A/AA", "A AA", "\xc3\xa4zz"};
	size_t		len;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		char	   *letters = pin_base64url(pairs[i][0], strlen(pairs[i][0]));
		unsigned char *bytes = pin_base64url_decode(pairs[i][1], strlen(pairs[i][1]), &len);

		is_str(letters, pairs[i][1], "letters");
		ok(bytes && len == strlen(pairs[i][0]) && memcmp(bytes, pairs[i][0], len) == 0, "and back");
		free(letters);
		free(bytes);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		ok(pin_base64url_decode(broken[i], strlen(broken[i]), &len) == NULL, "not \"%s\"", broken[i]);
}

/* ---- assertions ---- */

static PinJson *
decode_json(const char *text, size_t len)
{
	size_t		nbytes;
	unsigned char *bytes = pin_base64url_decode(text, len, &nbytes);
	PinError	err;
	PinJson    *json = bytes ? pin_json_parse((char *) bytes, nbytes, "a part", &err) : NULL;

	free(bytes);
	return json;
}

static bool
verifies(const App *app, PinSignature signature, const char *text, size_t len, const char *letters)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;
	size_t		nbytes = 0;
	unsigned char *bytes = pin_base64url_decode(letters, strlen(letters), &nbytes);
	bool		right = bytes &&
	EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, app->key) == 1 &&
	(signature == PIN_SIGNATURE_RS256 ||
	 (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
	  EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 32) == 1)) &&
	EVP_DigestVerify(context, bytes, nbytes, (const unsigned char *) text, len) == 1;

	free(bytes);
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return right;
}

static void
check_thumbprint(const App *app, const PinJson *header, PinSignature signature)
{
	bool		modern = signature == PIN_SIGNATURE_PS256;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	char	   *letters;

	X509_digest(app->certificate, modern ? EVP_sha256() : EVP_sha1(), digest, &len);
	letters = pin_base64url(digest, len);
	is_str(pin_json_member_string(header, modern ? "x5t#S256" : "x5t"), letters,
		   "the certificate is named");
	ok(pin_json_member(header, modern ? "x5t" : "x5t#S256") == NULL, "in one way");
	free(letters);
}

static void
test_assertion(const App *app, PinSignature signature)
{
	PinError	err;
	char	   *jwt = pin_assertion_create(app->certificate_pem, app->key_pem, signature, "c1",
										   AUDIENCE, NOW, &err);
	char	   *other = pin_assertion_create(app->certificate_pem, app->key_pem, signature, "c1",
											 AUDIENCE, NOW, &err);
	const char *first = jwt ? strchr(jwt, '.') : NULL;
	const char *second = first ? strchr(first + 1, '.') : NULL;
	PinJson    *header;
	PinJson    *claims;

	ok(second != NULL && other != NULL && strcmp(jwt, other) != 0, "an assertion, each time another");
	if (second == NULL)
		return;
	header = decode_json(jwt, first - jwt);
	claims = decode_json(first + 1, second - first - 1);
	is_str(pin_json_member_string(header, "alg"),
		   signature == PIN_SIGNATURE_PS256 ? "PS256" : "RS256", "algorithm");
	is_str(pin_json_member_string(header, "typ"), "JWT", "type");
	check_thumbprint(app, header, signature);
	is_str(pin_json_member_string(claims, "iss"), "c1", "issuer");
	is_str(pin_json_member_string(claims, "sub"), "c1", "subject");
	is_str(pin_json_member_string(claims, "aud"), AUDIENCE, "audience");
	is_int(strlen(pin_json_member_string(claims, "jti")), 32, "an id");
	is_int(pin_json_member_integer(claims, "exp", 0), NOW + 600, "good for ten minutes");
	ok(pin_json_member_integer(claims, "nbf", 0) <= NOW, "from now on");
	ok(verifies(app, signature, jwt, second - jwt, second + 1), "signed");
	ok(!verifies(app, signature, jwt, second - jwt - 1, second + 1), "all of it");
	pin_json_free(header);
	pin_json_free(claims);
	free(jwt);
	free(other);
}

static void
is_refused(const char *certificate, const char *key, const char *why)
{
	PinError	err;
	PinCertificateInfo info;
	char	   *jwt = pin_assertion_create(certificate, key, PIN_SIGNATURE_PS256, "c1", AUDIENCE,
										   NOW, &err);

	ok(jwt == NULL && err.kind == PIN_ERROR_SIGN_IN && strstr(err.detail, why) != NULL,
	   "refused: %s", err.detail);
	ok(strstr(err.hint, "private_key_file") != NULL, "with a hint");
	pin_error_reset(&err);
	ok(!pin_certificate_check(certificate, key, &info, &err) && strstr(err.detail, why) != NULL,
	   "by the check as well");
	ok(ERR_peek_error() == 0, "OpenSSL's errors are cleared away");
	free(jwt);
}

static void
test_refusals(const App *app, const App *other)
{
	App			ec = make_app(EVP_EC_gen("P-256"));
	App			weak = make_app(EVP_RSA_gen(1024));
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *locked;
	char	   *both;

	PEM_write_bio_PKCS8PrivateKey(bio, app->key, EVP_aes_256_cbc(), "hush", 4, NULL, NULL);
	locked = text_of(bio);
	is_refused("", app->key_pem, "no certificate");
	is_refused(app->key_pem, app->key_pem, "no certificate");
	is_refused(app->certificate_pem, "", "no private key");
	is_refused(app->certificate_pem, app->certificate_pem, "no private key");
	is_refused(app->certificate_pem, other->key_pem, "not the certificate's");
	is_refused(app->certificate_pem, locked, "passphrase");
	is_refused(ec.certificate_pem, ec.key_pem, "no RSA key");
	is_refused(weak.certificate_pem, weak.key_pem, "shorter");

	/* one file may hold both, in any order */
	both = malloc(strlen(app->key_pem) + strlen(app->certificate_pem) + 1);
	strcpy(both, app->key_pem);
	strcat(both, app->certificate_pem);
	{
		PinCertificateInfo info;
		PinError	err;

		ok(pin_certificate_check(both, both, &info, &err), "both in one file");
		is_int(info.not_before, NOW - 1000, "valid from");
		is_int(info.not_after, NOW + 1000, "to");
		is_int(strlen(info.thumbprint), 40, "thumbprint");
	}
	free(both);
	free(locked);
	free_app(&ec);
	free_app(&weak);
}

/* ---- identity tokens ---- */

static void
is_account(const char *claims, const char *account)
{
	char	   *letters = pin_base64url(claims, strlen(claims));
	char		token[2048];
	char	   *found;

	snprintf(token, sizeof(token), "eyJ9.%s.sig", letters);
	found = pin_id_token_account(token);
	if (account)
		is_str(found, account, "account");
	else
		ok(found == NULL, "no account in %s", claims);
	free(found);
	free(letters);
}

static void
test_id_token(void)
{
	static const char *const broken[] = {"", "a", "a.b", "a.b.c", "..", "a.!.c", "a..c"};

	is_account("{\"upn\":\"jane@contoso.com\"}", "jane@contoso.com");
	is_account("{\"upn\":\"a\",\"preferred_username\":\"b\"}", "b");
	is_account("{\"unique_name\":\"a\\u001b[1m\\nb\"}", "a [1m b");
	is_account("{\"upn\":7}", NULL);
	is_account("[1]", NULL);
	is_account("{", NULL);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		ok(pin_id_token_account(broken[i]) == NULL, "no token: \"%s\"", broken[i]);
	ok(pin_id_token_account(NULL) == NULL, "none at all");
}

static void
test_pkce(void)
{
	PinPkce		one;
	PinPkce		two;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char	   *letters;

	ok(pin_pkce_create(&one) && pin_pkce_create(&two), "created");
	ok(strlen(one.verifier) == 43 && strlen(one.state) == 43, "as long as can be");
	ok(strcmp(one.verifier, two.verifier) != 0 && strcmp(one.state, two.state) != 0 &&
	   strcmp(one.verifier, one.state) != 0, "each another");
	EVP_Digest(one.verifier, strlen(one.verifier), digest, NULL, EVP_sha256(), NULL);
	letters = pin_base64url(digest, 32);
	is_str(one.challenge, letters, "the challenge is the verifier's hash");
	free(letters);
}

int
main(void)
{
	App			app = make_app(EVP_RSA_gen(2048));
	App			other = make_app(EVP_RSA_gen(2048));

	test_base64url();
	test_assertion(&app, PIN_SIGNATURE_PS256);
	test_assertion(&app, PIN_SIGNATURE_RS256);
	test_refusals(&app, &other);
	test_id_token();
	test_pkce();
	free_app(&app);
	free_app(&other);
	return done_testing();
}
