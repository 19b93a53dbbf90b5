/*-------------------------------------------------------------------------
 *
 * signing.c
 *		Signing in by itself, outside any scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/client.h"
#include "insights/credential.h"
#include "sql/signing.h"

static void
wipe_all(void *arg)
{
	PinSigning *signing = arg;

	pin_sign_in_free(&signing->result);
	pin_device_code_free(&signing->device);
	pin_api_request_free(&signing->request);
}

PinSigning *
pin_signing_open(const PinOptions *options, PinError *err)
{
	PinSigning *signing = palloc0(sizeof(PinSigning));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	PinHttpSettings settings;

	callback->func = wipe_all;
	callback->arg = signing;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	pin_credential_sign_in(&signing->credentials, options);
	pin_credential_settings(&settings, options);
	signing->trip = pin_roundtrip_open(&settings, err);
	return signing->trip != NULL ? signing : NULL;
}

/* Sends the request that was built; the reply lives until the next one. */
static bool
send_request(PinSigning *signing, PinReply *reply, PinError *err)
{
	PinRequest	request = {0};
	const PinExchange *x;

	request.method = signing->request.method;
	request.url = signing->request.url;
	request.content_type = signing->request.content_type;
	request.body = signing->request.body;
	request.body_len = signing->request.body_len;
	x = pin_roundtrip(signing->trip, &request, err);
	pin_api_request_free(&signing->request);
	if (x == NULL)
		return false;
	elog(DEBUG1, "pinsight_fdw: POST sign-in: HTTP status %d", pin_exchange_status(x));
	*reply = pin_client_reply(x);
	return true;
}

bool
pin_signing_sign_in(PinSigning *signing, PinError *err)
{
	PinReply	reply;

	pin_sign_in_free(&signing->result);
	return pin_sign_in_request(&signing->credentials, &signing->request, err) &&
		send_request(signing, &reply, err) &&
		pin_sign_in_reply(&signing->credentials, &reply, &signing->result, err);
}

bool
pin_signing_device_code(PinSigning *signing, PinError *err)
{
	PinReply	reply;

	pin_device_code_free(&signing->device);
	return pin_device_code_request(&signing->credentials, &signing->request, err) &&
		send_request(signing, &reply, err) &&
		pin_device_code_reply(&signing->credentials, &reply, &signing->device, err);
}
