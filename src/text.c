/*-------------------------------------------------------------------------
 *
 * text.c
 *		Text between the database encoding and UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "text.h"

/*
 * Appends the longest convertible start of src to out and returns its length
 * in src.
 */
static int
convert_some(StringInfo out, Oid proc, int from, int to,
			 const char *src, int len)
{
	int			room = (len + 1) * MAX_CONVERSION_GROWTH + 1;
	unsigned char *buf = palloc(room);
	int			used;

	used = pg_do_encoding_conversion_buf(proc, from, to,
										 (unsigned char *) unconstify(char *, src),
										 len, buf, room, true);
	appendStringInfoString(out, (char *) buf);
	pfree(buf);
	return used;
}

/*
 * Without a conversion (none is known, or the catalogs cannot be read) ASCII
 * is what can be kept: every server encoding contains it.
 */
static int
copy_ascii(StringInfo out, const char *src, int len)
{
	int			used = 0;

	while (used < len && !IS_HIGHBIT_SET(src[used]))
		used++;
	appendBinaryStringInfo(out, src, used);
	return used;
}

/* Appends the longest valid start of src to out and returns its length. */
static int
copy_valid(StringInfo out, const char *src, int len)
{
	int			used = pg_encoding_verifymbstr(PG_UTF8, src, len);

	appendBinaryStringInfo(out, src, used);
	return used;
}

/* The conversion between the two encodings, or InvalidOid. */
static Oid
find_conversion(int from, int to)
{
	return IsTransactionState() ?
		FindDefaultConversionProc(from, to) : InvalidOid;
}

char *
pin_text_to_server(const char *utf8)
{
	int			encoding = GetDatabaseEncoding();
	bool		as_it_is = encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
	Oid			proc = as_it_is ? InvalidOid : find_conversion(PG_UTF8, encoding);
	int			len = strlen(utf8);
	StringInfoData out;

	initStringInfo(&out);
	for (;;)
	{
		int			used;

		if (as_it_is)
			used = copy_valid(&out, utf8, len);
		else if (OidIsValid(proc))
			used = convert_some(&out, proc, PG_UTF8, encoding, utf8, len);
		else
			used = copy_ascii(&out, utf8, len);
		utf8 += used;
		len -= used;
		if (len <= 0)
			return out.data;

		/* one '?' for the character that stopped us, or for a stray byte */
		used = pg_encoding_verifymbchar(PG_UTF8, utf8, len);
		appendStringInfoChar(&out, '?');
		utf8 += Max(used, 1);
		len -= Max(used, 1);
	}
}

char *
pin_text_to_utf8(const char *text)
{
	int			encoding = GetDatabaseEncoding();
	int			len = strlen(text);
	Oid			proc;
	StringInfoData out;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pin_text_is_utf8(text, len) ? pstrdup(text) : NULL;

	initStringInfo(&out);
	proc = find_conversion(encoding, PG_UTF8);
	if (OidIsValid(proc))
		len -= convert_some(&out, proc, encoding, PG_UTF8, text, len);
	else
		len -= copy_ascii(&out, text, len);
	return len == 0 ? out.data : NULL;
}

bool
pin_text_is_utf8(const char *text, size_t len)
{
	return pg_verify_mbstr(PG_UTF8, text, (int) len, true);
}
