/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A worker's connection to spamd, which it cannot make itself: asked for
 * over its channel, given back when it is done.
 */
#ifndef WORKER_SPAMD_H
#define WORKER_SPAMD_H

#include <stdbool.h>
#include <stdint.h>

#include "chan.h"

#define WORKER_SPAMD_MAX 4 /* connections for one message */

/* How a filter comes to a connection, wherever it runs. */
struct spamd_asker {
	/* Waits for one until deadline_ms, monotonic; READY: *fd is the
	 * caller's until done(). why holds what else there is to say. */
	enum spamd_status (*open)(void *arg, int64_t deadline_ms, int *fd,
				  char *why, size_t size);
	/* Closes *fd and gives the connection back. */
	void (*done)(void *arg, int *fd);
	void *arg;
};

/* A worker's; zeroed but for c to begin with. */
struct worker_spamd {
	struct chan *c;
	uint32_t token; /* of the last question */
	uint64_t ticket;
	bool is_lost; /* the channel is gone or out of step */
};

/* Frames that were received before are no longer valid once it was used. */
struct spamd_asker worker_spamd_asker(struct worker_spamd *w);

#endif
