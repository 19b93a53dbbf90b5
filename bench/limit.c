/*
 * limit.c
 *		How fast the bytes of a file can be had at all: read, and read with a
 *		look at each line end.
 *
 * usage: limit read|memchr FILE
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static char buf[256 * 1024];
	int			fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;
	size_t		lines = 0;
	ssize_t		n;

	if (fd < 0)
		return 2;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
	{
		const char *end = buf + n;

		for (const char *p = buf; argv[1][0] == 'm' && (p = memchr(p, '\n', end - p)) != NULL; p++)
			lines++;
	}
	printf("%zu\n", lines);
	return n < 0;
}
