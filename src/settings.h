/*-------------------------------------------------------------------------
 *
 * settings.h
 *		The configuration parameters (GUCs) of pinsight_fdw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_SETTINGS_H
#define PIN_SETTINGS_H

/* Where snapshots are kept; relative to the data directory. */
extern char *pin_cache_directory;

/* Megabytes of snapshots that are kept; the oldest go first. */
extern int	pin_cache_size_mb;

/* How old rows may be, in milliseconds; -1: what table and server say. */
extern int64 pin_max_age_ms;

/* Does a waiting scan send notices? */
extern bool pin_progress;

/*
 * What is left at the service for longer, in seconds, is swept; -1: nothing.
 */
extern int	pin_sweep_age_s;

/* Defines them all; from _PG_init. */
extern void pin_settings_define(void);

#endif							/* PIN_SETTINGS_H */
