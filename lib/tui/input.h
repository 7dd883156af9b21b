/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One line that is typed.  It holds whole characters of UTF-8 and no
 * control character, whatever is typed or pasted.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "grid.h"

#define INPUT_SIZE 1024

struct input {
	char text[INPUT_SIZE];
	size_t len, at; /* bytes; at: the cursor's place */
};

/* What does not fit is cut; the cursor is at the end. */
void input_set(struct input *in, const char *text);
/* True when the key was one for this line. */
bool input_key(struct input *in, int key);
/* Inserts text where the cursor is. */
void input_paste(struct input *in, const char *text);
/* Draws the part around the cursor; returns the cursor's column in p. */
int input_draw(const struct input *in, const struct pane *p, int row, int col,
	       int width, enum ink ink);

#endif
