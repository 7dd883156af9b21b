/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lists of the console and their actions, as tables.
 */
#ifndef VIEWS_H
#define VIEWS_H

#include <stddef.h>

enum view_flag {
	VIEW_LIVE = 1, /* changes by itself: read again and again */
	VIEW_SCOPED = 2, /* of all, a domain or a user */
	VIEW_ASKS = 4, /* needs a word before there is a list */
	VIEW_HIDDEN = 8, /* in no menu: other views lead there */
	VIEW_LAST = 16 /* the last row is what one wants to see */
};

enum action_flag {
	ACTION_ASK = 1, /* asks before it does it */
	ACTION_SHOW = 2, /* what it says is to be read */
	ACTION_MANY = 4, /* takes all marked rows at once */
	ACTION_GO = 8, /* "VIEW [GROUP] [--domain D | --user U]" */
	ACTION_NO_ROW = 16, /* needs no row */
	ACTION_KNOB = 32, /* the value of a setting, by its row */
	ACTION_DETAIL = 64, /* fields begin with what the first action shows */
	ACTION_TYPE = 128 /* to be typed on */
};

enum view_id {
#define VIEW(name, title, words, member, columns, flags, help) VIEW_##name,
#define ACTION(name, view, key, label, flags, when, words, help)
#include "views.def"
#undef VIEW
#undef ACTION
	VIEW_COUNT
};

struct view {
	const char *name, *title, *words, *member, *columns;
	unsigned flags;
	const char *help;
};

struct view_action {
	enum view_id view;
	int key;
	const char *label;
	unsigned flags;
	const char *when, *words, *help;
};

extern const struct view view_table[VIEW_COUNT];
extern const struct view_action action_table[];
extern const size_t action_count;

/* VIEW_COUNT when there is none of that name. */
enum view_id view_find(const char *name);

#endif
