/*-------------------------------------------------------------------------
 *
 * option_value.c
 *		Is this text an acceptable value, and what does it mean?
 *
 * Letters and digits are ASCII ones, whatever the locale says: these values
 * go into URLs and into report queries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <math.h>

#include "commands/defrem.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "host_text.h"
#include "pgtime.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"

#include "option_value.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Longest host name and longest version, bytes. */
#define HOST_MAX 253
#define VERSION_MAX 16

/* Of SHA-256. */
#define HASH_DIGITS 64

/* Longest id, as in insights/api.h. */
#define ID_MAX 128

char *
pin_option_get(List *list, const char *name)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return NULL;
}

/* Is value 1 to max bytes long and made of the given characters alone? */
static bool
consists_of(const char *value, const char *characters, size_t max)
{
	size_t		len = strlen(value);

	return len > 0 && len <= max && strspn(value, characters) == len;
}

static bool
is_alphanumeric(char c)
{
	return c != '\0' && strchr(LETTERS DIGITS, c) != NULL;
}

/* Does value, not empty, begin and end with a letter or digit? */
static bool
has_firm_ends(const char *value)
{
	return is_alphanumeric(value[0]) &&
		is_alphanumeric(value[strlen(value) - 1]);
}

static bool
has_control_characters(const char *value)
{
	for (; *value != '\0'; value++)
	{
		if ((unsigned char) *value < 0x20 || *value == 0x7f)
			return true;
	}
	return false;
}

bool
pin_value_line(const char *value)
{
	return value[0] != '\0' && !has_control_characters(value);
}

/*
 * Firm ends keep "." and ".." away from the URL that the tenant becomes a part
 * of.
 */
bool
pin_value_tenant(const char *value)
{
	return consists_of(value, LETTERS DIGITS ".-", HOST_MAX) &&
		has_firm_ends(value);
}

bool
pin_value_version(const char *value)
{
	return consists_of(value, LETTERS DIGITS ".", VERSION_MAX) &&
		has_firm_ends(value);
}

bool
pin_value_client_id(const char *value)
{
	return consists_of(value, LETTERS DIGITS "-", PIN_NAME_MAX);
}

bool
pin_value_id(const char *value)
{
	return consists_of(value, LETTERS DIGITS "!$()*+,-.:=@[]^_`{|}~", ID_MAX) &&
		value[0] != '.';
}

bool
pin_value_origin(const char *value)
{
	static const char hexadecimal[] = "0123456789abcdef";

	return strspn(value, hexadecimal) == HASH_DIGITS && value[HASH_DIGITS] == ':' &&
		strspn(value + HASH_DIGITS + 1, hexadecimal) == HASH_DIGITS &&
		value[2 * HASH_DIGITS + 1] == '\0';
}

bool
pin_value_name(const char *value)
{
	return consists_of(value, LETTERS DIGITS "_()", PIN_NAME_MAX);
}

bool
pin_value_timespan(const char *value)
{
	return consists_of(value, LETTERS DIGITS "_", NAMEDATALEN - 1);
}

/* Is this an IPv6 address in brackets?  If so, it goes to *address. */
static bool
is_bracketed(const char *host, struct in6_addr *address)
{
	char		bare[INET6_ADDRSTRLEN];
	size_t		len = strlen(host);

	if (len < 3 || len - 2 >= sizeof(bare) ||
		host[0] != '[' || host[len - 1] != ']')
		return false;
	strlcpy(bare, host + 1, len - 1);
	return inet_pton(AF_INET6, bare, address) == 1;
}

/*
 * Loopback is 127.0.0.0/8 in four plain numbers, [::1] and localhost.  A name
 * that merely begins with 127. may lead anywhere.
 */
static bool
is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (is_bracketed(host, &v6))
		return IN6_IS_ADDR_LOOPBACK(&v6);
	if (inet_pton(AF_INET, host, &v4) == 1)
		return pg_ntoh32(v4.s_addr) >> 24 == 127;
	return pg_strcasecmp(host, "localhost") == 0;
}

/* Is this a name, an IPv4 address, or an IPv6 address in brackets? */
static bool
is_host(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (host[0] == '[')
		return is_bracketed(host, &v6);
	if (pin_host_ends_in_number(host))
		return inet_pton(AF_INET, host, &v4) == 1;
	return host[0] != '.' &&
		consists_of(host, LETTERS DIGITS "._-", HOST_MAX);
}

/* Is this ":" and a port number, or nothing? */
static bool
is_port(const char *port)
{
	if (port[0] == '\0')
		return true;
	return port[0] == ':' && consists_of(port + 1, DIGITS, 5) &&
		atoi(port + 1) >= 1 && atoi(port + 1) <= 65535;
}

/*
 * Splits "host:port" of length len: the host goes to host, of HOST_MAX + 1
 * bytes.  False if it is not exactly that.
 */
static bool
split_authority(const char *authority, size_t len, char *host)
{
	char		copy[HOST_MAX + sizeof(":65535")];
	char	   *bracket;
	char	   *colon;

	if (len >= sizeof(copy))
		return false;
	strlcpy(copy, authority, len + 1);
	bracket = strchr(copy, ']');
	colon = strchr(bracket != NULL ? bracket : copy, ':');
	if (colon != NULL)
	{
		if (!is_port(colon))
			return false;
		*colon = '\0';
	}
	if (!is_host(copy))
		return false;
	strlcpy(host, copy, HOST_MAX + 1);
	return true;
}

/*
 * The rule of the HTTP layer, kept here a second time: this file lies below
 * that one, and a bad address has to be refused when it is set.  Beyond that
 * rule there may be no query and no fragment, since paths are appended.
 */
