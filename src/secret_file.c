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

#include "secret_file.h"
#include "text.h"

/* Throws for a file whose nature or content is not a secret file's. */
static _Noreturn void
refuse(const char *option, const char *path, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("file \"%s\" of option \"%s\" cannot be used: %s",
					path, option, why)));
}

/* Throws for a file that the operating system keeps from us; errno says why. */
static _Noreturn void
fail_access(const char *option, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read file \"%s\" of option \"%s\": %m",
					path, option)));
}

/* A secret that everybody on the host can read is none. */
static void
check_nature(int fd, const char *option, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		fail_access(option, path);
	if (!S_ISREG(st.st_mode))
		refuse(option, path, "it is not a regular file");
	if ((st.st_mode & S_IROTH) != 0)
		refuse(option, path, "everybody can read it");
}

/* Fills buf with up to size bytes and returns how many there were. */
static size_t
read_up_to(int fd, char *buf, size_t size, const char *option,
		   const char *path)
{
	size_t		len = 0;

	while (len < size)
	{
		ssize_t		n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail_access(option, path);
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

char *
pin_secret_file_read(const char *option, const char *path)
{
	char	   *buf = palloc(PIN_SECRET_FILE_MAX + 1);
	char	   *secret;
	size_t		len;
	int			fd;

	/* not to hang on a pipe before its nature is known */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0)
		fail_access(option, path);
	check_nature(fd, option, path);
	len = read_up_to(fd, buf, PIN_SECRET_FILE_MAX + 1, option, path);
	CloseTransientFile(fd);

	if (len > PIN_SECRET_FILE_MAX)
		refuse(option, path, "it is larger than 64 KiB");
	len = without_line_end(buf, len);
	if (len == 0)
		refuse(option, path, "it is empty");
	if (memchr(buf, '\0', len) != NULL || !pin_text_is_utf8(buf, len))
		refuse(option, path, "it is not text in UTF-8");

	secret = pnstrdup(buf, len);
	explicit_bzero(buf, PIN_SECRET_FILE_MAX + 1);
	pfree(buf);
	return secret;
}
