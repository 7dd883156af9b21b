/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What history.db knows beside its events, for the files of this module
 * only: the words of subjects (FTS5), and tallies (tally.h).
 */
#ifndef HISTORY_INDEX_H
#define HISTORY_INDEX_H

#include "history.h"

/* Of version 4. */
extern const char history_index_sql[];

int history_index_prepare(struct history *h, struct err *e);
void history_index_release(struct history *h);
/* An event that was added as seq. */
int history_index_add(struct history *h, const struct ledger_event *ev,
		      int64_t seq, struct err *e);
/* Forgets the words of the events that history_expire() removes next, and
 * tallies that are older. */
int history_index_expire(struct history *h, int64_t before_us, int limit,
			 struct err *e);

/* The oldest rows of event that are before ?1, ?2 of them. */
#define HISTORY_OLDEST \
	"(SELECT seq FROM event WHERE at < ?1 ORDER BY at, seq LIMIT ?2)"

#endif
