/*-------------------------------------------------------------------------
 *
 * inflate.c
 *		What inflate makes of whole, joined, cut and broken files, in steps of
 *		many sizes.
 *
 * Links: src/snapshot/inflate.c src/error.c -lz
 *
 *-------------------------------------------------------------------------
 */
#include "snapshot/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "tap.h"

#define MOST 30000

/* A file, or what came out of one. */
typedef struct Bytes
{
	char		data[MOST];		/* the bytes */
	size_t		len;			/* their number */
} Bytes;

static Bytes plain;
static Bytes packed;
static Bytes output;

static void
append(Bytes *to, const void *data, size_t len)
{
	if (to->len + len > MOST)
		abort();
	if (len > 0)
		memcpy(to->data + to->len, data, len);
	to->len += len;
}

/* Appends data as one gzip member. */
static void
append_member(Bytes *to, const char *data, size_t len)
{
	z_stream	stream = {0};

	if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	stream.next_in = (Bytef *) data;
	stream.avail_in = len;
	stream.next_out = (Bytef *) to->data + to->len;
	stream.avail_out = MOST - to->len;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	to->len += stream.total_out;
	deflateEnd(&stream);
}

/* One step into output. */
static bool
step(PinInflate *z, const char *in, size_t inlen, size_t room, size_t *used,
	 size_t *made, PinError *err)
{
	char	   *out = malloc(room);
	bool		good;

	good = pin_inflate_step(z, in, inlen, used, out, room, made, err);
	append(&output, out, *made);
	free(out);
	return good;
}

static bool
flush(PinInflate *z, size_t room, PinError *err)
{
	size_t		used;
	size_t		made;
	char		rest[2];

	do
	{
		if (!step(z, NULL, 0, room, &used, &made, err))
			return false;
	} while (made > 0);
	if (!pin_inflate_end(z, rest, sizeof(rest), &made, err))
		return false;
	append(&output, rest, made);
	return true;
}

/*
 * Runs a file through, piece bytes in and room bytes out at a time.  Returns
 * the kind of the failure; output holds what came out.
 */
static PinErrorKind
run(const Bytes *file, size_t piece, size_t room, bool *gzip)
{
	PinInflate *z = pin_inflate_open();
	PinError	err;
	bool		good = true;
	size_t		at = 0;

	pin_error_reset(&err);
	output.len = 0;
	while (good && at < file->len)
	{
		size_t		n = file->len - at < piece ? file->len - at : piece;
		char	   *in = malloc(n);
		size_t		used;
		size_t		made;

		memcpy(in, file->data + at, n);
		good = step(z, in, n, room, &used, &made, &err);
		at += used;
		if (good && used == 0 && made == 0)
			abort();			/* would never end */
		free(in);
	}
	if (good)
		flush(z, room, &err);
	*gzip = pin_inflate_is_gzip(z);
	pin_inflate_free(z);
	return err.kind;
}

static const size_t sizes[] = {1, 2, 3, 7, 64, 1000, MOST};

#define NSIZES (sizeof(sizes) / sizeof(sizes[0]))

/* The file must give expected, in steps of every size. */
static void
check_whole(const Bytes *file, const char *expected, size_t len, bool is_gzip,
			const char *name)
{
	int			bad = 0;

	for (size_t i = 0; i < NSIZES; i++)
	{
		for (size_t o = 0; o < NSIZES; o++)
		{
			bool		gzip;

			if (run(file, sizes[i], sizes[o], &gzip) != PIN_ERROR_NONE ||
				gzip != is_gzip || output.len != len ||
				memcmp(output.data, expected, len) != 0)
				bad++;
		}
	}
	is_int(bad, 0, "%s", name);
}

static void
check_broken(const Bytes *file, PinErrorKind kind, const char *name)
{
	int			bad = 0;

	for (size_t i = 0; i < NSIZES; i++)
	{
		for (size_t o = 0; o < NSIZES; o++)
		{
			bool		gzip;

			bad += run(file, sizes[i], sizes[o], &gzip) != kind;
		}
	}
	is_int(bad, 0, "%s", name);
}

static void
fill_plain(size_t len)
{
	uint32_t	state = 1;

	plain.len = len;
	for (size_t i = 0; i < len; i++)
	{
		state = state * 1664525 + 1013904223;
		plain.data[i] = i % 50 < 30 ? 'a' : (char) (state >> 24);
	}
}

static void
set(Bytes *file, const char *data, size_t len)
{
	file->len = 0;
	append(file, data, len);
}

