/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a gateway: each (ID, recipient) that the ledger says was
 * accepted is finished, or still in the spool, or lost.  Reads ledger and
 * spool from their folders, beside a running mcd or without one.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * accepted = delivered + bounced + discarded + deleted + held +
 *            quarantined + queued + parked + lost
 *
 * Beside a running mcd: what was accepted before the audit began.
 */
struct audit {
	int64_t accepted; /* all of them, own and unrecorded too */
	int64_t own; /* of these: our own notifications */
	int64_t unrecorded; /* in the spool, not now in the ledger */
	int64_t older; /* finished, accepted before the ledger begins */
	int64_t delivered, bounced, discarded, deleted;
	int64_t held, quarantined, queued;
	int64_t parked; /* damaged envelopes, kept in corrupt */
	int64_t lost;
	int64_t duplicates; /* finished once more after a crash */
	int64_t damaged_lines; /* of the ledger */
	int64_t damaged_envelopes; /* files that cannot be read */
};

/* One that is lost.  Valid for the call; why is "" when no trace of it is
 * in the spool. */
struct audit_lost {
	const char *name; /* ID or ID.N */
	const char *rcpt;
	const char *why;
	int64_t seen_us; /* when it was heard of first; 0: not told */
};
typedef void audit_lost_fn(void *arg, const struct audit_lost *l);

/*
 * is_stopped: mcd does not run, and what a crash has left without the name of
 * an envelope is counted too (unnamed.h).  Takes at most a second longer than
 * reading; about 50 bytes of memory for each recipient in the ledger.  -1
 * when a folder or a file cannot be read, or is of a newer version.
 */
int audit_run(int spool_fd, bool is_stopped, struct audit *out,
	      audit_lost_fn *lost, void *arg, struct err *e);

#endif
