/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Walks the tokens with a short stack of open elements, which is enough to
 * know what is hidden.  Bounded in depth; what is deeper counts as what it
 * is in.
 */
#include "html_text.h"

#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "html_style.h"
#include "str.h"
#include "xalloc.h"

#define DEPTH_MAX 256
#define LOOK_BACK 32 /* open elements that an end tag may close */

struct element {
	char name[HTML_NAME_MAX];
	struct style style;
};

struct walk {
	struct html_view *v;
	struct element stack[DEPTH_MAX];
	size_t depth;
	size_t link_room;
	size_t open_link; /* number + 1 of the "a" that is open */
	bool wants_blank; /* before the next word */
	bool is_pre;
};

/* Each name with a bar at both sides. */
static bool
is_one_of(const char *name, const char *list)
{
	char key[HTML_NAME_MAX + 2];

	return str_fmt(key, sizeof(key), "|%s|", name) &&
	       strstr(list, key) != NULL;
}

static bool
is_void(const char *name)
{
	return is_one_of(name, "|area|base|br|col|embed|hr|img|input|link|meta|"
			       "source|track|wbr|param|bgsound|frame|");
}

static bool
is_block(const char *name)
{
	return is_one_of(name,
			 "|address|article|aside|blockquote|br|center|dd|div|"
			 "dl|dt|fieldset|figcaption|figure|footer|form|h1|h2|"
			 "h3|h4|h5|h6|header|hr|li|main|nav|ol|option|p|pre|"
			 "section|table|tbody|tfoot|thead|title|tr|ul|");
}

static bool
is_cell(const char *name)
{
	return is_one_of(name, "|td|th|button|select|textarea|");
}

static const struct style *
style_now(const struct walk *w)
{
	static const struct style plain = { .size = STYLE_UNKNOWN,
					    .color = 0x000000,
					    .background = 0xffffff };

	return w->depth > 0 ? &w->stack[w->depth - 1].style : &plain;
}

/* A line end, but never two empty lines. */
static void
break_line(struct walk *w)
{
	struct buf *b = &w->v->text;

	if (b->len > 0 && b->data[b->len - 1] != '\n')
		buf_add_char(b, '\n');
	w->wants_blank = false;
}

/* Characters that are blanks or nothing to the eye: their length. */
static size_t
blank_at(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;

	if (c <= ' ')
		return 1;
	if (c == 0xc2 && end - p >= 2 &&
	    ((unsigned char)p[1] == 0xa0 || (unsigned char)p[1] == 0xad))
		return 2;
	if (c == 0xe2 && end - p >= 3 && (unsigned char)p[1] == 0x80 &&
	    ((unsigned char)p[2] >= 0x80 && (unsigned char)p[2] <= 0x8f))
		return 3;
	return 0;
}

/* Zero-width characters and soft hyphens join what they stand between. */
static bool
is_joiner(const char *p, size_t n)
{
	if (n == 2)
		return (unsigned char)p[1] == 0xad;
	return n == 3 && (unsigned char)p[2] >= 0x8b;
}

static void
put_text(struct walk *w, struct buf *to, struct span s)
{
	const char *p = s.p, *end = s.p + s.len, *from;
	size_t n;

	while (p < end && !to->overflowed) {
		n = blank_at(p, end);
		if (n > 0) {
			if (!is_joiner(p, n))
				w->wants_blank = true;
			p += n;
			continue;
		}
		if (w->wants_blank && to->len > 0 &&
		    to->data[to->len - 1] != '\n')
			buf_add_char(to, ' ');
		w->wants_blank = false;
		from = p;
		while (p < end && blank_at(p, end) == 0)
			p++;
		buf_add(to, from, (size_t)(p - from));
	}
}

static void
text(struct walk *w, struct span in)
{
	const struct style *s = style_now(w);
	struct html_view *v = w->v;
	struct buf plain = { .limit = v->text.limit };

	html_unescape(in, false, &plain);
	if (style_hides(s)) {
		size_t before = v->hidden.len;

		if (before > 0)
			w->wants_blank = true;
		put_text(w, &v->hidden, buf_span(&plain));
		if (v->hidden.len > before)
			v->seen |= s->is_hidden		 ? HTML_HIDDEN_TEXT
				   : style_same_color(s) ? HTML_SAME_COLOR
							 : HTML_TINY_TEXT;
	} else {
		put_text(w, &v->text, buf_span(&plain));
	}
	buf_release(&plain);
}

