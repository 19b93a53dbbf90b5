/*-------------------------------------------------------------------------
 *
 * changer.c
 *		The calls of one statement that change something at the service.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "insights/api_request.h"
#include "insights/rules.h"
#include "objects/changer.h"
#include "objects/changes.h"
#include "text.h"
#include "throw.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static const char *const participles[] = {
	[PIN_CREATE_QUERY] = "created",
	[PIN_DELETE_QUERY] = "deleted",
	[PIN_CREATE_REPORT] = "created",
	[PIN_CHANGE_REPORT] = "changed",
	[PIN_PAUSE_REPORT] = "paused",
	[PIN_RESUME_REPORT] = "resumed",
	[PIN_DELETE_REPORT] = "deleted",
};

static bool
is_create(PinChangeCall call)
{
	return call == PIN_CREATE_QUERY || call == PIN_CREATE_REPORT;
}

/* ---- the statement ---- */

/* In a memory context callback: throws nothing, waits for nothing. */
static void
free_document(void *arg)
{
	PinChanger *changer = arg;

	pin_json_free(changer->document);
	changer->document = NULL;
	changer->record = NULL;
}

PinChanger *
pin_changer_begin(Relation relation, Oid userid)
{
	PinChanger *changer = palloc0(sizeof(PinChanger));

	changer->context = CurrentMemoryContext;
	changer->callback.func = free_document;
	changer->callback.arg = changer;
	MemoryContextRegisterResetCallback(changer->context, &changer->callback);
	changer->name = pstrdup(RelationGetRelationName(relation));
	changer->userid = userid;
	changer->options = pin_options_scan(RelationGetRelid(relation), userid);
	changer->table = pin_object_table(relation, changer->options);
	pin_changes_allow(changer->options, RelationGetRelationName(relation));
	changer->asker = pin_object_asker(changer->options);
	initStringInfo(&changer->done);
	return changer;
}

static void
tell_row(void *arg)
{
	const PinChanger *changer = arg;
	bool		doubt = changer->sending != NULL && pin_ask_is_in_doubt(changer->asker);
	const char *what = doubt ? changer->sending : changer->about;

	if (what != NULL)
		errcontext("row " INT64_FORMAT " of the changes to foreign table \"%s\": %s", changer->row,
				   changer->name, what);
	else
		errcontext("row " INT64_FORMAT " of the changes to foreign table \"%s\"", changer->row,
				   changer->name);
}

void
pin_changer_enter(PinChanger *changer, ErrorContextCallback *context)
{
	changer->row++;
	changer->about = NULL;
	free_document(changer);
	context->callback = tell_row;
	context->arg = changer;
	context->previous = error_context_stack;
	error_context_stack = context;
}

void
pin_changer_leave(ErrorContextCallback *context)
{
	error_context_stack = context->previous;
}

/* ---- failures ---- */

/* What the detail of an error adds; NULL: nothing. */
static char *
past_of(const PinChanger *changer)
{
	if (changer->done.len > 0)
		return psprintf("It was row " INT64_FORMAT " of the statement.  What was done before stays:\n%s",
						changer->row, changer->done.data);
	return changer->row > 1 ?
		psprintf("It was row " INT64_FORMAT " of the statement.", changer->row) : NULL;
}

/* A rule of the service's that was not kept is no failure of the server's. */
void
pin_changer_fail(const PinChanger *changer, const PinError *err)
{
	pin_throw_more(err, err->kind == PIN_ERROR_RULE ? NULL : changer->options->server_name,
				   past_of(changer), NULL);
}

/* ---- calls ---- */

/* Report "Usage" (report_id ...). */
static char *
name_object(const PinSubject *subject, const char *id)
{
	bool		is_query = subject->call == PIN_CREATE_QUERY || subject->call == PIN_DELETE_QUERY;

	if (id == NULL)
		return psprintf("%s \"%s\"", is_query ? "Query" : "Report", subject->name);
	return psprintf("%s \"%s\" (%s %s)", is_query ? "Query" : "Report", subject->name,
					is_query ? "query_id" : "report_id", id);
}

/* A sentence without its dot. */
static char *
describe(const PinSubject *subject, const char *auxiliary, const char *id)
{
	return psprintf("%s %s %s", name_object(subject, id), auxiliary, participles[subject->call]);
}

bool
pin_changer_meet(PinChanger *changer, const PinSubject *subject)
{
	MemoryContext old;
	ListCell   *lc;

	changer->about = name_object(subject, subject->id);
	foreach(lc, changer->ids)
	{
		if (strcmp(lfirst(lc), subject->id) == 0)
			return false;
	}
	old = MemoryContextSwitchTo(changer->context);
	changer->ids = lappend(changer->ids, pstrdup(subject->id));
	MemoryContextSwitchTo(old);
	return true;
}

