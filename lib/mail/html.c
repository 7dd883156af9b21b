/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tokenizer.  It only goes forward: a comment or raw text that does not
 * end takes all that is left, as in a browser.
 */
#include "html.h"

#include <string.h>

#include "str.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Elements whose contents are text until their own end tag. */
static bool
is_raw_name(const char *name)
{
	static const char *const names[] = { "script",	 "style",   "title",
					     "textarea", "xmp",	    "iframe",
					     "noembed",	 "noframes" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strcmp(name, "plaintext") == 0;
}

static size_t
copy_name(char *dst, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < HTML_NAME_MAX - 1; i++)
		dst[i] =
			(char)(p[i] == '\0' ? '?'
					    : ascii_lower((unsigned char)p[i]));
	dst[i] = '\0';
	return n;
}

void
html_init(struct html *h, struct span in)
{
	memset(h, 0, sizeof(*h));
	h->in = in.len > 0 ? in : (struct span){ "", 0 };
}

static int
emit(struct html *h, struct html_token *t, enum html_kind kind,
     const char *from, const char *to, const char *next)
{
	t->kind = kind;
	t->text = (struct span){ from, (size_t)(to - from) };
	t->whole.len = (size_t)(next - t->whole.p);
	h->at = (size_t)(next - h->in.p);
	return 1;
}

/* The end tag of the element that raw text is in, or the end. */
static const char *
raw_end(const struct html *h, const char *p, const char *end)
{
	size_t n = strlen(h->raw_name);

	if (strcmp(h->raw_name, "plaintext") == 0)
		return end;
	for (; end - p >= 2; p++) {
		p = memchr(p, '<', (size_t)(end - p));
		if (p == NULL || end - p < 2)
			return end;
		if (p[1] == '/' && (size_t)(end - p) >= n + 2 &&
		    strncasecmp(p + 2, h->raw_name, n) == 0 &&
		    ((size_t)(end - p) == n + 2 || is_space(p[n + 2]) ||
		     p[n + 2] == '/' || p[n + 2] == '>'))
			return p;
	}
	return end;
}

/* Behind "<!--": the end of the comment's text, *next behind all of it. */
static const char *
comment_end(const char *p, const char *end, const char **next)
{
	const char *at = p;

	if (at < end && *at == '>') {
		*next = at + 1;
		return at;
	}
	if (end - at >= 2 && at[0] == '-' && at[1] == '>') {
		*next = at + 2;
		return at;
	}
	while (end - at >= 3) {
		at = memmem(at, (size_t)(end - at), "--", 2);
		if (at == NULL)
			break;
		if (at + 2 < end && at[2] == '>') {
			*next = at + 3;
			return at;
		}
		if (at + 3 < end && at[2] == '!' && at[3] == '>') {
			*next = at + 4;
			return at;
		}
		at++;
	}
	*next = end;
	return end;
}

/* "<!", "<?" and "</" without a letter: up to the next ">". */
static int
markup(struct html *h, struct html_token *t, const char *p, const char *end)
{
	const char *stop, *next;

	if (end - p >= 4 && strncmp(p, "<!--", 4) == 0) {
		stop = comment_end(p + 4, end, &next);
		return emit(h, t, HTML_COMMENT, p + 4, stop, next);
	}
	stop = memchr(p, '>', (size_t)(end - p));
	if (stop == NULL)
		return emit(h, t, HTML_COMMENT, p + 2, end, end);
	return emit(h, t, HTML_COMMENT, p + 2, stop, stop + 1);
}

static void
put_attr(struct html_token *t, const char *name, size_t n, struct span value)
{
	struct html_attr *a;

	if (n == 0)
		return;
	if (t->attr_count == HTML_ATTRS_MAX) {
		t->has_more_attrs = true;
		return;
	}
	a = &t->attrs[t->attr_count++];
	copy_name(a->name, name, n);
	a->value = value;
}

