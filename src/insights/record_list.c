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

/* An empty table says more than an empty look for what is ours: it has to be true. */
static bool
is_certainly_empty(const PinReply *reply, const char *what, PinError *err)
{
	if (pin_api_check(reply, what, err))
		return true;
	if (!pin_api_found_nothing(reply, err))
		return false;
	pin_error_reset(err);
	return true;
}

bool
pin_api_list_reply(const PinReply *reply, void *list, PinError *err)
{
	PinRecordList *result = list;

	pin_api_list_free(result);
	return pin_api_open_list(reply, result->what, &result->document, &result->records,
							 &result->next_link, err) &&
		(result->document != NULL || is_certainly_empty(reply, result->what, err));
}

void
pin_api_list_free(PinRecordList *list)
{
	pin_json_free(list->document);
	list->document = NULL;
	list->records = NULL;
	list->next_link = NULL;
}
