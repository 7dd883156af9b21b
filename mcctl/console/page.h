/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is on the screen between the first lines and the last: pages, one
 * over the other.  A page draws itself into a pane and is told keys; what
 * it says of itself is drawn around it by the console.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grid.h"
#include "keys.h"

#define PAGE_KEYS 40

struct console;
struct page;

struct page_ops {
	void (*draw)(struct page *p, const struct pane *pane);
	/* True when the key meant something here. */
	bool (*key)(struct page *p, int key);
	void (*paste)(struct page *p, const char *text); /* or NULL */
	/* It is the topmost, for the first time or again; or NULL. */
	void (*shown)(struct page *p);
	/* A second has passed while it was the topmost; or NULL. */
	void (*tick)(struct page *p);
	/* Lines that have a text, for the finder; or NULL. */
	void (*find)(struct page *p, const char *text,
		     void (*found)(void *arg, int at, const char *line),
		     void *arg);
	void (*go_to)(struct page *p, int at); /* what find() named; or NULL */
	void (*free)(struct page *p);
};

struct page {
	const struct page_ops *ops;
	struct console *console;
	char title[160];
	char aside[96]; /* at the right of the title */
	char command[1600]; /* the command line behind what is shown */
	char detail[1024]; /* of what is chosen */
	struct tui_key keys[PAGE_KEYS]; /* its own, for help and last line */
	size_t key_count;
	bool is_typing; /* characters are text, not keys */
	bool is_done; /* goes with the end of this key */
	/* Where the cursor is, in the pane; -1: nowhere. */
	int cursor_row, cursor_col;
};

/* A zeroed page of so many bytes; who makes it fills in the rest. */
void *page_new(size_t size, const struct page_ops *ops, struct console *c,
	       const char *title);
/* A key for last line and help, whose action is not used. */
void page_add_key(struct page *p, int key, int other, const char *label,
		  const char *help);

#endif
