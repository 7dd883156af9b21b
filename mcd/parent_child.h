/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The roles as the parent's children: started, wired to each other,
 * watched, restarted with back-off, told of reloads, stopped in order.
 */
#ifndef PARENT_CHILD_H
#define PARENT_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "parent_tell.h"
#include "peer.h"

struct child_events {
	/* All roles run and know the current generation. */
	void (*all_ready)(void);
	/* None is left, after children_stop() or children_kill(). */
	void (*all_gone)(void);
	/* A role gave up in the first start, for a reason that restarts
	 * do not mend. */
	void (*hopeless)(int exit_code);
};

/* After loop_init() and peer_init().  start is kept by reference and read
 * at each start of a role. */
void children_init(const struct start *start,
		   const struct child_events *events);
void children_start(void);
/* Tells all of the new generation of start. */
void children_reload(void);
/* In the order of role.def; all_gone at the end. */
void children_stop(int64_t data_ms, int64_t reply_ms);
/* SIGKILL to all, at once; none is restarted. */
void children_kill(void);

/* Collects those that died; for SIGCHLD. */
void children_reap(void);
/* Each second: kills roles that are silent, wires those that lost each
 * other. */
void children_watch(void);
/* Frames of roles. */
void children_beat(peer_id from);
void children_ready(peer_id from, uint32_t generation);
void children_lost(peer_id from, uint32_t role, uint32_t serial);

#endif
