/*-------------------------------------------------------------------------
 *
 * api_error.h
 *		The one place that understands how the Insights API says no.
 *
 * It says so by HTTP status, by a statusCode inside HTTP 200, by its gateway's
 * or its front door's own JSON, by a page of HTML, or by nothing but a status.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_API_ERROR_H
#define PIN_API_ERROR_H

#include <stdbool.h>

#include "error.h"
#include "insights/json.h"
#include "insights/message.h"

/*
 * True if the reply reports success.  Otherwise fills *err: `what` completes
 * "could not ..." ("create report").  err->retry_after_ms holds the service's
 * wish; err->http_status the status that counts, from the body if that says so.
 */
extern bool pin_api_check(const PinReply *reply, const char *what, PinError *err);

/*
 * The same, and gives the reply's document, which the caller frees; NULL if
 * the reply is an error (*err is filled) or is no JSON (kind REPLY).
 */
extern PinJson *pin_api_document(const PinReply *reply, const char *what,
								 PinError *err);

/*
 * After a failure of theirs: is it a 404, and the service's own word for it?
 * What stands in front of the service, or another server, says 404, too: in a
 * page, in plain text, with no word, or of the address.  Then *err's hint tells where to look.
 */
extern bool pin_api_found_nothing(const PinReply *reply, PinError *err);

/* Likewise, but a 404 without a word may be the service's. */
extern bool pin_api_found_nothing_perhaps(const PinReply *reply, PinError *err);

#endif							/* PIN_API_ERROR_H */
