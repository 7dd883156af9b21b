/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Follows strings, comments and brackets as libconfig's scanner does, and
 * nothing more: what the settings mean is not known here.
 */
#include "conf_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "str.h"

struct scan {
	const char *path;
	const char *p, *end;
	int line;
	size_t tokens;
	size_t depth;
	char last; /* character of the token before, 'x' for a word */
	struct {
		char closes;
		int line;
	} open[CONF_DEPTH_MAX];
	struct err *e;
};

static int
wrong(const struct scan *s, int line, const char *what)
{
	return err_set(s->e, "%s:%d: %s", s->path, line, what);
}

static bool
starts(const struct scan *s, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(s->end - s->p) >= len && memcmp(s->p, what, len) == 0;
}

/* libconfig opens an included file itself, also while it reads a string.
 * It knows one by the start of a line; here comments are no exception. */
static int
scan_line_start(const struct scan *s)
{
	struct scan ahead = *s;

	while (ahead.p < ahead.end && (*ahead.p == ' ' || *ahead.p == '\t'))
		ahead.p++;
	if (!starts(&ahead, "@include"))
		return 0;
	return wrong(s, s->line,
		     "@include is not known here: expected all settings in "
		     "one file");
}

static int
scan_newline(struct scan *s)
{
	s->p++;
	s->line++;
	return scan_line_start(s);
}

static int
scan_comment(struct scan *s)
{
	int line = s->line;

	s->p += 2;
	while (s->p < s->end && !starts(s, "*/")) {
		if (*s->p != '\n')
			s->p++;
		else if (scan_newline(s) == -1)
			return -1;
	}
	if (s->p == s->end)
		return wrong(s, line, "comment without an end: expected */");
	s->p += 2;
	return 0;
}

/*
 * Whether a string may stand behind the last token.  libconfig finds out
 * by itself, but loses the memory of the string.
 */
static bool
is_string_due(const struct scan *s)
{
	char in = s->depth > 0 ? s->open[s->depth - 1].closes : '\0';

	if (s->last == '=' || s->last == ':' || s->last == '"')
		return true;
	return (in == ')' || in == ']') && s->last != '\0' &&
	       strchr("([,", s->last) != NULL;
}

/* Also the escapes that put a NUL into a string, where it would end. */
static int
scan_string(struct scan *s)
{
	int line = s->line;

	s->p++;
	while (s->p < s->end && *s->p != '"') {
		if (starts(s, "\\x00"))
			return wrong(s, s->line,
				     "a NUL in a string: expected text");
		if (*s->p == '\n') {
			if (scan_newline(s) == -1)
				return -1;
			continue;
		}
		if (*s->p == '\\' && s->p + 1 < s->end && s->p[1] != '\n')
			s->p++;
		s->p++;
	}
	if (s->p == s->end)
		return wrong(s, line, "string without an end: expected \"");
	s->p++;
	return 0;
}

static int
scan_bracket(struct scan *s)
{
	static const char pairs[] = "(){}[]";
	const char *at = strchr(pairs, *s->p);
	char text[64];

	s->p++;
	if ((at - pairs) % 2 == 0) {
		if (s->depth == CONF_DEPTH_MAX)
			return wrong(s, s->line,
				     "too many brackets within brackets: "
				     "expected at most two");
		s->open[s->depth].closes = at[1];
		s->open[s->depth++].line = s->line;
		return 0;
	}
	if (s->depth > 0 && s->open[s->depth - 1].closes == *at) {
		s->depth--;
		return 0;
	}
	if (s->depth == 0)
		str_fmt(text, sizeof(text), "%c closes nothing: expected none",
			*at);
	else
		str_fmt(text, sizeof(text),
			"%c: expected %c for what line %d opens", *at,
			s->open[s->depth - 1].closes,
			s->open[s->depth - 1].line);
	return wrong(s, s->line, text);
}

static bool
is_hex(char c)
{
	return ascii_isdigit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* libconfig reads numbers without an L behind them as 32 bits, whatever
 * was there before. */
static int
scan_number(struct scan *s)
{
	bool hex = starts(s, "0x") || starts(s, "0X");
	uint64_t base = hex ? 16 : 10;
	uint64_t n = 0;
	int digit;

	if (hex)
		s->p += 2;
	for (; s->p < s->end; s->p++) {
		if (!(hex ? is_hex(*s->p) : ascii_isdigit(*s->p)))
			break;
		digit = ascii_isdigit(*s->p) ? *s->p - '0'
					     : ascii_lower(*s->p) - 'a' + 10;
		n = n * base + (uint64_t)digit;
		if (n > INT32_MAX)
			return wrong(s, s->line,
				     "number too large: expected at most "
				     "2147483647");
	}
	while (s->p < s->end && *s->p == 'L')
		s->p++;
	return 0;
}

static void
scan_name(struct scan *s)
{
	while (s->p < s->end && (ascii_isalnum(*s->p) || *s->p == '-' ||
				 *s->p == '_' || *s->p == '*'))
		s->p++;
}

/* What means nothing: 1 when there was some. */
static int
scan_blank(struct scan *s)
{
	char c = *s->p;

	if (c == '#' || starts(s, "//")) {
		while (s->p < s->end && *s->p != '\n')
			s->p++;
		return 1;
	}
	if (starts(s, "/*"))
		return scan_comment(s) == -1 ? -1 : 1;
	if (c == '\n')
		return scan_newline(s) == -1 ? -1 : 1;
	if (!ascii_isspace(c))
		return 0;
	s->p++;
	return 1;
}

static int
scan_token(struct scan *s)
{
	char c = *s->p;

	if (ascii_isdigit(c))
		return scan_number(s);
	if (ascii_isalpha(c) || c == '*') {
		scan_name(s);
		return 0;
	}
	if (strchr("(){}[]\"=:;,", c) != NULL && ++s->tokens > CONF_TOKENS_MAX)
		return wrong(s, s->line,
			     "too many settings: expected a few dozen");
	if (c == '"' && !is_string_due(s))
		return wrong(s, s->line,
			     "a string without a key: expected lines such as "
			     "key = \"value\";");
	if (c == '"')
		return scan_string(s);
	if (strchr("(){}[]", c) != NULL)
		return scan_bracket(s);
	s->p++;
	return 0;
}

static int
scan_one(struct scan *s)
{
	char c = *s->p;
	int rc = scan_blank(s);

	if (rc != 0)
		return rc == -1 ? -1 : 0;
	rc = scan_token(s);
	s->last = ascii_isalnum(c) ? 'x' : c;
	return rc;
}

int
conf_scan(struct span text, const char *path, struct err *e)
{
	struct scan s = {
		.path = path,
		.p = text.p,
		.end = text.p + text.len,
		.line = 1,
		.e = e,
	};
	const char *nul = NULL;
	char what[64];

	if (text.len > 0)
		nul = memchr(text.p, '\0', text.len);
	if (nul != NULL) {
		text.len = (size_t)(nul - text.p) + 1;
		return wrong(&s, conf_scan_lines(text),
			     "a NUL byte: expected text");
	}
	if (scan_line_start(&s) == -1)
		return -1;
	while (s.p < s.end)
		if (scan_one(&s) == -1)
			return -1;
	if (s.depth == 0)
		return 0;
	str_fmt(what, sizeof(what), "bracket without an end: expected %c",
		s.open[s.depth - 1].closes);
	return wrong(&s, s.open[s.depth - 1].line, what);
}

int
conf_scan_lines(struct span text)
{
	int n = 1;
	size_t i;

	for (i = 0; i < text.len; i++)
		n += text.p[i] == '\n' && i + 1 < text.len;
	return n;
}
