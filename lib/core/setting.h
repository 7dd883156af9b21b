/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of knobs and their values.  An effective value is the user's,
 * else the domain's, else the global one, else the default.
 */
#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum knob_type { KNOB_TYPE_INT, KNOB_TYPE_MS, KNOB_TYPE_BYTES, KNOB_TYPE_BOOL };
enum knob_level { LEVEL_GLOBAL = 1, LEVEL_DOMAIN = 2, LEVEL_USER = 4 };
enum knob_way { WAY_IN = 1, WAY_OUT = 2, WAY_BOTH = 3 };

/* One value per knob, by name: knobs.filter_window. */
struct knobs {
#define KNOB_INT(name, ...) int64_t name;
#define KNOB_MS(name, ...) int64_t name;
#define KNOB_BYTES(name, ...) int64_t name;
#define KNOB_BOOL(name, ...) int64_t name;
#include "setting.def"
#undef KNOB_INT
#undef KNOB_MS
#undef KNOB_BYTES
#undef KNOB_BOOL
};

struct knob {
	const char *name;
	enum knob_type type;
	int64_t dflt, min, max;
	const char *unit;
	unsigned levels; /* set of enum knob_level */
	enum knob_way way;
	const char *help;
	size_t offset; /* in struct knobs */
};

/* The whole table, in the order of setting.def. */
extern const struct knob knob_table[];
extern const size_t knob_count;

/* NULL when unknown; e then has the nearest right name. */
const struct knob *knob_find(const char *name, struct err *e);
/* Reads a value in the knob's own notation, checks its range. */
int knob_parse(const struct knob *k, const char *text, int64_t *out,
	       struct err *e);
/* In the notation that knob_parse() reads; size >= 32. */
void knob_text(const struct knob *k, int64_t value, char *dst, size_t size);

void knobs_default(struct knobs *s);
int64_t knobs_get(const struct knobs *s, const struct knob *k);
void knobs_put(struct knobs *s, const struct knob *k, int64_t value);
/*
 * The lines "name=value\n" of all that differ from the default, and back
 * (on top of what is there).  Unknown names of a newer control are
 * skipped by knobs_read().
 */
int knobs_write(const struct knobs *s, struct buf *out);
int knobs_read(struct span in, struct knobs *s, struct err *e);

#endif
