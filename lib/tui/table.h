/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A table on the screen: who fills in rows of cells gets sorting, the
 * filter, scrolling and columns that fit for nothing.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grid.h"

#define TABLE_COLUMNS 10
#define TABLE_ROWS 1100 /* the largest table of the stats file, and more */
#define TABLE_TEXT 256

struct column {
	const char *title;
	int width; /* 0: takes what is left, 16 at the least */
	bool is_left; /* text; numbers stand right */
	int rank; /* those of the highest rank go first where room is short */
};

struct cell_text {
	char text[TABLE_TEXT];
	int64_t sort; /* of a column of numbers */
	enum ink ink;
};

struct table_row {
	struct cell_text cells[TABLE_COLUMNS];
};

/* What a person has chosen of a table; kept while the program runs. */
struct table_state {
	int sort; /* a column, -1: the order they were added in */
	bool is_reversed;
	int chosen, first; /* rows of those that the filter lets by */
	int row; /* the chosen one as it was added, -1: none; set by
		  * table_draw() and table_choose() */
	char filter[64];
};

struct table {
	const struct column *columns;
	int column_count;
	struct table_row *rows;
	int *order; /* those that are shown, as they are shown */
	int count, room;
};

/* For so many rows. */
void table_init(struct table *t, int room);
void table_release(struct table *t);
/* Empties it; columns are borrowed. */
void table_start(struct table *t, const struct column *columns, int count);
/* A row of empty cells, NULL when there is no room for one. */
struct table_row *table_add(struct table *t);
/* text is made printable. */
void table_text(struct table_row *r, int col, enum ink ink, const char *text);
void table_number(struct table_row *r, int col, enum ink ink, int64_t sort,
		  const char *text);
/*
 * Draws heads and rows, and brings the state within its bounds.  With
 * is_active the chosen row is marked.  Returns the number of rows that the
 * filter let by.
 */
int table_draw(struct table *t, struct table_state *st, const struct pane *p,
	       bool is_active);

/* What each column gets of so much room; 0: it is left out. */
void table_widths(const struct table *t, int room, int widths[TABLE_COLUMNS]);
/* Chooses a row by its number as it was added; one that is not shown, or
 * not there, leaves the choice as it is. */
void table_choose(struct table *t, struct table_state *st, int row);

#endif
