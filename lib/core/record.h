/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A row for people and programs: named, typed values in order, as bytes
 * in a frame, and as JSON.  What mcctl prints is made of these.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define RECORD_FIELDS_MAX 64
#define RECORD_MAX 49152 /* bytes of the encoded form: fits a frame */

enum value_type { VALUE_STR, VALUE_INT, VALUE_BOOL, VALUE_LIST, VALUE_NULL };

struct value {
	const char *name;
	enum value_type type;
	const char *str; /* VALUE_STR; VALUE_LIST: items joined by \n */
	int64_t num; /* VALUE_INT, VALUE_BOOL */
};

/* A zeroed struct record is empty and usable; b holds the encoded form. */
struct record {
	struct buf b;
	size_t count;
};

void record_clear(struct record *r);
void record_release(struct record *r);
/*
 * Names are snake_case literals; text of strangers is allowed as value.  A
 * text too long for the record is cut, "..." at its end; a list is cut
 * behind an item.  A NULL str is null.  More fields than there may be is
 * a bug.
 */
void record_str(struct record *r, const char *name, const char *value);
void record_int(struct record *r, const char *name, int64_t value);
void record_bool(struct record *r, const char *name, bool value);
void record_null(struct record *r, const char *name);
void record_list(struct record *r, const char *name, const char *lines);

/* Decodes into values[RECORD_FIELDS_MAX], strings point into in. */
int record_read(struct span in, struct value *values, size_t *count,
		struct err *e);
const struct value *record_find(const struct value *values, size_t count,
				const char *name);
/* One JSON object without a line end; invalid UTF-8 becomes U+FFFD. */
int record_json(const struct value *values, size_t count, struct buf *out);
/* One JSON string with its quotes. */
int json_string(struct buf *out, const char *s);

#endif