/* The value behind "=" at p; NULL when the tag is cut off. */
static const char *
read_value(const char *p, const char *end, struct span *value)
{
	const char *from;

	while (p < end && is_space(*p))
		p++;
	if (p < end && (*p == '"' || *p == '\'')) {
		from = p + 1;
		p = memchr(from, *p, (size_t)(end - from));
		if (p == NULL)
			return NULL;
		*value = (struct span){ from, (size_t)(p - from) };
		return p + 1;
	}
	from = p;
	while (p < end && !is_space(*p) && *p != '>')
		p++;
	*value = (struct span){ from, (size_t)(p - from) };
	return p;
}

/* Attributes up to ">"; behind it, or NULL when the tag is cut off. */
static const char *
read_attrs(struct html_token *t, const char *p, const char *end)
{
	while (p != NULL && p < end) {
		const char *name;
		struct span value = { "", 0 };
		size_t n;

		while (p < end && (is_space(*p) || *p == '/')) {
			t->is_self_closing = *p == '/';
			p++;
		}
		if (p < end && *p == '>')
			return p + 1;
		t->is_self_closing = false;
		name = p;
		/* A name may begin with "=". */
		while (p < end && !is_space(*p) && *p != '/' && *p != '>' &&
		       (*p != '=' || p == name))
			p++;
		n = (size_t)(p - name);
		while (p < end && is_space(*p))
			p++;
		if (p < end && *p == '=')
			p = read_value(p + 1, end, &value);
		if (p != NULL)
			put_attr(t, name, n, value);
	}
	return NULL;
}

static int
tag(struct html *h, struct html_token *t, const char *p, const char *end)
{
	bool is_end = p[1] == '/';
	const char *from = p;

	p += is_end ? 2 : 1;
	from = p;
	while (p < end && !is_space(*p) && *p != '/' && *p != '>')
		p++;
	copy_name(t->name, from, (size_t)(p - from));
	p = read_attrs(t, p, end);
	if (p == NULL) {
		h->at = h->in.len;
		return 0;
	}
	if (!is_end && is_raw_name(t->name))
		str_copy(h->raw_name, sizeof(h->raw_name), t->name);
	return emit(h, t, is_end ? HTML_END : HTML_START, from, from, p);
}

/* Whether "<" at p begins markup and not text. */
static bool
is_markup(const char *p, const char *end)
{
	if (end - p < 2)
		return false;
	if (p[1] == '!' || p[1] == '?')
		return true;
	if (p[1] == '/')
		return end - p >= 3;
	return ascii_isalpha((unsigned char)p[1]);
}

int
html_next(struct html *h, struct html_token *t)
{
	const char *p = h->in.p + h->at, *end = h->in.p + h->in.len;
	const char *stop;

	t->attr_count = 0;
	t->has_more_attrs = false;
	t->is_self_closing = false;
	t->name[0] = '\0';
	t->whole.p = p;
	if (p == end)
		return 0;
	if (h->raw_name[0] != '\0') {
		stop = raw_end(h, p, end);
		str_copy(t->name, sizeof(t->name), h->raw_name);
		h->raw_name[0] = '\0';
		if (stop > p)
			return emit(h, t, HTML_RAW, p, stop, stop);
		t->name[0] = '\0';
	}
	if (!is_markup(p, end) || *p != '<') {
		for (stop = p + 1; stop < end; stop++) {
			stop = memchr(stop, '<', (size_t)(end - stop));
			if (stop == NULL || is_markup(stop, end))
				break;
		}
		stop = stop != NULL && stop < end ? stop : end;
		return emit(h, t, HTML_TEXT, p, stop, stop);
	}
	if (ascii_isalpha((unsigned char)p[1]) ||
	    (p[1] == '/' && ascii_isalpha((unsigned char)p[2])))
		return tag(h, t, p, end);
	return markup(h, t, p, end);
}

const struct html_attr *
html_attr(const struct html_token *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->attr_count; i++)
		if (strcmp(t->attrs[i].name, name) == 0)
			return &t->attrs[i];
	return NULL;
}
