/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The addresses of a host, asked of lookup: IPv6 and IPv4 by turns, IPv6
 * first, those of one kind in any order.  An address as name is its own
 * answer.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip.h"
#include "peer.h"

#define RESOLVE_MAX 16 /* addresses of one host */

enum resolve_status {
	RESOLVE_OK,
	RESOLVE_NO_ADDRESS, /* the name is there */
	RESOLVE_NO_NAME,
	RESOLVE_FAILED /* not known now */
};

struct resolve;
typedef void resolve_fn(void *arg, const struct resolve *r);

/* Embedded in who wants to know. */
struct resolve {
	enum resolve_status status;
	struct ip ips[RESOLVE_MAX];
	size_t count;
	const char *failure; /* "" or why there is none */
	/* private */
	struct resolve_half {
		struct resolve *all;
		struct ip ips[RESOLVE_MAX];
		size_t count;
		uint32_t token;
		bool has_failed, has_no_name;
	} v6, v4;
	resolve_fn *fn;
	void *arg;
};

/* fn is called once, perhaps before this returns. */
void resolve_start(struct resolve *r, const char *host, resolve_fn *fn,
		   void *arg);
/* Fine when nothing is under way in a zeroed one. */
void resolve_cancel(struct resolve *r);

#endif
