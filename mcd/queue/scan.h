/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One message on its way through the filters: policies of its recipients,
 * rounds of at most 64 distinct policies, what each does with it.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dict.h"
#include "envelope.h"
#include "list.h"
#include "loop.h"
#include "message.h"
#include "proto.h"

/* One distinct policy and its verdict. */
struct fate {
	struct span knobs;
	bool is_told;
	enum action action;
	uint32_t judged; /* set of enum judged */
	const char *reason;
	const char *explanation; /* explanation.h */
	int64_t points, threshold; /* as it says */
	struct span edits; /* edits_write() */
	uint32_t child; /* number in a split, 0: none */
};

struct scan {
	struct list node; /* waits for a slot */
	struct message *m;
	struct arena arena;
	struct envelope env;
	struct fate *fates;
	size_t fate_count, fate_cap;
	uint32_t *fate_of; /* a recipient's */
	struct dict by_knobs;
	/* Asking control. */
	size_t asked, answered; /* recipients */
	bool is_unknown; /* control could not tell of one */
	bool is_asking;
	/* Asking the filters: fates of this round. */
	size_t from, to;
	uint32_t token;
	struct timer timer;
};

void scan_init(void);
void scan_release(void);
/* Takes m, which is busy; ends with stage_done(). */
void scan_start(struct message *m);
void scan_slots(uint32_t slots);
/* Scans the pool has, and those that wait for it. */
size_t scan_running(void);
size_t scan_waiting(void);

/* For verdict.c. */
void scan_free(struct scan *s);

/* For at_data.c, whose scans are of no message yet. */
/* The place of a policy's fate, made when it is new. */
uint32_t scan_fate(struct scan *s, struct span knobs);
/* name: for the log. */
void scan_take(struct scan *s, const char *name, const struct frame_verdict *b);
/* The next round and its frame, which borrows policies. */
void scan_frame(struct scan *s, const char *name, struct buf *policies,
		struct frame_scan *out);

#endif
