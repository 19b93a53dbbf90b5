/*-------------------------------------------------------------------------
 *
 * record_list.c
 *		The lists of the API, whatever their records are: page by page.
 *
 *-------------------------------------------------------------------------
 */
#include "insights/record_list.h"

#include <string.h>

#include "insights/api_request.h"
#include "insights/ascii.h"

bool
pin_api_list(const PinApi *api, const char *path, const char *id,
			 const PinParameter *parameters, size_t nparameters,
			 const char *what, PinApiRequest *request, PinError *err)
{
	PinTextBuffer url;

	pin_error_reset(err);
	memset(request, 0, sizeof(*request));
	pin_api_url_start(&url, api, path);
	if (id && !pin_api_url_id(&url, id, what, err))
		return false;
	for (size_t i = 0; i < nparameters; i++)
		pin_api_url_parameter(&url, parameters[i].name, parameters[i].value);
	return pin_api_request_finish(request, "GET", &url, NULL, err);
}

static bool
is_document(const PinReply *reply)
{
	PinError	ignored;
	PinJson    *document = pin_json_parse(reply->body, reply->body_len, "the reply", &ignored);
	bool		yes = pin_json_is_object(document);

	pin_json_free(document);
	return yes;
}

/*
 * Is it the service that has found nothing?  What stands in front of it, or
 * another server, also says 404, in a page, with no word, or of the address.
 */
static bool
is_its_own_word(const PinReply *reply, const char *what, PinError *err)
{
	(void) pin_api_document(reply, what, err);
	if (is_document(reply) && pin_ascii_find(err->detail, "resource not found") == NULL)
	{
		pin_error_reset(err);
		return true;
	}
	pin_error_hint(err, "It may be no word of the service's: check the server's options \"api_url\" and \"api_version\".");
	return false;
}

bool
pin_api_list_reply(const PinReply *reply, void *list, PinError *err)
{
	PinRecordList *result = list;

	pin_api_list_free(result);
	return pin_api_open_list(reply, result->what, &result->document, &result->records,
							 &result->next_link, err) &&
		(result->document != NULL || is_its_own_word(reply, result->what, err));
}

void
pin_api_list_free(PinRecordList *list)
{
	pin_json_free(list->document);
	list->document = NULL;
	list->records = NULL;
	list->next_link = NULL;
}
