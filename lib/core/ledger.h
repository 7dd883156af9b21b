/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lines of the ledger: one event each, versioned per file by a first line
 * `mcgate-ledger: 1`.  A line is `TIME VERB NAME key=value ... CRC` with
 * values escaped; a damaged line is skipped and reported, a cut last line
 * of a crash is no error.  The unit of an audit is (ID, recipient).
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

#define LEDGER_VERSION 1
#define LEDGER_LINE_MAX 16384
#define LEDGER_NAME_SIZE 16 /* YYYYMMDDHH and NUL, rounded */

enum ledger_verb {
	LEDGER_ACCEPTED, /* one line a recipient */
	LEDGER_DELIVERED,
	LEDGER_DEFERRED,
	LEDGER_BOUNCED, /* failed for good; a DSN went out where due */
	LEDGER_DISCARDED, /* by policy */
	LEDGER_DELETED, /* by an administrator */
	LEDGER_HELD, /* parked in hold */
	LEDGER_QUARANTINED,
	LEDGER_RELEASED, /* out of hold or quarantine */
	LEDGER_PARKED, /* corrupt or poison */
	LEDGER_VERB_COUNT
};

const char *ledger_verb_name(enum ledger_verb v);

/* Strings NULL or "" are left out when written, "" when read. */
struct ledger_event {
	int64_t at_us;
	enum ledger_verb verb;
	const char *name; /* ID or ID.N */
	const char *rcpt;
	const char *sender;
	const char *source; /* "smtp" or "own" */
	const char *client; /* address */
	const char *message_id;
	const char *subject;
	const char *relay;
	const char *status; /* "250 2.0.0 words" */
	const char *reason;
	const char *who;
	uint64_t size;
	int64_t delay_ms; /* since it was accepted, for results */
	bool is_recovered; /* written again by the start scan */
};

int ledger_write(const struct ledger_event *ev, struct buf *out);
/* line without its LF. -1: damaged. */
int ledger_read(struct span line, struct arena *a, struct ledger_event *ev,
		struct err *e);
/* The file an event belongs to. */
void ledger_file(int64_t at_us, char dst[LEDGER_NAME_SIZE]);

/*
 * Reads all files of a ledger folder in order, or those from file `from`
 * on.  fn gets each good event; damaged lines go to bad (may be NULL).
 */
typedef int ledger_fn(void *arg, const struct ledger_event *ev);
typedef void ledger_bad_fn(void *arg, const char *file, uint64_t line,
			   const char *why);
int ledger_each(int ledger_fd, const char *from, ledger_fn *fn,
		ledger_bad_fn *bad, void *arg, struct err *e);

#endif
