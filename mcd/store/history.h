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

#define HISTORY_VERSION 4

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

/* Puts a bounded number of the events of an older version into the index of
 * words and the tallies; 1 when more are left. */
int history_fill(struct history *h, struct err *e);

/*
 * Where a question goes on; zeroes at its start.  As text: "MATCH.EVENT",
 * which holds HISTORY_CURSOR_SIZE.
 */
struct history_cursor {
	int64_t match; /* the event by which the last message was found */
	int64_t event; /* the last of its events that was seen; 0: all were */
};
#define HISTORY_CURSOR_SIZE 44
void history_cursor_text(const struct history_cursor *at,
			 char dst[HISTORY_CURSOR_SIZE]);
int history_cursor_parse(const char *text, struct history_cursor *out);

/*
 * Events of any (trace.h): message by message in the order they came in,
 * each with its events.  Only what is behind *at is looked at, so the first
 * page of a client with a million messages costs no more than of one with
 * ten.  fn gets each as a record, non-zero stops.  1 when there is more
 * behind *at, 0 when not, -1 on error.
 */
typedef int history_row_fn(void *arg, const struct record *r);
int history_trace(struct history *h, const char *any, struct history_cursor *at,
		  uint32_t limit, history_row_fn *fn, void *arg, struct err *e);

/* The judged events of an ID (with or without .N), as
 * trace_judged_record() has them; all else as above. */
int history_judged(struct history *h, const char *id, struct history_cursor *at,
		   uint32_t limit, history_row_fn *fn, void *arg,
		   struct err *e);

#endif
