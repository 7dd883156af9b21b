/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A screen as cells, drawn without a terminal: what is on it can be shown
 * by term.h, printed, or compared by a test.  All text is cut at the edges
 * of the pane it is drawn into; a control character never gets into a
 * cell, and where the screen is ASCII neither does anything else.
 */
#ifndef GRID_H
#define GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "ink.h"

#define GRID_SIDE_MAX 1000 /* rows and columns; the rest stays empty */

struct cell {
	uint32_t cp; /* 0: the second half of a wide character */
	uint32_t ink;
};

struct grid {
	int rows, cols;
	bool is_utf8; /* else what is drawn becomes ASCII */
	struct cell *cells;
};

/* Blank cells.  A zeroed grid may be given to grid_resize(). */
void grid_resize(struct grid *g, int rows, int cols);
void grid_clear(struct grid *g);
void grid_release(struct grid *g);
const struct cell *grid_cell(const struct grid *g, int row, int col);
/* Lines without blanks at their ends; rows at the end that are empty are
 * left out. */
void grid_print(const struct grid *g, struct buf *out);

/* A part of a grid.  Rows and columns count from its corner. */
struct pane {
	struct grid *grid;
	int top, left, rows, cols;
};

struct pane pane_all(struct grid *g);
/* Cut where it would reach over the edges of p; may be empty. */
struct pane pane_part(const struct pane *p, int top, int left, int rows,
		      int cols);

/* Columns that a text takes, -1: all of it. */
int text_columns(const char *s, int len);

/*
 * At most width columns, with a mark at the end when it was cut; returns
 * the columns taken.
 */
int pane_text(const struct pane *p, int row, int col, int width, enum ink ink,
	      const char *s);
/* Ends at column col + width. */
void pane_right(const struct pane *p, int row, int col, int width, enum ink ink,
		const char *s);
int pane_fmt(const struct pane *p, int row, int col, int width, enum ink ink,
	     const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Folded at blanks into at most so many rows of the pane's width; returns
 * how many it took. */
int pane_fold(const struct pane *p, int row, int rows, enum ink ink,
	      const char *s);
void pane_char(const struct pane *p, int row, int col, enum ink ink,
	       uint32_t cp);
void pane_fill(const struct pane *p, int row, int col, int width, enum ink ink,
	       uint32_t cp);
/* The same text in another ink. */
void pane_tint(const struct pane *p, int row, int col, int width, enum ink ink);

#endif
