/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RFC 8601 section 2.2.  In doubt a field is one that claims to be ours:
 * who reads it behind us may be less strict than the grammar.
 */
#include "authres.h"

#include <string.h>

#include "str.h"

#define COMMENT_DEPTH 16
#define VALUE_MAX 255 /* characters of a property */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the comment that begins at p; NULL where it does not end. */
static const char *
skip_comment(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '(' && ++depth > COMMENT_DEPTH)
			return NULL;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

/* Behind blanks and comments; NULL where a comment does not end. */
static const char *
skip_cfws(const char *p, const char *end)
{
	while (p != NULL && p < end) {
		if (is_blank(*p))
			p++;
		else if (*p == '(')
			p = skip_comment(p, end);
		else
			break;
	}
	return p;
}

/* The authserv-id as text, cut to size; where it ends, or NULL. */
static const char *
read_id(const char *p, const char *end, char *dst, size_t size)
{
	bool is_quoted = p < end && *p == '"';
	size_t n = 0;

	for (p += is_quoted; p < end; p++) {
		if (is_quoted ? *p == '"'
			      : is_blank(*p) || strchr(";()\"", *p) != NULL)
			break;
		if (is_quoted && *p == '\\' && p + 1 < end)
			p++;
		/* A fold inside quotes is no part of it. */
		if (*p == '\r' || *p == '\n')
			continue;
		if (n + 1 >= size)
			return NULL;
		dst[n++] = *p;
	}
	dst[n] = '\0';
	if (is_quoted)
		return p < end ? p + 1 : NULL;
	return n > 0 ? p : NULL;
}

static bool
has_word(struct span value, const char *word)
{
	size_t len = strlen(word), i;

	for (i = 0; len > 0 && i + len <= value.len; i++)
		if (span_ieq((struct span){ value.p + i, len }, span_of(word)))
			return true;
	return false;
}

bool
authres_claims(struct span value, const char *id)
{
	const char *end = value.p + value.len, *p;
	char found[VALUE_MAX + 1];
	size_t len;

	p = value.len > 0 ? skip_cfws(value.p, end) : NULL;
	if (p != NULL)
		p = read_id(p, end, found, sizeof(found));
	p = skip_cfws(p, end);
	/* Behind it a version, the results, or nothing. */
	if (p == NULL || (p < end && *p != ';' && !ascii_isdigit(*p)))
		return has_word(value, id);
	len = strlen(found);
	while (len > 0 && found[len - 1] == '.')
		found[--len] = '\0';
	return str_ieq(found, id);
}

/* RFC 2045 section 5.1, and what addresses and domains have besides. */
static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!ascii_isalnum((unsigned char)*s) &&
		    strchr("-._+=/@!#$%&'*^`{|}~", *s) == NULL)
			return false;
	return true;
}

static void
add_value(struct buf *out, const char *value)
{
	size_t i;

	if (is_plain(value) && strlen(value) <= VALUE_MAX) {
		(void)buf_add_str(out, value);
		return;
	}
	(void)buf_add_char(out, '"');
	for (i = 0; value[i] != '\0' && i < VALUE_MAX; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '"' || c == '\\')
			(void)buf_add_char(out, '\\');
		(void)buf_add_char(out, c < ' ' || c > 126 ? '?' : (char)c);
	}
	(void)buf_add_char(out, '"');
}

void
authres_begin(struct buf *out, const char *id)
{
	add_value(out, id);
	(void)buf_add_char(out, ';');
}

void
authres_add(struct buf *out, const char *method, const char *result,
	    const char *reason, const char *const *properties)
{
	(void)buf_printf(out, " %s=%s", method, result);
	if (reason[0] != '\0') {
		(void)buf_add_str(out, " reason=");
		add_value(out, reason);
	}
	for (; *properties != NULL; properties += 2) {
		if (properties[1][0] == '\0')
			continue;
		(void)buf_printf(out, " %s=", properties[0]);
		add_value(out, properties[1]);
	}
}
