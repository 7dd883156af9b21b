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

/* What is zero or "" does not choose. */
struct queue_filter {
	bool has_state;
	enum state state;
	char from[330], rcpt[330]; /* parts, lower case */
	int64_t older_ms;
};

/* Words parted by blanks: from:TEXT rcpt:TEXT state:NAME older:DURATION, or
 * the bare name of a state; the last of a kind counts. */
int queue_filter_parse(const char *words, struct queue_filter *f,
		       struct err *e);
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
