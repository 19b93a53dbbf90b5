/*-------------------------------------------------------------------------
 *
 * local_name.c
 *		From remote names to PostgreSQL's identifiers.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/local_name.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"
#include "insights/name_words.h"

/* "_" and eight hexadecimal digits. */
#define HASH_LEN 9

/* Every table has these columns already. */
static const char *const system_columns[] = {
	"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"
};

/* FNV-1a, without case: the service's spelling of a name may change its case. */
static uint32_t
hash_of(const char *remote)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (; *remote; remote++)
	{
		hash ^= (unsigned char) pin_ascii_lower(*remote);
		hash *= UINT64_C(1099511628211);
	}
	return (uint32_t) (hash ^ (hash >> 32));
}

/* A name under construction. */
typedef struct Builder
{
	char	   *out;			/* zero-terminated */
	size_t		len;			/* so far */
	size_t		room;			/* most bytes, without the final zero */
} Builder;

static void
add(Builder *builder, const char *text, size_t len, PinNameStyle style)
{
	for (size_t i = 0; i < len && builder->len < builder->room; i++)
		builder->out[builder->len++] =
			style == PIN_NAME_SNAKE ? pin_ascii_lower(text[i]) : text[i];
	builder->out[builder->len] = '\0';
}

/* Length of all words, joined. */
static size_t
joined_length(const PinNameWord *words, size_t nwords, PinNameStyle style)
{
	size_t		len = style == PIN_NAME_SNAKE && nwords > 0 ? nwords - 1 : 0;

	for (size_t i = 0; i < nwords; i++)
		len += words[i].len;
	return len;
}

/* Cuts a word.  These two would be cut to the same, and mean the contrary. */
static void
cut_word(PinNameWord *word, size_t cut)
{
	if (pin_name_word_is(word, "with"))
		cut = 1;
	if (pin_name_word_is(word, "without"))
	{
		word->start = "wo";
		cut = 2;
	}
	if (word->len > cut)
		word->len = cut;
}

/* Joins the words, all cut to the same length if they are too long. */
static void
add_words(Builder *builder, const char *remote, PinNameStyle style)
{
	PinNameWord words[PIN_NAME_WORDS_MAX];
	size_t		nwords = pin_name_words(remote, words);
	size_t		room = builder->room - builder->len;

	for (size_t cut = room; cut > 0 && joined_length(words, nwords, style) > room; cut--)
		for (size_t i = 0; i < nwords; i++)
			cut_word(&words[i], cut);
	for (size_t i = 0; i < nwords; i++)
	{
		if (i > 0 && style == PIN_NAME_SNAKE)
			add(builder, "_", 1, style);
		add(builder, words[i].start, words[i].len, style);
	}
}

static bool
is_system_column(const char *name)
{
	for (size_t i = 0; i < sizeof(system_columns) / sizeof(system_columns[0]); i++)
		if (strcmp(name, system_columns[i]) == 0)
			return true;
	return false;
}

/* Builds a name in at most room bytes. */
static void
build(char *local, size_t room, const char *prefix, const char *remote,
	  PinNameStyle style)
{
	Builder		builder = {local, 0, room};
	size_t		len = strlen(remote);

	add(&builder, prefix, strlen(prefix), PIN_NAME_PRESERVE);
	if (style == PIN_NAME_PRESERVE && len > 0 && len <= room - builder.len)
		add(&builder, remote, len, style);
	else
	{
		/* a plain identifier begins with no digit */
		if (builder.len == 0 && style == PIN_NAME_SNAKE && pin_ascii_is_digit(*remote))
			add(&builder, "_", 1, style);
		add_words(&builder, remote, style);
	}
	if (builder.len == 0 || is_system_column(local))
		add(&builder, "_", 1, style);
}

/* The same, with a hash at its end. */
static void
build_with_hash(char *local, const char *prefix, const char *remote,
				PinNameStyle style)
{
	size_t		len;

	build(local, PIN_LOCAL_NAME_MAX - HASH_LEN, prefix, remote, style);
	len = strlen(local);
	snprintf(local + len, HASH_LEN + 1, "_%08" PRIx32, hash_of(remote));
}

void
pin_local_name(PinLocalName local, const char *prefix, const char *remote,
			   PinNameStyle style)
{
	build(local, PIN_LOCAL_NAME_MAX, prefix, remote, style);
}

/* ---- uniqueness ---- */

/* One of the names of a table. */
typedef struct Entry
{
	char	   *local;			/* its local name so far */
	const char *remote;			/* what it stands for */
	int			marks;			/* letters that are none: "_", "(", ... */
} Entry;

static int
count_marks(const char *remote)
{
	int			marks = 0;

	for (; *remote; remote++)
		marks += !pin_ascii_is_letter(*remote) && !pin_ascii_is_digit(*remote);
	return marks;
}

/* By local name, the one with the most marks first. */
static int
compare_entries(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;
	int			order = strcmp(x->local, y->local);

	return order != 0 ? order : y->marks - x->marks;
}

/* Entries that begin a sorted list and have the same local name. */
static size_t
count_alike(const Entry *entries, size_t count)
{
	size_t		n = 1;

	while (n < count && strcmp(entries[0].local, entries[n].local) == 0)
		n++;
	return n;
}

/* Gives hashes to entries with the same local name, sorted as above. */
static void
tell_apart(const Entry *alike, size_t n, const char *prefix, PinNameStyle style)
{
	/* PGA_MPNId says what its words are: it keeps pga_mpn_id */
	size_t		first = n > 1 && alike[0].marks > alike[1].marks ? 1 : 0;

	for (size_t i = first; n > 1 && i < n; i++)
		build_with_hash(alike[i].local, prefix, alike[i].remote, style);
}

bool
pin_local_names(PinLocalName *locals, const char *prefix,
				const char *const *remotes, size_t count, PinNameStyle style)
{
	Entry	   *entries = malloc((count > 0 ? count : 1) * sizeof(Entry));

	if (entries == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		pin_local_name(locals[i], prefix, remotes[i], style);
		entries[i] = (Entry)
		{
			locals[i], remotes[i], count_marks(remotes[i])
		};
	}
	qsort(entries, count, sizeof(Entry), compare_entries);
	for (size_t i = 0, alike; i < count; i += alike)
	{
		alike = count_alike(&entries[i], count - i);
		tell_apart(&entries[i], alike, prefix, style);
	}
	free(entries);
	return true;
}
