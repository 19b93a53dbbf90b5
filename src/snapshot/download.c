/*-------------------------------------------------------------------------
 *
 * download.c
 *		From the secure link to a local file that is proven whole.
 *
 * The file is one of PostgreSQL's temporary files: temp_tablespaces,
 * temp_file_limit and log_temp_files apply, and it goes away with its resource
 * owner whatever happens.  What malloc owns (zlib's state, the digest) goes
 * away with the memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "common/base64.h"
#include "miscadmin.h"
#include "snapshot/download.h"
#include "snapshot/inflate.h"
#include "utils/wait_event.h"

#define BLOCK_SIZE (64 * 1024)	/* inflated bytes per write */
#define MD5_SIZE 16
#define ETAG_SIZE 256			/* longer ones are not kept: no resuming */

struct PinDownload
{
	File		file;			/* 0 (never a valid temporary file): none */
	int64		size;			/* bytes written to it */
	int64		taken;			/* stored bytes taken from exchanges */
	PinInflate *inflate;		/* gzip or not; NULL before the first byte */
	EVP_MD_CTX *md5;			/* digest of the stored bytes; NULL: none */
	bool		md5_stated;		/* the store sent a Content-MD5 */
	uint8		md5_expected[MD5_SIZE]; /* that digest */
	char		etag[ETAG_SIZE];	/* empty: none */
	char		last_byte;		/* of the file */
	char	   *block;			/* BLOCK_SIZE bytes to write from */
	MemoryContextCallback callback; /* frees inflate and md5 */
};

/* Idempotent; runs at the end of the memory context, too. */
static void
free_decoders(void *arg)
{
	PinDownload *d = arg;

	pin_inflate_free(d->inflate);
	d->inflate = NULL;
	EVP_MD_CTX_free(d->md5);
	d->md5 = NULL;
}

PinDownload *
pin_download_create(void)
{
	PinDownload *d = palloc0(sizeof(PinDownload));

	d->callback.func = free_decoders;
	d->callback.arg = d;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &d->callback);
	d->block = palloc(BLOCK_SIZE);
	return d;
}

void
pin_download_close(PinDownload *d)
{
	if (d->file > 0)
		FileClose(d->file);
	d->file = 0;
	free_decoders(d);
}

void
pin_download_restart(PinDownload *d)
{
	free_decoders(d);
	if (d->file > 0 && FileTruncate(d->file, 0, WAIT_EVENT_BUFFILE_TRUNCATE) < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not truncate temporary file \"%s\": %m",
						FilePathName(d->file))));
	d->size = 0;
	d->taken = 0;
	d->last_byte = '\0';
	d->etag[0] = '\0';
	d->md5_stated = false;
}

/* Notes what the store says of the whole file. */
static void
note_identity(PinDownload *d, const PinExchange *x)
{
	const char *etag = pin_exchange_header(x, "ETag");
	const char *md5 = pin_exchange_header(x, "Content-MD5");

	/* a weak ETag promises nothing about bytes */
	if (etag != NULL && strlen(etag) < ETAG_SIZE && strncmp(etag, "W/", 2) != 0)
		strlcpy(d->etag, etag, sizeof(d->etag));

	if (md5 != NULL && strlen(md5) == pg_b64_enc_len(MD5_SIZE) &&
		pg_b64_decode(md5, strlen(md5), (char *) d->md5_expected, MD5_SIZE) == MD5_SIZE)
		d->md5_stated = true;
}

/* Does a partial reply start at the byte we want? */
static bool
continues_at(const PinExchange *x, int64 offset)
{
	const char *range = pin_exchange_header(x, "Content-Range");
	char	   *end;

	if (range == NULL || pg_strncasecmp(range, "bytes ", 6) != 0)
		return false;
	errno = 0;
	return strtoll(range + 6, &end, 10) == offset && errno == 0 && *end == '-';
}

