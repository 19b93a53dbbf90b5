/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *		What the fuzz targets share.
 *
 * A target defines LLVMFuzzerTestOneInput and aborts on a broken promise, so it
 * links with libFuzzer:
 *
 *		clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc -Ifuzz
 *			fuzz/csv.c src/reader/csv.c src/reader/field_map.c src/error.c -o fuzz-csv
 *
 * With -DFUZZ_STANDALONE it is a program of its own instead, which feeds itself
 * mutations of a few seeds, the same ones in every run: "fuzz-csv [RUNS]".
 * FUZZ_SECONDS in the environment lets it run so long instead.  "fuzz-csv RUNS
 * FOLDER" only writes the inputs, to files named 0, 1, 2, ...
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program unless a promise holds. */
#define FUZZ_EXPECT(promise) \
	do { \
		if (!(promise)) \
		{ \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
					#promise); \
			abort(); \
		} \
	} while (0)

#ifdef FUZZ_STANDALONE

#define FUZZ_INPUT_MAX 4096
#define FUZZ_RUNS 20000

typedef struct FuzzSeed
{
	const char *data;			/* a good input to start from */
	size_t		len;			/* its bytes */
} FuzzSeed;

/* An input while it is being mutated. */
typedef struct FuzzInput
{
	uint8_t		data[FUZZ_INPUT_MAX];	/* the bytes */
	size_t		len;			/* their number */
} FuzzInput;

static uint64_t fuzz_state = 88172645463325252;

/* A number below bound, which is not 0. */
static inline size_t
fuzz_random(size_t bound)
{
	fuzz_state ^= fuzz_state << 13;
	fuzz_state ^= fuzz_state >> 7;
	fuzz_state ^= fuzz_state << 17;
	return (fuzz_state >> 11) % bound;
}

/* Puts bytes in at a place; those that do not fit are left out. */
static inline void
fuzz_insert(FuzzInput *input, size_t at, const void *bytes, size_t len)
{
	if (len > FUZZ_INPUT_MAX - input->len)
		len = FUZZ_INPUT_MAX - input->len;
	if (len == 0)
		return;
	memmove(input->data + at + len, input->data + at, input->len - at);
	memcpy(input->data + at, bytes, len);
	input->len += len;
}

static inline void
fuzz_mutate(FuzzInput *input, const FuzzSeed *other)
{
	static const char special[] = "\0\t\n\r\",;/:.-+ 019TZAMPamp\x1f\x8b\xef\xff";
	size_t		at = fuzz_random(input->len + 1);
	size_t		rest = input->len - at;
	size_t		n = rest > 0 ? 1 + fuzz_random(rest) : 0;
	uint8_t		copy[FUZZ_INPUT_MAX];

	switch (fuzz_random(6))
	{
		case 0:					/* change a bit */
			if (rest > 0)
				input->data[at] ^= 1 << fuzz_random(8);
			break;
		case 1:					/* a byte that may mean something */
			fuzz_insert(input, at, special + fuzz_random(sizeof(special)), 1);
			break;
		case 2:					/* something of another seed */
			n = fuzz_random(other->len + 1);
			fuzz_insert(input, at, other->data + other->len - n, n);
			break;
		case 3:					/* a piece twice */
			memcpy(copy, input->data + at, n);
			fuzz_insert(input, at, copy, n);
			break;
		case 4:					/* a piece less */
			memmove(input->data + at, input->data + at + n, rest - n);
			input->len -= n;
			break;
		case 5:					/* the end cut off, but seldom */
			if (fuzz_random(4) == 0)
				input->len = at;
			break;
	}
}

/* Runs the target on an input, in memory of just its size. */
static inline void
fuzz_run(const FuzzInput *input)
{
	uint8_t    *exact = malloc(input->len > 0 ? input->len : 1);

	FUZZ_EXPECT(exact != NULL);
	memcpy(exact, input->data, input->len);
	LLVMFuzzerTestOneInput(exact, input->len);
	free(exact);
}

static inline void
fuzz_write(const FuzzInput *input, const char *folder, long number)
{
	char		name[1024];
	FILE	   *file;

	snprintf(name, sizeof(name), "%s/%ld", folder, number);
	file = fopen(name, "wb");
	FUZZ_EXPECT(file != NULL);
	FUZZ_EXPECT(fwrite(input->data, 1, input->len, file) == input->len);
	FUZZ_EXPECT(fclose(file) == 0);
}

static inline int
fuzz_main(int argc, char **argv, const FuzzSeed *seeds, size_t nseeds)
{
	long		runs = argc > 1 ? strtol(argv[1], NULL, 10) : FUZZ_RUNS;
	const char *folder = argc > 2 ? argv[2] : NULL;
	const char *seconds = getenv("FUZZ_SECONDS");
	time_t		end = seconds != NULL ? time(NULL) + strtol(seconds, NULL, 10) : 0;
	long		run;

	for (run = 0; seconds != NULL ? time(NULL) < end : run < runs; run++)
	{
		static FuzzInput input;
		const FuzzSeed *seed = &seeds[fuzz_random(nseeds)];

		input.len = 0;
		fuzz_insert(&input, 0, seed->data, seed->len);
		for (size_t n = fuzz_random(10); n > 0; n--)
			fuzz_mutate(&input, &seeds[fuzz_random(nseeds)]);
		if (folder != NULL)
			fuzz_write(&input, folder, run);
		else
			fuzz_run(&input);
	}
	printf("%ld runs\n", run);
	return 0;
}

#define FUZZ_SEED(literal) {literal, sizeof(literal) - 1}

/* Defines main() over the given seeds. */
#define FUZZ_MAIN(...) \
	int main(int argc, char **argv) \
	{ \
		static const FuzzSeed seeds[] = {__VA_ARGS__}; \
		return fuzz_main(argc, argv, seeds, sizeof(seeds) / sizeof(seeds[0])); \
	} \
	extern int	fuzz_main_defined

#else

#define FUZZ_MAIN(...) extern int fuzz_main_defined

#endif							/* FUZZ_STANDALONE */

#endif							/* FUZZ_H */
