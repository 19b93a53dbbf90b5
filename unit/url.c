/*-------------------------------------------------------------------------
 *
 * url.c
 *		Unit test of src/transport/url.c.
 *
 *-------------------------------------------------------------------------
 */
#include "transport/url.h"
#include "tap.h"

static void
test_allowed(void)
{
	static const char *const urls[] = {
		"https://api.partnercenter.microsoft.com",
		"https://api.partnercenter.microsoft.com/insights/v1/mpn/ScheduledDataset",
		"HTTPS://Login.MicrosoftOnline.com/t/oauth2/token",
		"https://blob.example/x?sv=2021&sig=a%2Bb%3D&at=u@h",
		"https://host.example/a/../b//c",
		"https://host.example:8443/",
		"https://host.example?q",
		"https://192.0.2.7/",
		"https://host7/",
		"https://7.example/",
		"https://0xdead.example/",
		"https://[2001:db8::1]:443/x",
		"http://127.0.0.1:8080/x",
		"http://127.255.255.254/",
		"http://[::1]:8080/x",
		"http://[0:0:0:0:0:0:0:1]/",
		"http://localhost:8080",
		"http://LOCALHOST/?q",
	};
	PinError	err;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		ok(pin_url_allowed(urls[i], &err), "allowed: %s", urls[i]);
		is_int(err.kind, PIN_ERROR_NONE, "no error for it");
	}
}

static void
test_refused(void)
{
	static const char *const urls[] = {
		"",
		"https",
		"https:",
		"https://",
		"https:///path",
		"https://?q",
		"://host",
		"host.example/path",
		"//host.example/path",
		"ftp://host.example/",
		"file:///etc/passwd",
		"gopher://127.0.0.1:1/",
		"http://host.example/",
		"http://192.0.2.7/",
		"http://127.1/",
		"http://0x7f000001/",
		"http://0177.0.0.1/",
		"http://127.0.0.1.example/",
		"http://localhost.example/",
		"http://[::ffff:127.0.0.1]/",
		"http://[::2]/",
		"http://127.0.0.1@host.example/",
		"https://127.1/",
		"https://127.0.0.1./",
		"https://0x7f./",
		"https://0./",
		"https://2130706433:443/",
		"https://0x7f.0.0.1/",
		"https://127.0.0.0x1/",
		"https://0177.0.0.1/",
		"https://192.0.2.256/",
		"https://user@host.example/",
		"https://user:pw@host.example/",
		"https://host.example\\@127.0.0.1/",
		"https://host.example:/",
		"https://host.example:0/",
		"https://host.example:65536/",
		"https://host.example:80a/",
		"https://host.example:8080:80/",
		"https://ho st.example/",
		"https://host.example/a b",
		"https://host.example/a\tb",
		"https://host.example/a\r\nX: y",
		"https://host.example/a\x7f",
		" https://host.example/",
		"https://host.example/ ",
		"https://[::1/",
		"https://[::1]x/",
		"https://[]/",
		"https://[fe80::1%25eth0]/",
		"https://[127.0.0.1]/",
		"https://ho%73t.example/",
		"https://h\xC3\xB6st.example/",
		"https://.example/",
	};
	PinError	err;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		ok(!pin_url_allowed(urls[i], &err), "refused: row %zu", i);
		is_int(err.kind, PIN_ERROR_URL, "with kind URL");
		ok(err.message[0] != '\0', "and a reason: %s", err.message);
	}
}

static void
test_messages_keep_secrets(void)
{
	PinError	err;

	pin_url_allowed("http://blob.example/file?sig=SECRET", &err);
	has_str(err.message, "http://blob.example/file", "the address is named");
	ok(!strstr(err.message, "SECRET"), "without its query");
	pin_url_allowed("https://user:SECRET@host.example/x", &err);
	has_str(err.message, "host.example/x", "the address is named");
	ok(!strstr(err.message, "SECRET"), "without user info");
	pin_url_allowed("user:SECRET@host.example", &err);
	ok(!strstr(err.message, "SECRET"), "even where it is no URL at all");
	pin_url_allowed("https:/x#SECRET", &err);
	ok(!strstr(err.message, "SECRET"), "nor a fragment");
	pin_proxy_allowed("ftp://user:SECRET@proxy.example", &err);
	ok(!strstr(err.message, "SECRET"), "nor a proxy's password");
}

static void
test_proxies(void)
{
	PinError	err;

	ok(pin_proxy_allowed("http://proxy.example:3128", &err), "http proxy");
	ok(pin_proxy_allowed("http://proxy.example:3128/", &err), "with a slash");
	ok(pin_proxy_allowed("https://u:p@proxy.example", &err), "https proxy with password");
	ok(pin_proxy_allowed("socks5h://[::1]:1080", &err), "SOCKS proxy");
	ok(!pin_proxy_allowed("proxy.example:3128", &err), "no scheme");
	has_str(err.hint, "http://", "hint says how to write it");
	is_int(err.kind, PIN_ERROR_URL, "kind URL");
	ok(!pin_proxy_allowed("http://proxy.example/x", &err), "a path");
	ok(!pin_proxy_allowed("http://proxy.example:x", &err), "a bad port");
	ok(!pin_proxy_allowed("http://", &err), "no host");
	ok(!pin_proxy_allowed("", &err), "empty");
	ok(!pin_proxy_allowed("http://a b", &err), "a blank");
}

static void
host_is(const char *url, const char *expected)
{
	char		host[PIN_URL_HOST_SIZE];

	is_str(pin_url_host(url, host, sizeof(host)), expected, "host of %s", url);
}

static void
test_pieces(void)
{
	host_is("https://login.example/t?secret", "login.example");
	host_is("http://127.0.0.1:8080/x", "127.0.0.1:8080");
	host_is("http://[::1]:8080/x", "[::1]:8080");
	host_is("https://u:p@host.example?q", "host.example");
	host_is("nonsense", "");
	ok(pin_url_is_loopback("https://127.0.0.1:1/x"), "loopback by address");
	ok(pin_url_is_loopback("http://[::1]"), "loopback by IPv6 address");
	ok(pin_url_is_loopback("http://localhost:1"), "loopback by name");
	ok(!pin_url_is_loopback("http://128.0.0.1"), "not loopback");
	ok(!pin_url_is_loopback("nonsense"), "not a URL");
	ok(pin_url_is_https("HTTPS://x"), "https");
	ok(!pin_url_is_https("http://x"), "http");
}

int
main(void)
{
	test_allowed();
	test_refused();
	test_messages_keep_secrets();
	test_proxies();
	test_pieces();
	return done_testing();
}
