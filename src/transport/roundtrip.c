/*-------------------------------------------------------------------------
 *
 * roundtrip.c
 *		One HTTP exchange after the other, each waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "transport/engine.h"
#include "transport/roundtrip.h"
#include "transport/wait.h"
#include "utils/memutils.h"

struct PinRoundtrip
{
	MemoryContext context;		/* owns this */
	MemoryContextCallback callback; /* gives everything back */
	PinHttp    *http;			/* our share of the engine; NULL: none */
	PinHttpSettings settings;	/* how to connect */
	PinExchange *exchange;		/* the latest; NULL: none yet */
	PinTimer	timer;			/* of a rest */
};

static void
give_back(void *arg)
{
	PinRoundtrip *trip = arg;

	if (trip->http == NULL)
		return;
	pin_exchange_free(trip->exchange);
	pin_mux_disarm(pin_http_mux(trip->http), &trip->timer);
	trip->http = NULL;
	pin_engine_release();
}

PinRoundtrip *
pin_roundtrip_open(const PinHttpSettings *settings, PinError *err)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pinsight round trips",
												  ALLOCSET_SMALL_SIZES);
	PinRoundtrip *trip = MemoryContextAllocZero(context, sizeof(PinRoundtrip));

	trip->context = context;
	trip->settings = *settings;
	trip->callback.func = give_back;
	trip->callback.arg = trip;
	MemoryContextRegisterResetCallback(context, &trip->callback);
	trip->http = pin_engine_take(err);
	if (trip->http != NULL)
		return trip;
	MemoryContextDelete(context);
	return NULL;
}

static void
sleep_and_drive(PinRoundtrip *trip, PinWait what)
{
	pin_wait(pin_http_fd(trip->http), what);
	pin_http_drive(trip->http);
}

const PinExchange *
pin_roundtrip(PinRoundtrip *trip, const PinRequest *request, PinError *err)
{
	pin_exchange_free(trip->exchange);
	trip->exchange = pin_http_start(trip->http, &trip->settings, request, err);
	if (trip->exchange == NULL)
		return NULL;
	while (pin_exchange_state(trip->exchange) == PIN_EXCHANGE_RUNNING)
		sleep_and_drive(trip, PIN_WAIT_REPLY);
	if (pin_exchange_state(trip->exchange) == PIN_EXCHANGE_DONE)
		return trip->exchange;
	*err = *pin_exchange_error(trip->exchange);
	return NULL;
}

void
pin_roundtrip_rest(PinRoundtrip *trip, int ms)
{
	(void) pin_mux_arm(pin_http_mux(trip->http), &trip->timer,
					   pin_now_us() + (int64) ms * 1000);
	while (!pin_timer_due(&trip->timer))
		sleep_and_drive(trip, PIN_WAIT_SIGN_IN);
	pin_mux_disarm(pin_http_mux(trip->http), &trip->timer);
}

void
pin_roundtrip_close(PinRoundtrip *trip)
{
	MemoryContextDelete(trip->context);
}
