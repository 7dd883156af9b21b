/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether the mcd behind a stats mapping is there: its parent's beat and its
 * process. Every reader asks here, so that all say the same.
 */
#ifndef BEAT_H
#define BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

struct beat {
	bool is_running; /* there, and beating */
	bool is_hung; /* there, but the parent does not beat */
	int64_t beat_us, started_us; /* wall clock */
	int64_t pid; /* 0 when it is neither */
};

/* Asks the kernel for the process; does not block. */
void beat_take(const struct stats *s, struct beat *b);

#endif
