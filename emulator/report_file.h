/*
 * report_file.h
 *		From a running statement to what the service sends: a report file or
 *		the JSON of a preview.
 */
#ifndef EMU_REPORT_FILE_H
#define EMU_REPORT_FILE_H

#include <sqlite3.h>
#include <stdio.h>

#include "query.h"

/*
 * Both step the statement to its end.  Returns the number of rows; -1 if
 * writing failed, -2 if the statement did.
 */
extern int64_t emu_report_file_write(sqlite3_stmt *statement, const EmuQuery *query,
									 const EmuSwitches *switches, char delimiter, FILE *out);
extern int64_t emu_report_preview(sqlite3_stmt *statement, const EmuQuery *query, EmuText *out);

#endif							/* EMU_REPORT_FILE_H */
