/*-------------------------------------------------------------------------
 *
 * gzip.c
 *		Writes a file as gzip or as it is, and takes its MD5 on the way.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "gzip.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "text.h"

#define BUFFER_SIZE	(64 * 1024)

/* gzip framing, largest window: what zlib calls 15 + 16. */
#define GZIP_WINDOW	31

/* A first line longer than this is not a header line. */
#define LINE_LIMIT	(1024 * 1024)

struct EmuGzip
{
	FILE	   *stream;			/* what the engine writes to */
	int			fd;				/* the file */
	bool		compress;		/* gzip or plain */
	bool		failed;			/* a write went wrong */
	const atomic_bool *stop;	/* set: nobody wants the file any more */
	z_stream	z;				/* when compress */
	EVP_MD_CTX *md5;			/* of the bytes on disk */
	uint64_t	size;			/* bytes on disk */
	unsigned char buffer[BUFFER_SIZE];	/* compressed bytes */
};

static void
put_bytes(EmuGzip *gzip, const void *bytes, size_t size)
{
	const char *at = bytes;

	EVP_DigestUpdate(gzip->md5, bytes, size);
	gzip->size += size;
	while (size > 0 && !gzip->failed)
	{
		ssize_t		put = write(gzip->fd, at, size);

		if (put <= 0)
		{
			gzip->failed = true;
			return;
		}
		at += put;
		size -= (size_t) put;
	}
}

/* Compresses what the stream has as input; flush is Z_NO_FLUSH or Z_FINISH. */
static void
put_compressed(EmuGzip *gzip, int flush)
{
	do
	{
		gzip->z.next_out = gzip->buffer;
		gzip->z.avail_out = BUFFER_SIZE;
		if (deflate(&gzip->z, flush) == Z_STREAM_ERROR)
			gzip->failed = true;
		put_bytes(gzip, gzip->buffer, BUFFER_SIZE - gzip->z.avail_out);
	} while (gzip->z.avail_out == 0 && !gzip->failed);
}

static ssize_t
stream_write(void *cookie, const char *bytes, size_t size)
{
	EmuGzip    *gzip = cookie;

	if (atomic_load(gzip->stop))
		gzip->failed = true;
	if (gzip->failed)
		return 0;
	if (gzip->compress)
	{
		gzip->z.next_in = (Bytef *) bytes;
		gzip->z.avail_in = (uInt) size;
		put_compressed(gzip, Z_NO_FLUSH);
	}
	else
		put_bytes(gzip, bytes, size);
	return gzip->failed ? 0 : (ssize_t) size;
}

EmuGzip *
emu_gzip_create(const char *path, bool compress, const atomic_bool *stop)
{
	cookie_io_functions_t functions = {.write = stream_write};
	EmuGzip    *gzip = emu_alloc(sizeof *gzip);

	gzip->compress = compress;
	gzip->stop = stop;
	gzip->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	gzip->md5 = EVP_MD_CTX_new();
	if (gzip->fd < 0 || gzip->md5 == NULL ||
		EVP_DigestInit_ex(gzip->md5, EVP_md5(), NULL) != 1)
		goto fail;
	/* level 1: a large report should not keep a core busy for long */
	if (compress && deflateInit2(&gzip->z, 1, Z_DEFLATED, GZIP_WINDOW, 8,
								 Z_DEFAULT_STRATEGY) != Z_OK)
		goto fail;
	gzip->stream = fopencookie(gzip, "w", functions);
	if (gzip->stream != NULL)
	{
		setvbuf(gzip->stream, NULL, _IOFBF, BUFFER_SIZE);
		return gzip;
	}
	if (compress)
		deflateEnd(&gzip->z);
fail:
	if (gzip->fd >= 0)
		close(gzip->fd);
	EVP_MD_CTX_free(gzip->md5);
	free(gzip);
	return NULL;
}

FILE *
emu_gzip_stream(EmuGzip *gzip)
{
	return gzip->stream;
}

bool
emu_gzip_finish(EmuGzip *gzip, uint64_t *size, char md5[25])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned	length = 0;
	char	   *text;
	bool		good;

	if (fclose(gzip->stream) != 0)
		gzip->failed = true;
	if (gzip->compress)
	{
		gzip->z.avail_in = 0;
		put_compressed(gzip, Z_FINISH);
		deflateEnd(&gzip->z);
	}
	if (close(gzip->fd) != 0)
		gzip->failed = true;
	EVP_DigestFinal_ex(gzip->md5, digest, &length);
	EVP_MD_CTX_free(gzip->md5);
	text = emu_base64(digest, length, false);
	emu_fill(md5, 25, text);
	free(text);
	*size = gzip->size;
	good = !gzip->failed;
	free(gzip);
	return good;
}

/* Inflates the beginning of fd; returns bytes, at most room. */
static size_t
inflate_start(int fd, char *out, size_t room)
{
	unsigned char in[BUFFER_SIZE];
	z_stream	z = {0};
	off_t		at = 0;
	int			status = Z_OK;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return 0;
	z.next_out = (Bytef *) out;
	z.avail_out = (uInt) room;
	while (status == Z_OK && z.avail_out > 0)
	{
		ssize_t		got = pread(fd, in, sizeof in, at);

		if (got <= 0)
			break;
		at += got;
		z.next_in = in;
		z.avail_in = (uInt) got;
		status = inflate(&z, Z_NO_FLUSH);
	}
	inflateEnd(&z);
	return room - z.avail_out;
}

/* Compresses a short text whole; malloc'd. */
static char *
gzip_text(const char *text, size_t length, size_t *size)
{
	z_stream	z = {0};
	size_t		room = compressBound((uLong) length) + 32;
	char	   *out = emu_alloc(room);

	if (deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
	{
		free(out);
		return NULL;
	}
	z.next_in = (Bytef *) text;
	z.avail_in = (uInt) length;
	z.next_out = (Bytef *) out;
	z.avail_out = (uInt) room;
	deflate(&z, Z_FINISH);
	*size = room - z.avail_out;
	deflateEnd(&z);
	return out;
}

char *
emu_gzip_first_line(int fd, size_t *size)
{
	char	   *text = emu_alloc(LINE_LIMIT);
	unsigned char magic[2] = {0};
	bool		compressed;
	ssize_t		length;
	char	   *end;
	char	   *packed;

	compressed = pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
	if (compressed)
		length = (ssize_t) inflate_start(fd, text, LINE_LIMIT);
	else
		length = pread(fd, text, LINE_LIMIT, 0);
	end = length > 0 ? memchr(text, '\n', (size_t) length) : NULL;
	if (end == NULL)
	{
		free(text);
		return NULL;
	}
	*size = (size_t) (end - text) + 1;
	if (!compressed)
		return text;
	packed = gzip_text(text, *size, size);
	free(text);
	return packed;
}
