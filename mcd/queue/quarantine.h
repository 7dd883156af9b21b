/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is in quarantine: looked at in the background, removed when its
 * time is over or when it takes too much of the disk, and told to store,
 * which keeps an index of it.  A start does not read these envelopes.
 *
 * Time in quarantine is counted while mcd runs, by a clock that goes on
 * from one start to the next and that no wall clock moves.  Where its
 * count was lost, mail stays twice its time by the wall clock instead.
 */
#ifndef QUARANTINE_H
#define QUARANTINE_H

#include <stdint.h>

#include "peer.h"

void quarantine_init(void);
void quarantine_release(void);
/* Nothing more is removed. */
void quarantine_stop(void);
/* Settings have changed: a look at all begins soon. */
void quarantine_wake(void);
/* Seconds that mcd has run in all, never 0. */
int64_t quarantine_clock_s(void);
void quarantine_on_ask(peer_id from, struct frame *f);

#endif