/* Entities resolved; blanks and controls go, as browsers take them out. */
static const char *
clean_url(struct walk *w, struct span value)
{
	struct buf b = { .limit = HTML_URL_MAX };
	const char *url;
	size_t i, n = 0;

	if (value.len > HTML_URL_MAX)
		value.len = HTML_URL_MAX;
	html_unescape(value, true, &b);
	for (i = 0; i < b.len; i++)
		if ((unsigned char)b.data[i] > ' ' ||
		    (b.data[i] == ' ' && n > 0))
			b.data[n++] = b.data[i];
	while (n > 0 && b.data[n - 1] == ' ')
		n--;
	url = arena_strndup(&w->v->arena, b.data != NULL ? b.data : "", n);
	buf_release(&b);
	return url;
}

static void
add_link(struct walk *w, enum html_link_kind kind, const struct html_attr *a)
{
	struct html_view *v = w->v;
	struct html_link *l;

	if (a == NULL || a->value.len == 0)
		return;
	if (v->link_count == HTML_LINKS_MAX) {
		v->seen |= HTML_MANY_LINKS;
		return;
	}
	if (v->links == NULL)
		v->links = arena_array(&v->arena, HTML_LINKS_MAX,
				       sizeof(v->links[0]));
	l = &v->links[v->link_count++];
	l->kind = kind;
	l->url = clean_url(w, a->value);
	l->from = l->to = v->text.len;
	if (strncasecmp(l->url, "data:", 5) == 0)
		v->seen |= HTML_DATA_URL;
	if (kind == HTML_HREF)
		w->open_link = v->link_count;
}

static void
close_link(struct walk *w)
{
	if (w->open_link > 0)
		w->v->links[w->open_link - 1].to = w->v->text.len;
	w->open_link = 0;
}

/* <meta http-equiv=refresh content="0; url=..."> */
static void
meta(struct walk *w, const struct html_token *t)
{
	const struct html_attr *what = html_attr(t, "http-equiv");
	const struct html_attr *content = html_attr(t, "content");
	struct html_attr url;
	size_t i;

	if (what == NULL || content == NULL ||
	    !span_ieq(what->value, SPAN_LIT("refresh")))
		return;
	for (i = 0; i + 4 < content->value.len; i++) {
		if (strncasecmp(content->value.p + i, "url=", 4) != 0)
			continue;
		url = *content;
		url.value.p += i + 4;
		url.value.len -= i + 4;
		if (url.value.p[0] == '\'' || url.value.p[0] == '"') {
			url.value.p++;
			url.value.len--;
		}
		w->v->seen |= HTML_REFRESH;
		add_link(w, HTML_META, &url);
		return;
	}
}

static void
look_at(struct walk *w, const struct html_token *t)
{
	struct html_view *v = w->v;
	const struct html_attr *type = html_attr(t, "type");
	size_t i;

	if (str_eq(t->name, "meta"))
		meta(w, t);
	if (str_eq(t->name, "form"))
		v->seen |= HTML_FORM;
	if (str_eq(t->name, "iframe"))
		v->seen |= HTML_IFRAME;
	if (str_eq(t->name, "script"))
		v->seen |= HTML_SCRIPT;
	if (str_eq(t->name, "img"))
		v->image_count++;
	if (str_eq(t->name, "input") && type != NULL &&
	    span_ieq(type->value, SPAN_LIT("password")))
		v->seen |= HTML_PASSWORD;
	if (t->has_more_attrs)
		v->seen |= HTML_BROKEN;
	for (i = 0; i < t->attr_count; i++)
		if (strncmp(t->attrs[i].name, "on", 2) == 0)
			v->seen |= HTML_HANDLER;
}

