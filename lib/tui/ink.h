/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Colours by role, not by name: a cell says what it means, the terminal's
 * palette says how that looks.
 */
#ifndef INK_H
#define INK_H

enum ink {
#define INK(name, dark, dark_bg, light, light_bg, c16, c16_bg, look, help) \
	INK_##name,
#include "ink.def"
#undef INK
	INK_COUNT
};

/* Attributes that a role has besides its colour. */
enum look {
	LOOK_BOLD = 1,
	LOOK_DIM = 2,
	LOOK_REVERSE = 4,
	LOOK_UNDERLINE = 8,
	LOOK_REVERSE_BOLD = LOOK_REVERSE | LOOK_BOLD,
	LOOK_UNDERLINE_BOLD = LOOK_UNDERLINE | LOOK_BOLD
};

struct ink_row {
	short dark, dark_bg, light, light_bg, c16, c16_bg;
	int look;
};
extern const struct ink_row ink_rows[INK_COUNT];

#endif
