/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What of the state of a running mcd other commands need.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

struct drain_state {
	bool is_running;
	bool is_draining; /* incoming answers 421 */
	int64_t left; /* messages in the three queues or on their way in */
	bool is_safe; /* to stop: it is draining, and nothing is left */
};

/* From the shared mapping.  Complains and returns an exit code. */
int status_drain(struct ctx *c, struct drain_state *out);

#endif
