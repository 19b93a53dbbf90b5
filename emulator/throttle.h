/*-------------------------------------------------------------------------
 *
 * throttle.h
 *		Counts the API's requests by the minute.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMU_THROTTLE_H
#define EMU_THROTTLE_H

#include <stdint.h>

typedef struct EmuThrottle EmuThrottle;

extern EmuThrottle *emu_throttle_open(void);
extern void emu_throttle_close(EmuThrottle *throttle);
extern void emu_throttle_reset(EmuThrottle *throttle);

/*
 * Counts a request against a limit a minute (0: none).  Returns 0 if it may
 * pass, else the seconds until the next one may.
 */
extern int	emu_throttle_count(EmuThrottle *throttle, int64_t limit, int64_t now_ms);

#endif							/* EMU_THROTTLE_H */
