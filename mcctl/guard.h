/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two administrators at one thing: a change is refused when what it changes
 * was changed since it was looked at.  Both questions are answered in the
 * transaction of the change, so that nobody can come between.
 */
#ifndef GUARD_H
#define GUARD_H

#include "command.h"

struct guard {
	int64_t last; /* serial before the change */
};

/* Before the command runs; an exit code. */
int guard_begin(struct guard *g, struct ctx *c);
/* After it: EX_OK, or it complains with EX_PROTOCOL: a row that it has
 * written was written with a serial above c->since before. */
int guard_check(const struct guard *g, struct ctx *c);

#endif
