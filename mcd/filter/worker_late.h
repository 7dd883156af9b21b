/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A worker that waits for one answer may be given another: one that is too
 * late, or the DNS lists', which were asked before all else.
 */
#ifndef WORKER_LATE_H
#define WORKER_LATE_H

#include <stdbool.h>

#include "chan.h"

/* Takes such a frame: true.  False, said in the log, for one that the pool
 * may not send now: the channel is out of step. */
bool worker_late(struct chan *c, struct frame *f);

#endif
