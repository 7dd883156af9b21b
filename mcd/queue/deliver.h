/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Deliveries: groups that are due go to outgoing, results go to the
 * ledger first and to the envelope after it, and recipients end as
 * delivered, deferred or bounced.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "envelope.h"
#include "message.h"
#include "schedule.h"

/* idle gets a message when no delivery and no change of it is under way. */
void deliver_init(void (*idle)(struct message *m));
/* For schedule_init(). */
void deliver_start(struct group *g);
void deliver_ask_limit(const char *domain);
/* outgoing came or went. */
void deliver_peer(bool is_up);

/* m has durably come to outgoing. */
void deliver_enter(struct message *m, const struct envelope *env,
		   int64_t wait_ms, bool is_retry);
/* m leaves outgoing by an administrator; nothing of it is under way. */
void deliver_leave(struct message *m);
/* Its time in outgoing so far, while mcd ran. */
int64_t deliver_active_ms(const struct message *m);
/* Deliveries and their results under way. */
size_t deliver_pending(void);
/* For the end of a process. */
void deliver_release(void);

#endif
