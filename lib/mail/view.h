/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A message as filters look at it: its parts, what a person reads of it,
 * the addresses in it, its words.  Each is made when it is first asked for
 * and then kept, so that it is made once, whoever asks.
 */
#ifndef VIEW_H
#define VIEW_H

#include "html_text.h"
#include "lexer.h"
#include "mime.h"
#include "url.h"

#define VIEW_HTML_MAX (1u << 20) /* bytes of HTML of one part looked at */
#define VIEW_TEXT_MAX (512u << 10) /* bytes of text of one part */
#define VIEW_PARTS_MAX 50 /* parts of text that are looked at */

struct view {
	struct mime *mime;
	/* private */
	const struct url_hooks *hooks;
	struct html_view **html; /* by part, NULL: not made */
	struct buf text;
	struct url_set *urls;
	struct word_set words;
	struct arena arena;
	bool has_text, has_words;
};

/* raw is borrowed for the life of the view; limits and hooks may be NULL,
 * hooks outlive it. */
struct view *view_new(struct span raw, const struct mime_limits *limits,
		      const struct url_hooks *hooks);
void view_free(struct view *v);

/* The HTML of a part, NULL when it is none; all readings count. */
const struct html_view *view_html(struct view *v, size_t part);
/* What a person reads: subject, texts and text of HTML, lines of UTF-8. */
struct span view_text(struct view *v);
/* enum html_seen of all parts. */
uint32_t view_html_seen(struct view *v);
/* Links first, then text, then what HTML loads, then the fields. */
const struct url_set *view_urls(struct view *v);
const struct word_set *view_words(struct view *v);

#endif
