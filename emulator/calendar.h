/*
 * calendar.h
 *		Days since 1970-01-01 and the Gregorian calendar.
 */
#ifndef EMU_CALENDAR_H
#define EMU_CALENDAR_H

#include <stdbool.h>

extern int	emu_date_to_days(int year, int month, int day);
extern void emu_days_to_date(int days, int *year, int *month, int *day);
extern bool emu_date_is_valid(int year, int month, int day);

/* First day of the month that lies so many months before the given day. */
extern int	emu_month_start(int days, int months_back);

#endif							/* EMU_CALENDAR_H */
