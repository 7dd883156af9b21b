/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of JSON as a table: what a view's columns say of them.
 *
 * Letters of columns: t text, n number, r text that stands right, a age in
 * seconds, b bytes, c time of day, y yes or no, e a number that is bad
 * above 0, o one that is of interest above 0, k a word that has a colour,
 * v an event of the ledger, f where a value is from, g value of a setting,
 * h help of a setting (both by the member "name").
 */
#ifndef LISTING_H
#define LISTING_H

#include "json_read.h"
#include "table.h"

#define LISTING_ROWS 2000

struct listing {
	struct column columns[TABLE_COLUMNS];
	char titles[TABLE_COLUMNS][32];
	char members[TABLE_COLUMNS][32];
	char how[TABLE_COLUMNS];
	int column_count;
	struct table table;
	struct json *rows; /* one for each row of table */
	int room;
	bool is_cut; /* there were more than LISTING_ROWS */
};

void listing_init(struct listing *l);
void listing_release(struct listing *l);
/* Reads JSON Lines; a line that is no object is left out.  With columns ""
 * the members of the first row are the columns. */
void listing_read(struct listing *l, const char *columns, struct span lines);
/* Takes the last row away again. */
void listing_drop(struct listing *l);
/* The chosen row, NULL: none. */
const struct json *listing_row(const struct listing *l, int row);
/* What of a row is not to be seen in so many columns, as "title: text". */
void listing_hidden(const struct listing *l, int row, int room, char *dst,
		    size_t size);

#endif
