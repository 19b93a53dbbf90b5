/*-------------------------------------------------------------------------
 *
 * secret_file.c
 *		A secret that lives in a file of the server's host.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/timestamp.h"

#include "secret_file.h"
#include "text.h"

static const char too_open[] = "everybody can read it";

/* Reports a file whose nature or content is not a secret file's. */
static void
refuse(const char *option, const char *path, const char *why, int elevel)
{
	ereport(elevel,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("file \"%s\" of option \"%s\" cannot be used: %s",
					path, option, why),
			 why == too_open ? errhint("Its permissions must be 0640 or stricter.") : 0));
}

/* Reports a file that the operating system keeps from us; errno says why. */
static void
fail_access(const char *option, const char *path, int elevel)
{
	ereport(elevel,
			(errcode_for_file_access(),
			 errmsg("could not read file \"%s\" of option \"%s\": %m",
					path, option),
			 errhint("The database server reads it, as its own user of the operating system.")));
}

/*
 * Why the file cannot be one, or NULL.  A secret that everybody on the host can
 * read is none.
 */
static const char *
wrong_nature(const struct stat *st, bool secret)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (secret && (st->st_mode & S_IROTH) != 0)
		return too_open;
	return NULL;
}

/* Fills buf with up to size bytes and returns how many there were; -1: errno. */
static ssize_t
read_up_to(int fd, char *buf, size_t size)
{
	size_t		len = 0;

	while (len < size)
	{
		ssize_t		n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

/* Length of buf without one line end, LF or CRLF. */
static size_t
without_line_end(const char *buf, size_t len)
{
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	return len;
}

/* Why these bytes cannot be a secret, or NULL. */
static const char *
wrong_content(const char *buf, size_t len)
{
	if (len > PIN_SECRET_FILE_MAX)
		return "it is larger than 64 KiB";
	len = without_line_end(buf, len);
	if (len == 0)
		return "it is empty";
	if (memchr(buf, '\0', len) != NULL || !pin_text_is_utf8(buf, len))
		return "it is not text in UTF-8";
	return NULL;
}

/*
 * Reads the file's bytes into buf, one more than a secret may have; *why is set
 * where the file is not to be read at all.  -1 on failure, see errno.
 */
static ssize_t
read_bytes(const char *path, bool secret, char *buf, const char **why)
{
	/* not to hang on a pipe before its nature is known */
	int			fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	struct stat st;
	ssize_t		len = -1;
	int			failure;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0)
	{
		*why = wrong_nature(&st, secret);
		len = *why != NULL ? 0 : read_up_to(fd, buf, PIN_SECRET_FILE_MAX + 1);
	}
	failure = errno;
	CloseTransientFile(fd);
	errno = failure;
	return len;
}

static char *
read_file(const char *option, const char *path, bool secret, int elevel)
{
	char	   *buf = palloc(PIN_SECRET_FILE_MAX + 1);
	char	   *content = NULL;
	const char *why = NULL;
	ssize_t		len = read_bytes(path, secret, buf, &why);

	if (len < 0)
		fail_access(option, path, elevel);
	else
	{
		if (why == NULL)
			why = wrong_content(buf, len);
		if (why != NULL)
			refuse(option, path, why, elevel);
		else
			content = pnstrdup(buf, without_line_end(buf, len));
	}
	explicit_bzero(buf, PIN_SECRET_FILE_MAX + 1);
	pfree(buf);
	return content;
}

char *
pin_secret_file_read(const char *option, const char *path, int elevel)
{
	return read_file(option, path, true, elevel);
}

char *
pin_public_file_read(const char *option, const char *path, int elevel)
{
	return read_file(option, path, false, elevel);
}

TimestampTz
pin_file_time(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? time_t_to_timestamptz(st.st_mtime) : 0;
}
