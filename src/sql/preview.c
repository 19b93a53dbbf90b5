/*-------------------------------------------------------------------------
 *
 * preview.c
 *		pinsight_preview(): the first rows of a report query, as the service gives
 *		them, without a report.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "insights/ascii.h"
#include "insights/ask.h"
#include "insights/json.h"
#include "insights/rules.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "option_value.h"
#include "service_time.h"
#include "sql/look.h"
#include "text.h"
#include "throw.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pinsight_preview);

/* A query, by its text or its id, and the reply to it. */
typedef struct Preview
{
	const PinOptions *options;	/* who asks */
	char	   *text;			/* UTF-8; NULL: see query_id */
	char	   *typed;			/* the same as the database has it */
	const char *place;			/* in typed: what the service did not like */
	char	   *query_id;		/* NULL: see text */
	char	   *start;			/* as the service writes times; both or */
	char	   *end;			/* neither */
	MemoryContext context;		/* of the reply */
	char	   *body;			/* JSON, UTF-8 */
	size_t		body_len;		/* bytes of it */
} Preview;

/* ---- arguments ---- */

static char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static char *
time_argument(FunctionCallInfo fcinfo, int i)
{
	char	   *text;

	if (PG_ARGISNULL(i))
		return NULL;
	text = pin_service_time_text(PG_GETARG_TIMESTAMPTZ(i));
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the service has no such time")));
	return text;
}

static _Noreturn void
refuse(const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message)));
}

static void
read_query(Preview *preview, FunctionCallInfo fcinfo)
{
	char	   *text = preview->typed = text_argument(fcinfo, 1);

	preview->query_id = text_argument(fcinfo, 2);
	if ((text == NULL) == (preview->query_id == NULL))
		refuse("either query or query_id is needed");
	if (preview->query_id != NULL && !pin_value_id(preview->query_id))
		refuse("query_id must be the id of a report query, as the service writes it");
	if (text == NULL)
		return;
	preview->text = pin_text_to_utf8(text);
	if (preview->text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("the query cannot be expressed in UTF-8")));
	if (preview->text[strspn(preview->text, " \t\r\n")] == '\0')
		refuse("the query is empty");
}

static void
read_window(Preview *preview, FunctionCallInfo fcinfo)
{
	preview->start = time_argument(fcinfo, 3);
	preview->end = time_argument(fcinfo, 4);
	if ((preview->start == NULL) != (preview->end == NULL))
		refuse("start_time and end_time are needed both, or neither");
	if (preview->start != NULL && strcmp(preview->options->program, "mpn") != 0)
		refuse("only program \"mpn\" takes a start_time and an end_time");
}

/* ---- asking ---- */

/* A PinReadReply. */
static bool
read_reply(const PinReply *reply, void *arg, PinError *err)
{
	Preview    *preview = arg;

	if (!pin_api_preview_rows_reply(reply, err))
		return false;
	preview->body = MemoryContextAlloc(preview->context, reply->body_len + 1);
	memcpy(preview->body, reply->body, reply->body_len);
	preview->body[reply->body_len] = '\0';
	preview->body_len = reply->body_len;
	return true;
}

/* A query has no options that could be wrong, only words. */
static void
explain(const Preview *preview, PinError *err)
{
	if (err->kind == PIN_ERROR_UNKNOWN_DATASET || err->kind == PIN_ERROR_UNKNOWN_COLUMN)
		pin_error_hint(err, "Compare the query with what IMPORT FOREIGN SCHEMA %s shows of the service's datasets.",
					   preview->options->program);
	else if (err->kind == PIN_ERROR_BAD_REQUEST && err->http_status != 0 && preview->text != NULL)
		pin_error_hint(err, PIN_QUERY_FORM "  What there is the table \"datasets\" of "
					   "foreign schema \"api\" tells.");
	else if (preview->query_id != NULL &&
			 (err->kind == PIN_ERROR_REPORT_GONE ||
			  (err->kind == PIN_ERROR_NOT_FOUND && err->hint[0] == '\0')))
		pin_error_hint(err, "The query was deleted, or belongs to another user or program.");
}

/* Where a text stands in another, once only; NULL: nowhere, or who knows where. */
static const char *
find_once(const char *text, const char *part)
{
	const char *found = *part != '\0' ? strstr(text, part) : NULL;

	return found != NULL && strstr(found + 1, part) == NULL ? found : NULL;
}

/* Does a quote begin what is quoted?  Not one that ends it, nor an apostrophe. */
static bool
opens(const char *words, const char *quote)
{
	return quote == words || pin_ascii_is_blank(quote[-1]) || strchr("([{:=,", quote[-1]) != NULL;
}