/* What a reply brings. */
typedef struct Answer
{
	PinChangeCall call;			/* to which call */
	PinId		id;				/* of what was created */
	PinJson    *document;		/* NULL: it says nothing */
} Answer;

static bool
check_reply(const PinReply *reply, Answer *answer, PinError *err)
{
	switch (answer->call)
	{
		case PIN_CREATE_QUERY:
			return pin_api_create_query_reply(reply, answer->id, err);
		case PIN_DELETE_QUERY:
			return pin_api_delete_query_reply(reply, err);
		case PIN_CREATE_REPORT:
			return pin_api_create_report_reply(reply, answer->id, err);
		case PIN_CHANGE_REPORT:
			return pin_api_update_report_reply(reply, err);
		case PIN_PAUSE_REPORT:
			return pin_api_pause_report_reply(reply, err);
		case PIN_RESUME_REPORT:
			return pin_api_resume_report_reply(reply, err);
		case PIN_DELETE_REPORT:
			return pin_api_delete_report_reply(reply, err);
	}
	return false;
}

/* A document that is not there, or makes no sense, is no failure any more. */
static bool
read_answer(const PinReply *reply, void *arg, PinError *err)
{
	Answer	   *answer = arg;
	PinError	ignored;

	if (!check_reply(reply, answer, err))
		return false;
	answer->document = pin_json_parse(reply->body, reply->body_len, "the reply of the service",
									  &ignored);
	return true;
}

/* The same for those who look at all servers. */
static char *
with_server(const PinChanger *changer, const char *text)
{
	return psprintf("%s on server \"%s\"", text, changer->options->server_name);
}

/* Sends, and knows meanwhile what would be left in doubt. */
static bool
try_call(PinChanger *changer, PinApiRequest *request, Answer *answer, PinChange *change,
		 PinError *err)
{
	PinCallKind kind = is_create(answer->call) ? PIN_CALL_ONCE : PIN_CALL_REPEATABLE;
	bool		ok = false;

	PG_TRY();
	{
		ok = pin_ask_call(changer->asker, request, kind, read_answer, answer, err);
	}
	PG_CATCH();
	{
		if (!pin_ask_is_in_doubt(changer->asker))
			pin_changes_undone(change);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return ok;
}

/* The call went well: the record is what the service told of the object. */
static void
note_success(PinChanger *changer, const PinSubject *subject, PinChange *change,
			 const Answer *answer)
{
	const char *id;
	char	   *text;

	free_document(changer);
	changer->document = answer->document;
	changer->record = pin_json_element(pin_api_records(answer->document), 0);
	id = is_create(subject->call) ? pin_text_to_server(answer->id) : subject->id;
	text = describe(subject, "was", id);
	pin_changes_done(change, with_server(changer, text));
	appendStringInfo(&changer->done, "%s%s.", changer->done.len > 0 ? "\n" : "", text);
}

/* Where a hint for who reads a report is none for who makes one. */
static void
advise(const PinChanger *changer, const PinSubject *subject, PinError *err)
{
	bool		create = is_create(subject->call);

	if (pin_ask_is_in_doubt(changer->asker))
		pin_error_hint(err, "%s all the same.  Look for it by its %s before you try again.",
					   create ? "It may have been created" : "The change may have been made",
					   create ? "name" : "id");
	else if (subject->call == PIN_CREATE_QUERY &&
			 (err->kind == PIN_ERROR_UNKNOWN_DATASET || err->kind == PIN_ERROR_UNKNOWN_COLUMN))
		pin_error_hint(err, "What there is the API's table \"datasets\" tells.");
	else if (subject->call == PIN_CREATE_QUERY && err->kind == PIN_ERROR_BAD_REQUEST)
		pin_error_hint(err, PIN_QUERY_FORM "  What there is the API's table \"datasets\" tells.");
	else if (subject->call == PIN_CREATE_REPORT && err->kind == PIN_ERROR_REPORT_GONE)
		pin_error_hint(err, "Column \"query_id\" has to be that of a row of table \"queries\".");
}

bool
pin_changer_call(PinChanger *changer, bool built, PinApiRequest *request,
				 const PinSubject *subject, PinError *err)
{
	Answer		answer = {.call = subject->call};
	PinChange  *change;
	bool		ok;

	if (!built)
		return false;
	changer->sending = describe(subject, "may have been", subject->id);
	change = pin_changes_begin(with_server(changer, changer->sending));
	ok = try_call(changer, request, &answer, change, err);
	changer->sending = NULL;
	if (ok)
	{
		note_success(changer, subject, change, &answer);
		return true;
	}
	if (!pin_ask_is_in_doubt(changer->asker))
		pin_changes_undone(change);
	advise(changer, subject, err);
	return false;
}
