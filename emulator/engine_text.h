/*
 * engine_text.h
 *		A text that grows.
 *
 * Running out of memory is remembered, not reported at once: append on, ask
 * emu_text_take() at the end.
 */
#ifndef EMU_ENGINE_TEXT_H
#define EMU_ENGINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct EmuText
{
	char	   *data;			/* NUL-terminated once anything was added */
	size_t		length;
	size_t		size;
	bool		failed;			/* an append found no memory */
} EmuText;

extern void emu_text_add(EmuText *text, const char *data, size_t length);
extern void emu_text_puts(EmuText *text, const char *string);
extern void emu_text_printf(EmuText *text, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* Hands over the malloc'd text; NULL (and nothing leaks) if memory ran out. */
extern char *emu_text_take(EmuText *text);

#endif							/* EMU_ENGINE_TEXT_H */
