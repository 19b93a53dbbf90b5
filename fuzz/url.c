/*-------------------------------------------------------------------------
 *
 * url.c
 *		Fuzz target: whoever reads an address that may be called reads the same
 *		host in it, and a page of a list is on the API's.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "insights/api.h"
#include "transport/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <strings.h>

#define ADDRESS_MAX 2000

/* An address as libcurl reads it; strings are its own, NULL: it has none. */
typedef struct AddressRead
{
	CURLU	   *url;
	char	   *scheme;
	char	   *host;
	char	   *port;
	char	   *user;
} AddressRead;

/* False if libcurl takes it for no address: then it will refuse it. */
static bool
read_address(const char *url, AddressRead *read)
{
	memset(read, 0, sizeof(*read));
	read->url = curl_url();
	FUZZ_EXPECT(read->url != NULL);
	if (curl_url_set(read->url, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK)
		return false;
	curl_url_get(read->url, CURLUPART_SCHEME, &read->scheme, 0);
	curl_url_get(read->url, CURLUPART_HOST, &read->host, 0);
	curl_url_get(read->url, CURLUPART_PORT, &read->port, 0);
	curl_url_get(read->url, CURLUPART_USER, &read->user, 0);
	return true;
}

static void
forget(AddressRead *read)
{
	curl_free(read->scheme);
	curl_free(read->host);
	curl_free(read->port);
	curl_free(read->user);
	curl_url_cleanup(read->url);
}

/* Is it "host" or "host:port"? */
static bool
is_host(const char *ours, const char *host)
{
	size_t		len = strlen(host);

	return strncasecmp(ours, host, len) == 0 && (ours[len] == '\0' || ours[len] == ':');
}

static void
check_address(const char *url)
{
	char		ours[PIN_URL_HOST_SIZE];
	PinError	err;
	AddressRead read;

	if (!pin_url_allowed(url, &err))
		return;
	if (read_address(url, &read))
	{
		bool		https = strcasecmp(read.scheme, "https") == 0;

		FUZZ_EXPECT(https == pin_url_is_https(url));
		FUZZ_EXPECT(https || strcasecmp(read.scheme, "http") == 0);
		FUZZ_EXPECT(https || pin_url_is_loopback(url));
		FUZZ_EXPECT(read.user == NULL);
		pin_url_host(url, ours, sizeof(ours));
		/* an IPv6 address may be spelled in many ways */
		FUZZ_EXPECT(*ours == '[' ? *read.host == '[' : is_host(ours, read.host));
	}
	forget(&read);
}

static void
check_page(const char *link)
{
	PinApi		api = {"https://api.example.com:8443/", "v1", "mpn"};
	PinApiRequest request;
	PinError	err;
	AddressRead read;

	if (!pin_api_next_page(&api, link, &request, &err))
		return;
	if (pin_url_allowed(request.url, &err))
	{
		if (read_address(request.url, &read))
		{
			FUZZ_EXPECT(strcasecmp(read.scheme, "https") == 0);
			FUZZ_EXPECT(strcasecmp(read.host, "api.example.com") == 0);
			FUZZ_EXPECT(read.port != NULL && strcmp(read.port, "8443") == 0);
		}
		forget(&read);
	}
	pin_api_request_free(&request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		url[ADDRESS_MAX + 1];

	if (size > ADDRESS_MAX || memchr(data, '\0', size) != NULL)
		return 0;
	memcpy(url, data, size);
	url[size] = '\0';
	check_address(url);
	check_page(url);
	return 0;
}

FUZZ_MAIN(FUZZ_SEED("https://api.example.com:8443/insights/v1/mpn/ScheduledReport?page=2"),
		  FUZZ_SEED("https://blob.example/x?sv=2021&sig=a%2Bb%3D&at=u@h"),
		  FUZZ_SEED("http://127.0.0.1:8080/x"),
		  FUZZ_SEED("http://[::1]:8080/x"),
		  FUZZ_SEED("https://127.1:443"),
		  FUZZ_SEED("https://0x7f.0.0.1/"),
		  FUZZ_SEED("https://user:pw@host.example\\@localhost/"),
		  FUZZ_SEED("/insights/v1?x"),
		  FUZZ_SEED("ScheduledReport?page=2"));
