/*-------------------------------------------------------------------------
 *
 * throw.c
 *		From a PinError to an ereport.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "text.h"
#include "throw.h"

/* The five characters of a SQLSTATE as elog.c wants them. */
static int
encode_sqlstate(const char *s)
{
	return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

/* The error's own way out, or the one of its kind; NULL if there is none. */
static const char *
hint_of(const PinError *err, const PinErrorRow *row)
{
	return err->hint[0] != '\0' ? err->hint : row->hint;
}

/*
 * All texts are turned before ereport is entered, so that running out of
 * memory here is an error of its own, not one inside another.
 */
static void
report(int elevel, const PinError *err, const char *server,
	   const char *more, const char *context)
{
	const PinErrorRow *row = pin_error_row(err->kind);
	const char *hint = hint_of(err, row);
	char	   *message = pin_text_to_server(err->message);
	char	   *detail = pin_text_to_server(err->detail);

	if (more != NULL)
		detail = psprintf("%s%s%s", detail, detail[0] != '\0' ? "\n" : "", more);
	if (hint != NULL)
		hint = pin_text_to_server(hint);

	ereport(elevel,
			(errcode(encode_sqlstate(row->sqlstate)),
			 server != NULL ?
			 errmsg("server \"%s\": %s", server, message) :
			 errmsg_internal("%s", message),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0,
			 context != NULL ? errcontext("%s", context) : 0));
}

void
pin_throw(const PinError *err, const char *server, const char *context)
{
	pin_throw_more(err, server, NULL, context);
}

void
pin_throw_more(const PinError *err, const char *server, const char *more, const char *context)
{
	CHECK_FOR_INTERRUPTS();
	report(ERROR, err, server, more, context);
	pg_unreachable();
}

void
pin_warn(const PinError *err, const char *server, const char *context)
{
	CHECK_FOR_INTERRUPTS();
	report(WARNING, err, server, NULL, context);
}
