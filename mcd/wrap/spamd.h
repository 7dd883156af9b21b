/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One question to spamd over a connected descriptor: sent and answered
 * within a deadline, in a process that may block and has no network of its
 * own.
 */
#ifndef SPAMD_H
#define SPAMD_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "ip.h"

/* Where spamd listens. */
struct spamd_place {
	bool is_set;
	const char *path; /* of a socket, the setting's text; NULL: at */
	struct ip_port at;
};

/* "", an absolute path or "ADDR@PORT". */
int spamd_place_parse(const char *text, struct spamd_place *out, struct err *e);
/*
 * Begins to connect: a non-blocking descriptor, of TCP to be waited for
 * until it can be written to (spamd_connected()); -1 with e.
 */
int spamd_connect(const struct spamd_place *at, struct err *e);
/* Whether it stands, once it can be written to. */
int spamd_connected(int fd, struct err *e);

enum spamd_end {
	SPAMD_ANSWERED, /* it closed, and what it said is in reply */
	SPAMD_BROKEN, /* it went away */
	SPAMD_TOO_LONG, /* it says more than SPAMD_REPLY_MAX */
	SPAMD_LATE /* the deadline has passed */
};

/*
 * Sends verb and message over fd, which becomes non-blocking and stays the
 * caller's, and reads until the other side closes.  deadline_ms is
 * monotonic.
 */
enum spamd_end spamd_talk(int fd, const char *verb, struct span message,
			  int64_t deadline_ms, struct buf *reply,
			  struct err *e);

#endif
