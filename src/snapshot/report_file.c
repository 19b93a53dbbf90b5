/*-------------------------------------------------------------------------
 *
 * report_file.c
 *		A report file on its way: inflated, written, proven whole.
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
#include "snapshot/report_file.h"
#include "snapshot/inflate.h"
#include "utils/wait_event.h"

#define BLOCK_SIZE (64 * 1024)	/* inflated bytes per write */
#define MD5_SIZE 16
#define ETAG_SIZE 256			/* longer ones are not kept: no resuming */

struct PinReportFile
{
	File		file;			/* 0 (never a valid temporary file): none */
	int64		size;			/* bytes written to it */
	int64		taken;			/* stored bytes taken from exchanges */
	int64		promised;		/* those after a partial reply; 0: not told */
	PinInflate *inflate;		/* gzip or not; NULL before the first byte */
	EVP_MD_CTX *md5;			/* digest of the stored bytes; NULL: none */
	bool		md5_stated;		/* the store sent a Content-MD5 */
	bool		digest_matches; /* and it is that of the stored bytes */
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
	PinReportFile *f = arg;

	pin_inflate_free(f->inflate);
	f->inflate = NULL;
	EVP_MD_CTX_free(f->md5);
	f->md5 = NULL;
}

PinReportFile *
pin_report_file_create(void)
{
	PinReportFile *f = palloc0(sizeof(PinReportFile));

	f->callback.func = free_decoders;
	f->callback.arg = f;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &f->callback);
	f->block = palloc(BLOCK_SIZE);
	return f;
}

void
pin_report_file_close(PinReportFile *f)
{
	if (f->file > 0)
		FileClose(f->file);
	f->file = 0;
	free_decoders(f);
}

void
pin_report_file_restart(PinReportFile *f)
{
	free_decoders(f);
	if (f->file > 0 && FileTruncate(f->file, 0, WAIT_EVENT_BUFFILE_TRUNCATE) < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not truncate temporary file \"%s\": %m",
						FilePathName(f->file))));
	f->size = 0;
	f->taken = 0;
	f->promised = 0;
	f->last_byte = '\0';
	f->etag[0] = '\0';
	f->md5_stated = false;
	f->digest_matches = false;
}

/* Notes what the store says of the whole file. */
static void
note_identity(PinReportFile *f, const PinExchange *x)
{
	const char *etag = pin_exchange_header(x, "ETag");
	const char *md5 = pin_exchange_header(x, "Content-MD5");

	/* a weak ETag promises nothing about bytes */
	if (etag != NULL && strlen(etag) < ETAG_SIZE && strncmp(etag, "W/", 2) != 0)
		strlcpy(f->etag, etag, sizeof(f->etag));

	if (md5 != NULL && strlen(md5) == pg_b64_enc_len(MD5_SIZE) &&
		pg_b64_decode(md5, strlen(md5), (char *) f->md5_expected, MD5_SIZE) == MD5_SIZE)
		f->md5_stated = true;
}

/*
 * Does a partial reply start at the byte we want?  Notes where it says that it
 * ends.
 */
static bool
continues_here(PinReportFile *f, const PinExchange *x)
{
	const char *range = pin_exchange_header(x, "Content-Range");
	long long	first;
	long long	last;

	if (range == NULL || pg_strncasecmp(range, "bytes ", 6) != 0 ||
		sscanf(range + 6, "%lld-%lld", &first, &last) != 2 ||
		first != f->taken || last < first)
		return false;
	f->promised = last + 1;
	return true;
}

bool
pin_report_file_begin(PinReportFile *f, const PinExchange *x, PinError *err)
{
	if (f->taken > 0)
	{
		if (pin_exchange_status(x) == 206 && continues_here(f, x))
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
	free_decoders(f);
	note_identity(f, x);
	f->inflate = pin_inflate_open();
	if (f->inflate == NULL)
	{
		pin_error_set(err, PIN_ERROR_OUT_OF_MEMORY, "out of memory");
		return false;
	}

	/*
	 * Where OpenSSL refuses MD5 by policy there is no digest, and the other
	 * proofs must do.
	 */
	f->md5 = f->md5_stated ? EVP_MD_CTX_new() : NULL;
	if (f->md5 != NULL && EVP_DigestInit_ex(f->md5, EVP_md5(), NULL) != 1)
	{
		EVP_MD_CTX_free(f->md5);
		f->md5 = NULL;
	}
	return true;
}

static void
write_block(PinReportFile *f, size_t len)
{
	size_t		done = 0;

	if (f->file <= 0)
		f->file = OpenTemporaryFile(false);

	while (done < len)
	{
		int			n;

		errno = 0;
		n = FileWrite(f->file, f->block + done, len - done, f->size,
					  WAIT_EVENT_BUFFILE_WRITE);
		if (n <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write temporary file \"%s\": %m",
							FilePathName(f->file))));
		}
		done += n;
		f->size += n;
	}
	if (len > 0)
		f->last_byte = f->block[len - 1];
}

