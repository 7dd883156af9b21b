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

enum knob_type {
	KNOB_TYPE_INT,
	KNOB_TYPE_MS,
	KNOB_TYPE_BYTES,
	KNOB_TYPE_BOOL,
	KNOB_TYPE_POINTS, /* thousandths */
	KNOB_TYPE_ENUM, /* index of the word in choices */
	KNOB_TYPE_TEXT
};
enum knob_level { LEVEL_GLOBAL = 1, LEVEL_DOMAIN = 2, LEVEL_USER = 4 };
enum knob_way { WAY_IN = 1, WAY_OUT = 2, WAY_BOTH = 3 };

/* The words of KNOB_ENUMs, in order. */
enum rcpt_check { RCPT_CHECK_NONE, RCPT_CHECK_LIST, RCPT_CHECK_CALLOUT };
enum rdns_check { RDNS_CHECK_NONE, RDNS_CHECK_PTR, RDNS_CHECK_FCRDNS };
enum helo_check {
	HELO_CHECK_NONE,
	HELO_CHECK_SYNTAX,
	HELO_CHECK_FQDN,
	HELO_CHECK_RESOLVES
};
enum unreachable { UNREACHABLE_ACCEPT, UNREACHABLE_LATER };
enum unsure { UNSURE_LATER, UNSURE_ACCEPT };
enum spam_action { SPAM_TAG, SPAM_QUARANTINE, SPAM_DELETE };
enum dmarc_reject {
	DMARC_REJECT_SCORE,
	DMARC_REJECT_QUARANTINE,
	DMARC_REJECT_DELETE
};
enum spam_out_action { SPAM_OUT_DELIVER, SPAM_OUT_HOLD, SPAM_OUT_QUARANTINE };
enum virus_action { VIRUS_QUARANTINE, VIRUS_HOLD, VIRUS_DELETE };
enum odd_action { ODD_DELIVER, ODD_QUARANTINE, ODD_HOLD };
enum at_data { AT_DATA_ACCEPT, AT_DATA_REFUSE };
enum at_data_else { AT_DATA_ELSE_QUARANTINE, AT_DATA_ELSE_USUAL };
enum list_sender { LIST_SENDER_BOTH, LIST_SENDER_ENVELOPE, LIST_SENDER_FROM };
enum block_action { BLOCK_QUARANTINE, BLOCK_DELETE, BLOCK_TAG };
enum decisive { DECISIVE_NONE, DECISIVE_HAM, DECISIVE_SPAM, DECISIVE_BOTH };
enum failure { FAILURE_SKIP, FAILURE_LATER, FAILURE_HOLD };

#define KNOB_TEXT_SIZE 128 /* any value as text, and NUL */

/* One value per knob, by name: knobs.filter_window. */
struct knobs {
#define KNOB_INT(name, ...) int64_t name;
#define KNOB_MS(name, ...) int64_t name;
#define KNOB_BYTES(name, ...) int64_t name;
#define KNOB_BOOL(name, ...) int64_t name;
#define KNOB_POINTS(name, ...) int64_t name;
#define KNOB_ENUM(name, ...) int64_t name;
#define KNOB_TEXT(name, ...) char name[KNOB_TEXT_SIZE];
#include "setting.def"
#undef KNOB_INT
#undef KNOB_MS
#undef KNOB_BYTES
#undef KNOB_BOOL
#undef KNOB_POINTS
#undef KNOB_ENUM
#undef KNOB_TEXT
};

/* A value of some knob: one or the other by its type. */
struct knob_value {
	int64_t number;
	const char *text; /* of KNOB_TYPE_TEXT, borrowed; else NULL */
};

struct knob {
	const char *name;
	enum knob_type type;
	int64_t dflt, min, max; /* of a text: its length */
	const char *unit;
	unsigned levels; /* set of enum knob_level */
	enum knob_way way;
	const char *help;
	size_t offset; /* in struct knobs */
	const char *words; /* "a|b|c" of an enum, the default of a text */
};

/* The whole table, in the order of setting.def. */
extern const struct knob knob_table[];
extern const size_t knob_count;

/* NULL when unknown; e then has the nearest right name. */
const struct knob *knob_find(const char *name, struct err *e);
struct knob_value knob_default(const struct knob *k);
bool knob_value_eq(const struct knob_value *a, const struct knob_value *b);
/* Reads a value in the knob's own notation, checks its range.  The text of
 * out is the text given. */
int knob_parse(const struct knob *k, const char *text, struct knob_value *out,
	       struct err *e);
/* In the notation that knob_parse() reads; size >= KNOB_TEXT_SIZE. */
void knob_text(const struct knob *k, const struct knob_value *v, char *dst,
	       size_t size);
/* What values it takes, for people: "1s to 1d", "none, may or must". */
void knob_range(const struct knob *k, char *dst, size_t size);

void knobs_default(struct knobs *s);
/* The text of what it returns lies in s. */
struct knob_value knobs_get(const struct knobs *s, const struct knob *k);
void knobs_put(struct knobs *s, const struct knob *k,
	       const struct knob_value *v);
/*
 * The lines "name=value\n" of all that differ from the default, and back
 * (on top of what is there).  Unknown names of a newer control are
 * skipped by knobs_read().
 */
int knobs_write(const struct knobs *s, struct buf *out);
int knobs_read(struct span in, struct knobs *s, struct err *e);

#endif
