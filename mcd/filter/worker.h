/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A filter worker: one message at a time, by blocking calls on the
 * descriptors it is given, in the tightest jail of all.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * In the forked child: takes channel, never returns.  memory_max as in
 * jail_worker().  Exits 0 when the pool closes the channel.
 */
void worker_run(int channel, bool has_jail, int64_t memory_max)
	__attribute__((noreturn));

#endif
