/*
 * engine_text.c
 *		A text that grows.
 */
#include "engine_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
reserve(EmuText *text, size_t more)
{
	size_t		size = text->size ? text->size : 256;
	char	   *data;

	if (text->failed)
		return false;
	while (size < text->length + more + 1)
		size *= 2;
	if (size == text->size)
		return true;
	data = realloc(text->data, size);
	if (data == NULL)
	{
		text->failed = true;
		return false;
	}
	text->data = data;
	text->size = size;
	return true;
}

void
emu_text_add(EmuText *text, const char *data, size_t length)
{
	if (!reserve(text, length))
		return;
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void
emu_text_puts(EmuText *text, const char *string)
{
	emu_text_add(text, string, strlen(string));
}

void
emu_text_printf(EmuText *text, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !reserve(text, (size_t) length))
		return;
	va_start(args, format);
	vsnprintf(text->data + text->length, (size_t) length + 1, format, args);
	va_end(args);
	text->length += (size_t) length;
}

char *
emu_text_take(EmuText *text)
{
	char	   *data;

	emu_text_add(text, "", 0);	/* an empty text is a text too */
	data = text->data;
	if (text->failed)
	{
		free(data);
		data = NULL;
	}
	memset(text, 0, sizeof(*text));
	return data;
}
