/*-------------------------------------------------------------------------
 *
 * throttle.c
 *		Counts the API's requests by the minute.
 *
 *-------------------------------------------------------------------------
 */
#include "throttle.h"

#include <pthread.h>
#include <stdlib.h>

#include "text.h"

struct EmuThrottle
{
	pthread_mutex_t lock;		/* guards both */
	int64_t		window_ms;		/* when the present minute began */
	int64_t		count;			/* requests in it, refused ones included */
};

EmuThrottle *
emu_throttle_open(void)
{
	EmuThrottle *throttle = emu_alloc(sizeof *throttle);

	pthread_mutex_init(&throttle->lock, NULL);
	return throttle;
}

void
emu_throttle_close(EmuThrottle *throttle)
{
	if (throttle == NULL)
		return;
	pthread_mutex_destroy(&throttle->lock);
	free(throttle);
}

void
emu_throttle_reset(EmuThrottle *throttle)
{
	pthread_mutex_lock(&throttle->lock);
	throttle->window_ms = throttle->count = 0;
	pthread_mutex_unlock(&throttle->lock);
}

int
emu_throttle_count(EmuThrottle *throttle, int64_t limit, int64_t now_ms)
{
	int			seconds = 0;

	if (limit <= 0)
		return 0;
	pthread_mutex_lock(&throttle->lock);
	if (now_ms - throttle->window_ms >= 60000 || now_ms < throttle->window_ms)
	{
		throttle->window_ms = now_ms;
		throttle->count = 0;
	}
	if (++throttle->count > limit)
		seconds = (int) ((throttle->window_ms + 60000 - now_ms + 999) / 1000);
	pthread_mutex_unlock(&throttle->lock);
	return seconds;
}
