/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Delivery status notifications (RFC 3464, RFC 6533 when the address is
 * not ASCII) as a complete message in CRLF form: text for people, the
 * machine-readable part, and the header of the original.  One tells of
 * all recipients, what became of each standing beside it.
 */
#ifndef DSN_H
#define DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* RFC 3464 section 2.3.3; the gravest first.  DSN_RELAYED is a success
 * that the next hop will not tell of. */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_RELAYED, DSN_ACTIONS };

struct dsn_rcpt {
	enum dsn_action action;
	const char *address;
	const char *orcpt; /* RFC 3461, "" if none */
	const char *enhanced; /* RFC 3463 "5.1.1" */
	const char *relay; /* next hop "name[ip]:port", "" if none */
	const char *diagnostic; /* the remote's words, "" if none */
	int64_t last_attempt_us; /* 0: unknown */
};

struct dsn {
	const char *id; /* of the notification */
	const char *original_id; /* of the message it is about */
	const char *reporting_mta; /* our name */
	const char *to; /* the sender of the original */
	const char *envid; /* RFC 3461, "" if none */
	int64_t arrival_us;
	int64_t now_us;
	int64_t will_retry_until_us; /* 0: unknown; for DSN_DELAYED */
	const struct dsn_rcpt *rcpts;
	size_t rcpt_count;
	struct span header; /* of the original; cut at 64 KiB on a line end */
	bool is_utf8; /* the original used SMTPUTF8 */
};

/* The notification has to go as SMTPUTF8 (RFC 6533). */
bool dsn_is_utf8(const struct dsn *d);
/*
 * Appends the notification; ASCII alone unless dsn_is_utf8(), no line above
 * 998.  -1, and nothing appended, when out refuses, or there is no one to
 * tell, nothing to tell of, or no name of ours.
 */
int dsn_write(const struct dsn *d, struct buf *out, struct err *e);

#endif
