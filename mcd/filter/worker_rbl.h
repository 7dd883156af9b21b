/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists for a worker.  All that the filters want to know of a message
 * goes to lookup in one frame before the first of them runs; the answers
 * come in while others work, and are waited for by whoever needs them.
 */
#ifndef WORKER_RBL_H
#define WORKER_RBL_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "chan.h"
#include "rbl.h"

#define WORKER_RBL_ITEMS_MAX 64 /* things asked for, of one message */
#define WORKER_RBL_FOUND_MAX 128
#define WORKER_RBL_ASKS_MAX 2 /* frames, of one message */
#define WORKER_RBL_TIME_MS 8000 /* for all of them */
#define WORKER_RBL_GRACE_MS 3000 /* a test of a list may come before */
#define WORKER_RBL_USES 4

/* One thing to ask for. */
struct rbl_item {
	unsigned uses; /* set of enum rbl_use */
	char kind; /* 'a' address, 'd' domain, 'h' host */
	const char *text;
};

/* One reply of a list about one thing. */
struct rbl_found {
	unsigned uses;
	const struct rbl_item *item;
	int64_t points;
	const char *list, *symptom, *reply;
};

struct rbl_tally {
	unsigned asked, failed; /* questions */
	const char *trouble; /* "" */
};

/* Strings are in the arena of the message. */
struct worker_rbl {
	struct chan *c;
	struct arena *arena;
	struct rbl_item items[WORKER_RBL_ITEMS_MAX];
	size_t count;
	bool is_full; /* there was more to ask */
	bool is_asked, is_done;
	bool is_known; /* lookup has answered */
	bool is_lost; /* the channel is gone or out of step: exit */
	uint32_t token;
	struct rbl_found found[WORKER_RBL_FOUND_MAX];
	size_t found_count;
	struct rbl_tally tally[WORKER_RBL_USES];
};

/* w is zeroed, and the one that frames are for until the next begins; NULL
 * when the message is done. */
void worker_rbl_start(struct worker_rbl *w, struct chan *c,
		      struct arena *arena);
/* Before the question goes out: what else it asks for. */
void worker_rbl_want(struct worker_rbl *w, enum rbl_use use, char kind,
		     const char *text);
/* Asks, if there is anything to ask. */
void worker_rbl_ask(struct worker_rbl *w);
/* Until all is answered or it is deadline_ms, monotonic; false when it is
 * not known what the lists say. */
bool worker_rbl_wait(struct worker_rbl *w, int64_t deadline_ms);
const struct rbl_tally *worker_rbl_tally(const struct worker_rbl *w,
					 enum rbl_use use);

/* For whoever waits for another frame: true when it was one for lists,
 * perhaps of a message that is done. */
bool worker_rbl_take(const struct frame *f);

#endif
