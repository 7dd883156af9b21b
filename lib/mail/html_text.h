/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * HTML as its reader sees it: the text, what is hidden from the eye, the
 * links.  For judging, never for showing.
 */
#ifndef HTML_TEXT_H
#define HTML_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"

#define HTML_LINKS_MAX 1000
#define HTML_URL_MAX 4096 /* bytes of one link that are looked at */

/* What was met. */
enum html_seen {
	HTML_HIDDEN_TEXT = 1, /* text that the eye does not see */
	HTML_TINY_TEXT = 2, /* size of one or two pixels */
	HTML_SAME_COLOR = 4, /* in the colour of its background */
	HTML_SCRIPT = 8,
	HTML_FORM = 16,
	HTML_PASSWORD = 32, /* a field for one */
	HTML_IFRAME = 64,
	HTML_REFRESH = 128, /* goes elsewhere by itself */
	HTML_BASE = 256, /* links are relative to another place */
	HTML_BROKEN = 512, /* a tag with too many attributes, a cut one */
	HTML_DEEP = 1024, /* nested deeper than is followed */
	HTML_MANY_LINKS = 2048,
	HTML_CONDITIONAL = 4096, /* comments that some programs show */
	HTML_HANDLER = 8192, /* onclick= and its like */
	HTML_DATA_URL = 16384
};

enum html_link_kind {
	HTML_HREF,
	HTML_SRC,
	HTML_ACTION,
	HTML_META,
	HTML_BASE_HREF
};

struct html_link {
	enum html_link_kind kind;
	const char *url; /* entities resolved, blanks and controls gone */
	size_t from, to; /* what it is shown as, in text; equal: nothing */
};

struct html_view {
	struct buf text; /* lines of UTF-8 */
	struct buf hidden; /* what the eye does not see */
	struct html_link *links;
	size_t link_count;
	uint32_t seen; /* enum html_seen */
	size_t image_count;
	size_t tag_count;
	/* private */
	struct arena arena;
};

/* Reads UTF-8; a zeroed view is empty, limit is of text and of hidden. */
void html_view_read(struct html_view *v, struct span in, size_t limit);
void html_view_release(struct html_view *v);

#endif
