/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads a header line by line, and marks what only some readers would.
 */
#include "mime_head.h"

#include <string.h>

#include "mime.h"
#include "str.h"

#define PEEK_LINES 20 /* behind a line that is no field */

struct walk {
	struct mime_head *out;
	const char *start, *end;
	struct span *open; /* the value that a fold continues */
	bool is_open_loose;
};

static const char *const kind_names[HEAD_KINDS] = { "content-type",
						    "content-transfer-encoding",
						    "content-disposition" };

static const char *
line_behind(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf != NULL ? lf + 1 : end;
}

/* The end of a line's text, without its line end. */
static const char *
text_end(const char *p, const char *next)
{
	if (next > p && next[-1] == '\n')
		next--;
	if (next > p && next[-1] == '\r')
		next--;
	return next;
}

size_t
mime_head_field(const char *p, const char *end, struct span *name)
{
	const char *at = p;

	while (at<end && * at> 32 && *at < 127 && *at != ':')
		at++;
	*name = (struct span){ p, (size_t)(at - p) };
	if (name->len == 0 || name->len > 256)
		return 0;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at < end && *at == ':' ? (size_t)(at + 1 - p) : 0;
}

static int
kind_of(struct span name)
{
	int i;

	for (i = 0; i < HEAD_KINDS; i++)
		if (span_ieq(name, span_of(kind_names[i])))
			return i;
	return -1;
}

/* Whether a value is one of that field, not a list of names as in DKIM's
 * h=: one word of its kind, then nothing or parameters. */
static bool
is_plausible(int kind, const char *p, const char *end)
{
	static const char *const marks[] = { "64",  "quoted", "printable",
					     "bit", "binary", "uue" };
	char word[80];
	size_t n = 0;
	size_t i;

	while (p < end && ((unsigned char)*p <= ' ' || *p == ':'))
		p++;
	while (p < end && *p != ';' && (unsigned char)*p > ' ' &&
	       n + 1 < sizeof(word)) {
		if (*p == ':')
			return false;
		word[n++] = *p++;
	}
	word[n] = '\0';
	str_lower(word);
	if (kind == HEAD_TYPE)
		return strchr(word, '/') != NULL;
	if (kind == HEAD_DISPOSITION)
		return n > 0;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(word, marks[i]) != NULL)
			return true;
	return false;
}

static void
put_loose(struct walk *w, int kind, const char *p, const char *end)
{
	struct mime_head *h = w->out;

	if (h->loose_count[kind] == HEAD_VALUES)
		return;
	h->loose[kind][h->loose_count[kind]++] =
		(struct span){ p, (size_t)(end - p) };
	h->symptoms |= MIME_HIDDEN_FIELD;
}

/* A field of ours within [p, end), behind blanks or other controls. */
static void
look_loose(struct walk *w, const char *p, const char *end)
{
	struct span name;
	size_t colon;
	int kind;

	while (p < end && (unsigned char)*p <= ' ')
		p++;
	colon = mime_head_field(p, end, &name);
	kind = colon > 0 ? kind_of(name) : -1;
	if (kind >= 0 && is_plausible(kind, p + colon, end))
		put_loose(w, kind, p + colon, end);
}

/* What those see who take CR for the end of a line. */
static void
look_behind_cr(struct walk *w, const char *p, const char *end)
{
	const char *cr;

	while (p < end) {
		cr = memchr(p, '\r', (size_t)(end - p));
		if (cr == NULL)
			return;
		w->out->symptoms |= MIME_BARE_CR;
		p = cr + 1;
		look_loose(w, p, end);
	}
}

static void
field(struct walk *w, struct span name, const char *value, const char *end)
{
	struct mime_head *h = w->out;
	int kind = kind_of(name);

	w->open = NULL;
	if (kind < 0)
		return;
	if (name.p[name.len] != ':')
		h->symptoms |= MIME_HIDDEN_FIELD;
	if (h->count[kind] == HEAD_VALUES)
		return;
	w->open = &h->value[kind][h->count[kind]++];
	*w->open = (struct span){ value, (size_t)(end - value) };
}

/* A line that begins with a blank. */
static void
fold(struct walk *w, const char *p, const char *end)
{
	if (w->open != NULL)
		w->open->len = (size_t)(end - w->open->p);
	look_loose(w, p, end);
}

/* The empty line behind p within the next lines, or NULL. */
static const char *
empty_line(const char *p, const char *end)
{
	int i;

	for (i = 0; i < PEEK_LINES && p < end; i++) {
		const char *next = line_behind(p, end);
		const char *stop = text_end(p, next);
		const char *at = p;

		while (at < stop && (*at == ' ' || *at == '\t'))
			at++;
		if (at == stop)
			return next;
		p = next;
	}
	return NULL;
}

/*
 * A line that is no field: readers skip it, or the body begins there.  It
 * is skipped where the header goes on behind it; true then.
 */
static bool
no_field(struct walk *w, const char *p, const char *next)
{
	struct mime_head *h = w->out;
	const char *stop, *other;
	struct span name;

	if (next < w->end && p > w->start) {
		stop = text_end(next, line_behind(next, w->end));
		if (*next == ' ' || *next == '\t' ||
		    mime_head_field(next, stop, &name) > 0) {
			h->symptoms |= MIME_BAD_LINE;
			w->open = NULL;
			return true;
		}
	}
	/* A part may well have no header; an empty one ends with a line. */
	if (p > w->start)
		h->symptoms |= MIME_NO_HEADER_END;
	other = empty_line(p, w->end);
	h->body_at = (size_t)(p - w->start);
	if (p > w->start && other != NULL)
		h->other_body_at = (size_t)(other - w->start);
	return false;
}

void
mime_head_read(struct span text, size_t max, struct mime_head *out)
{
	struct walk w = { .out = out };
	const char *p, *next, *stop;
	struct span name;
	size_t colon;

	memset(out, 0, sizeof(*out));
	if (text.len == 0)
		return;
	w.start = text.p;
	w.end = text.p + text.len;
	for (p = w.start; p < w.end; p = next) {
		next = line_behind(p, w.end);
		stop = text_end(p, next);
		if (stop == p) {
			out->body_at = (size_t)(next - w.start);
			return;
		}
		if ((size_t)(next - w.start) > max) {
			out->symptoms |= MIME_BIG_HEADER;
			break;
		}
		if (memchr(p, '\0', (size_t)(stop - p)) != NULL)
			out->symptoms |= MIME_NUL_BYTE;
		look_behind_cr(&w, p, stop);
		colon = mime_head_field(p, stop, &name);
		if (*p == ' ' || *p == '\t')
			fold(&w, p, stop);
		else if (colon > 0)
			field(&w, name, p + colon, stop);
		else if (!no_field(&w, p, next))
			return;
	}
	out->body_at = (size_t)(p - w.start);
}
