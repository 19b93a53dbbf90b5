/*-------------------------------------------------------------------------
 *
 * took.c
 *		How long a table's last report took, kept across sessions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/credential.h"
#include "miscadmin.h"
#include "snapshot/cache.h"
#include "snapshot/took.h"

/* The digits of a number. */
#define CONTENT_MAX 24

static char *
path_of(const PinOptions *options, Oid relid)
{
	PinHash		hash;
	const char *parts[1];

	parts[0] = psprintf("%u %u %u", MyDatabaseId, relid, options->umid);
	pin_hash_parts(hash, 1, parts);
	return pin_cache_path(hash, NULL, PIN_CACHE_TOOK);
}

int64
pin_took_read(const PinOptions *options, Oid relid)
{
	size_t		len;
	char	   *content = pin_cache_read(path_of(options, relid), CONTENT_MAX, &len);
	long long	secs = content != NULL ? strtoll(content, NULL, 10) : 0;

	return Max(secs, 0);
}

void
pin_took_note(const PinOptions *options, Oid relid, int64 secs)
{
	char	   *path = path_of(options, relid);
	char		content[CONTENT_MAX];

	snprintf(content, sizeof(content), INT64_FORMAT "\n", secs);
	if (!pin_cache_try_write(path, content, strlen(content)))
		elog(DEBUG1, "pinsight_fdw: could not write file \"%s\": %m", path);
}
