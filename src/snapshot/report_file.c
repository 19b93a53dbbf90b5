/*-------------------------------------------------------------------------
 *
 * report_file.c
 *		A report file on its way: inflated, written, proven whole.
 *
 * The file is a snapshot in the making, beside its later place in the cache
 * directory.  It goes away with the memory context unless it was sealed, and so
 * does what malloc owns (zlib's state, the digest).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/base64.h"
#include "miscadmin.h"
#include "snapshot/cache.h"
#include "snapshot/inflate.h"
#include "snapshot/record_count.h"
#include "snapshot/report_file.h"
#include "storage/fd.h"

#define BLOCK_SIZE (256 * 1024) /* inflated bytes per write */
#define FLUSH_SIZE (8 * 1024 * 1024)	/* bytes on their way to disk at once */
#define MD5_SIZE 16
#define ETAG_SIZE 256			/* longer ones are not kept: no resuming */

struct PinReportFile
{
	const PinNeed *need;		/* whose rows these are */
	int			fd;				/* of the file; -1: none yet, or sealed */
	char	   *path;			/* of the file, while it is open */
	int64		data_offset;	/* where rows begin in it */
	int64		size;			/* bytes written to it */
	int64		flushed;		/* of these, on their way to disk */
	PinRecordCount rows;		/* in these */
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

static void
free_decoders(PinReportFile *f)
{
	pin_inflate_free(f->inflate);
	f->inflate = NULL;
	EVP_MD_CTX_free(f->md5);
	f->md5 = NULL;
}

/* Runs at the end of the memory context: throws nothing, waits for nothing. */
static void
clean_up(void *arg)
{
	PinReportFile *f = arg;

	free_decoders(f);
	pin_cache_unlock(f->fd, f->path);
	f->fd = -1;
}

PinReportFile *
pin_report_file_create(const PinNeed *need)
{
	PinReportFile *f = palloc0(sizeof(PinReportFile));

	f->need = need;
	f->fd = -1;
	f->callback.func = clean_up;
	f->callback.arg = f;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &f->callback);
	f->block = palloc(BLOCK_SIZE);
	pin_report_file_format(f, need->options->format == PIN_FORMAT_TSV);
	return f;
}

void
pin_report_file_format(PinReportFile *f, bool tsv)
{
	pin_record_count_begin(&f->rows, tsv ? '\t' : ',');
}

static _Noreturn void
fail_writing(const PinReportFile *f)
{
	bool		full = errno == ENOSPC;

	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write snapshot \"%s\": %m", f->path),
			 full ?
			 errhint("Free some disk space, or set \"pinsight_fdw.cache_directory\" to a larger file system.") : 0));
}

void
pin_report_file_restart(PinReportFile *f)
{
	free_decoders(f);
	if (f->fd >= 0 && ftruncate(f->fd, f->data_offset) != 0)
		fail_writing(f);
	f->size = f->flushed = 0;
	pin_record_count_begin(&f->rows, f->rows.delimiter);
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
		pg_b64_decode(md5, strlen(md5), (void *) f->md5_expected, MD5_SIZE) == MD5_SIZE)
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

/* The file is made when there is something to write. */
static void
open_file(PinReportFile *f)
{
	if (f->fd < 0)
		f->fd = pin_snapshot_create(f->need, &f->path, &f->data_offset);
}

/*
 * Sends what was written on its way to disk, so that little is left to wait for
 * when the file is sealed.  An error comes back then.  pg_flush_data() does the
 * same for the server's own files, and makes the whole server panic if it fails.
 */
static void
flush(PinReportFile *f)
{
	if (enableFsync)
		(void) sync_file_range(f->fd, f->data_offset + f->flushed, f->size - f->flushed,
							   SYNC_FILE_RANGE_WRITE);
	f->flushed = f->size;
}

static void
write_bytes(PinReportFile *f, const char *bytes, size_t len)
{
	size_t		done = 0;

	if (len == 0)
		return;
	open_file(f);
	while (done < len)
	{
		ssize_t		n;

		errno = 0;
		n = pwrite(f->fd, bytes + done, len - done, f->data_offset + f->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			fail_writing(f);
		}
		done += n;
		f->size += n;
	}
	pin_record_count_add(&f->rows, bytes, len);
	f->last_byte = bytes[len - 1];
	if (f->size - f->flushed >= FLUSH_SIZE)
		flush(f);
}

static bool
add_to_digest(PinReportFile *f, const char *data, size_t len, PinError *err)
{
	if (f->md5 == NULL || EVP_DigestUpdate(f->md5, data, len) == 1)
		return true;
	pin_error_set(err, PIN_ERROR_INTERNAL, "could not compute MD5 of a download");
	return false;
}

/*
 * Takes the bytes that have arrived, or some of them; *used: so many.  Text is
 * written from where it lies.
 */
static bool
take_some(PinReportFile *f, const char *data, size_t len, size_t *used, PinError *err)
{
	size_t		made;

	if (pin_inflate_is_plain(f->inflate))
	{
		write_bytes(f, data, len);
		*used = len;
		return true;
	}
	if (!pin_inflate_step(f->inflate, data, len, used, f->block, BLOCK_SIZE, &made, err))
		return false;
	if (*used == 0 && made == 0)
	{
		pin_error_set(err, PIN_ERROR_FILE_CORRUPT, "report file cannot be inflated");
		return false;
	}
	write_bytes(f, f->block, made);
	return true;
}

bool
pin_report_file_take(PinReportFile *f, PinExchange *x, PinError *err)
{
	const char *data;
	size_t		len;

	while ((len = pin_exchange_peek(x, &data)) > 0)
	{
		size_t		used;

		CHECK_FOR_INTERRUPTS();
		if (!take_some(f, data, len, &used, err) || !add_to_digest(f, data, used, err))
			return false;
		f->taken += used;
		pin_exchange_consume(x, used);
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
		write_bytes(f, f->block, made);
	} while (made > 0);

	if (!pin_inflate_end(f->inflate, f->block, BLOCK_SIZE, &made, err))
		return false;
	write_bytes(f, f->block, made);
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

int64
pin_report_file_rows(const PinReportFile *f)
{
	return pin_record_count_rows(&f->rows);
}

const char *
pin_report_file_etag(const PinReportFile *f)
{
	return f->etag[0] != '\0' ? f->etag : NULL;
}

PinSnapshot *
pin_report_file_seal(PinReportFile *f, PinSnapshotHead *head)
{
	PinSnapshot *snapshot;
	char	   *path;

	open_file(f);
	head->data_size = f->size;
	head->regular = pin_record_count_end(&f->rows);
	head->rows = pin_report_file_rows(f);
	head->ranges = f->rows.nranges;
	path = pin_snapshot_seal(f->fd, f->path, f->need, head, f->rows.ranges);
	pin_cache_unlock(f->fd, NULL);
	f->fd = -1;
	snapshot = pin_snapshot_open(path);
	if (snapshot == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_IO_ERROR),
				 errmsg("snapshot \"%s\" vanished after it was written", path)));
	return snapshot;
}