/* What the service's words quote of the query, and where that stands; or NULL. */
static const char *
find_quoted(const char *query, const char *words)
{
	const char *found = NULL;

	for (const char *quote = words; found == NULL && (quote = strpbrk(quote, "'\"")) != NULL; quote++)
	{
		const char *end = opens(words, quote) ? strchr(quote + 1, *quote) : NULL;

		if (end != NULL)
			found = find_once(query, pnstrdup(quote + 1, end - quote - 1));
	}
	return found;
}

/* An error_context_stack callback: shows the query, and what in it is wrong. */
static void
show_place(void *arg)
{
	const Preview *preview = arg;

	internalerrquery(preview->typed);
	internalerrposition(pg_mbstrlen_with_len(preview->typed, preview->place - preview->typed) + 1);
}

static _Noreturn void
fail(Preview *preview, PinError *err)
{
	ErrorContextCallback callback = {error_context_stack, show_place, preview};

	explain(preview, err);
	if (preview->typed != NULL && err->kind == PIN_ERROR_BAD_REQUEST)
		preview->place = find_quoted(preview->typed, pin_text_to_server(err->detail));
	if (preview->place != NULL)
		error_context_stack = &callback;
	pin_throw(err, preview->options->server_name, NULL);
}

static void
ask(Preview *preview)
{
	PinAsker   *asker = pin_ask_open(preview->options);
	const PinApi *api = pin_ask_api(asker);
	PinApiRequest request;
	PinError	err;
	bool		built;

	built = preview->text != NULL ?
		pin_api_preview(api, preview->text, preview->start, preview->end, &request, &err) :
		pin_api_preview_query(api, preview->query_id, preview->start, preview->end, &request, &err);
	if (!built || !pin_ask(asker, &request, read_reply, preview, &err))
		fail(preview, &err);
	pin_ask_close(asker);
}

/* ---- rows ---- */

/*
 * Where the database has no encoding, its jsonb takes any bytes, and so those of
 * UTF-8 as scans bring them, but knows no character for an escape.
 */
static void
unescape(Preview *preview)
{
	size_t		len;
	char	   *text = pin_json_unescape(preview->body, preview->body_len, &len);

	if (text == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	memcpy(preview->body, text, len + 1);
	preview->body_len = len;
	free(text);
}

/* The reply as jsonb, which keeps every digit of a number. */
static Jsonb *
parse(Preview *preview)
{
	size_t		mark = preview->body_len >= 3 && memcmp(preview->body, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	char	   *text;

	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		unescape(preview);
	text = pg_any_to_server(preview->body + mark, preview->body_len - mark, PG_UTF8);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Is it that name, but for case and blanks around it? */
static bool
is_named(const JsonbValue *key, const char *name)
{
	char	   *text = pnstrdup(key->val.string.val, key->val.string.len);
	char	   *start = text + strspn(text, " ");
	size_t		len = strlen(start);

	while (len > 0 && start[len - 1] == ' ')
		len--;
	return len == strlen(name) && pg_strncasecmp(start, name, len) == 0;
}

/* The list of rows, which was seen to be there. */
static JsonbContainer *
find_rows(Jsonb *reply)
{
	JsonbIterator *it = JsonbIteratorInit(&reply->root);
	JsonbContainer *rows = NULL;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &value, false);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		bool		wanted = is_named(&value, "value");

		(void) JsonbIteratorNext(&it, &value, true);
		if (wanted && value.type == jbvBinary)
			rows = value.val.binary.data;
	}
	if (rows == NULL)
		elog(ERROR, "the list of rows has vanished");
	return rows;
}

static void
put_rows(ReturnSetInfo *result, JsonbContainer *rows)
{
	JsonbIterator *it = JsonbIteratorInit(rows);
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &value, false);
	while (JsonbIteratorNext(&it, &value, true) == WJB_ELEM)
	{
		Datum		row = JsonbPGetDatum(JsonbValueToJsonb(&value));
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &row, &isnull);
	}
}

/* pinsight_preview(server, query, query_id, start_time, end_time) */
Datum
pinsight_preview(PG_FUNCTION_ARGS)
{
	Preview		preview = {.context = CurrentMemoryContext};
	ForeignServer *server;

	if (PG_ARGISNULL(0))
		refuse("the server's name must not be null");
	server = pin_look_find_server(NameStr(*PG_GETARG_NAME(0)));
	read_query(&preview, fcinfo);
	preview.options = pin_options_server(server->serverid, GetUserId(), NULL);
	read_window(&preview, fcinfo);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ask(&preview);
	put_rows((ReturnSetInfo *) fcinfo->resultinfo, find_rows(parse(&preview)));
	return (Datum) 0;
}
