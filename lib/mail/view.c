/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Puts together what the parsers make of a message.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

struct view *
view_new(struct span raw, const struct mime_limits *limits,
	 const struct url_hooks *hooks)
{
	struct view *v = xcalloc(1, sizeof(*v));

	v->mime = mime_new(raw, limits);
	v->hooks = hooks;
	v->html = xcalloc(v->mime->part_count, sizeof(v->html[0]));
	return v;
}

void
view_free(struct view *v)
{
	size_t i;

	if (v == NULL)
		return;
	for (i = 0; i < v->mime->part_count; i++) {
		if (v->html[i] != NULL)
			html_view_release(v->html[i]);
		free(v->html[i]);
	}
	free(v->html);
	buf_release(&v->text);
	word_set_release(&v->words);
	arena_release(&v->arena);
	mime_free(v->mime);
	free(v);
}

static bool
is_text(const struct mime_part *p, const char *subtype)
{
	return p->is_leaf && str_eq(p->type, "text") &&
	       (subtype == NULL || str_eq(p->subtype, subtype));
}

const struct html_view *
view_html(struct view *v, size_t part)
{
	struct span in;

	if (!is_text(&v->mime->parts[part], "html"))
		return NULL;
	if (v->html[part] == NULL) {
		v->html[part] = xcalloc(1, sizeof(*v->html[part]));
		in = mime_text(v->mime, part);
		if (in.len > VIEW_HTML_MAX)
			in.len = VIEW_HTML_MAX;
		html_view_read(v->html[part], in, VIEW_TEXT_MAX);
	}
	return v->html[part];
}

/* The text of a part as it is seen. */
static struct span
text_of(struct view *v, size_t part)
{
	const struct html_view *h = view_html(v, part);
	struct span s;

	if (h != NULL)
		return buf_span(&h->text);
	s = mime_text(v->mime, part);
	if (s.len > VIEW_TEXT_MAX)
		s.len = VIEW_TEXT_MAX;
	return s;
}

struct span
view_text(struct view *v)
{
	const struct mime_field *subject = mime_field(v->mime, "Subject");
	size_t count = 0;
	size_t i;

	if (v->has_text)
		return buf_span(&v->text);
	v->has_text = true;
	if (subject != NULL)
		buf_printf(&v->text, "%s\n", subject->value);
	for (i = 0; i < v->mime->part_count && count < VIEW_PARTS_MAX; i++) {
		if (!is_text(&v->mime->parts[i], NULL))
			continue;
		buf_add_span(&v->text, text_of(v, i));
		buf_add_char(&v->text, '\n');
		count++;
	}
	return buf_span(&v->text);
}

uint32_t
view_html_seen(struct view *v)
{
	uint32_t seen = 0;
	size_t i;

	for (i = 0; i < v->mime->part_count; i++)
		if (view_html(v, i) != NULL)
			seen |= view_html(v, i)->seen;
	return seen;
}

/* Whether a link is shown as the address of another domain. */
static bool
lies(struct view *v, const struct html_view *h, const struct html_link *l)
{
	struct span shown = { h->text.data + l->from, l->to - l->from };
	char host[URL_HOST_MAX], real[URL_HOST_MAX];
	const char *a, *b;
	uint32_t flags = 0;
	bool is_known, is_real;

	if (l->to <= l->from || shown.len > 255 ||
	    memchr(shown.p, ' ', shown.len) != NULL || v->hooks == NULL ||
	    v->hooks->registrable == NULL)
		return false;
	url_host(v->hooks, shown, host, &flags);
	url_host(v->hooks, span_of(l->url), real, &flags);
	if (host[0] == '\0' || real[0] == '\0')
		return false;
	a = v->hooks->registrable(host, &is_known);
	b = v->hooks->registrable(real, &is_real);
	return is_known && a != NULL && (b == NULL || !str_eq(a, b));
}

static void
add_links(struct view *v, bool is_loaded)
{
	size_t i, k;

	for (i = 0; i < v->mime->part_count; i++) {
		const struct html_view *h = view_html(v, i);

		for (k = 0; h != NULL && k < h->link_count; k++) {
			const struct html_link *l = &h->links[k];

			if ((l->kind == HTML_SRC) != is_loaded)
				continue;
			url_add(v->urls, span_of(l->url),
				lies(v, h, l) ? URL_LIES : 0);
		}
	}
}

const struct url_set *
view_urls(struct view *v)
{
	static const char *const fields[] = { "From", "Reply-To", "Sender",
					      "Subject", "List-Unsubscribe" };
	size_t i;

	if (v->urls != NULL)
		return v->urls;
	v->urls = arena_alloc(&v->arena, sizeof(*v->urls));
	url_set_init(v->urls, &v->arena, v->hooks);
	add_links(v, false);
	url_find(v->urls, view_text(v));
	add_links(v, true);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct mime_field *f = mime_field(v->mime, fields[i]);

		if (f != NULL)
			url_find(v->urls, span_of(f->value));
	}
	return v->urls;
}

const struct word_set *
view_words(struct view *v)
{
	if (!v->has_words)
		lexer_run(v, word_set_add, &v->words);
	v->has_words = true;
	return &v->words;
}
