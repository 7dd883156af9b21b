/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Telling a sender that recipients have failed: the notification is a
 * message of our own, durable before the original loses the recipients.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "dsn.h"
#include "envelope.h"

/* Whether the sender is to be told of this recipient: never of one with
 * NOTIFY=NEVER (RFC 3461 section 4.1), never to the null path. */
bool bounce_is_due(const struct envelope *env, const struct rcpt *r);

/*
 * Writes the notification and enters it in outgoing.  fn is called later
 * with 0, or -1 when it could not be made durable now.  env and rcpts are
 * needed for the call only.
 */
typedef void bounce_fn(void *arg, int result);
void bounce_send(const struct envelope *env, const struct dsn_rcpt *rcpts,
		 size_t count, bounce_fn *fn, void *arg);

#endif
