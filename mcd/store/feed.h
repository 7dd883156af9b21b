/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Carrying the ledger into history.db, from where it stopped, in batches
 * between which the loop turns.
 */
#ifndef FEED_H
#define FEED_H

#include "history.h"
#include "peer.h"

void feed_start(const char *dir);
/* queue is there, or the ledger has grown. */
void feed_wake(void);
void feed_on_grown(peer_id from, struct frame *f);
/* The open database, or NULL. */
struct history *feed_history(void);
void feed_stop(void);

#endif
