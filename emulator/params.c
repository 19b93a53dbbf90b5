/*-------------------------------------------------------------------------
 *
 * params.c
 *		Name and value pairs: query strings, forms, headers of a reply.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Appends a pair whose texts the list takes over. */
static void
append(EmuParam **list, char *name, char *value)
{
	EmuParam   *param = emu_alloc(sizeof *param);

	param->name = name;
	param->value = value;
	while (*list != NULL)
		list = &(*list)->next;
	*list = param;
}

void
emu_params_add(EmuParam **list, const char *name, const char *value)
{
	append(list, emu_copy(name), emu_copy(value));
}

EmuParam *
emu_params_parse(const char *text, size_t length)
{
	EmuParam   *list = NULL;
	const char *end = text + length;

	while (text < end)
	{
		const char *stop = memchr(text, '&', (size_t) (end - text));
		const char *equal;

		if (stop == NULL)
			stop = end;
		equal = memchr(text, '=', (size_t) (stop - text));
		if (equal == NULL)
			equal = stop;
		if (stop > text)
		{
			const char *value = equal < stop ? equal + 1 : stop;

			append(&list,
				   emu_percent_decode(text, (size_t) (equal - text), true),
				   emu_percent_decode(value, (size_t) (stop - value), true));
		}
		text = stop + 1;
	}
	return list;
}

void
emu_params_free(EmuParam *list)
{
	while (list != NULL)
	{
		EmuParam   *next = list->next;

		free(list->name);
		free(list->value);
		free(list);
		list = next;
	}
}

const char *
emu_params_get(const EmuParam *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (emu_same(list->name, name))
			return list->value;
	return NULL;
}

const char *
emu_params_given(const EmuParam *list, const char *name)
{
	const char *value = emu_params_get(list, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
is_secret(const char *name, const char *const *secrets)
{
	for (; *secrets != NULL; secrets++)
		if (emu_same(name, *secrets))
			return true;
	return false;
}

char *
emu_params_text(const EmuParam *list, const char *const *secrets)
{
	char	   *text = NULL;
	size_t		size = 0;
	FILE	   *out = open_memstream(&text, &size);

	for (const EmuParam *param = list; param != NULL; param = param->next)
	{
		char	   *name = emu_percent_encode(param->name);
		char	   *value = emu_percent_encode(param->value);

		fprintf(out, "%s%s=%s", param == list ? "" : "&", name,
				is_secret(param->name, secrets) ? "***" : value);
		free(name);
		free(value);
	}
	fclose(out);
	return text;
}