bool
pin_download_begin(PinDownload *d, const PinExchange *x, PinError *err)
{
	if (d->taken > 0)
	{
		if (pin_exchange_status(x) == 206 && continues_at(x, d->taken))
			return true;
		pin_error_set(err, PIN_ERROR_CONNECTION_LOST,
					  "the report's download cannot be resumed");
		return false;
	}

	if (pin_exchange_status(x) != 200)
	{
		pin_error_set(err, PIN_ERROR_LINK,
					  "unexpected HTTP status %d for a report's download",
					  pin_exchange_status(x));
		return false;
	}
	free_decoders(d);
	note_identity(d, x);
	d->inflate = pin_inflate_open();
	if (d->inflate == NULL)
	{
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return false;
	}

	/*
	 * Where OpenSSL refuses MD5 by policy there is no digest, and the other
	 * proofs must do.
	 */
	d->md5 = d->md5_stated ? EVP_MD_CTX_new() : NULL;
	if (d->md5 != NULL && EVP_DigestInit_ex(d->md5, EVP_md5(), NULL) != 1)
	{
		EVP_MD_CTX_free(d->md5);
		d->md5 = NULL;
	}
	return true;
}

static void
write_block(PinDownload *d, size_t len)
{
	size_t		done = 0;

	if (d->file <= 0)
		d->file = OpenTemporaryFile(false);

	while (done < len)
	{
		int			n;

		errno = 0;
		n = FileWrite(d->file, d->block + done, len - done, d->size,
					  WAIT_EVENT_BUFFILE_WRITE);
		if (n <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write temporary file \"%s\": %m",
							FilePathName(d->file))));
		}
		done += n;
		d->size += n;
	}
	if (len > 0)
		d->last_byte = d->block[len - 1];
}

bool
pin_download_take(PinDownload *d, PinExchange *x, PinError *err)
{
	const char *data;
	size_t		len;

	while ((len = pin_exchange_peek(x, &data)) > 0)
	{
		size_t		used;
		size_t		made;

		CHECK_FOR_INTERRUPTS();
		if (!pin_inflate_step(d->inflate, data, len, &used, d->block, BLOCK_SIZE,
							  &made, err))
			return false;
		if (d->md5 != NULL && EVP_DigestUpdate(d->md5, data, used) != 1)
		{
			pin_error_set(err, PIN_ERROR_INTERNAL, "could not compute MD5 of a download");
			return false;
		}
		d->taken += used;
		pin_exchange_consume(x, used);
		write_block(d, made);
	}
	return true;
}

/* Writes out what zlib still holds. */
static bool
flush_inflate(PinDownload *d, PinError *err)
{
	size_t		used;
	size_t		made;

	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!pin_inflate_step(d->inflate, NULL, 0, &used, d->block, BLOCK_SIZE,
							  &made, err))
			return false;
		write_block(d, made);
	} while (made > 0);

	if (!pin_inflate_end(d->inflate, d->block, BLOCK_SIZE, &made, err))
		return false;
	write_block(d, made);
	return true;
}

static bool
md5_matches(PinDownload *d)
{
	uint8		digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	return EVP_DigestFinal_ex(d->md5, digest, &len) == 1 && len == MD5_SIZE &&
		memcmp(digest, d->md5_expected, MD5_SIZE) == 0;
}

bool
pin_download_finish(PinDownload *d, const PinExchange *x, PinError *err)
{
	if (!flush_inflate(d, err))
		return false;

	if (d->md5 != NULL)
	{
		if (md5_matches(d))
			return true;
		pin_error_set(err, PIN_ERROR_FILE_CORRUPT,
					  "report file does not match its Content-MD5");
		return false;
	}
	if (pin_inflate_is_gzip(d->inflate))
		return true;
	if (!pin_exchange_end_proven(x))
	{
		pin_error_set(err, PIN_ERROR_FILE_TRUNCATED,
					  "report file came without a length, so its end is not proven");
		return false;
	}
	if (d->last_byte != '\n')
	{
		pin_error_set(err, PIN_ERROR_FILE_TRUNCATED,
					  d->size == 0 ? "report file is empty"
					  : "report file ends within a line");
		return false;
	}
	return true;
}

int64
pin_download_offset(const PinDownload *d)
{
	return d->taken;
}

const char *
pin_download_etag(const PinDownload *d)
{
	return d->etag[0] != '\0' ? d->etag : NULL;
}

File
pin_download_file(const PinDownload *d)
{
	return d->file;
}

int64
pin_download_size(const PinDownload *d)
{
	return d->size;
}