bool
pin_value_url(const char *value)
{
	static const char path_characters[] =
	LETTERS DIGITS "-._~!$&'()*+,;=:@%/";
	char		host[HOST_MAX + 1];
	const char *authority;
	const char *path;
	bool		tls = pg_strncasecmp(value, "https://", 8) == 0;

	if (!tls && pg_strncasecmp(value, "http://", 7) != 0)
		return false;
	if (strlen(value) > PIN_URL_MAX)
		return false;
	authority = value + (tls ? 8 : 7);
	path = authority + strcspn(authority, "/");
	return strspn(path, path_characters) == strlen(path) &&
		split_authority(authority, path - authority, host) &&
		(tls || is_loopback(host));
}

bool
pin_value_proxy(const char *value)
{
	static const char *const schemes[] = {
		"http://", "https://", "socks5://", "socks5h://"
	};
	char		host[HOST_MAX + 1];

	for (int i = 0; i < lengthof(schemes); i++)
	{
		const char *authority = value + strlen(schemes[i]);
		const char *path;

		if (pg_strncasecmp(value, schemes[i], strlen(schemes[i])) != 0)
			continue;
		path = authority + strcspn(authority, "/");
		return (path[0] == '\0' || strcmp(path, "/") == 0) &&
			split_authority(authority, path - authority, host);
	}
	return false;
}

bool
pin_value_resource(const char *value)
{
	return consists_of(value, LETTERS DIGITS "-._~:/", PIN_URL_MAX);
}

bool
pin_value_path(const char *value)
{
	return is_absolute_path(value) && strlen(value) < MAXPGPATH &&
		!has_control_characters(value);
}

bool
pin_value_object(const char *value)
{
	static const char *const objects[] = {"datasets", "queries", "reports", "executions"};

	for (int i = 0; i < lengthof(objects); i++)
	{
		if (strcmp(value, objects[i]) == 0)
			return true;
	}
	return false;
}

bool
pin_value_program(const char *value)
{
	return strcmp(value, "mpn") == 0 || strcmp(value, "cmp") == 0;
}

bool
pin_value_format(const char *value)
{
	return strcmp(value, "csv") == 0 || strcmp(value, "tsv") == 0;
}

bool
pin_value_on_error(const char *value)
{
	return strcmp(value, "stop") == 0 || strcmp(value, "set_null") == 0;
}

bool
pin_value_fetch(const char *value)
{
	return strcmp(value, "table") == 0 || strcmp(value, "query") == 0;
}

bool
pin_value_login_version(const char *value)
{
	return strcmp(value, "v1") == 0 || strcmp(value, "v2") == 0;
}

bool
pin_value_signature(const char *value)
{
	return strcmp(value, "PS256") == 0 || strcmp(value, "RS256") == 0;
}

bool
pin_value_case(const char *value)
{
	return strcmp(value, "snake") == 0 || strcmp(value, "preserve") == 0;
}

bool
pin_value_metadata(const char *value)
{
	return strcmp(value, "report_id") == 0 ||
		strcmp(value, "execution_id") == 0 ||
		strcmp(value, "generated_time") == 0;
}

bool
pin_value_boolean(const char *value)
{
	bool		ignored;

	return parse_bool(value, &ignored);
}

bool
pin_value_prefix(const char *value)
{
	return value[0] == '\0' ||
		consists_of(value, LETTERS DIGITS "_", PIN_PREFIX_MAX);
}

/* Up to ten digits: the bound needs no more. */
bool
pin_value_row_count(const char *value, double *count)
{
	if (!consists_of(value, DIGITS, 10))
		return false;
	*count = strtod(value, NULL);
	return *count <= PIN_ROW_COUNT_MAX;
}

/*
 * Reads an interval as interval's input function does, but says no where that
 * one throws.
 */
static bool
decode_interval(const char *value, struct pg_itm_in *itm)
{
	char		work[256];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nfields;
	int			dtype;
	int			error;

	memset(itm, 0, sizeof(*itm));
	error = ParseDateTime(value, work, sizeof(work),
						  field, ftype, MAXDATEFIELDS, &nfields);
	if (error == 0)
		error = DecodeInterval(field, ftype, nfields, INTERVAL_FULL_RANGE,
							   &dtype, itm);
	if (error == DTERR_BAD_FORMAT && strlen(value) < sizeof(work))
	{
		strlcpy(work, value, sizeof(work));
		error = DecodeISO8601Interval(work, &dtype, itm);
	}
	return error == 0 && dtype == DTK_DELTA;
}

/* A month has no fixed length, so an interval with months is no duration. */
static bool
decode_milliseconds(const char *value, int64 *ms)
{
	struct pg_itm_in itm;

	if (!decode_interval(value, &itm) ||
		itm.tm_year != 0 || itm.tm_mon != 0)
		return false;
	*ms = (int64) itm.tm_mday * (USECS_PER_DAY / 1000);
	return !pg_add_s64_overflow(*ms, itm.tm_usec / 1000, ms);
}

bool
pin_value_duration(const char *value, int *ms)
{
	int64		total;

	if (!decode_milliseconds(value, &total) ||
		total < 1 || total > PIN_DURATION_MAX_MS)
		return false;
	*ms = (int) total;
	return true;
}

bool
pin_value_age(const char *value, int64 *ms)
{
	return decode_milliseconds(value, ms) && *ms >= 0 && *ms <= PIN_AGE_MAX_MS;
}

bool
pin_value_count(const char *value, int *count)
{
	/* parse_int would round */
	return consists_of(value, DIGITS, 4) &&
		parse_int(value, count, 0, NULL) && *count >= 1 && *count <= 1000;
}

bool
pin_value_cost(const char *value, double *cost)
{
	return parse_real(value, cost, 0, NULL) && isfinite(*cost) && *cost >= 0;
}
