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
#include <sys/uio.h>
#include <unistd.h>

#include "common/base64.h"
#include "miscadmin.h"
#include "snapshot/cache.h"
#include "snapshot/inflate.h"
#include "snapshot/record_count.h"
#include "snapshot/report_file.h"
#include "storage/fd.h"

#define BLOCK_SIZE (256 * 1024) /* inflated bytes per write */
#define ALIGNMENT (128 * 1024)	/* of writes of text; the block has room for
								 * it */
#define FLUSH_SIZE (8 * 1024 * 1024)	/* bytes on their way to disk at once */
#define RESERVE_MAX (8 * 1024 * 1024)	/* bytes of disk asked for ahead */
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
	int64		reserved;		/* bytes that have a place on disk */
	PinRecordCount rows;		/* in these */
	int64		taken;			/* stored bytes taken from exchanges */
	int64		promised;		/* those of the reply's end; 0: not told */
	int64		total;			/* those in all, as a part of them says; 0:
								 * not told */
	PinInflate *inflate;		/* gzip or not; NULL before the first byte */
	EVP_MD_CTX *md5;			/* digest of the stored bytes; NULL: none */
	bool		md5_stated;		/* the store sent a Content-MD5 */
	bool		digest_matches; /* and it is that of the stored bytes */
	uint8		md5_expected[MD5_SIZE]; /* that digest */
	char		etag[ETAG_SIZE];	/* empty: none */
	char	   *block;			/* BLOCK_SIZE bytes to write from */
	size_t		held;			/* bytes of text in it, not yet written */
	int			write_errno;	/* why text could not be written; 0: it could */
	PinError	trouble;		/* or what else went wrong with text */
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
	pin_error_reset(&f->trouble);
	pin_report_file_format(f, need->options->format == PIN_FORMAT_TSV);
	return f;
}

void
pin_report_file_format(PinReportFile *f, bool tsv)
{
	pin_record_count_begin(&f->rows, tsv ? '\t' : ',');
}

void
pin_report_file_restart(PinReportFile *f)
{
	free_decoders(f);
	if (f->fd >= 0 && ftruncate(f->fd, f->data_offset) != 0)
		pin_snapshot_fail_writing(f->path);
	f->size = f->flushed = f->reserved = 0;
	pin_record_count_begin(&f->rows, f->rows.delimiter);
	f->taken = 0;
	f->promised = f->total = 0;
	f->held = 0;
	pin_error_reset(&f->trouble);
	f->etag[0] = '\0';
	f->md5_stated = false;
	f->digest_matches = false;
}

/*
 * Notes what the store says of the whole file.  With a part of it comes that
 * part's Content-MD5, and the file's by another name.
 */
static void
note_identity(PinReportFile *f, const PinExchange *x)
{
	const char *etag = pin_exchange_header(x, "ETag");
	const char *md5 = pin_exchange_header(x, pin_exchange_status(x) == 206 ?
										  "x-ms-blob-content-md5" : "Content-MD5");

	/* a weak ETag promises nothing about bytes */
	if (etag != NULL && strlen(etag) < ETAG_SIZE && strncmp(etag, "W/", 2) != 0)
		strlcpy(f->etag, etag, sizeof(f->etag));

	if (md5 != NULL && strlen(md5) == pg_b64_enc_len(MD5_SIZE) &&
		pg_b64_decode(md5, strlen(md5), (void *) f->md5_expected, MD5_SIZE) == MD5_SIZE)
		f->md5_stated = true;
}

/* Is a partial reply of another file than the one we have begun? */
static bool
is_of_another(const PinReportFile *f, const PinExchange *x)
{
	const char *etag = pin_exchange_header(x, "ETag");

	return etag != NULL && f->etag[0] != '\0' && strcmp(etag, f->etag) != 0;
}

/*
 * Does a partial reply start at the byte we want?  Notes where it says that it
 * ends.  Of a part that we have asked for it has to say, too, where the file
 * ends: or the part's end would pass for that.
 */
static bool
continues_here(PinReportFile *f, const PinExchange *x, bool part)
{
	const char *range = pin_exchange_header(x, "Content-Range");
	long long	first;
	long long	last;
	long long	total = 0;

	if (range == NULL || pg_strncasecmp(range, "bytes ", 6) != 0 ||
		sscanf(range + 6, "%lld-%lld/%lld", &first, &last, &total) < 2 ||
		first != f->taken || last < first || (part && total <= last))
		return false;
	f->promised = last + 1;
	f->total = total;
	return true;
}

