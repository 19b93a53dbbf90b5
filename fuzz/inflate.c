/*-------------------------------------------------------------------------
 *
 * inflate.c
 *		Fuzzes inflate: what comes out does not depend on the steps in which
 *		bytes go in and come out, and a plain file comes out as it went in.
 *
 * Input: bytes per step in, bytes per step out, file.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "snapshot/inflate.h"

/* A small file can inflate to a thousand times its size; enough is enough. */
#define OUTPUT_MAX (1024 * 1024)

/* What came out, boiled down. */
typedef struct Summary
{
	uint64_t	hash;			/* over all bytes */
	size_t		len;			/* their number */
	PinErrorKind failure;		/* how it ended */
	bool		gzip;			/* what it was taken for */
	bool		cut;			/* OUTPUT_MAX was reached */
} Summary;

static void
add_bytes(Summary *summary, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && summary->len < OUTPUT_MAX; i++)
	{
		summary->hash = summary->hash * 31 + (unsigned char) bytes[i];
		summary->len++;
	}
	summary->cut = summary->len == OUTPUT_MAX;
}

/*
 * Steps until the input is used up, then until nothing more comes out; or only
 * until the rest of it need not be passed through.
 */
static bool
run_steps(PinInflate *z, const uint8_t *data, size_t size, size_t piece, bool shortcut,
		  char *out, size_t room, Summary *summary, PinError *err)
{
	size_t		used;
	size_t		made;

	do
	{
		size_t		inlen = size < piece ? size : piece;
		bool		good = pin_inflate_step(z, (const char *) data, inlen, &used,
											out, room, &made, err);

		FUZZ_EXPECT(used <= inlen && made <= room);
		add_bytes(summary, out, made);
		if (!good)
			return false;
		FUZZ_EXPECT(inlen == 0 || used > 0 || made > 0);
		data += used;
		size -= used;
		if (shortcut && pin_inflate_is_plain(z))
		{
			add_bytes(summary, (const char *) data, size);
			return true;
		}
	} while ((size > 0 || made > 0) && !summary->cut);
	return true;
}

static Summary
summarize(const uint8_t *data, size_t size, size_t piece, bool shortcut, size_t room)
{
	Summary		summary = {0};
	PinInflate *z = pin_inflate_open();
	char	   *out = malloc(room);
	char		rest[2];
	size_t		made;
	PinError	err;

	FUZZ_EXPECT(z != NULL && out != NULL);
	pin_error_reset(&err);
	if (run_steps(z, data, size, piece, shortcut, out, room, &summary, &err) &&
		!summary.cut && pin_inflate_end(z, rest, sizeof(rest), &made, &err))
		add_bytes(&summary, rest, made);
	summary.failure = err.kind;
	summary.gzip = pin_inflate_is_gzip(z);
	free(out);
	pin_inflate_free(z);
	return summary;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Summary		whole;
	Summary		steps;
	Summary		shortcut;

	if (size < 2)
		return 0;
	whole = summarize(data + 2, size - 2, size, false, 65536);
	steps = summarize(data + 2, size - 2, 1 + data[0], false, 1 + data[1]);
	shortcut = summarize(data + 2, size - 2, 1 + data[0], true, 1 + data[1]);

	FUZZ_EXPECT(whole.hash == steps.hash && whole.len == steps.len);
	FUZZ_EXPECT(whole.gzip == steps.gzip && whole.cut == steps.cut);
	FUZZ_EXPECT(whole.cut || whole.failure == steps.failure);
	FUZZ_EXPECT(whole.hash == shortcut.hash && whole.len == shortcut.len);
	if (!whole.gzip)
		FUZZ_EXPECT(whole.failure == PIN_ERROR_NONE && whole.len == size - 2);
	return 0;
}

#define GZIP_FILE "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2" \
	"\x32\xd4\x31\xe2\x4a\x44\xa3\x01\xbf\x02\x36\xd0\x18\x00\x00\x00"

FUZZ_MAIN(FUZZ_SEED("\0\0a,b\n1,2\n"),
		  FUZZ_SEED("\0\0" GZIP_FILE),
		  FUZZ_SEED("\xff\xff" GZIP_FILE GZIP_FILE),
		  FUZZ_SEED("\x05\x01\x1f\x8b"));
