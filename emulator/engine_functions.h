/*
 * engine_functions.h
 *		What report queries need that SQLite does not have.
 *
 *	emu_nocase		collation: texts without case, in any script
 *	emu_decimal		collation: decimal numbers written as text, exactly
 *	emu_sum(x)		aggregate: exact sum of such numbers, NULL of none
 *	emu_like(text, pattern, fold, underscore)
 *	emu_us_date(text)	2026-03-01[Thh:mm:ssZ] as 3/1/2026 12:00:00 AM
 */
#ifndef EMU_ENGINE_FUNCTIONS_H
#define EMU_ENGINE_FUNCTIONS_H

#include <sqlite3.h>

/* Returns an SQLite result code. */
extern int	emu_functions_register(sqlite3 *db);

#endif							/* EMU_ENGINE_FUNCTIONS_H */
