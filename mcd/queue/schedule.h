/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * When is what delivered: messages in outgoing by groups of recipients of
 * one domain, each waiting for its time or its turn.  Destinations take
 * turns, new mail goes before retries without starving them.  No I/O.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "due.h"
#include "list.h"
#include "message.h"

struct dest;

/* The recipients of one domain of a message. */
struct group {
	struct list node; /* ready at its destination */
	struct due due; /* or waiting for its time */
	struct message *m;
	struct dest *dest; /* NULL: nobody is left */
	bool is_retry;
	bool is_active;
};

/* start gets one group that is due; it is active until schedule_done().
 * ask_limit (or NULL) gets a domain that has its turn and whose own limit
 * is not known, or not since a minute; it is answered by
 * schedule_limit_of(), and till then one delivery at a time goes there. */
void schedule_init(void (*start)(struct group *g),
		   void (*ask_limit)(const char *domain));
/* For tests and the end of a process. */
void schedule_release(void);
/* Deliveries at a time, in all and to one destination. */
void schedule_limits(int64_t all, int64_t each);
/* To this destination, if there is one; 0: that of all. */
void schedule_limit_of(const char *domain, int64_t limit);
/* While closed nothing is started. */
void schedule_open(bool is_open);

/* m enters outgoing with recipients of these domains (lower case, each
 * once); wait_ms 0: at once. */
void schedule_add(struct message *m, const char *const *domains, size_t n,
		  int64_t wait_ms, bool is_retry);
/* m leaves outgoing; none of its groups is active. */
void schedule_drop(struct message *m);
/* g is not active any more and comes again in wait_ms, or never when that
 * is negative. */
void schedule_done(struct group *g, int64_t wait_ms);
/* What waits for its time is due now. */
void schedule_now(struct message *m);
/* Until the next attempt of any group, 0 when one is due or active. */
int64_t schedule_wait_ms(const struct message *m);
/* The same of the groups that are not active, -1 when there are none. */
int64_t schedule_rest_ms(const struct message *m);
const char *schedule_domain(const struct group *g);
size_t schedule_active(void);

#endif
