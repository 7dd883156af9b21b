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

#define OUT_PAGE 200 /* rows that columns are aligned over */

struct out {
	bool json;
	bool no_headers;
	bool has_header; /* of the table that is being printed */
	bool has_printed; /* anything */
	/* Rows wait until widths are known: a page at a time; columns do
	 * not get narrower from page to page. */
	struct record rows[OUT_PAGE];
	size_t row_count;
	size_t width[RECORD_FIELDS_MAX];
};

/* Adds a row of a list; all rows of a list have the same names. */
void out_row(struct out *o, const struct record *r);
/* A row as a running mcd has sent it, for struct asking_sink; arg is the
 * struct out.  Non-zero when it cannot be written. */
int out_encoded(void *arg, const struct value *values, size_t count,
		struct span encoded);
/* Prints what waits; fflush() is the caller's. */
void out_flush(struct out *o);
/* Prints what waits; the next row begins another table. */
void out_end(struct out *o);
/* Prints a record as one object, names in front. */
void out_object(struct out *o, const struct record *r);
/* One line of text, or of JSON that is made already. */
void out_line(struct out *o, const char *line);
/* {"ok":true} where JSON is wanted: it was done, there is nothing to say. */
void out_done(struct out *o);
/* The JSON of a record, appended. */
void out_json(const struct record *r, struct buf *b);
void out_release(struct out *o);

#endif
