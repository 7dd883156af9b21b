/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Telling a sender what became of recipients: the notification is a
 * message of our own, durable before the original loses the recipients.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "dsn.h"
#include "envelope.h"

/*
 * Whether the sender is to be told this of a recipient: what NOTIFY asks
 * for (RFC 3461 section 4.1), without it failures and delays.  Never of
 * mail that the filters found to be spam or a virus.  A message from the
 * null path has nobody to tell, but of its failure the address in
 * double_bounce_to, which is never told of a failure of its own.
 */
bool bounce_is_due(const struct envelope *env, const struct rcpt *r,
		   enum dsn_action action);

/*
 * Writes one notification of all of rcpts and enters it in outgoing.  fn
 * is called later with 0, or -1 when it could not be made durable now.
 * env and rcpts are needed for the call only.
 */
typedef void bounce_fn(void *arg, int result);
void bounce_send(const struct envelope *env, const struct dsn_rcpt *rcpts,
		 size_t count, int64_t retry_until_us, bounce_fn *fn,
		 void *arg);

/*
 * A text of our own to an address that may be anybody's, entered in
 * outgoing when it is durable; a failure is logged.  write() is called
 * within, with the id of the message.
 */
typedef int bounce_text_fn(void *arg, const char *id, struct buf *out);
void bounce_own(const char *to, bounce_text_fn *write, void *arg);

#endif
