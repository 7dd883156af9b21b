/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Judges one message: reads it, and walks the policies of its recipients,
 * of which each gets its own verdict.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include "chan.h"
#include "data.h"
#include "proto.h"

/*
 * scan is of the frame, fd the message; both stay the caller's.  Sends a
 * verdict per policy and scan_done under token; without SCAN_DONE in the
 * latter the verdicts count for nothing.  -1 when the channel is gone.
 */
int runner_scan(struct chan *c, uint32_t token, const struct frame_scan *scan,
		int fd, const struct worker_data *data);

#endif