static void
links(struct walk *w, const struct html_token *t)
{
	if (str_eq(t->name, "base")) {
		if (html_attr(t, "href") != NULL)
			w->v->seen |= HTML_BASE;
		add_link(w, HTML_BASE_HREF, html_attr(t, "href"));
		return;
	}
	if (str_eq(t->name, "a") || str_eq(t->name, "area")) {
		close_link(w);
		add_link(w, HTML_HREF, html_attr(t, "href"));
		return;
	}
	add_link(w, HTML_SRC, html_attr(t, "src"));
	add_link(w, HTML_SRC, html_attr(t, "background"));
	add_link(w, HTML_SRC, html_attr(t, "data"));
	add_link(w, HTML_SRC, html_attr(t, "poster"));
	add_link(w, HTML_ACTION, html_attr(t, "action"));
	add_link(w, HTML_ACTION, html_attr(t, "formaction"));
	if (str_eq(t->name, "link"))
		add_link(w, HTML_SRC, html_attr(t, "href"));
}

static void
push(struct walk *w, const struct html_token *t)
{
	struct element *e;
	struct style s = *style_now(w);

	style_of(t, &s);
	if (w->depth == DEPTH_MAX) {
		w->v->seen |= HTML_DEEP;
		return;
	}
	e = &w->stack[w->depth++];
	str_copy(e->name, sizeof(e->name), t->name);
	e->style = s;
}

/* Elements that the start of another of their kind ends. */
static bool
ends_itself(const char *name)
{
	return is_one_of(name, "|p|li|td|th|tr|dt|dd|option|a|");
}

static void
pop(struct walk *w, const char *name)
{
	size_t i;

	for (i = w->depth; i > 0 && i + LOOK_BACK > w->depth; i--) {
		if (str_eq(w->stack[i - 1].name, name)) {
			w->depth = i - 1;
			return;
		}
		/* A cell or a table is not ended from within. */
		if (is_one_of(w->stack[i - 1].name, "|td|th|") &&
		    !is_one_of(name, "|tr|table|tbody|body|html|"))
			return;
	}
}

static void
start(struct walk *w, const struct html_token *t)
{
	const struct html_attr *alt;

	w->v->tag_count++;
	if (is_block(t->name))
		break_line(w);
	if (is_cell(t->name))
		w->wants_blank = true;
	look_at(w, t);
	links(w, t);
	if (str_eq(t->name, "img")) {
		alt = html_attr(t, "alt");
		w->wants_blank = true;
		if (alt != NULL)
			text(w, alt->value);
		w->wants_blank = true;
	}
	if (is_void(t->name))
		return;
	if (w->depth > 0 && ends_itself(t->name) &&
	    str_eq(w->stack[w->depth - 1].name, t->name))
		w->depth--;
	push(w, t);
}

static void
end(struct walk *w, const struct html_token *t)
{
	if (str_eq(t->name, "a"))
		close_link(w);
	if (is_block(t->name))
		break_line(w);
	if (is_cell(t->name))
		w->wants_blank = true;
	pop(w, t->name);
}

/* What stands in a comment that only some take for one. */
static bool
is_conditional(struct span s)
{
	size_t i = 0;

	while (i < s.len && s.p[i] == ' ')
		i++;
	return s.len - i >= 3 && strncasecmp(s.p + i, "[if", 3) == 0;
}

void
html_view_read(struct html_view *v, struct span in, size_t limit)
{
	struct walk *w = xcalloc(1, sizeof(*w));
	struct html_token *t = xcalloc(1, sizeof(*t));
	struct html h;

	v->text.limit = v->hidden.limit = limit;
	w->v = v;
	html_init(&h, in);
	while (html_next(&h, t)) {
		switch (t->kind) {
		case HTML_TEXT:
			text(w, t->text);
			break;
		case HTML_START:
			start(w, t);
			break;
		case HTML_END:
			end(w, t);
			break;
		case HTML_RAW:
			if (is_one_of(t->name, "|title|textarea|xmp|"
					       "plaintext|"))
				text(w, t->text);
			break;
		case HTML_COMMENT:
			if (is_conditional(t->text))
				v->seen |= HTML_CONDITIONAL;
			break;
		}
	}
	close_link(w);
	free(t);
	free(w);
}

void
html_view_release(struct html_view *v)
{
	buf_release(&v->text);
	buf_release(&v->hidden);
	arena_release(&v->arena);
	memset(v, 0, sizeof(*v));
}
