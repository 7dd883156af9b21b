/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Private to console.c and console_frame.c: the console's state, and what
 * is drawn around a page: the first line with how mcd is, the titles of
 * the pages, what there is to say, the command line, and the keys.
 */
#ifndef CONSOLE_FRAME_H
#define CONSOLE_FRAME_H

#include "conf.h"
#include "console.h"
#include "grid.h"
#include "pulse.h"
#include "term.h"

#define CONSOLE_PAGES 16
#define CONSOLE_AHEAD 64 /* what waits for a command to end */
#define FRAME_MIN_ROWS 12
#define FRAME_MIN_COLS 40

/* What was typed: a key, or TUI_NONE and perhaps a paste. */
struct typed {
	int key;
	char *pasted; /* owned; NULL none */
};

struct console {
	const char *conf_path;
	struct conf conf;
	char host[256];
	struct pulse pulse;
	struct grid grid;
	enum term_theme theme;
	struct page *pages[CONSOLE_PAGES];
	int page_count;
	bool is_new; /* the topmost has not been told that it is */
	bool is_over;
	char said[1024]; /* the last words, "" none */
	enum ink said_ink;
	bool said_now; /* since the last key */
	char waiting[500]; /* while a command runs, else "" */
	struct typed ahead[CONSOLE_AHEAD]; /* typed meanwhile */
	int ahead_count;
	const struct tui_key *keys; /* of all pages */
	size_t key_count;
};

/* Draws all into c->grid; *row is -1 where no cursor is to be seen. */
void frame_draw(struct console *c, struct page *p, int *row, int *col);
/* All keys of a page, as lines. */
void frame_help(const struct page *p, const struct tui_key *keys, size_t count,
		struct buf *out);

#endif