bool
pin_report_file_take(PinReportFile *f, PinExchange *x, PinError *err)
{
	const char *data;
	size_t		len;

	while ((len = pin_exchange_peek(x, &data)) > 0)
	{
		size_t		used;
		size_t		made;

		CHECK_FOR_INTERRUPTS();
		if (!pin_inflate_step(f->inflate, data, len, &used, f->block, BLOCK_SIZE,
							  &made, err))
			return false;
		if (f->md5 != NULL && EVP_DigestUpdate(f->md5, data, used) != 1)
		{
			pin_error_set(err, PIN_ERROR_INTERNAL, "could not compute MD5 of a download");
			return false;
		}
		if (used == 0 && made == 0)
		{
			pin_error_set(err, PIN_ERROR_FILE_CORRUPT, "report file cannot be inflated");
			return false;
		}
		f->taken += used;
		pin_exchange_consume(x, used);
		write_block(f, made);
	}
	return true;
}

/* Writes out what zlib still holds. */
static bool
flush_inflate(PinReportFile *f, PinError *err)
{
	size_t		used;
	size_t		made;

	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!pin_inflate_step(f->inflate, NULL, 0, &used, f->block, BLOCK_SIZE,
							  &made, err))
			return false;
		write_block(f, made);
	} while (made > 0);

	if (!pin_inflate_end(f->inflate, f->block, BLOCK_SIZE, &made, err))
		return false;
	write_block(f, made);
	return true;
}

static bool
md5_matches(PinReportFile *f)
{
	uint8		digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	return EVP_DigestFinal_ex(f->md5, digest, &len) == 1 && len == MD5_SIZE &&
		memcmp(digest, f->md5_expected, MD5_SIZE) == 0;
}

bool
pin_report_file_finish(PinReportFile *f, const PinExchange *x, PinError *err)
{
	if (!flush_inflate(f, err))
		return false;

	if (f->promised != 0 && f->taken != f->promised)
	{
		pin_error_set(err, PIN_ERROR_FILE_TRUNCATED,
					  "report file was resumed with fewer or more bytes than promised");
		return false;
	}
	if (f->md5 != NULL)
	{
		f->digest_matches = md5_matches(f);
		if (!f->digest_matches)
			pin_error_set(err, PIN_ERROR_FILE_CORRUPT,
						  "report file does not match its Content-MD5");
		return f->digest_matches;
	}
	if (pin_inflate_is_gzip(f->inflate))
		return true;

	/* a single byte might be the first of a gzip header */
	if (f->size < 2)
		pin_error_set(err, PIN_ERROR_FILE_TRUNCATED, "report file is empty");
	else if (!pin_exchange_end_proven(x))
		pin_error_set(err, PIN_ERROR_FILE_TRUNCATED,
					  "report file came without a length, so its end is not proven");
	else
		return true;
	return false;
}

bool
pin_report_file_digest_matches(const PinReportFile *f)
{
	return f->digest_matches;
}

bool
pin_report_file_ends_well(const PinReportFile *f, PinError *err)
{
	if (pin_inflate_is_gzip(f->inflate) || f->last_byte == '\n')
		return true;
	pin_error_set(err, PIN_ERROR_FILE_TRUNCATED, "report file ends within a line");
	return false;
}

int64
pin_report_file_offset(const PinReportFile *f)
{
	return f->taken;
}

const char *
pin_report_file_etag(const PinReportFile *f)
{
	return f->etag[0] != '\0' ? f->etag : NULL;
}

File
pin_report_file_handle(const PinReportFile *f)
{
	return f->file;
}

int64
pin_report_file_size(const PinReportFile *f)
{
	return f->size;
}
