/*-------------------------------------------------------------------------
 *
 * params.h
 *		Name and value pairs: query strings, forms, headers of a reply.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_PARAMS_H
#define EMU_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct EmuParam
{
	struct EmuParam *next;		/* in order of arrival */
	char	   *name;			/* decoded */
	char	   *value;			/* decoded, "" if it had none */
} EmuParam;

/*
 * Splits a=b&c=d and decodes both sides.  The result is owned by the caller;
 * NULL if there are none.
 */
extern EmuParam *emu_params_parse(const char *text, size_t length);
extern void emu_params_add(EmuParam **list, const char *name, const char *value);
extern void emu_params_free(EmuParam *list);

/* The first value of that name, compared without case; NULL if absent. */
extern const char *emu_params_get(const EmuParam *list, const char *name);

/* The same, but an empty value counts as absent. */
extern const char *emu_params_given(const EmuParam *list, const char *name);

/* Puts a list back together, percent-encoded, "***" for the secret names. */
extern char *emu_params_text(const EmuParam *list, const char *const *secrets);

#endif							/* EMU_PARAMS_H */
