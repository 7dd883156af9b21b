/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of queued messages: the words that choose, and the row of a
 * message.
 */
#ifndef QUEUE_VIEW_H
#define QUEUE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope.h"
#include "err.h"
#include "record.h"

#define QUEUE_VIEW_RCPTS 20 /* addresses that a row shows */
/* The three queues, as a set of states. */
#define QUEUE_STATES \
	(1U << STATE_INCOMING | 1U << STATE_FILTERING | 1U << STATE_OUTGOING)

/* A part of an address, lower case; "" any. */
struct queue_part {
	char text[330];
	bool is_first, is_last; /* it begins, it ends the address */
};

/* What is made of those that were chosen. */
enum queue_show {
	QUEUE_SHOW_ROWS,
	QUEUE_SHOW_IDS,
	QUEUE_SHOW_COUNT,
	QUEUE_SHOW_SENDERS /* a shape: of senders, not of recipients */
};

/* What is zero or "" does not choose. */
struct queue_filter {
	unsigned states; /* bits 1 << enum state */
	struct queue_part from, rcpt;
	int64_t older_ms, younger_ms;
	uint64_t size_min, size_max;
	enum queue_show show;
};

/*
 * Words parted by blanks; the last of a kind counts, all kinds have to hold:
 * from:TEXT rcpt:TEXT (^TEXT at the begin, TEXT$ at the end of an address, ^$
 * the null sender), older:DURATION, younger:DURATION, size:SIZE (at least;
 * -SIZE at most), state:NAME or the bare name of a state, held:yes, held:no
 * (in the three queues), show:ids, show:count, show:senders.
 */
int queue_filter_parse(const char *words, struct queue_filter *f,
		       struct err *e);
/* Without a look into the envelope: false where it cannot match. */
bool queue_filter_admits(const struct queue_filter *f, enum state s,
			 uint64_t size, int64_t received_us, int64_t now_us);
/* Whether what it admits need not match. */
bool queue_filter_needs_envelope(const struct queue_filter *f);
bool queue_filter_matches(const struct queue_filter *f, enum state s,
			  const struct envelope *env, int64_t now_us);

/* Appends the members id, state, size, age_s, sender, rcpt (a list), rcpts
 * (how many), attempts, next_s, status, reason. */
void queue_row(struct record *r, const struct envelope *env, enum state s,
	       int64_t next_s, int64_t now_us);
/* The same and what else the envelope says. */
void queue_row_full(struct record *r, const struct envelope *env, enum state s,
		    int64_t next_s, int64_t now_us);
/* A recipient: rcpt, attempts, status, orcpt, notify. */
void queue_rcpt_row(struct record *r, const struct rcpt *rcpt);

#endif
