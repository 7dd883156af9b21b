/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One pass over the bytes.  An address in angle brackets wins over what
 * stands before it, so that a name that looks like an address is a name.
 */
#include "mailbox.h"

#include <string.h>

#include "header.h"
#include "str.h"

/* A mailbox while it is read. */
struct reading {
	char domain[MAILBOX_DOMAIN_SIZE]; /* behind the last "@" */
	size_t len;
	bool has_at, is_too_long;
	bool in_angle, had_angle;
	bool has_any; /* something was there */
};

/* Behind the quoted string, comment or literal that starts at at. */
static size_t
skip_closed(struct span s, size_t at, char open, char close)
{
	size_t depth = 0;

	for (; at < s.len; at++) {
		if (s.p[at] == '\\')
			at++;
		else if (s.p[at] == close && --depth == 0)
			return at + 1;
		else if (s.p[at] == open)
			depth++;
	}
	return s.len;
}

static size_t
skip_quoted(struct span s, size_t at)
{
	for (at++; at < s.len && s.p[at] != '"'; at++)
		at += s.p[at] == '\\';
	return at < s.len ? at + 1 : s.len;
}

static void
forget(struct reading *r)
{
	r->has_at = r->is_too_long = false;
	r->len = 0;
}

static void
take_byte(struct reading *r, char c)
{
	if (r->had_angle || ascii_isspace((unsigned char)c))
		return;
	if (c == '@') {
		forget(r);
		r->has_at = true;
	} else if (r->has_at && r->len + 1 < sizeof(r->domain)) {
		r->domain[r->len++] = c;
	} else if (r->has_at) {
		r->is_too_long = true;
	}
}

/* A byte with a meaning; true when the mailbox is over. */
static bool
take_special(struct reading *r, char c)
{
	switch (c) {
	case '<':
		if (!r->had_angle)
			forget(r);
		r->in_angle = true;
		return false;
	case '>':
		r->had_angle = r->had_angle || r->in_angle;
		r->in_angle = false;
		return false;
	case ':': /* a group's name, or a route (section 4.4) */
		if (!r->had_angle)
			forget(r);
		r->has_any = r->in_angle;
		return false;
	case ',':
	case ';':
		return !r->in_angle && r->has_any;
	default:
		take_byte(r, c);
		return false;
	}
}

static void
finish(struct reading *r, char domain[MAILBOX_DOMAIN_SIZE])
{
	if (r->is_too_long)
		r->len = 0;
	if (r->len > 0 && r->domain[r->len - 1] == '.')
		r->len--;
	memcpy(domain, r->domain, r->len);
	domain[r->len] = '\0';
	if (strlen(domain) != r->len)
		domain[0] = '\0';
	str_lower(domain);
}

bool
mailbox_next(struct span *value, char domain[MAILBOX_DOMAIN_SIZE])
{
	struct reading r = { .has_any = false };
	struct span s = *value;
	bool is_over = false;
	size_t at = 0;

	while (at < s.len && !is_over) {
		char c = s.p[at];

		if (c == '(') {
			at = skip_closed(s, at, '(', ')');
			continue;
		}
		r.has_any = r.has_any || !(ascii_isspace((unsigned char)c) ||
					   c == ',' || c == ';');
		if (c == '"') {
			at = skip_quoted(s, at);
			continue;
		}
		is_over = take_special(&r, c);
		at++;
	}
	value->p += at;
	value->len -= at;
	finish(&r, domain);
	return r.has_any;
}

/* false: more than one domain */
static bool
read_from(struct span value, char domain[MAILBOX_DOMAIN_SIZE])
{
	char next[MAILBOX_DOMAIN_SIZE];

	while (mailbox_next(&value, next)) {
		if (next[0] == '\0' || str_eq(next, domain))
			continue;
		if (domain[0] != '\0')
			return false;
		(void)str_copy(domain, MAILBOX_DOMAIN_SIZE, next);
	}
	return true;
}

enum mailbox_from
mailbox_from(struct span header, char domain[MAILBOX_DOMAIN_SIZE])
{
	struct header_field f;
	size_t at = 0, fields = 0;

	domain[0] = '\0';
	while (header_next(header, &at, &f)) {
		if (!span_ieq(f.name, SPAN_LIT("From")))
			continue;
		if (fields++ > 0 || !read_from(f.value, domain))
			return MAILBOX_FROM_MANY;
	}
	return domain[0] != '\0' ? MAILBOX_FROM_ONE : MAILBOX_FROM_NONE;
}
