/*-------------------------------------------------------------------------
 *
 * engine.c
 *		The backend's one HTTP engine, alive while somebody uses it.
 *
 * Each share counts one descriptor against PostgreSQL's own limit: about what
 * an acquisition needs, since it talks to one host at a time.  The engine's
 * two own descriptors (epoll, timerfd) are counted with the first share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/fd.h"
#include "transport/engine.h"

#define ENGINE_DESCRIPTORS 2

static PinHttp *engine = NULL;
static int	shares = 0;

static bool
reserve_descriptors(int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!AcquireExternalFD())
		{
			while (i-- > 0)
				ReleaseExternalFD();
			return false;
		}
	}
	return true;
}

static void
release_descriptors(int n)
{
	while (n-- > 0)
		ReleaseExternalFD();
}

PinHttp *
pin_engine(void)
{
	return engine;
}

bool
pin_engine_has_room(int descriptors)
{
	if (!reserve_descriptors(descriptors))
		return false;
	release_descriptors(descriptors);
	return true;
}

PinHttp *
pin_engine_take(PinError *err)
{
	int			wanted = 1 + (shares == 0 ? ENGINE_DESCRIPTORS : 0);

	if (!reserve_descriptors(wanted))
	{
		pin_error_set(err, PIN_ERROR_INTERNAL,
					  "out of file descriptors for connections to the service");
		pin_error_hint(err, "Raise max_files_per_process, or run fewer foreign scans at once.");
		return NULL;
	}
	if (engine == NULL)
		engine = pin_http_open(err);
	if (engine == NULL)
	{
		release_descriptors(wanted);
		return NULL;
	}
	shares++;
	return engine;
}

void
pin_engine_release(void)
{
	Assert(shares > 0);
	if (--shares == 0)
	{
		pin_http_close(engine);
		engine = NULL;
	}
	release_descriptors(1 + (shares == 0 ? ENGINE_DESCRIPTORS : 0));
}
