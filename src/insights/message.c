/*-------------------------------------------------------------------------
 *
 * message.c
 *		What requests own, and what strange replies say.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE			/* explicit_bzero */
#include "insights/message.h"

#include <stdlib.h>
#include <string.h>

#include "insights/ascii.h"

/* No more than the start of a page is searched for its title. */
#define HTML_HEAD_MAX 8192

void
pin_api_request_free(PinApiRequest *request)
{
	if (request->body)
		explicit_bzero(request->body, request->body_len);
	free(request->body);
	free(request->url);
	memset(request, 0, sizeof(*request));
}

/* The inside of <title> in the start of a page; empty if there is none. */
static void
html_title(const char *page, size_t len, PinRemoteText text)
{
	char		head[HTML_HEAD_MAX + 1];
	const char *title;
	const char *end;

	len = len < HTML_HEAD_MAX ? len : HTML_HEAD_MAX;
	memcpy(head, page, len);
	head[len] = '\0';

	text[0] = '\0';
	title = pin_ascii_find(head, "<title");
	title = title ? strchr(title, '>') : NULL;
	end = title ? pin_ascii_find(title, "</title") : NULL;
	if (end)
		pin_error_clean(text, sizeof(PinRemoteText), title + 1, end - title - 1);
}

void
pin_reply_plain_text(const PinReply *reply, PinRemoteText text)
{
	const char *body = reply->body;
	size_t		len = body ? reply->body_len : 0;

	while (len > 0 && pin_ascii_is_blank(*body))
	{
		body++;
		len--;
	}
	if (len > 0 && *body == '<')
		html_title(body, len, text);
	else
		pin_error_clean(text, sizeof(PinRemoteText), len > 0 ? body : "", len);
}
