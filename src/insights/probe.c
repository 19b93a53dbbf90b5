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
#include "insights/credential.h"
#include "insights/probe.h"
#include "transport/roundtrip.h"

static void
read_answer(const PinExchange *x, PinProbe *probe)
{
	int64		date = pin_exchange_date(x);
	size_t		len;

	probe->status = pin_exchange_status(x);
	probe->aadsts = pin_aadsts_in_text(pin_exchange_body(x, &len));
	probe->has_clock = date >= 0;
	probe->ahead_s = probe->has_clock ? date - (int64) time(NULL) : 0;
}

bool
pin_probe(const PinOptions *options, const char *url, PinProbe *probe, PinError *err)
{
	PinRequest	request = {.method = "GET",.url = url};
	PinHttpSettings settings;
	PinRoundtrip *trip;
	const PinExchange *x;

	pin_credential_settings(&settings, options);
	trip = pin_roundtrip_open(&settings, err);
	if (trip == NULL)
		return false;
	x = pin_roundtrip(trip, &request, err);
	if (x != NULL)
		read_answer(x, probe);
	pin_roundtrip_close(trip);
	return x != NULL;
}
