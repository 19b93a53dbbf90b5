/*-------------------------------------------------------------------------
 *
 * need.c
 *		What a scan needs from the service, as a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "snapshot/need.h"

PinNeed *
pin_need_create(const PinOptions *options, const char *query)
{
	PinNeed    *need = palloc0(sizeof(PinNeed));
	const char *parts[] = {
		need->credential, options->api_url, options->api_version,
		options->program, query,
		options->format == PIN_FORMAT_TSV ? "tsv" : "csv"
	};

	need->options = options;
	need->query = query;
	pin_credential_hash(need->credential, options);
	pin_hash_parts(need->key, lengthof(parts), parts);
	return need;
}
