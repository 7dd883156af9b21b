/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The addresses of a host, asked of lookup: IPv6 first, then IPv4.  An
 * address as name is its own answer.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip.h"
#include "peer.h"

#define RESOLVE_MAX 16 /* addresses of one host */

struct resolve;
typedef void resolve_fn(void *arg, const struct resolve *r);

/* Embedded in who wants to know. */
struct resolve {
	struct ip ips[RESOLVE_MAX];
	size_t count;
	const char *failure; /* "" or why there is none */
	/* private */
	struct ip v4[RESOLVE_MAX];
	size_t v4_count;
	uint32_t token_v6, token_v4;
	bool has_failed; /* as opposed to: there is none */
	resolve_fn *fn;
	void *arg;
};

/* fn is called once, perhaps before this returns. */
void resolve_start(struct resolve *r, const char *host, resolve_fn *fn,
		   void *arg);
/* Fine when nothing is under way in a zeroed one. */
void resolve_cancel(struct resolve *r);

#endif
