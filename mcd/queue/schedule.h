/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * When is what delivered: messages in outgoing by groups of recipients of
 * one domain, each waiting for its time or its turn.  No I/O.
 *
 * Who gets a slot: destinations take turns; those that were not reached
 * yet, or not the last time, have at most half of all slots, and at most
 * three quarters with the first delivery to each that has not failed: the
 * rest is for those that were reached, however many hang; new mail goes
 * before retries without starving them; and a message has at most
 * SCHEDULE_SHARE groups among those that take turns, so that a list of
 * thousands of domains leaves room for the message behind it.
 *
 * A destination that is taken for dead gets a probe now and then; what
 * else is due there is started as is_untried, for its deferral alone.
 * The first delivery that is answered revives it, and all that was
 * deferred for its death is due at once.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dest.h"
#include "due.h"
#include "list.h"
#include "message.h"

#define SCHEDULE_SHARE 50 /* groups of a message that take turns */
#define SCHEDULE_WHY 200 /* bytes kept of why a destination is dead */

struct dest;

enum group_at {
	GROUP_OVER, /* nobody is left */
	GROUP_WAITS, /* for its time */
	GROUP_BACKLOG, /* due, behind others of its message */
	GROUP_READY, /* its turn is to come */
	GROUP_ACTIVE, /* it has a slot */
	GROUP_SETTLING /* has given it back, and its results are taken in */
};

/* The recipients of one domain of a message. */
struct group {
	struct list node; /* of whatever it is at */
	struct due due;
	struct message *m;
	struct dest *dest; /* NULL: nobody is left */
	int64_t started; /* see dest.h */
	uint32_t round; /* of the destination, when it was not reached */
	uint8_t at; /* enum group_at */
	bool is_retry;
	bool is_untried; /* to be deferred: its destination is dead */
	bool is_probe;
	bool is_new_slot; /* its slot is one of the half */
	bool is_unreached; /* the last result was that, or is_untried */
};

struct schedule_rules {
	int64_t all; /* slots */
	struct dest_rules each;
};

/* start gets one group that is due; it ends with schedule_done().
 * ask_limit (or NULL) gets a domain that has its turn and whose own limit
 * is not known, or not since a minute; it is answered by
 * schedule_limit_of(), and till then one delivery at a time goes there. */
void schedule_init(void (*start)(struct group *g),
		   void (*ask_limit)(const char *domain));
/* For tests and the end of a process. */
void schedule_release(void);
void schedule_set_rules(const struct schedule_rules *rules);
/* To this destination, if there is one; 0: that of all. */
void schedule_limit_of(const char *domain, int64_t limit);
/* While closed nothing is started. */
void schedule_open(bool is_open);

/* m enters outgoing with recipients of these domains (lower case, each
 * once); wait_ms 0: at once. */
void schedule_add(struct message *m, const char *const *domains, size_t n,
		  int64_t wait_ms, bool is_retry);
/* m leaves outgoing; none of its groups is active or settling. */
void schedule_drop(struct message *m);
/* The delivery of g is over, and its slot is free; why says what went
 * wrong.  schedule_done() follows when its results are taken in. */
void schedule_result(struct group *g, enum dest_result result, const char *why);
/* g comes again in wait_ms, or never when that is negative. */
void schedule_done(struct group *g, int64_t wait_ms);
/* What waits for its time is due now, also at a dead destination. */
void schedule_now(struct message *m);
/* Until the next attempt of any group, 0 when one is due or active. */
int64_t schedule_wait_ms(const struct message *m);
/* The same of the groups that are not active, -1 when there are none. */
int64_t schedule_rest_ms(const struct message *m);
/* Whether a group of m is about to have its turn, or has it. */
bool schedule_is_going_on(const struct message *m);
const char *schedule_domain(const struct group *g);
/* Why a group is_untried, for people. */
void schedule_why(const struct group *g, char *dst, size_t size);
/* Slots in use. */
size_t schedule_active(void);

/* The wait after so many attempts: first, then 1.5 times the last, up to
 * max; a tenth either way by random, so that not all come at once. */
int64_t schedule_retry_ms(uint32_t attempts, int64_t first, int64_t max,
			  uint32_t random);

#endif
