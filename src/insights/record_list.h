/*-------------------------------------------------------------------------
 *
 * record_list.h
 *		The lists of the API, whatever their records are: page by page.
 *
 * For who wants the service's objects as they came.  Those who want something
 * of one kind have the functions of api.h.
 *
 * Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PIN_RECORD_LIST_H
#define PIN_RECORD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "insights/api.h"

/* A parameter of an address; one without a value is not sent. */
typedef struct PinParameter
{
	const char *name;			/* as the API writes it */
	const char *value;			/* UTF-8, not yet encoded; NULL or empty: none */
} PinParameter;

/* One page of a list. */
typedef struct PinRecordList
{
	const char *what;			/* set by the caller: "list reports" */
	PinJson    *document;		/* owns the rest; NULL: nothing was found */
	const PinJson *records;		/* an array; NULL: none */
	const char *next_link;		/* NULL: this is all */
} PinRecordList;

/*
 * A list of the API: path, an id as its last segment (NULL: none), parameters.
 * False with *err filled, as in api.h; what: "list reports".
 */
extern bool pin_api_list(const PinApi *api, const char *path, const char *id,
						 const PinParameter *parameters, size_t nparameters,
						 const char *what, PinApiRequest *request, PinError *err);

/*
 * Its reply, as a PinReadReply with a PinRecordList, which is freed first.  That
 * the service has found nothing is success; that another says so is none.
 */
extern bool pin_api_list_reply(const PinReply *reply, void *list, PinError *err);

/* Leaves an empty list; a zeroed one is fine. */
extern void pin_api_list_free(PinRecordList *list);

#endif							/* PIN_RECORD_LIST_H */
