/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where mail of a domain goes, as control says; kept for some seconds.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "peer.h"

#define ROUTE_DESTS_MAX 64

struct route_dest {
	int64_t priority; /* 0 best */
	char host[256]; /* name or address, without brackets */
	uint16_t port;
};

/* Borrowed for the call it is given in. */
struct route {
	enum answer status;
	const char *text; /* why not OK */
	bool is_ours; /* dests are what an administrator has said */
	enum route_mode mode;
	enum dest_tls tls;
	enum dest_8bit eightbit;
	const struct route_dest *dests; /* best first */
	size_t dest_count;
};

typedef void route_fn(void *arg, const struct route *r);

/* Embedded in who wants to know; on a list while it waits. */
struct route_want {
	struct list node;
	route_fn *fn;
	void *arg;
};

void route_want_init(struct route_want *w, route_fn *fn, void *arg);
/* fn is called once, perhaps before this returns.  is_outbound: it may be
 * a domain of others. */
void route_get(struct route_want *w, const char *domain, bool is_outbound);
/* Fine when it does not wait. */
void route_cancel(struct route_want *w);

#endif
