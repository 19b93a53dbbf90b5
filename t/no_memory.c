/*-------------------------------------------------------------------------
 *
 * no_memory.c
 *		Memory that runs out once, wherever a test wants it to.
 *
 * For LD_PRELOAD.  To look at the file /no_memory/N, by whatever asks for its
 * status, lets the Nth allocation from then on fail; no other does.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NO_MEMORY "/no_memory/"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static long left = 0;			/* allocations until one fails; 0: none does */

static int
fails(void)
{
	if (left == 0 || --left > 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}

int
stat(const char *path, struct stat *st)
{
	static int	(*next) (const char *, struct stat *) = NULL;

	if (next == NULL)
		next = (int (*) (const char *, struct stat *)) dlsym(RTLD_NEXT, "stat");
	if (strncmp(path, NO_MEMORY, strlen(NO_MEMORY)) == 0)
		left = atol(path + strlen(NO_MEMORY));
	return next(path, st);
}
