/*-------------------------------------------------------------------------
 *
 * strangers.c
 *		Snapshots that lack what a need wants, remembered by the session.
 *
 * Whoever looks for rows meets every snapshot of the same scope, most of them
 * of other tables, and would open them all each time.  But a snapshot is never
 * written again under its name, and of no other query, so what one lacks it
 * always will.
 *
 * Only that is remembered, by a hash of both: should two pairs ever have the
 * same, a report is ordered for nothing.  What is used is opened and looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "snapshot/snapshot.h"
#include "utils/hsearch.h"

/* So many are kept, of 32 bytes or so; then all are found out again. */
#define KNOWN_MAX 10000

/* Of uint64; NULL: none is known. */
static HTAB *known = NULL;

static uint64
hash_text(const char *text, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) text, strlen(text), seed);
}

/* All of a need that pin_need_is_met() looks at. */
uint64
pin_stranger_of(const PinNeed *need)
{
	uint64		stranger = hash_text(need->key, need->metrics);

	return need->asked->whole != NULL ? hash_text(need->asked->whole, stranger) : stranger;
}

bool
pin_stranger_is_known(uint64 stranger, const char *path)
{
	uint64		pair = hash_text(path, stranger);

	return known != NULL && hash_search(known, &pair, HASH_FIND, NULL) != NULL;
}

void
pin_stranger_note(uint64 stranger, const char *path)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(uint64)};
	uint64		pair = hash_text(path, stranger);

	if (known != NULL && hash_get_num_entries(known) >= KNOWN_MAX)
	{
		hash_destroy(known);
		known = NULL;
	}
	if (known == NULL)
		known = hash_create("pinsight strangers", 256, &control, HASH_ELEM | HASH_BLOBS);
	(void) hash_search(known, &pair, HASH_ENTER, NULL);
}
