/*-------------------------------------------------------------------------
 *
 * inflate.c
 *		Sniffs two bytes, then copies or inflates.
 *
 * States:	SNIFFING --"1f 8b"--> IN_MEMBER --end--> BETWEEN_MEMBERS
 *			    |                     ^--another byte------|
 *			    '--anything else--> PLAIN
 *
 * A stream that has failed stays FAILED, so that an error a caller overlooks
 * meets it again at the end.
 *
 *-------------------------------------------------------------------------
 */
#include "snapshot/inflate.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_MAGIC "\x1f\x8b"
#define MAGIC_LEN 2

/* zlib's way to say: largest window, gzip header and trailer. */
#define GZIP_WINDOW_BITS (15 + 16)

/* zlib counts in unsigned int; larger buffers are taken in pieces. */
#define PIECE_MAX (1u << 30)

typedef enum InflateState
{
	SNIFFING,					/* fewer than two bytes seen */
	PLAIN,						/* bytes go through */
	IN_MEMBER,					/* within a gzip member */
	BETWEEN_MEMBERS,			/* behind a whole gzip member */
	FAILED						/* broken; no way back */
} InflateState;

struct PinInflate
{
	InflateState state;			/* what the next byte belongs to */
	bool		gzip;			/* it was gzip */
	z_stream	stream;			/* zlib's */
	char		held[MAGIC_LEN];	/* bytes taken to sniff at */
	size_t		nheld;			/* bytes in held */
	size_t		held_used;		/* bytes of held passed on */
};

/* What one call may still read and write. */
typedef struct Span
{
	const char *in;				/* next byte to read */
	size_t		inlen;			/* bytes to read */
	char	   *out;			/* next byte to write */
	size_t		room;			/* bytes that may be written */
} Span;

PinInflate *
pin_inflate_open(void)
{
	PinInflate *z = calloc(1, sizeof(PinInflate));

	if (z == NULL)
		return NULL;
	if (inflateInit2(&z->stream, GZIP_WINDOW_BITS) != Z_OK)
	{
		free(z);
		return NULL;
	}
	z->state = SNIFFING;
	return z;
}

void
pin_inflate_free(PinInflate *z)
{
	if (z == NULL)
		return;
	inflateEnd(&z->stream);
	free(z);
}

bool
pin_inflate_is_gzip(const PinInflate *z)
{
	return z->gzip;
}

bool
pin_inflate_is_plain(const PinInflate *z)
{
	return z->state == PLAIN && z->held_used == z->nheld;
}

static bool
fail(PinInflate *z, PinError *err, PinErrorKind kind, const char *what)
{
	z->state = FAILED;
	pin_error_set(err, kind, "%s", what);
	return false;
}

/* Takes bytes until two, or one that is no gzip, tell what the file is. */
static void
sniff(PinInflate *z, Span *span)
{
	while (z->state == SNIFFING && span->inlen > 0)
	{
		z->held[z->nheld] = *span->in++;
		span->inlen--;
		if (z->held[z->nheld] != GZIP_MAGIC[z->nheld])
			z->state = PLAIN;
		else if (z->nheld == MAGIC_LEN - 1)
		{
			z->state = IN_MEMBER;
			z->gzip = true;
		}
		z->nheld++;
	}
}

static void
copy(Span *span)
{
	size_t		len = span->inlen < span->room ? span->inlen : span->room;

	if (len == 0)
		return;
	memcpy(span->out, span->in, len);
	span->in += len;
	span->inlen -= len;
	span->out += len;
	span->room -= len;
}

/* One call of zlib's.  *progress: whether it read or wrote anything. */
static bool
inflate_piece(PinInflate *z, Span *span, bool *progress, PinError *err)
{
	z_stream   *stream = &z->stream;
	uInt		avail_in = span->inlen < PIECE_MAX ? span->inlen : PIECE_MAX;
	uInt		avail_out = span->room < PIECE_MAX ? span->room : PIECE_MAX;
	int			result;

	*progress = false;
	if (avail_out == 0)
		return true;			/* zlib wants a place to write to */
	stream->next_in = (z_const Bytef *) span->in;
	stream->avail_in = avail_in;
	stream->next_out = (Bytef *) span->out;
	stream->avail_out = avail_out;
	result = inflate(stream, Z_NO_FLUSH);
	avail_in -= stream->avail_in;
	avail_out -= stream->avail_out;

	span->in = (const char *) stream->next_in;
	span->inlen -= avail_in;
	span->out = (char *) stream->next_out;
	span->room -= avail_out;
	*progress = avail_in > 0 || avail_out > 0;

	if (result == Z_STREAM_END)
		z->state = BETWEEN_MEMBERS;
	else if (result == Z_MEM_ERROR)
		return fail(z, err, PIN_ERROR_OUT_OF_MEMORY,
					"out of memory while inflating report file");
	else if (result != Z_OK && result != Z_BUF_ERROR)
	{
		fail(z, err, PIN_ERROR_FILE_CORRUPT,
			 "gzip data of report file are corrupt");
		pin_error_detail(err, "Zlib says: %s.", stream->msg ? stream->msg : zError(result));
		return false;
	}
	return true;
}

/* Inflates all members there are, until input or room ends. */
static bool
inflate_members(PinInflate *z, Span *span, PinError *err)
{
	bool		progress = true;

	while (progress)
	{
		if (z->state == BETWEEN_MEMBERS)
		{
			if (span->inlen == 0)
				return true;
			if (*span->in != GZIP_MAGIC[0])
				return fail(z, err, PIN_ERROR_FILE_CORRUPT,
							"report file goes on after the end of its gzip data");
			inflateReset(&z->stream);
			z->state = IN_MEMBER;
		}
		if (!inflate_piece(z, span, &progress, err))
			return false;
	}
	return true;
}

/* Passes on what the state says. */
static bool
pass(PinInflate *z, Span *span, PinError *err)
{
	switch (z->state)
	{
		case SNIFFING:
			return true;
		case PLAIN:
			copy(span);
			return true;
		case IN_MEMBER:
		case BETWEEN_MEMBERS:
			return inflate_members(z, span, err);
		case FAILED:
			break;
	}
	return fail(z, err, PIN_ERROR_FILE_CORRUPT, "report file is corrupt");
}

/* Passes on the bytes taken to sniff at, as far as there is room. */
static bool
pass_held(PinInflate *z, Span *span, PinError *err)
{
	Span		held = {
		z->held + z->held_used, z->nheld - z->held_used,
		span->out, span->room
	};

	if (held.inlen == 0)
		return true;
	if (!pass(z, &held, err))
		return false;
	z->held_used = z->nheld - held.inlen;
	span->out = held.out;
	span->room = held.room;
	return true;
}

bool
pin_inflate_step(PinInflate *z, const char *in, size_t inlen, size_t *used,
				 char *out, size_t outsize, size_t *made, PinError *err)
{
	Span		span = {in, inlen, out, outsize};
	bool		good;

	sniff(z, &span);
	good = pass_held(z, &span, err);
	if (good && z->held_used == z->nheld)
		good = pass(z, &span, err);
	*used = inlen - span.inlen;
	*made = outsize - span.room;
	return good;
}

bool
pin_inflate_end(PinInflate *z, char *out, size_t outsize, size_t *made,
				PinError *err)
{
	size_t		used;

	if (z->state == SNIFFING)
		z->state = PLAIN;
	if (!pin_inflate_step(z, NULL, 0, &used, out, outsize, made, err))
		return false;
	if (z->state == IN_MEMBER)
		return fail(z, err, PIN_ERROR_FILE_TRUNCATED,
					"gzip data of report file end too early");
	return true;
}
