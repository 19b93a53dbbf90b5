/*-------------------------------------------------------------------------
 *
 * api_request.h
 *		What the API's requests have in common: addresses, ids, times, bodies.
 *
 * For the files of src/insights that speak to an endpoint.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_API_REQUEST_H
#define PIN_API_REQUEST_H

#include <stdbool.h>

#include "insights/api.h"
#include "insights/text_buffer.h"

/* Starts an address: {api_url}/insights/{api_version}/{program}{path}. */
extern void pin_api_url_start(PinTextBuffer *url, const PinApi *api, const char *path);

/* Adds one parameter, encoded; a NULL or empty value adds nothing. */
extern void pin_api_url_parameter(PinTextBuffer *url, const char *name,
								  const char *value);

/* Adds an id as the last segment of the path; false with *err if it is none. */
extern bool pin_api_url_id(PinTextBuffer *url, const char *id, const char *what,
						   PinError *err);

/*
 * Ends an address and makes it a request, which takes over body (NULL: none;
 * freed on failure too).  False with *err filled if memory ran out.
 */
extern bool pin_api_request_finish(PinApiRequest *request, const char *method,
								   PinTextBuffer *url, char *body, PinError *err);

/*
 * Reads an id, a text or a number; false, and id empty, if it could not stand
 * safely in an address.
 */
extern bool pin_api_read_id(const PinJson *value, PinId id);

/* Could a text stand in an address as an id? */
extern bool pin_api_is_id(const char *text);

/* True if text is a time as the service wants it: 2026-03-01T00:00:00Z. */
extern bool pin_api_time_ok(const char *text);

/* Checks a window: both ends or neither, well written.  False with *err. */
extern bool pin_api_window_ok(const char *start, const char *end,
							  const char *what, PinError *err);

/* The array of records in a reply; NULL if there is none. */
extern const PinJson *pin_api_records(const PinJson *document);

/*
 * Opens the list in a reply: its records (NULL: none) and next page.  "Nothing
 * found" is told by 404, perhaps without a word, and makes an empty list, whose
 * document is NULL.  False with *err filled.
 */
extern bool pin_api_open_list(const PinReply *reply, const char *what, PinJson **document,
							  const PinJson **records, const char **next_link,
							  PinError *err);

#endif							/* PIN_API_REQUEST_H */
