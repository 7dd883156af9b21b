/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What mcctl prints: records as an aligned table, as one object of lines
 * `name: value`, or as JSON.  Text of strangers is made printable.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

struct out {
	bool json;
	bool no_headers;
	bool has_header; /* printed */
	/* Rows wait until widths are known: a page at a time. */
	struct record *rows;
	size_t row_count;
};

#define OUT_PAGE 200 /* rows that columns are aligned over */

/* Adds a row of a list; all rows of a list have the same names. */
void out_row(struct out *o, const struct record *r);
/* Prints what waits. */
void out_flush(struct out *o);
/* Prints a record as one object, names in front. */
void out_object(struct out *o, const struct record *r);
void out_release(struct out *o);

#endif
