/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Private to list_page.c and list_act.c.
 */
#ifndef LIST_IMPL_H
#define LIST_IMPL_H

#include "console.h"
#include "listing.h"

#define LIST_MARKS 500

struct list_page {
	struct page page;
	enum view_id view;
	struct scope scope;
	char group[64]; /* of settings, "": all */
	char query[512]; /* words that the list's command takes */
	char wanted[400]; /* the row to be chosen when it is read */
	struct listing list;
	struct table_state state;
	int rows, shown; /* that the pane has; that the filter let by */
	char *marks[LIST_MARKS];
	int mark_count;
	bool has_marks; /* there is an action for many */
	bool is_read, is_cut;
	char trouble[512]; /* why it could not be read */
	int64_t serial; /* of the settings when it was read */
	int64_t read_ms;
};

void list_read(struct list_page *l);
/* Appends the name of a row. */
void list_id(const struct list_page *l, int row, struct buf *out);
void list_unmark(struct list_page *l);
/* Does what a key stands for in views.def; false: nothing. */
bool list_act(struct list_page *l, int key);
/* The keys of its actions; sets has_marks. */
void list_add_keys(struct list_page *l);

#endif
