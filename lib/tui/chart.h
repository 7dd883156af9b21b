/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Drawings of numbers: meters, trends of one row or several, and a pie.
 * On a screen of ASCII each has a form in ASCII.
 */
#ifndef CHART_H
#define CHART_H

#include "grid.h"

#define CHART_UNKNOWN (-1) /* a value that is not known: left blank */

/* "[||||      31%]": part of whole, words right-aligned inside. */
void chart_meter(const struct pane *p, int row, int col, int width,
		 int64_t part, int64_t whole, const char *words);
/* A bar without frame, in eighths of a column. */
void chart_bar(const struct pane *p, int row, int col, int width, enum ink ink,
	       int64_t part, int64_t whole);
/*
 * count values, oldest first, the newest at the right edge; rows high,
 * two values a column.  top is the value that fills it, 0: the largest.
 */
void chart_trend(const struct pane *p, int row, int col, int rows, int width,
		 enum ink ink, const int64_t *values, int count, int64_t top);

struct chart_part {
	int64_t value;
	enum ink ink;
};
/* Parts of a whole in one row; each that is not 0 gets a column. */
void chart_parts(const struct pane *p, int row, int col, int width,
		 const struct chart_part *parts, int count);
/* A disc of 2 * rows columns, clockwise from the top; braille only. */
void chart_pie(const struct pane *p, int row, int col, int rows,
	       const struct chart_part *parts, int count);

#endif
