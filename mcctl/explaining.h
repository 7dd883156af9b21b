/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decisions about mail, shown in plain words or as JSON: gathered from
 * judged events, a decision for all recipients that share it.
 */
#ifndef EXPLAINING_H
#define EXPLAINING_H

#include <stddef.h>

#include "command.h"
#include "explanation.h"

/* One decision.  The strings are borrowed. */
struct decision {
	const char *id, *time; /* "" where nothing was queued */
	const char *verdict, *action, *reason, *score, *threshold;
	const char *explanation;
	const char *const *rcpts;
	size_t rcpt_count;
};

/* Prints one, apart from the one before. */
void explain_decision(struct ctx *c, const struct decision *d);

#endif