static void
test_plain(void)
{
	fill_plain(8000);
	check_whole(&plain, plain.data, plain.len, false, "plain file");
	set(&plain, "", 0);
	check_whole(&plain, "", 0, false, "empty file");
	set(&plain, "\x1f", 1);
	check_whole(&plain, "\x1f", 1, false, "first byte of gzip alone");
	set(&plain, "\x1f\n", 2);
	check_whole(&plain, "\x1f\n", 2, false, "first byte of gzip, then another");
	set(&plain, "\x8b\x1f\x8b", 3);
	check_whole(&plain, "\x8b\x1f\x8b", 3, false, "gzip's bytes further on");
}

static void
test_gzip(void)
{
	fill_plain(8000);
	packed.len = 0;
	append_member(&packed, plain.data, plain.len);
	check_whole(&packed, plain.data, plain.len, true, "one member");

	packed.len = 0;
	append_member(&packed, plain.data, 5000);
	append_member(&packed, "", 0);
	append_member(&packed, plain.data + 5000, 3000);
	check_whole(&packed, plain.data, plain.len, true, "members in a row");

	packed.len = 0;
	append_member(&packed, "", 0);
	check_whole(&packed, "", 0, true, "nothing, packed");
}

static void
test_cut(void)
{
	int			bad = 0;
	size_t		whole;

	fill_plain(2000);
	packed.len = 0;
	append_member(&packed, plain.data, 1000);
	whole = packed.len;
	append_member(&packed, plain.data + 1000, 1000);
	for (size_t end = packed.len; --packed.len >= 2;)
	{
		bool		gzip;
		PinErrorKind kind = run(&packed, end, 100, &gzip);

		bad += kind != (packed.len == whole ? PIN_ERROR_NONE :
						PIN_ERROR_FILE_TRUNCATED);
		bad += memcmp(output.data, plain.data, output.len) != 0;
	}
	is_int(bad, 0, "cut anywhere but between members is truncated");
}

static void
test_broken(void)
{
	fill_plain(5000);
	packed.len = 0;
	append_member(&packed, plain.data, plain.len);
	append(&packed, "x", 1);
	check_broken(&packed, PIN_ERROR_FILE_CORRUPT, "a byte behind the last member");
	packed.data[packed.len - 1] = '\0';
	check_broken(&packed, PIN_ERROR_FILE_CORRUPT, "a zero behind the last member");
	packed.len--;

	packed.data[packed.len - 5] ^= 1;
	check_broken(&packed, PIN_ERROR_FILE_CORRUPT, "wrong checksum");
	packed.data[packed.len - 5] ^= 1;
	packed.data[packed.len - 4] ^= 1;
	check_broken(&packed, PIN_ERROR_FILE_CORRUPT, "wrong length");
	packed.data[packed.len - 4] ^= 1;
	packed.data[2] = 9;
	check_broken(&packed, PIN_ERROR_FILE_CORRUPT, "unknown method");
}

/* After these bytes at most two of them can still be held back. */
static void
check_plain(const char *in, size_t room, bool plain, const char *what)
{
	PinInflate *z = pin_inflate_open();
	PinError	err;
	size_t		used;
	size_t		made;

	output.len = 0;
	step(z, in, strlen(in), room, &used, &made, &err);
	ok(pin_inflate_is_plain(z) == plain, "%s", what);
	pin_inflate_free(z);
}

static void
test_is_plain(void)
{
	check_plain("", 100, false, "nothing is not known to be plain");
	check_plain("a", 100, true, "text is");
	check_plain("\x1f", 100, false, "half a mark of gzip is not");
	check_plain("\x1f" "a", 100, true, "what only begins like one is");
	check_plain("\x1f" "a", 1, false, "but not before all of that was written");
	check_plain("\x1f\x8b\x08", 100, false, "gzip is not");
}

static void
test_failure_stays(void)
{
	PinInflate *z = pin_inflate_open();
	PinError	err;
	size_t		used;
	size_t		made;
	char		out[100];

	ok(!pin_inflate_step(z, "\x1f\x8bjunk", 6, &used, out, 100, &made, &err),
	   "junk is refused");
	is_str(err.message, "gzip data of report file are corrupt", "in these words");
	ok(strncmp(err.detail, "Zlib says: ", 11) == 0, "with the library's reason");
	pin_error_reset(&err);
	ok(!pin_inflate_step(z, "a", 1, &used, out, 100, &made, &err), "again");
	ok(!pin_inflate_end(z, out, 100, &made, &err), "and at the end");
	is_int(err.kind, PIN_ERROR_FILE_CORRUPT, "with the same kind");
	pin_inflate_free(z);
	pin_inflate_free(NULL);
}

int
main(void)
{
	test_plain();
	test_gzip();
	test_cut();
	test_broken();
	test_is_plain();
	test_failure_stays();
	return done_testing();
}
