/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The DNS lists that are in use, and their health.  Each is tested by its
 * test entries (RFC 5782 section 5): one must be listed and one must not.
 * A list that fails is suspended: nothing is asked of it, with one warning,
 * until a later test finds it right.  IPv4, IPv6 and names are three halves
 * of a list that are tested and suspended each for itself.
 *
 * Nothing is asked of a half before its first test is done: questions wait
 * for that.
 */
#ifndef RBL_LIST_H
#define RBL_LIST_H

#include "rbl_answer.h"
#include "loop.h"

enum health {
	HEALTH_NEW, /* not tested yet */
	HEALTH_GOOD,
	HEALTH_SUSPENDED
};

#define RBL_HALVES 3 /* IPv4, IPv6, names */

struct rbl_list;

/* One that waits for a test to be done; embedded in its owner. */
struct rbl_wait {
	struct list node;
	void (*fn)(struct rbl_wait *w);
};

/* A row after the other; the last one makes all of them hold.  A list whose
 * row is the same stays as it is. */
void rbl_list_row(const char *name, const char *value, bool is_last);
/* All of them are tested again: the resolver is another. */
void rbl_lists_renew(void);

/* The lists in use, by number from 0; NULL at the end. */
struct rbl_list *rbl_list_at(size_t i);
const struct rbl *rbl_list_row_of(const struct rbl_list *l);
/* It stays until it is let go, though the rows may change. */
struct rbl_list *rbl_list_hold(struct rbl_list *l);
void rbl_list_let_go(struct rbl_list *l);

/* Of the half that what is of; why is the reason of a suspension. */
enum health rbl_list_health(const struct rbl_list *l, unsigned what,
			    const char **why);
/* Calls w->fn when it is no longer HEALTH_NEW. */
void rbl_list_wait(struct rbl_list *l, unsigned what, struct rbl_wait *w);
/* How a question has gone, counted; what it says of the list's health. */
void rbl_list_count(struct rbl_list *l, unsigned what, enum rbl_answer got,
		    const char *why, int64_t time_us);

#endif
