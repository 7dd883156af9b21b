/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keys as numbers: a character is its code point, others lie above all
 * code points.  A program's keys are rows of a table, from which its help
 * and its manual page are made.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>
#include <stdint.h>

enum keycode {
	TUI_NONE = -1, /* time is over, or nothing that concerns anybody */
	TUI_GONE = -2, /* the terminal went away, or a signal says to end */
	TUI_TAB = 9,
	TUI_ENTER = 10,
	TUI_ESC = 27,
	TUI_FIRST = 0x110000,
#define KEYCODE(name, curses, shown) TUI_##name,
#include "keycode.def"
#undef KEYCODE
	TUI_RESIZE
};

struct tui_key {
	int key, other; /* other: a second key, or TUI_NONE */
	int action;
	const char *label; /* for the last line; "" not there */
	const char *help;
};

/* "q", "Up", "Space"; size >= 16. */
void tui_key_name(int key, char *dst, size_t size);
/* The row of a key, NULL when it has none. */
const struct tui_key *tui_key_find(const struct tui_key *rows, size_t count,
				   int key);

#endif
