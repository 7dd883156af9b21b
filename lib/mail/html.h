/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * HTML cut into tokens as browsers do it (the tokenizer of HTML5, section
 * 13.2.5), without a tree: time is linear in the text and memory fixed,
 * whatever it holds.  Nothing is decoded unless it is asked for.
 */
#ifndef HTML_H
#define HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HTML_ATTRS_MAX 64 /* of one tag; more are passed over */
#define HTML_NAME_MAX 32 /* longer names are cut: nobody knows them */

enum html_kind {
	HTML_TEXT, /* text: entities in it stay */
	HTML_START,
	HTML_END,
	HTML_RAW, /* text: contents of script, style, title and their like */
	HTML_COMMENT /* text: of a comment, declaration or instruction */
};

struct html_attr {
	char name[HTML_NAME_MAX]; /* lower case */
	struct span value; /* as it stands, without its quotes */
};

struct html_token {
	enum html_kind kind;
	char name[HTML_NAME_MAX]; /* of a tag, or of the element raw text is
				   * in; lower case */
	struct span text;
	struct span whole; /* all of the token */
	struct html_attr attrs[HTML_ATTRS_MAX];
	size_t attr_count;
	bool has_more_attrs;
	bool is_self_closing;
};

/* The text is borrowed until the last token. */
struct html {
	struct span in;
	size_t at;
	char raw_name[HTML_NAME_MAX]; /* inside of this element */
};

void html_init(struct html *h, struct span in);
/* 1 and a token, 0 at the end.  A tag that is cut off is none. */
int html_next(struct html *h, struct html_token *out);
/* The attribute, NULL when there is none; the first of a name counts. */
const struct html_attr *html_attr(const struct html_token *t, const char *name);
/* Appends with entities resolved, NUL as U+FFFD; valid UTF-8 stays so. */
void html_unescape(struct span in, bool is_attr, struct buf *out);

#endif
