/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Delimiters of multiparts, and parts that nothing leads to: lines that
 * look like a delimiter with a header of MIME behind.  Whatever trick hides
 * a part from one reader, it stands in the message like that.
 */
#include <string.h>

#include "mime_impl.h"
#include "str.h"

#define PEEK_LINES 20 /* of a header that is looked at */
#define PREFIX_MAX 10 /* bytes that two delimiters have in common */

static const char *
line_behind(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf != NULL ? lf + 1 : end;
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* RFC 2046 section 5.1.1: "--", padding, a line end. */
static bool
is_delimiter(const char *p, const char *end, struct delimiter *out)
{
	out->is_last = end - p >= 2 && p[0] == '-' && p[1] == '-';
	p = skip_blanks(out->is_last ? p + 2 : p, end);
	if (p < end && *p == '\r')
		p++;
	if (p < end && *p != '\n')
		return false;
	out->next = p < end ? p + 1 : end;
	return true;
}

bool
mime_delimiter(struct span body, const char *p, const char *boundary,
	       struct delimiter *out)
{
	const char *end = body.p + body.len;
	size_t n = strlen(boundary);
	const char *at;

	for (at = p; at < end; at += n) {
		at = memmem(at, (size_t)(end - at), boundary, n);
		if (at == NULL)
			return false;
		if ((at > body.p && at[-1] != '\n') ||
		    !is_delimiter(at + n, end, out))
			continue;
		/* The line end before it belongs to it. */
		if (at > body.p)
			at--;
		if (at > body.p && at[-1] == '\r')
			at--;
		out->line = at > p ? at : p;
		return true;
	}
	return false;
}

/* Whether a header with a Content field begins at p. */
static bool
is_mime_header(const char *p, const char *end)
{
	struct span name;
	int i;

	for (i = 0; i < PEEK_LINES && p < end; i++) {
		const char *next = line_behind(p, end);
		const char *at = p;

		/* Controls in front hide a field from some. */
		while (at < next && (unsigned char)*at <= ' ')
			at++;
		if (at == next)
			return false;
		if (mime_head_field(at, next, &name) == 0) {
			if (i == 0 || at == p)
				return false;
		} else if (name.len > 8 &&
			   strncasecmp(name.p, "content-", 8) == 0) {
			return true;
		}
		p = next;
	}
	return false;
}

/* The next line from p on that starts with "--", or NULL.  For some a line
 * begins behind CR, too. */
static const char *
dashes(const char *start, const char *p, const char *end)
{
	while (end - p >= 2) {
		p = memmem(p, (size_t)(end - p), "--", 2);
		if (p == NULL)
			return NULL;
		if (p == start || p[-1] == '\n' || p[-1] == '\r')
			return p;
		while (p < end && *p == '-')
			p++;
	}
	return NULL;
}

/* The header that a line of dashes has behind it, or NULL. */
static const char *
header_behind(const char *line, const char *end)
{
	const char *next = line_behind(line, end);
	const char *cr = memchr(line, '\r', (size_t)(next - line));

	if (cr != NULL && cr + 1 < next && cr[1] != '\n' &&
	    is_mime_header(cr + 1, end))
		return cr + 1;
	return is_mime_header(next, end) ? next : NULL;
}

/* Where the part that begins behind this line ends: at the next line that
 * begins the same. */
static const char *
part_end(const char *start, const char *line, const char *from, const char *end)
{
	const char *stop = line_behind(line, end);
	size_t n = 2;
	const char *p;

	while (n < PREFIX_MAX && line + n < stop &&
	       (unsigned char)line[n] > ' ' && (line[n] != '-' || n < 4))
		n++;
	for (p = from; (p = dashes(start, p, end)) != NULL;
	     p = line_behind(p, end))
		if ((size_t)(end - p) >= n && memcmp(p, line, n) == 0)
			return p;
	return end;
}

struct seen {
	size_t part; /* next to look at */
	size_t count; /* of those that the first reading has */
	int holder; /* the last one that begins before */
};

/* Whether a known part has its header at p; called with ascending p. */
static bool
is_known(const struct mime *m, struct seen *s, const char *p)
{
	for (; s->part < s->count; s->part++) {
		const struct mime_part *part = &m->parts[s->part];

		if (!part->is_raw)
			continue;
		if (part->header.p > p)
			return false;
		if (!part->is_other)
			s->holder = (int)s->part;
		if (part->header.p == p)
			return true;
	}
	return false;
}

void
mime_find_hidden(struct mime *m)
{
	const char *start = m->raw.p, *end = m->raw.p + m->raw.len;
	struct seen s = { .count = m->part_count };
	const char *line, *header, *stop;

	for (line = start; (line = dashes(start, line, end)) != NULL;) {
		header = header_behind(line, end);
		if (header == NULL || is_known(m, &s, header)) {
			line = line_behind(line, end);
			continue;
		}
		stop = part_end(start, line, header, end);
		if (m->part_count == m->limits.parts) {
			m->symptoms |= MIME_TOO_MANY_PARTS;
			return;
		}
		mime_read_hidden(
			m, (struct span){ header, (size_t)(stop - header) },
			s.holder, m->parts[s.holder].depth + 1);
		line = stop > line ? stop : line_behind(line, end);
	}
}
