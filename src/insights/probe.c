/*-------------------------------------------------------------------------
 *
 * probe.c
 *		Does a host answer at all?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "insights/aadsts.h"
#include "insights/probe.h"
#include "transport/engine.h"
#include "transport/wait.h"
#include "utils/memutils.h"

/* Ends with its memory context, whatever happens. */
typedef struct Probing
{
	MemoryContextCallback callback;
	PinHttp    *http;			/* our share of the engine; NULL: none */
	PinExchange *exchange;		/* NULL: none */
} Probing;

static void
end_probing(void *arg)
{
	Probing    *probing = arg;

	pin_exchange_free(probing->exchange);
	if (probing->http != NULL)
		pin_engine_release();
}

static bool
start(Probing *probing, const PinOptions *options, const char *url, PinError *err)
{
	PinHttpSettings settings = {
		.ca_file = options->ca_file,
		.proxy = options->proxy,
		.connect_timeout_ms = options->connect_timeout_ms,
		.request_timeout_ms = options->request_timeout_ms
	};
	PinRequest	request = {.method = "GET",.url = url};

	probing->http = pin_engine_take(err);
	if (probing->http == NULL)
		return false;
	probing->exchange = pin_http_start(probing->http, &settings, &request, err);
	return probing->exchange != NULL;
}

static bool
read_answer(const PinExchange *x, PinProbe *probe, PinError *err)
{
	int64		date = pin_exchange_date(x);
	size_t		len;

	if (pin_exchange_state(x) == PIN_EXCHANGE_FAILED)
	{
		*err = *pin_exchange_error(x);
		return false;
	}
	probe->status = pin_exchange_status(x);
	probe->aadsts = pin_aadsts_in_text(pin_exchange_body(x, &len));
	probe->has_clock = date >= 0;
	probe->ahead_s = probe->has_clock ? date - (int64) time(NULL) : 0;
	return true;
}

bool
pin_probe(const PinOptions *options, const char *url, PinProbe *probe, PinError *err)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinsight probe",
												  ALLOCSET_SMALL_SIZES);
	Probing    *probing = MemoryContextAllocZero(context, sizeof(Probing));
	bool		answered;

	probing->callback.func = end_probing;
	probing->callback.arg = probing;
	MemoryContextRegisterResetCallback(context, &probing->callback);
	answered = start(probing, options, url, err);
	while (answered && pin_exchange_state(probing->exchange) == PIN_EXCHANGE_RUNNING)
	{
		pin_wait(pin_http_fd(probing->http), PIN_WAIT_REPLY);
		pin_http_drive(probing->http);
	}
	answered = answered && read_answer(probing->exchange, probe, err);
	MemoryContextDelete(context);
	return answered;
}
