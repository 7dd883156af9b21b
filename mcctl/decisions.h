/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decisions gathered from rows of judged events, each shown once for all
 * recipients that share it.
 */
#ifndef DECISIONS_H
#define DECISIONS_H

#include <stdint.h>

#include "arena.h"
#include "command.h"
#include "dict.h"
#include "record.h"

struct decision;

/* A recipient, and the last decision that was made for it. */
struct judged_rcpt {
	const char *rcpt;
	size_t decision;
};

/* Zeroes, but for only. */
struct decisions {
	struct arena arena;
	const char *only; /* this recipient alone, NULL: all */
	struct decision *decisions;
	uint64_t *fates; /* of each decision */
	size_t decision_count, decision_cap;
	struct judged_rcpt *rcpts;
	size_t rcpt_count, rcpt_cap;
	struct dict by_rcpt; /* place + 1 */
};

/* A row of trace_judged_record(); arg is the decisions.  1: no more. */
int decisions_row(void *arg, const struct value *values, size_t n,
		  struct span encoded);
/* Prints those that still hold. */
void decisions_show(struct ctx *c, const struct decisions *g);
void decisions_release(struct decisions *g);

#endif
