/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text to be read: what a command has said, or the keys of a page.
 */
#ifndef TEXT_PAGE_H
#define TEXT_PAGE_H

#include "console.h"

/* What a command has said; it can be run again. */
void text_page_show(struct console *c, const struct cmdline *words,
		    const struct result *r);
/* Lines of our own. */
void text_page_lines(struct console *c, const char *title, const char *text);

#endif
