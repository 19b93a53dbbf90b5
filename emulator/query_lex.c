/*
 * query_lex.c
 *		Cuts a report query into words.
 */
#include "query.h"

#include <string.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *
word_end(const char *p)
{
	while (is_letter(*p) || is_digit(*p))
		p++;
	return p;
}

/*
 * Names may end in parentheses, as in RevenueGenerated(USD).  A list of IN
 * cannot be mistaken for that: it holds numbers or quoted strings.
 */
static const char *
name_end(const char *p)
{
	const char *q;

	p = word_end(p);
	if (p[0] == '(' && is_letter(p[1]))
	{
		q = word_end(p + 1);
		if (*q == ')')
			return q + 1;
	}
	return p;
}

static const char *
number_end(const char *p)
{
	if (*p == '-')
		p++;
	while (is_digit(*p))
		p++;
	if (p[0] == '.' && is_digit(p[1]))
	{
		p++;
		while (is_digit(*p))
			p++;
	}
	return p;
}

/* A string takes any character but a quote; there is no escape for one. */
static EmuToken
string_token(const char **text)
{
	const char *start = *text + 1;
	const char *end = strchr(start, '\'');
	EmuToken	token = {EMU_TOKEN_STRING, start, 0};

	if (end == NULL)
	{
		token.kind = EMU_TOKEN_UNCLOSED;
		token.length = strlen(start);
		*text = start + token.length;
		return token;
	}
	token.length = (size_t) (end - start);
	*text = end + 1;
	return token;
}

static const char *
operator_end(const char *p)
{
	if ((*p == '<' || *p == '>' || *p == '!') && p[1] == '=')
		return p + 2;
	return *p == '=' || *p == '<' || *p == '>' ? p + 1 : p;
}

EmuToken
emu_query_token(const char **text)
{
	const char *p = *text;
	EmuToken	token = {EMU_TOKEN_UNKNOWN, NULL, 1};

	while (is_blank(*p))
		p++;
	token.text = p;
	*text = p;
	if (*p == '\0')
	{
		token.kind = EMU_TOKEN_END;
		token.length = 0;
	}
	else if (*p == '\'')
		return string_token(text);
	else if (is_letter(*p))
	{
		token.kind = EMU_TOKEN_NAME;
		token.length = (size_t) (name_end(p) - p);
	}
	else if (is_digit(*p) || (*p == '-' && is_digit(p[1])))
	{
		token.kind = EMU_TOKEN_NUMBER;
		token.length = (size_t) (number_end(p) - p);

		/* 12abc is neither a number nor a name. */
		if (is_letter(p[token.length]))
			token.kind = EMU_TOKEN_UNKNOWN;
	}
	else if (operator_end(p) > p)
	{
		token.kind = EMU_TOKEN_OPERATOR;
		token.length = (size_t) (operator_end(p) - p);
	}
	else if (*p == '(' || *p == ')' || *p == ',')
		token.kind = EMU_TOKEN_PUNCTUATION;
	*text = p + token.length;
	return token;
}
