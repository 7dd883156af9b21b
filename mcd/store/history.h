/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * history.db: the ledger's events, indexed.  It is made from the ledger
 * and can be made again: a damaged one is moved aside.  Times are UTC
 * microseconds.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "ledger.h"
#include "record.h"

struct history;

#define HISTORY_VERSION 3

/*
 * Opens dir/history.db or makes it; a damaged one is moved aside and made
 * again.  -1 when that cannot be done now, or when it is of a newer
 * version, which is left as it is.
 */
int history_open(const char *dir, struct history **out, struct err *e);
void history_close(struct history *h);
/* A call has failed because of damage: close and discard it. */
bool history_is_damaged(const struct history *h);
/* Moves dir/history.db aside; it is not open. */
int history_discard(const char *dir, struct err *e);

/* Where reading goes on: the file and the offset of the first line that
 * is not in yet; "" and 0 for a new database. */
int history_position(struct history *h, char *file, uint64_t *offset,
		     struct err *e);
/* What of a file is in: 0 for one that was not read yet. */
int history_offset(struct history *h, const char *file, uint64_t *offset,
		   struct err *e);
/* The last file that was read of those up to this name; "" and 0: none. */
int history_last_file(struct history *h, const char *upto, char *file,
		      uint64_t *offset, struct err *e);

/* A batch of events and the position behind them, in one transaction. */
int history_begin(struct history *h, struct err *e);
int history_add(struct history *h, const struct ledger_event *ev,
		struct err *e);
int history_commit(struct history *h, const char *file, uint64_t offset,
		   struct err *e);
void history_rollback(struct history *h);

/* Drops at most a bounded number of events before the time; 1 when more
 * are left. */
int history_expire(struct history *h, int64_t before_us, struct err *e);

/*
 * Events of any (trace.h) in the order they came in, behind cursor (0:
 * from the start).  fn gets each as a record, non-zero stops.  Returns the
 * next cursor, 0 when there is no more, -1 on error.
 */
typedef int history_row_fn(void *arg, const struct record *r);
int64_t history_trace(struct history *h, const char *any, int64_t cursor,
		      uint32_t limit, history_row_fn *fn, void *arg,
		      struct err *e);

/* The judged events of an ID (with or without .N), as
 * trace_judged_record() has them; all else as above. */
int64_t history_judged(struct history *h, const char *id, int64_t cursor,
		       uint32_t limit, history_row_fn *fn, void *arg,
		       struct err *e);

#endif
