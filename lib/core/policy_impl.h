/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What policy.c and policy_load.c share: a snapshot as it lies in memory.
 */
#ifndef POLICY_IMPL_H
#define POLICY_IMPL_H

#include "arena.h"
#include "dict.h"
#include "policy.h"

struct policy_value {
	const struct knob *knob;
	struct knob_value value; /* its text in the arena */
	struct policy_value *next;
};

/* Somebody who has values of his own. */
struct policy_subject {
	const char *name; /* domain, or local@domain */
	struct policy_value *values;
	bool has_rows; /* in the lists */
};

struct policy_dest_item {
	struct policy_dest dest;
	struct policy_dest_item *next;
};

struct policy_entry {
	struct policy_domain domain;
	bool is_known; /* has a row, not just destinations */
	struct policy_dest_item *items; /* while it is loaded */
	struct policy_subject subject;
};

/* A list of hosts, in the order of its keys. */
struct policy_net {
	struct ip_net net;
	struct policy_net *next;
};

/* All but the keys of the dicts lies in the arena. */
struct policy {
	struct arena arena;
	struct dict domains; /* struct policy_entry */
	struct dict users; /* struct policy_subject */
	struct dict rcpts; /* a set: the value is the policy */
	struct policy_net *hosts[POLICY_HOSTS_COUNT];
	struct policy_entry smarthosts; /* its destinations alone */
	struct policy_subject global_subject;
	struct knobs global;
	struct buf lists; /* rows for the filters, lists.h */
};

#endif
