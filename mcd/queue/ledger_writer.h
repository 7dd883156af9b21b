/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ledger as it is written: events are appended in memory and written
 * and synced in groups by a thread, in their order.  A file whose write
 * or sync has failed is never tried again: all that was not durable is
 * written to a new one, so that a line may stand twice.
 */
#ifndef LEDGER_WRITER_H
#define LEDGER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "ledger.h"

struct ledger_writer_ops {
	/* size bytes of file are durable. */
	void (*grown)(const char *file, uint64_t size);
	/* Writing has failed (why), or works again (NULL). */
	void (*trouble)(const char *why);
};

/* Both descriptors and ops stay the caller's. */
void ledger_writer_start(int ledger_fd, const struct ledger_writer_ops *ops);
void ledger_writer_set_keep(int64_t keep_ms);
/* Waits for the thread; what is not durable by then is lost. */
void ledger_writer_stop(void);

/* ev->at_us 0: now. */
void ledger_append(const struct ledger_event *ev);
/* fn is called in the loop when all that was appended is durable; never
 * before ledger_sync() returns. */
typedef void ledger_sync_fn(void *arg);
void ledger_sync(ledger_sync_fn *fn, void *arg);
/* The last write or sync has failed: nothing new should be begun. */
bool ledger_is_failing(void);
/* Bytes that are not durable yet; not 0 while anybody waits for them. */
size_t ledger_waiting(void);

/*
 * For store: the file `file`, or when it is "" the one after `after` (""
 * for the oldest).  1 opened, 0 there is none, -1 with e.
 */
struct ledger_found {
	char file[LEDGER_NAME_SIZE];
	uint64_t size; /* whole and durable lines */
	bool is_closed; /* nothing will be added */
	int fd; /* the caller's */
};
int ledger_find(const char *after, const char *file, struct ledger_found *found,
		struct err *e);

#endif
