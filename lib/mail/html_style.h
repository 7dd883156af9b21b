/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * As much of an element's style as says whether the eye sees its text.
 */
#ifndef HTML_STYLE_H
#define HTML_STYLE_H

#include <stdbool.h>

#include "html.h"

#define STYLE_UNKNOWN (-1)

struct style {
	bool is_hidden; /* for good: what is inside is, too */
	int size; /* pixels, STYLE_UNKNOWN */
	int color, background; /* 0xRRGGBB, STYLE_UNKNOWN */
};

/* Adds what a tag says to what its parent has. */
void style_of(const struct html_token *t, struct style *s);
bool style_hides(const struct style *s);
bool style_same_color(const struct style *s);

#endif