/* Notes how long the store says that the whole file is. */
static void
note_length(PinReportFile *f, const PinExchange *x)
{
	const char *length = pin_exchange_header(x, "Content-Length");

	if (length != NULL && pin_exchange_header(x, "Transfer-Encoding") == NULL)
		f->promised = strtoll(length, NULL, 10);
}

bool
pin_report_file_begin(PinReportFile *f, const PinExchange *x, bool part, PinError *err)
{
	bool		is_part = pin_exchange_status(x) == 206;

	if (f->taken > 0)
	{
		if (is_part && !is_of_another(f, x) && continues_here(f, x, part))
			return true;
		pin_error_set(err, PIN_ERROR_CONNECTION_LOST,
					  "the report's download cannot be resumed");
		return false;
	}

	if (is_part ? !part || !continues_here(f, x, part) : pin_exchange_status(x) != 200)
	{
		pin_error_set(err, PIN_ERROR_LINK,
					  "unexpected HTTP status %d for a report's download",
					  pin_exchange_status(x));
		return false;
	}
	free_decoders(f);
	note_identity(f, x);
	if (!is_part)
		note_length(f, x);
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

/*
 * The file is made when there is something to write.  What nobody needs may be
 * what takes the room for it.
 */
static void
open_file(PinReportFile *f)
{
	if (f->fd >= 0)
		return;
	pin_evict(NULL);
	f->fd = pin_snapshot_create(f->need, &f->path, &f->data_offset);
}

/*
 * Has the file system find a place for the next bytes, and for many more at once,
 * which it would otherwise do page by page: for as many as there are already, so
 * that a small report takes no room that others need.  How many will come is
 * nobody's word to be trusted.  Where this fails, writing will do, or tell why it
 * fails as well.
 */
static void
reserve(PinReportFile *f, size_t len)
{
	int64		ahead = Min(f->size, RESERVE_MAX);

	if (f->reserved >= f->size + (int64) len)
		return;
	if (ahead > 0)
		(void) fallocate(f->fd, FALLOC_FL_KEEP_SIZE, f->data_offset + f->size, len + ahead);
	f->reserved = f->size + len + ahead;
}

/*
 * The file ends where its rows do: gives back what is not needed in the end, or
 * makes room for the head where there are no bytes at all.
 */
static void
end_file(PinReportFile *f)
{
	if (ftruncate(f->fd, f->data_offset + f->size) != 0)
		pin_snapshot_fail_writing(f->path);
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

/*
 * Writes what is held back, and more bytes behind it.  False with errno set if
 * that fails.  Throws nothing.
 */
static bool
write_out(PinReportFile *f, const char *bytes, size_t len)
{
	struct iovec parts[2] = {{f->block, f->held}, {(void *) bytes, len}};
	size_t		left = f->held + len;

	reserve(f, left);
	while (left > 0)
	{
		ssize_t		n;

		errno = 0;
		n = pwritev(f->fd, parts, 2, f->data_offset + f->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			return false;
		}
		f->size += n;
		left -= n;
		for (int i = 0; i < 2; i++)
		{
			size_t		written = Min((size_t) n, parts[i].iov_len);

			parts[i].iov_base = (char *) parts[i].iov_base + written;
			parts[i].iov_len -= written;
			n -= written;
		}
	}
	f->held = 0;
	if (f->size - f->flushed >= FLUSH_SIZE)
		flush(f);
	return true;
}

/* Takes what was inflated into the block. */
static void
write_block(PinReportFile *f, size_t len)
{
	if (len == 0)
		return;
	open_file(f);
	pin_record_count_add(&f->rows, f->block, len);
	if (!write_out(f, f->block, len))
		pin_snapshot_fail_writing(f->path);
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
 * Takes text as it arrives, from below libcurl: throws nothing, waits for nothing
 * but the disk.  What goes wrong is kept for pin_report_file_take().
 *
 * What would be written behind the last multiple of ALIGNMENT in the file is
 * held back: pages that begin and end where the file system would have them are
 * cheaper, and so are few large pieces.
 */
static bool
take_text(void *arg, const char *data, size_t len)
{
	PinReportFile *f = arg;
	size_t		tail = (f->data_offset + f->size + f->held + len) % ALIGNMENT;

	if (len == 0)
		return true;
	pin_record_count_add(&f->rows, data, len);
	if (tail < len && !write_out(f, data, len - tail))
	{
		f->write_errno = errno;
		return false;
	}
	tail = Min(tail, len);
	memcpy(f->block + f->held, data + len - tail, tail);
	f->held += tail;
	f->taken += len;
	return add_to_digest(f, data, len, &f->trouble);
}

/* Takes some of the bytes that may be gzip; *used: so many. */
static bool
inflate_some(PinReportFile *f, const char *data, size_t len, size_t *used, PinError *err)
{
	size_t		made;

	if (!pin_inflate_step(f->inflate, data, len, used, f->block, BLOCK_SIZE, &made, err))
		return false;
	if (*used == 0 && made == 0)
	{
		pin_error_set(err, PIN_ERROR_FILE_CORRUPT, "report file cannot be inflated");
		return false;
	}
	write_block(f, made);
	f->taken += *used;
	return add_to_digest(f, data, *used, err);
}

/* Has taking text gone wrong?  False with *err filled, or throws. */
static bool
text_was_taken(const PinReportFile *f, PinError *err)
{
	if (f->write_errno != 0)
	{
		errno = f->write_errno;
		pin_snapshot_fail_writing(f->path);
	}
	if (f->trouble.kind == PIN_ERROR_NONE)
		return true;
	*err = f->trouble;
	return false;
}

bool
pin_report_file_take(PinReportFile *f, PinExchange *x, PinError *err)
{
	const char *data;
	size_t		len;

	while ((len = pin_exchange_peek(x, &data)) > 0)
	{
		size_t		used = len;

		CHECK_FOR_INTERRUPTS();
		if (pin_inflate_is_plain(f->inflate))
			(void) take_text(f, data, len);
		else if (!inflate_some(f, data, len, &used, err))
			return false;
		if (!text_was_taken(f, err))
			return false;
		pin_exchange_consume(x, used);
	}
	CHECK_FOR_INTERRUPTS();
	if (pin_inflate_is_plain(f->inflate))
	{
		pin_exchange_pour(x, take_text, f);
		pin_exchange_consume(x, 0);
	}
	return text_was_taken(f, err);
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
					  "report file ended with fewer or more bytes than promised");
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
	if (f->size + f->held < 2)
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
	if (pin_inflate_is_gzip(f->inflate) || f->rows.last == '\n')
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

bool
pin_report_file_goes_on(const PinReportFile *f)
{
	return f->taken == f->promised && f->promised < f->total;
}

bool
pin_report_file_has_rows(const PinReportFile *f, int64 rows)
{
	uint64_t	size;

	return pin_record_count_ended(&f->rows, &size) >= rows;
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
	if (f->held > 0 && !write_out(f, NULL, 0))
		pin_snapshot_fail_writing(f->path);
	end_file(f);
	head->data_size = f->size;
	head->regular = pin_record_count_end(&f->rows);
	head->rows = pin_report_file_rows(f);
	head->ranges = f->rows.nranges;
	path = pin_snapshot_seal(f->fd, f->path, f->need, head, f->rows.ranges);
	pin_cache_unlock(f->fd, NULL);
	f->fd = -1;
	snapshot = pin_snapshot_open(path);
	if (snapshot == NULL && errno != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open snapshot \"%s\", which was just written: %m", path)));
	if (snapshot == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("snapshot \"%s\", which was just written, is damaged", path)));
	return snapshot;
}

/* The count of a file that is not whole is for nobody, nor are its ranges. */
PinSnapshot *
pin_report_file_first_rows(PinReportFile *f, PinSnapshotHead *head)
{
	PinSnapshot *snapshot;
	uint64_t	size;

	if (f->held > 0 && !write_out(f, NULL, 0))
		pin_snapshot_fail_writing(f->path);
	head->rows = pin_record_count_ended(&f->rows, &size);
	head->data_size = size;
	head->regular = false;
	head->ranges = 0;
	snapshot = pin_snapshot_of_first(f->fd, f->path, f->need, head);
	f->fd = -1;
	return snapshot;
}
