/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Syncs of many descriptors at a time.  A disk answers flushes that wait
 * together with one; made one after the other each would wait for its
 * own.  The files of a batch are therefore synced side by side.
 */
#ifndef SYNC_POOL_H
#define SYNC_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "list.h"

struct sync_group;

struct sync_job {
	int fd;
	bool is_folder; /* fsync, else fdatasync */
	int error; /* out: errno, 0 when it is durable */
	struct list node; /* private */
	struct sync_group *group; /* private */
};

/* fatal() when threads cannot be had. */
void sync_pool_start(int threads);
/*
 * Does all jobs, each once, and returns when the last is done.  May be
 * called by several threads; the caller lends its hand.
 */
void sync_pool_run(struct sync_job *jobs, size_t count);
/* Nobody is in sync_pool_run() any more. */
void sync_pool_stop(void);

#endif
