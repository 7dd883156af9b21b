/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeping the index of quarantine: names that the ledger speaks of are
 * asked for at once, and all of it again and again in the background.
 */
#ifndef QUAR_FEED_H
#define QUAR_FEED_H

#include "ledger.h"
#include "quar_index.h"

void quar_feed_start(const char *dir);
void quar_feed_stop(void);
/* queue is there. */
void quar_feed_wake(void);
/* An event of the ledger, of any kind. */
void quar_feed_event(const struct ledger_event *ev);
/* The open index, or NULL. */
struct quar_index *quar_feed_index(void);
/* Whether all of it has been looked at since the start. */
bool quar_feed_is_whole(void);

#endif
